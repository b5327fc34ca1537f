"""The layers of a network, computed in ways that suit a CPU: the same sums, added up in another order.

The layers stay Keras' own, with their weights and settings; only how they compute is replaced, in this process.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf

from cnn_core.cores import lanes

FOLD = 2  # neighbouring columns that become channels


def skip_pixels(model: keras.Model) -> None:
    """Let 1x1 convolutions with strides look at every so-manieth pixel and at no other: the results are the same to the bit.

    TensorFlow 2.21 (oneDNN) computes their gradient from memory that is not its own. With few filters and images it ends the process.
    """
    for layer in model.layers:
        if type(layer) is keras.layers.Conv2D and layer.kernel_size == (1, 1) and layer.strides != (1, 1):
            layer.call = partial(_convolve_some, layer)


def _convolve_some(layer: keras.layers.Conv2D, inputs: tf.Tensor) -> tf.Tensor:
    down, across = layer.strides
    outputs = tf.nn.conv2d(inputs[:, ::down, ::across], layer.kernel.value, 1, "VALID")
    return outputs + tf.reshape(layer.bias.value, (1, 1, 1, -1))


def quicken(model: keras.Model) -> None:
    """Let the convolutions and normalisations of a model compute faster, from its next call on.

    Convolutions add their bias in an operation that TensorFlow fuses with them, and those of few filters treat two neighbouring
    columns as one of twice the channels, since a CPU computes several channels at once. Batch normalisation is TensorFlow's
    fused operation; layer normalisation has a gradient of fewer passes. The results differ from Keras' own by rounding.
    """
    for layer in model.layers:
        if type(layer) is keras.layers.Conv2D:
            layer.call = partial(_convolve, layer)
        elif type(layer) is keras.layers.BatchNormalization:
            layer.call = partial(_normalise, layer)
        elif type(layer) is keras.layers.LayerNormalization and layer.axis in (-1, [-1]) and layer.scale and layer.center:
            layer.call = partial(_normalise_places, layer)


def _convolve(layer: keras.layers.Conv2D, inputs: tf.Tensor) -> tf.Tensor:
    kernel, bias, padding = layer.kernel.value, layer.bias.value, layer.padding.upper()
    if not _folds(layer, inputs.shape):
        strides = layer.strides
        if layer.kernel_size == (1, 1):
            # As in `skip_pixels`.
            inputs, strides = inputs[:, :: strides[0], :: strides[1]], 1
        return tf.nn.bias_add(tf.nn.conv2d(inputs, kernel, strides, padding), bias)
    height, width, channels = inputs.shape[1:]
    folded = tf.reshape(inputs, (-1, height, width // FOLD, FOLD * channels))
    outputs = tf.nn.bias_add(tf.nn.conv2d(folded, folded_kernel(kernel, padding), 1, padding), tf.tile(bias, [FOLD]))
    return tf.reshape(outputs, (-1, outputs.shape[1], FOLD * outputs.shape[2], layer.filters))


def _folds(layer: keras.layers.Conv2D, shape: tf.TensorShape) -> bool:
    """Whether a convolution can work on pairs of columns, and gains by it: they have to fill the lanes of the CPU together."""
    size, width, channels = layer.kernel_size[1], shape[2], shape[3]
    pairs = width % FOLD == 0 and (layer.padding == "same" or (width - size + 1) % FOLD == 0)
    return pairs and set(layer.strides) == {1} and size >= 3 and FOLD * max(channels, layer.filters) <= lanes()


def folded_kernel(kernel: tf.Tensor, padding: str) -> tf.Tensor:
    """The kernel for maps in which each FOLD neighbouring columns are one column of FOLD times the channels.

    kernel: (height, width, channels, filters). padding: "SAME" or "VALID". Gives (height, columns, FOLD * channels, FOLD * filters),
    most of it zeros.
    """
    height, width, channels, filters = kernel.shape
    left = (width - 1) // 2 if padding == "SAME" else 0
    last = -(-(width - 1 - left) // FOLD)  # columns to the right of its own that the window touches
    first = 0
    if padding == "SAME":  # as many to the left, so that the zeros which Keras adds are the same
        last = max(last, -(-left // FOLD))
        first = -last
    column, inside, outside = np.ogrid[first : last + 1, 0:FOLD, 0:FOLD]
    met = FOLD * column + inside - outside + left  # the column of the kernel that leads from this input to this output
    spread = (met[..., np.newaxis] == np.arange(width)).astype(np.float32)
    folded = tf.einsum("jabw,hwio->hjaibo", spread, kernel)
    return tf.reshape(folded, (height, last - first + 1, FOLD * channels, FOLD * filters))


def _normalise(
    layer: keras.layers.BatchNormalization, inputs: tf.Tensor, training: bool | None = None, mask: None = None
) -> tf.Tensor:
    channels = inputs.shape[-1]
    maps = inputs if len(inputs.shape) == 4 else tf.reshape(inputs, (-1, 1, 1, channels))
    moving = (layer.moving_mean.value, layer.moving_variance.value)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=maps,
        scale=layer.gamma.value,
        offset=layer.beta.value,
        mean=() if training else moving[0],
        variance=() if training else moving[1],
        epsilon=layer.epsilon,
        is_training=bool(training),
    )
    if training:
        # Keras keeps the variance of the batch; the operation gives that of all images as estimated from it.
        values = tf.cast(tf.size(maps) // channels, tf.float32)
        for kept, now in zip(moving, (mean, variance * (values - 1) / values), strict=True):
            kept.assign(kept * layer.momentum + now * (1 - layer.momentum))
    return tf.reshape(outputs, tf.shape(inputs))


def _normalise_places(layer: keras.layers.LayerNormalization, inputs: tf.Tensor) -> tf.Tensor:
    return _to_mean_0(inputs, layer.epsilon) * layer.gamma.value + layer.beta.value


def _to_mean_0(inputs: tf.Tensor, epsilon: float) -> tf.Tensor:
    """The channels of each place with mean 0 and variance 1.

    The gradient uses what was computed: with y the result and g what comes back, (g - mean(g) - y mean(g y)) / deviation.
    """

    @tf.custom_gradient
    def computed(inputs: tf.Tensor):
        centred = inputs - tf.reduce_mean(inputs, -1, keepdims=True)
        scale = tf.math.rsqrt(tf.reduce_mean(centred * centred, -1, keepdims=True) + epsilon)
        outputs = centred * scale

        def gradient(back: tf.Tensor) -> tf.Tensor:
            along = tf.reduce_mean(back * outputs, -1, keepdims=True)
            return (back - tf.reduce_mean(back, -1, keepdims=True) - outputs * along) * scale

        return outputs, gradient

    return computed(inputs)
