"""A spec becomes a Keras model, its optimizer and its input pipeline."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cnn_core import augmentation, datasets, layers, shapes
from cnn_core.layer_kinds import BaseLayer
from cnn_core.spec import INPUT, AugmentationSpec, RunSpec, TrainingSpec

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
}
# Labels are kept as whole numbers: the same loss without a one-hot row for every image.
LOSSES = {"categorical_crossentropy": "sparse_categorical_crossentropy"}


def build_model(spec: RunSpec) -> keras.Model:
    """The Keras model of a spec, not compiled, with fresh weights. Input: float32 (n, height, width, channels), 0 to 1.

    >>> from cnn_core.presets import preset
    >>> build_model(preset("lenet5").spec).count_params()
    27598

    Raises SpecError when a layer does not fit.
    """
    info = datasets.info(spec.data.dataset)
    shapes.check(spec.model, info.input_shape, len(info.labels))
    tensors = {INPUT: keras.Input(info.input_shape, name=INPUT)}
    for layer in spec.model.layers:
        tensors[layer.name] = _keras_layer(layer)(tensors[layer.inputs[0]])
    return keras.Model(tensors[INPUT], tensors[spec.model.heads[0].layer], name="cnn_lab")


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
    """The model of a spec with the weights of a file. Nothing of the file but numbers is read, so it can run no code."""
    model = build_model(spec)
    model.load_weights(weights)
    return model


def compile_model(model: keras.Model, spec: RunSpec, steps_per_execution: int = 1) -> None:
    """Give the model the optimizer, loss and metric of the spec."""
    model.compile(
        optimizer=build_optimizer(spec.training),
        loss=LOSSES[spec.model.heads[0].loss],
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )


def build_optimizer(training: TrainingSpec) -> keras.optimizers.Optimizer:
    """The Keras optimizer that a spec names."""
    extra = {"momentum": training.momentum} if training.optimizer == "sgd" else {}
    return OPTIMIZERS[training.optimizer](learning_rate=training.learning_rate, **extra)


def training_batches(images: np.ndarray, labels: np.ndarray, spec: RunSpec) -> tf.data.Dataset:
    """Shuffled batches of (images from 0 to 1, labels), augmented where the spec says so; a new order each time round."""
    pictures, answers = tf.constant(images), tf.constant(labels)
    seed, augment = spec.training.seed, spec.data.augmentation
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)

    def gather(rows: tf.Tensor, draw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.cast(tf.gather(pictures, rows), tf.float32) / 255
        return (distort(batch, augment, draw) if augment.active else batch), tf.gather(answers, rows)

    rows = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed).batch(spec.training.batch_size)
    return tf.data.Dataset.zip(rows, draws).map(gather, num_parallel_calls=2, deterministic=True).prefetch(4)


def evaluation_batches(images: np.ndarray, labels: np.ndarray, batch_size: int = 1000) -> tf.data.Dataset:
    """Batches of (images from 0 to 1, labels) in their order."""
    pictures, answers = tf.constant(images), tf.constant(labels)
    rows = tf.data.Dataset.range(len(images)).batch(batch_size)
    return rows.map(lambda row: (tf.cast(tf.gather(pictures, row), tf.float32) / 255, tf.gather(answers, row))).prefetch(2)


def distort(batch: tf.Tensor, spec: AugmentationSpec, seed: tf.Tensor) -> tf.Tensor:
    """Rotate, shift and zoom each image of a batch (n, side, side, 1) by random amounts that follow from `seed`."""
    count, side = tf.shape(batch)[0], batch.shape[1]
    uniform = tf.unstack(tf.random.stateless_uniform((4, count), tf.stack([seed, 0]), -1, 1))
    rows = augmentation.transforms(uniform, tf.cos, tf.sin, spec, side)
    zeros = tf.zeros_like(rows[0])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=batch,
        transforms=tf.stack([*rows, zeros, zeros], axis=1),
        output_shape=tf.constant([side, side]),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
