"""What each filter of a convolution likes best: the test examples that excite it most, and an input made to excite it.

The made input climbs the gradient of what the filter gives in the middle of its map, from noise (Erhan and others, "Visualizing
higher-layer features of a deep network", 2009), smoothed a little at each step and kept between black and white.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from cnn_core import datasets, targets
from cnn_core.filters import ends
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.study import Context, Result

KEPT = 6  # favourites of each filter
STEPS, SIZE, SMOOTH = 40, 0.08, 0.4  # of the climb: steps, length of each, and how much each is smoothed
BATCH = 250  # examples that are read at once
TOGETHER = 64  # filters for which inputs are made at once

Progress = Callable[[float, str], None]  # how far the work on one layer is, 0 to 1, and in words


def study(context: Context) -> Result:
    """For each convolution, by its name and "/": best (filters, KEPT), the indices of its favourites; values, how much each excites
    it; places (filters, KEPT, axes), where; active (filters,), the part of the examples in which it is not zero everywhere;
    made (filters, ...), the made inputs, from 0 to 1 for images. "examples": how many were looked at."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    examples = data.x_test
    layers = {name: end for name, end in ends(spec.model).items() if isinstance(spec.model.layer(name), Sliding)}
    found: Result = {"examples": np.array(len(examples))}
    for number, (layer, end) in enumerate(layers.items()):

        def progress(part: float, words: str, done: int = number, layer: str = layer) -> None:
            context.progress((done + part) / len(layers), f"{layer}: {words}")

        found |= {f"{layer}/{name}": values for name, values in _favourites(model, examples, end, progress).items()}
        found[f"{layer}/made"] = _made(model, layer, len(found[f"{layer}/best"]), progress)
    return found


def _favourites(model, examples: np.ndarray, layer: str, progress: Progress) -> Result:
    """What of `examples` excites each filter of a layer most, and where: the first half of the work on a layer."""
    peaks, places, stirred = [], [], []
    for start in range(0, len(examples), BATCH):
        progress(0.5 * start / len(examples), f"reading test example {start:,} of {len(examples):,}")
        maps = model.outputs(examples[start : start + BATCH], [layer])[layer]
        flat = maps.reshape(len(maps), -1, maps.shape[-1])
        peaks.append(flat.max(axis=1))
        places.append(flat.argmax(axis=1))
        stirred.append((flat != 0).any(axis=1))
    values, where, sides = np.concatenate(peaks), np.concatenate(places), maps.shape[1:-1]
    best = np.argsort(-values, axis=0, kind="stable")[:KEPT].T
    filters = np.arange(values.shape[1])[:, np.newaxis]
    corners = np.stack(np.unravel_index(where[best, filters], sides), axis=-1)
    return {"best": best, "values": values[best, filters], "places": corners, "active": np.concatenate(stirred).mean(axis=0)}


def _made(model, layer: str, count: int, progress: Progress) -> np.ndarray:
    """An input for each filter of a layer that makes what it gives in the middle of its map, before its activation, large."""
    import tensorflow as tf

    spec = model.spec
    shape, is_series = targets.input_shape(spec.data), datasets.info(spec.data.dataset).is_series
    low, high, start = (-3.0, 3.0, 0.0) if is_series else (0.0, 1.0, 0.5)
    noise = np.random.default_rng(0).normal(scale=0.05, size=(1, *shape))
    network = tf.keras.Model(model.model.inputs, model.model.get_layer(layer).output)
    middle = (slice(None), *(side // 2 for side in network.output.shape[1:-1]))

    @tf.function
    def slopes(inputs: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = tf.reduce_sum(network(inputs, training=False)[middle] * wanted)
        return tape.gradient(score, inputs)

    smooth, made = (0, *([SMOOTH] * (len(shape) - 1)), 0), []
    for first in range(0, count, TOGETHER):
        filters = range(first, min(count, first + TOGETHER))
        wanted = tf.one_hot(filters, count)
        climbing = np.repeat(start + noise, len(filters), axis=0).astype(np.float32)
        for step in range(STEPS):
            done = (first + len(filters) * step / STEPS) / count
            progress(0.5 + 0.5 * done, f"making inputs for filters {filters[0] + 1} to {filters[-1] + 1} of {count}")
            slope = slopes(tf.constant(climbing), wanted).numpy()
            length = np.sqrt((slope**2).mean(axis=tuple(range(1, slope.ndim)), keepdims=True)) + 1e-8
            climbing = np.clip(ndimage.gaussian_filter(climbing + SIZE * slope / length, smooth), low, high).astype(np.float32)
        made.append(climbing[..., 0])
    return np.concatenate(made)
