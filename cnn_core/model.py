"""A spec becomes a Keras model, its optimizer and its input pipeline."""

from collections.abc import Sequence
from functools import partial, reduce
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn_core import augmentation, checkpoint, layers, shapes, targets
from cnn_core.fast_layers import skip_pixels
from cnn_core.halves import HalvesModel
from cnn_core.layer_kinds import BaseLayer
from cnn_core.schedules import ONE_CYCLE_RISE, WARM_START
from cnn_core.spec import INPUT, AugmentationSpec, RunSpec, TrainingSpec
from cnn_core.targets import Answers

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
}
# Labels are kept as whole numbers: the same loss without a one-hot row for every image.
LOSSES = {
    "categorical_crossentropy": "sparse_categorical_crossentropy",
    "binary_crossentropy": "binary_crossentropy",
    "mean_squared_error": "mean_squared_error",
    "mean_absolute_error": "mean_absolute_error",
}


def build_model(spec: RunSpec) -> keras.Model:
    """The Keras model of a spec, not compiled, with fresh weights. Input: float32 (n, height, width, channels), 0 to 1, or
    (n, points, channels). With several heads its output is a dictionary by their names.

    >>> from cnn_core.presets import preset
    >>> build_model(preset("lenet5").spec).count_params()
    27598

    Raises SpecError when a layer does not fit.
    """
    shapes.check(spec.model, spec.data)
    tensors = {INPUT: keras.Input(targets.input_shape(spec.data), name=INPUT)}
    for layer in spec.model.layers:
        reaching = [tensors[name] for name in layer.inputs]
        tensors[layer.name] = _keras_layer(layer)(reaching if len(reaching) > 1 else reaching[0])
    model = keras.Model(tensors[INPUT], _outputs(spec, tensors), name="cnn_lab")
    skip_pixels(model)
    return model


def in_halves(model: keras.Model, spec: RunSpec) -> HalvesModel:
    """The same layers in a model that computes each batch in two halves."""
    return HalvesModel(model.input, _outputs(spec, {layer.name: layer.output for layer in model.layers}))


def _outputs(spec: RunSpec, tensors: dict) -> Any:
    """The tensors of the heads: by their names, or the only one."""
    outputs = {head.name: tensors[head.layer] for head in spec.model.heads}
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def _keras_layer(layer: BaseLayer) -> keras.layers.Layer:
    kind = getattr(layers, layer.keras_layer, None) or getattr(keras.layers, layer.keras_layer)
    return kind(name=layer.name, **{name: _resolve(name, value) for name, value in layer.keras_arguments().items()})


def _resolve(name: str, value: Any) -> Any:
    """Regularisers and constraints are plain values in the spec and objects in Keras."""
    if name.endswith("_regularizer"):
        return keras.regularizers.L1L2(**value)
    if name.endswith("_constraint"):
        return keras.constraints.MaxNorm(**value)
    return value


def load_model(spec: RunSpec, weights: Path) -> keras.Model:
    """The model of a spec with the weights of a file. Nothing of the file but numbers is read, so it can run no code.

    weights: a file of Keras (.weights.h5), or the best epoch that a run kept. Raises ValueError when they do not fit.
    """
    model = build_model(spec)
    take_weights(model, weights)
    return model


def take_weights(model: keras.Model, weights: Path) -> None:
    """Give a model the weights of a file, as `load_model` does."""
    if weights.name != checkpoint.BEST:
        model.load_weights(weights)
    elif not (best := checkpoint.read_best(weights.parent)) or not best.fits(model.weights):
        raise ValueError("cut short, changed, or of another network")
    else:
        model.set_weights(best.variables)


def compile_model(model: keras.Model, spec: RunSpec, steps_per_epoch: int, steps_per_execution: int = 1) -> None:
    """Give the model the optimizer, losses and metrics of the spec."""
    optimizer = build_optimizer(spec.training, steps_per_epoch)
    model.compile(optimizer=optimizer, steps_per_execution=steps_per_execution, **goals(spec))


