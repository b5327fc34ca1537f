"""Networks for images of digits, most of them made of blocks."""

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights
from cnn_core.layer_kinds import Activation, Conv2D, Dense, Dropout, Flatten, LayerNormalization, MaxPooling2D
from cnn_core.presets.base import make
from cnn_core.presets.sketch import Sketch, classes
from cnn_core.spec import AugmentationSpec, DataSpec, ModelSpec, TrainingSpec

LENET_CONV = (
    ConvBlock(filters=6, kernel_size=5),
    ConvBlock(filters=6, kernel_size=5),
    ConvBlock(filters=6, kernel_size=5, pooling="none"),
)


def _best() -> ModelSpec:
    sketch = Sketch()
    for number, (filters, size, pools) in enumerate(((32, 5, True), (64, 3, False), (96, 3, True)), 1):
        sketch.add(Conv2D, f"conv_{number}", filters=filters, kernel_size=size, padding="valid")
        if pools:
            sketch.add(MaxPooling2D, f"pool_{number}")  # before what follows, which then has a quarter of the cells to do
        sketch.add(LayerNormalization, f"norm_{number}")
        sketch.add(Activation, f"activation_{number}")
        if pools:
            sketch.add(Dropout, f"dropout_{number}", rate=0.1)
    sketch.add(Flatten, "flatten")
    sketch.add(Dense, "dense", units=256)
    sketch.add(LayerNormalization, "dense_norm")
    sketch.add(Activation, "dense_activation")
    sketch.add(Dropout, "dense_dropout", rate=0.4)
    classes(sketch)
    return sketch.network()


PRESETS = (
    make(
        "tiny",
        "Tiny (a few seconds)",
        "One convolution of 8 filters. Trains in a few seconds: the quickest way to a network that reads your digits.",
        Blocks(conv=(ConvBlock(filters=8, kernel_size=5),), dense=(DenseBlock(units=64),)),
        DataSpec(),
        TrainingSpec(epochs=6, batch_size=32, learning_rate=0.002),
    ),
    make(
        "lenet5",
        "LeNet-5 style",
        "Three 5x5 convolutions of 6 filters, two max poolings, a dense layer of 84. It validates on the test images, as the "
        "course text it follows does; hold out a part of the training images instead when you choose settings by its score.",
        Blocks(conv=LENET_CONV, dense=(DenseBlock(units=84),)),
        DataSpec(validation="test"),
        TrainingSpec(epochs=30, batch_size=128),
    ),
    make(
        "lenet5-regularised",
        "LeNet-5 style, regularised",
        "The same network with dropout 0.25, an L2 penalty and augmented images: it learns more slowly and overfits less.",
        Blocks(
            conv=LENET_CONV,
            dense=(DenseBlock(units=84, dropout=0.25),),
            weights=Weights(kernel_l2=0.0001),
        ),
        DataSpec(augmentation=AugmentationSpec(rotation=10, shift=0.08, zoom=0.1)),
        TrainingSpec(epochs=30, batch_size=128),
    ),
    make(
        "fast99",
        "Fast: 99 % in half a minute",
        "The quickest way past 99 % on the whole of MNIST, in about half a minute on two cores. Two convolutions of 16 and 32 "
        "filters, each halved by pooling, keep a step cheap; a learning rate that rises and falls in one cycle needs only four "
        "epochs; slightly turned and slanted images and dropout keep it from learning the training images by heart.",
        Blocks(
            conv=(ConvBlock(filters=16, kernel_size=5), ConvBlock(filters=32, kernel_size=3)),
            dense=(DenseBlock(units=128, dropout=0.3),),
        ),
        DataSpec(validation=0.05, augmentation=AugmentationSpec(rotation=8, shear=0.1, stretch=0.08, shift=0.04)),
        TrainingSpec(epochs=4, batch_size=128, learning_rate=0.004, schedule="one-cycle"),
        meant_for="mnist",
    ),
    make(
        "best",
        "Best: reads real handwriting",
        "The best reader, in seven to ten minutes on two cores with the whole of MNIST. A 5x5 convolution and a pooling make the "
        "strokes cheap to look at, two 3x3 convolutions of 64 and 96 filters see how they meet. Every image is shown 28 times, each "
        "time turned, slanted, stretched, bent and drawn with another pen. Three in ten of the zeros, ones, sevens and nines are "
        "redrawn as other hands write them: slashed, with a flag and a foot, crossed, with a looped tail; MNIST has few of those. "
        "Layer normalisation lets it learn faster, and reads rare hands more surely than batch normalisation does. In the last "
        "third the changes calm down, so that the network settles on digits as they mostly are.",
        _best(),
        DataSpec(
            validation=0.05,
            augmentation=AugmentationSpec(
                rotation=10, shear=0.1, stretch=0.08, shift=0.04, stroke=0.1, elastic=0.03, hands=0.3, calm_after=0.7
            ),
        ),
        TrainingSpec(epochs=28, batch_size=64, learning_rate=0.003, schedule="one-cycle"),
        meant_for="mnist",
    ),
    make(
        "dense-l2-l1",
        "Dense only, L2 and L1",
        "No convolution: one dense layer of 64 units, an L2 penalty of 0.01 on its kernel and L1 of 0.01 on its output. What "
        "strong regularisation does to a network, and what convolutions are for.",
        Blocks(dense=(DenseBlock(units=64, activation="linear"),), weights=Weights(kernel_l2=0.01, activity_l1=0.01)),
        DataSpec(),
        TrainingSpec(epochs=10, batch_size=128),
    ),
)
