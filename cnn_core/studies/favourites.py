"""What each filter of a convolution likes best: the test examples that excite it most, and an input made to excite it.

The made input climbs the gradient of what the filter gives in the middle of its map, from noise (Erhan and others, "Visualizing
higher-layer features of a deep network", 2009), smoothed a little at each step and kept between black and white.
"""

import numpy as np
from scipy import ndimage

from cnn_core import datasets, targets
from cnn_core.filters import ends
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.study import Context, Result

EXAMPLES = 2000  # of the test part among which the favourites are found
KEPT = 6  # favourites of each filter
FILTERS = 64  # of each layer
STEPS, SIZE, SMOOTH = 40, 0.08, 0.4  # of the climb: steps, length of each, and how much each is smoothed
BATCH = 250


def study(context: Context) -> Result:
    """For each convolution, by its name and "/": best (filters, KEPT), the indices of its favourites; values, how much each excites
    it; places (filters, KEPT, axes), where; active (filters,), the part of the examples in which it is not zero everywhere;
    made (filters, ...), the made inputs, from 0 to 1 for images. "examples": how many were looked at."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    examples = data.x_test[:EXAMPLES]
    layers = {name: end for name, end in ends(spec.model).items() if isinstance(spec.model.layer(name), Sliding)}
    found: Result = {"examples": np.array(len(examples))}
    for number, (layer, end) in enumerate(layers.items()):
        context.progress(number / len(layers), f"{layer}: reading the test part")
        found |= {f"{layer}/{name}": values for name, values in _favourites(model, examples, end).items()}
        count = len(found[f"{layer}/best"])
        context.progress((number + 0.5) / len(layers), f"{layer}: making an input for each of its filters")
        found[f"{layer}/made"] = _made(context, model, layer, count, number / len(layers), 1 / len(layers))
    return found


def _favourites(model, examples: np.ndarray, layer: str) -> Result:
    """What of `examples` excites each filter of a layer most, and where."""
    peaks, places, stirred = [], [], []
    for start in range(0, len(examples), BATCH):
        maps = model.outputs(examples[start : start + BATCH], [layer])[layer][..., :FILTERS]
        flat = maps.reshape(len(maps), -1, maps.shape[-1])
        peaks.append(flat.max(axis=1))
        places.append(flat.argmax(axis=1))
        stirred.append((flat != 0).any(axis=1))
    values, where, sides = np.concatenate(peaks), np.concatenate(places), maps.shape[1:-1]
    best = np.argsort(-values, axis=0, kind="stable")[:KEPT].T
    filters = np.arange(values.shape[1])[:, np.newaxis]
    corners = np.stack(np.unravel_index(where[best, filters], sides), axis=-1)
    return {"best": best, "values": values[best, filters], "places": corners, "active": np.concatenate(stirred).mean(axis=0)}


def _made(context: Context, model, layer: str, count: int, before: float, share: float) -> np.ndarray:
    """An input for each filter of a layer that makes what it gives in the middle of its map, before its activation, large."""
    import tensorflow as tf

    spec = model.spec
    shape, is_series = targets.input_shape(spec.data), datasets.info(spec.data.dataset).is_series
    low, high, start = (-3.0, 3.0, 0.0) if is_series else (0.0, 1.0, 0.5)
    noise = np.random.default_rng(0).normal(scale=0.05, size=(1, *shape))
    made = np.repeat(start + noise, count, axis=0).astype(np.float32)
    wanted = tf.one_hot(tf.range(count), count)
    network = tf.keras.Model(model.model.inputs, model.model.get_layer(layer).output)
    middle = (slice(None), *(side // 2 for side in network.output.shape[1:-1]))

    @tf.function
    def slopes(inputs: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = tf.reduce_sum(network(inputs, training=False)[middle][:, :count] * wanted)
        return tape.gradient(score, inputs)

    smooth = (0, *([SMOOTH] * (len(shape) - 1)), 0)
    for step in range(STEPS):
        context.progress(before + share * (0.5 + 0.5 * step / STEPS), f"{layer}: making inputs, step {step + 1} of {STEPS}")
        slope = slopes(tf.constant(made)).numpy()
        length = np.sqrt((slope**2).mean(axis=tuple(range(1, slope.ndim)), keepdims=True)) + 1e-8
        made = np.clip(ndimage.gaussian_filter(made + SIZE * slope / length, smooth), low, high).astype(np.float32)
    return made[..., 0]
