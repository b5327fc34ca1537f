"""Networks that no blocks make: without a dense layer, with branches, with several heads."""

from cnn_core.layer_kinds import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from cnn_core.presets.base import make
from cnn_core.presets.sketch import Sketch, classes
from cnn_core.spec import DataSpec, HeadSpec, ModelSpec, TrainingSpec


def _all_convolutional() -> ModelSpec:
    sketch = Sketch()
    sketch.conv("conv_1", 24, 3)
    sketch.conv("conv_2", 24, 3, strides=2)
    sketch.conv("conv_3", 48, 3)
    sketch.conv("conv_4", 48, 3, strides=2)
    sketch.add(Dropout, "dropout", rate=0.25)
    sketch.conv("conv_5", 48, 3)
    sketch.add(Conv2D, "classes", filters=10, kernel_size=1)
    sketch.add(GlobalAveragePooling2D, "mean")
    sketch.add(Activation, "softmax", function="softmax")
    return sketch.network()


def _module(sketch: Sketch, number: int, filters: int) -> None:
    """Inception's module: the same map seen through windows of 1x1, 3x3 and 5x5 and through a pooling, side by side."""
    name, source = f"module_{number}", sketch.last
    ones = sketch.conv(f"{name}_1x1", filters, 1, source)
    threes = sketch.conv(f"{name}_3x3", filters, 3, sketch.conv(f"{name}_3x3_narrow", filters // 2, 1, source))
    fives = sketch.conv(f"{name}_5x5", filters, 5, sketch.conv(f"{name}_5x5_narrow", filters // 2, 1, source))
    sketch.add(MaxPooling2D, f"{name}_pool", source, pool_size=3, strides=1, padding="same")
    pooled = sketch.conv(f"{name}_pool_1x1", filters, 1)
    sketch.add(Concatenate, f"{name}_join", ones, threes, fives, pooled)


def _inception() -> ModelSpec:
    sketch = Sketch()
    sketch.conv("conv_1", 16, 5)
    sketch.add(MaxPooling2D, "pool_1")
    _module(sketch, 1, 16)
    sketch.add(MaxPooling2D, "pool_2")
    _module(sketch, 2, 24)
    sketch.add(GlobalAveragePooling2D, "mean")
    sketch.add(Dropout, "dropout", rate=0.2)
    classes(sketch)
    return sketch.network()


def _residual_block(sketch: Sketch, number: int, filters: int, strides: int) -> None:
    """He and others' block: two convolutions whose result is added to what they started from.

    Where the block halves the map, a mean pooling does so on the shortcut: a 1x1 convolution with strides would throw three of four
    values away (He and others, "Bag of tricks for image classification with convolutional neural networks", 2019).
    """
    name, source = f"block_{number}", sketch.last
    sketch.add(Conv2D, f"{name}_conv_1", source, filters=filters, strides=strides)
    sketch.add(BatchNormalization, f"{name}_norm_1")
    sketch.add(Activation, f"{name}_relu_1")
    sketch.add(Conv2D, f"{name}_conv_2", filters=filters)
    way = sketch.add(BatchNormalization, f"{name}_norm_2")
    shortcut = source
    if strides > 1:
        sketch.add(AveragePooling2D, f"{name}_halved", source, pool_size=strides, strides=strides)
        shortcut = sketch.add(Conv2D, f"{name}_shortcut", filters=filters, kernel_size=1)
    sketch.add(Add, f"{name}_sum", way, shortcut)
    sketch.add(Activation, f"{name}_relu")


def _residual() -> ModelSpec:
    sketch = Sketch()
    sketch.conv("conv_1", 16, 3)
    for number, (filters, strides) in enumerate(((16, 1), (32, 2), (48, 2)), 1):
        _residual_block(sketch, number, filters, strides)
    sketch.add(GlobalAveragePooling2D, "mean")
    classes(sketch)
    return sketch.network()


def _two_heads() -> ModelSpec:
    sketch = Sketch()
    sketch.conv("conv_1", 8, 5)
    sketch.add(MaxPooling2D, "pool_1")
    sketch.conv("conv_2", 16, 3)
    sketch.add(MaxPooling2D, "pool_2")
    trunk = sketch.add(Flatten, "flatten")
    sketch.add(Dense, "digit_hidden", trunk, units=64)
    sketch.add(Activation, "digit_relu")
    digit = classes(sketch, 10, "digit", "digit_relu")
    sketch.add(Dense, "parity_hidden", trunk, units=16)
    sketch.add(Activation, "parity_relu")
    sketch.add(Dense, "parity", units=1)
    parity = sketch.add(Activation, "parity_sigmoid", function="sigmoid")
    return sketch.network(
        HeadSpec(name="digit", layer=digit),
        HeadSpec(name="parity", layer=parity, target="parity", loss="binary_crossentropy", loss_weight=0.5),
    )


PRESETS = (
    make(
        "all-convolutional",
        "All-convolutional",
        "Nothing but convolutions (Springenberg and others, 2014): a stride of 2 stands for each pooling, a 1x1 convolution of 10 "
        "filters and the mean of each of its maps stand for the dense layers. Its last maps show where each class was seen.",
        _all_convolutional(),
        DataSpec(),
        TrainingSpec(epochs=15, batch_size=64, learning_rate=0.002, schedule="cosine"),
    ),
    make(
        "inception",
        "Inception-like",
        "Branches: each module looks at the same map through windows of 1x1, 3x3 and 5x5 and through a pooling, side by side, and "
        "joins what they found (Szegedy and others, 2015). 1x1 convolutions before the wide windows keep them cheap.",
        _inception(),
        DataSpec(),
        TrainingSpec(epochs=15, batch_size=64, learning_rate=0.003, schedule="cosine"),
    ),
    make(
        "residual",
        "Residual",
        "Shortcuts: each block adds what it computes to what it was given (He and others, 2016), so that the error finds a short way "
        "back through a deep network.",
        _residual(),
        DataSpec(),
        TrainingSpec(epochs=10, batch_size=64, learning_rate=0.003, schedule="cosine"),
    ),
    make(
        "two-heads",
        "Two heads: digit, and even or odd",
        "One network with two answers: it splits behind its convolutions, and each head has its own target, loss and curve. The sum "
        "of both losses, the second at half its weight, is what training lowers.",
        _two_heads(),
        DataSpec(),
        TrainingSpec(epochs=10, batch_size=64, learning_rate=0.002),
    ),
)