def goals(spec: RunSpec) -> dict[str, Any]:
    """Losses, their weights and metrics of a spec, as Keras' compile takes them.

    >>> from cnn_core.presets import preset
    >>> goals(preset("tiny").spec)
    {'loss': 'sparse_categorical_crossentropy', 'metrics': ['accuracy']}
    """
    heads = spec.model.heads
    losses = {head.name: LOSSES[head.loss] for head in heads}
    metrics = {head.name: ["accuracy"] if targets.labels(spec, head) else ["mean_absolute_error"] for head in heads}
    weights = {head.name: head.loss_weight for head in heads}
    if len(heads) > 1:
        return {"loss": losses, "loss_weights": weights, "metrics": metrics}
    (head,) = heads
    found: dict[str, Any] = {"loss": losses[head.name], "metrics": metrics[head.name]}
    return found if head.loss_weight == 1 else {**found, "loss_weights": head.loss_weight}


def build_optimizer(training: TrainingSpec, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a spec names. Its learning rate is planned over all steps and can be changed by its `steering`."""
    steering = SteeredRate(_schedule(training, steps_per_epoch))
    optimizer = _optimizer(training, steering)
    optimizer.steering = steering
    return optimizer


def planned_optimizer(training: TrainingSpec, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a spec names, fresh, and with nothing of the lab in it."""
    return _optimizer(training, _schedule(training, steps_per_epoch))


def ordinary_optimizer(
    steered: keras.optimizers.Optimizer, training: TrainingSpec, steps_per_epoch: int, variables: Sequence
) -> keras.optimizers.Optimizer:
    """The same optimizer in the same state with nothing of the lab in it, so that a saved network can be trained on elsewhere.

    A learning rate that was changed is taken for the whole of its plan. variables: the trained ones.
    """
    changed = training.learning_rate * float(steered.steering.factor)
    plan = _schedule(training.model_copy(update={"learning_rate": changed}), steps_per_epoch)
    optimizer = _optimizer(training, plan)
    optimizer.build(variables)
    own = [variable for variable in optimizer.variables if variable.name != "learning_rate"]
    for variable, value in zip(own, steered.variables, strict=True):
        variable.assign(value)
    return optimizer


def _optimizer(training: TrainingSpec, learning_rate) -> keras.optimizers.Optimizer:
    extra = {"momentum": training.momentum} if training.optimizer == "sgd" else {}
    return OPTIMIZERS[training.optimizer](learning_rate=learning_rate, **extra)


class SteeredRate(keras.optimizers.schedules.LearningRateSchedule):
    """A planned learning rate, times a factor that can be changed between two steps without building the graph again."""

    def __init__(self, plan: float | keras.optimizers.schedules.LearningRateSchedule) -> None:
        self.plan = plan
        self.factor = tf.Variable(1.0, trainable=False)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        return self.factor * self._planned(step)

    def change(self, rate: float, step: int) -> None:
        """Make `rate` the learning rate at a step; what the plan makes of it later is scaled as well."""
        planned = float(self._planned(step))
        if planned > 0:  # at the very end of a plan there is nothing to scale
            self.factor.assign(rate / planned)

    def scale(self, factor: float, step: int) -> float:
        """Multiply what is left of the plan by `factor`; the rate at a step from now on."""
        self.factor.assign(factor * self.factor)
        return float(self(step))

    def _planned(self, step: tf.Tensor) -> tf.Tensor:
        return self.plan(step) if callable(self.plan) else tf.constant(self.plan)


def _schedule(training: TrainingSpec, steps_per_epoch: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The plan of `cnn_core.schedules` in Keras' own classes, so that a saved network needs nothing of the lab."""
    plans = keras.optimizers.schedules
    rate, steps, period = training.learning_rate, training.epochs * steps_per_epoch, training.period * steps_per_epoch
    rise = steps // ONE_CYCLE_RISE
    match training.schedule:
        case "warm-up":  # a rise, and then a cosine that falls to where it began
            return plans.CosineDecay(rate * WARM_START, 1, alpha=1.0, warmup_target=rate, warmup_steps=period)
        case "one-cycle" if rise:
            return plans.CosineDecay(rate * WARM_START, steps - rise, warmup_target=rate, warmup_steps=rise)
        case "cosine" | "one-cycle":
            return plans.CosineDecay(rate, steps)
        case "step" | "exponential":
            return plans.ExponentialDecay(rate, period, training.decay, staircase=training.schedule == "step")
        case _:
            return rate


class TrainingBatches:
    """Shuffled batches of (examples as the network is fed them, answers), augmented where the spec says so, for Keras' fit.

    examples: images, uint8 (n, height, width, channels), or series, float32 (n, points, channels); answers: what the heads should
    say of each. calm: the images that take their place in the calm last part of the epochs, where the spec has one; the same unless
    given. dataset: one epoch of batches; which one, the
    variable `epoch` says (from 0). rest(start): what is left of it after its first `start` steps. The order and every random
    change follow from the seed and the number of the step alone, so a run can go on from any step as if it had never stopped.
    """

    def __init__(self, examples: np.ndarray, answers: Answers, spec: RunSpec, calm: np.ndarray | None = None) -> None:
        self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        count, size = len(examples), spec.training.batch_size
        self.steps = -(-count // size)
        pictures, wanted = tf.constant(examples), tf.nest.map_structure(tf.constant, answers)
        settled = pictures if calm is None else tf.constant(calm)
        seed, augment = spec.training.seed, spec.data.augmentation

        def order(start: tf.Tensor) -> tf.data.Dataset:
            rows = tf.random.experimental.stateless_shuffle(tf.range(count), seed=[seed, self.epoch])
            first = self.epoch * self.steps
            steps = tf.data.Dataset.range(start, self.steps)
            return steps.map(lambda step: (rows[step * size : (step + 1) * size], first + step))

        def changed(source: tf.Tensor, changes: AugmentationSpec, rows: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            batch = scaled(tf.gather(source, rows))
            return distort(batch, changes, [seed, step]) if changes.active else batch

        def gather(rows: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, Any]:
            usual = partial(changed, pictures, augment, rows, step)
            if augment.calm_after < 1:
                first = round(augment.calm_after * spec.training.epochs) * self.steps
                batch = tf.cond(step >= first, partial(changed, settled, augment.calm, rows, step), usual)
            else:
                batch = usual()
            return batch, tf.nest.map_structure(lambda values: tf.gather(values, rows), wanted)

        def batches(start: int) -> tf.data.Dataset:
            starts = tf.data.Dataset.from_tensors(tf.constant(start, tf.int64))
            found = starts.flat_map(order).map(gather, num_parallel_calls=2, deterministic=True)
            found = found.apply(tf.data.experimental.assert_cardinality(self.steps - start))
            return found.prefetch(4).with_options(_in_memory())

        self.dataset, self.rest = batches(0), batches


def evaluation_batches(examples: np.ndarray, answers: Answers, batch_size: int = 1000) -> tf.data.Dataset:
    """Batches of (examples as the network is fed them, answers) in their order."""
    everything = tf.nest.map_structure(tf.constant, (examples, answers))

    def gather(rows: tf.Tensor) -> tuple[tf.Tensor, Any]:
        batch, wanted = tf.nest.map_structure(lambda values: tf.gather(values, rows), everything)
        return scaled(batch), wanted

    rows = tf.data.Dataset.range(len(examples)).batch(batch_size)
    return rows.map(gather).prefetch(2).with_options(_in_memory())


def scaled(batch: tf.Tensor) -> tf.Tensor:
    """Images or series as the network is fed them: uint8, 0 to 255, becomes float32, 0 to 1; float32 stays as it is."""
    return tf.cast(batch, tf.float32) / 255 if batch.dtype == tf.uint8 else batch


def _in_memory() -> tf.data.Options:
    """Without autotune: its thread holds up the end of each iteration for up to two seconds, and nothing here needs tuning."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def distort(batch: tf.Tensor, spec: AugmentationSpec, seed: Sequence) -> tf.Tensor:
    """Change each image of a batch (n, side, side, 1) by random amounts that follow from the two numbers of `seed`."""
    count, side = tf.shape(batch)[0], batch.shape[1]
    uniform = tf.unstack(tf.random.stateless_uniform((augmentation.DRAWS, count), seed, -1, 1))
    rows = augmentation.transforms(uniform, tf.cos, tf.sin, spec, side)
    if spec.stroke:
        batch = _redraw(batch, uniform[6] * spec.stroke)
    if spec.elastic:
        return _bend(batch, rows, spec, seed)
    zeros = tf.zeros_like(rows[0])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=batch,
        transforms=tf.stack([*rows, zeros, zeros], axis=1),
        output_shape=tf.constant([side, side]),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def _redraw(batch: tf.Tensor, stroke: tf.Tensor) -> tf.Tensor:
    """Each image with a pen that is thicker by up to a pixel on each side, or thinner, and with the ink as bright as before."""
    stroke = stroke[:, tf.newaxis, tf.newaxis, tf.newaxis]
    padded = tf.pad(batch, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    neighbours = [batch, padded[:, 2:, 1:-1], padded[:, :-2, 1:-1], padded[:, 1:-1, 2:], padded[:, 1:-1, :-2]]
    thick, thin = reduce(tf.maximum, neighbours), reduce(tf.minimum, neighbours)
    mixed = batch + tf.abs(stroke) * (tf.where(stroke > 0, thick, thin) - batch)
    peak, now = (tf.reduce_max(images, axis=[1, 2, 3], keepdims=True) for images in (batch, mixed))
    return mixed * tf.minimum(4.0, peak / tf.maximum(now, 1e-6))


def _bend(batch: tf.Tensor, rows: list[tf.Tensor], spec: AugmentationSpec, seed: Sequence) -> tf.Tensor:
    """Each image read at places moved by its affine map and a random smooth field; bilinear, and black outside."""
    count, side = tf.shape(batch)[0], batch.shape[1]
    weights = tf.constant(augmentation.bend(side))
    shape = (count, 2, augmentation.FIELD, augmentation.FIELD)
    field = tf.random.stateless_uniform(shape, [seed[0], -1 - seed[1]], -1, 1) * (spec.elastic * side)
    moves = tf.einsum("yp,nkpq,xq->nkyx", weights, field, weights)
    a, b, c, d, e, f = (row[:, tf.newaxis, tf.newaxis] for row in rows)
    line = tf.range(side, dtype=tf.float32)
    x, y = line[tf.newaxis, tf.newaxis, :], line[tf.newaxis, :, tf.newaxis]
    across, down = a * x + b * y + c + moves[:, 0], d * x + e * y + f + moves[:, 1]
    # A border of zeros stands for all that lies outside.
    flat = tf.reshape(tf.pad(batch, [[0, 0], [1, 1], [1, 1], [0, 0]]), [-1])
    across, down = (tf.clip_by_value(places + 1, 0.0, side + 0.999) for places in (across, down))
    left, top = tf.floor(across), tf.floor(down)
    right_part, low_part = across - left, down - top
    first = tf.range(count)[:, tf.newaxis, tf.newaxis] * (side + 2) ** 2
    corner = first + tf.cast(top, tf.int32) * (side + 2) + tf.cast(left, tf.int32)
    upper = tf.gather(flat, corner) * (1 - right_part) + tf.gather(flat, corner + 1) * right_part
    lower = tf.gather(flat, corner + side + 2) * (1 - right_part) + tf.gather(flat, corner + side + 3) * right_part
    return (upper * (1 - low_part) + lower * low_part)[..., tf.newaxis]
