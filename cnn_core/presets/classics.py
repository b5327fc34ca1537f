"""Networks of blocks that courses know, and three that differ by their pooling alone."""

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock
from cnn_core.presets.base import Preset, make
from cnn_core.spec import DataSpec, TrainingSpec

POOLINGS = {
    "max": "Each window gives its largest value: whether the filter found what it looks for anywhere in it.",
    "average": "Each window gives its mean: how much of it the filter found.",
    "min": "Each window gives its smallest value. After ReLU that is mostly zero, so tanh comes before the pooling here.",
}


def _pooled(pooling: str, about: str) -> Preset:
    block = ConvBlock(filters=8, activation="tanh" if pooling == "min" else "relu", pooling=pooling)
    return make(
        f"pooling-{pooling}",
        f"Pooling: {pooling}",
        f"{about} One of three networks that differ by their pooling alone: train them and compare their curves on the Runs page.",
        Blocks(conv=(block, block), dense=(DenseBlock(units=32),)),
        DataSpec(),
        TrainingSpec(epochs=10, batch_size=64, learning_rate=0.002),
    )


PRESETS = (
    make(
        "lenet5-1998",
        "LeNet-5 of 1998",
        "The network of LeCun, Bottou, Bengio and Haffner's 'Gradient-based learning applied to document recognition': average "
        "pooling and tanh, 6, 16 and 120 filters of 5x5. Softmax and cross-entropy stand for its radial basis functions.",
        Blocks(
            conv=(
                ConvBlock(filters=6, kernel_size=5, activation="tanh", pooling="average"),
                ConvBlock(filters=16, kernel_size=5, padding="valid", activation="tanh", pooling="average"),
                ConvBlock(filters=120, kernel_size=5, padding="valid", activation="tanh", pooling="none"),
            ),
            dense=(DenseBlock(units=84, activation="tanh"),),
        ),
        DataSpec(),
        TrainingSpec(epochs=20, batch_size=64, learning_rate=0.002),
    ),
    make(
        "keras-convnet",
        "Keras' own MNIST convnet",
        "The 'Simple MNIST convnet' of Keras' examples (Chollet, 2015): 32 and 64 filters of 3x3 without padding, max pooling, half of "
        "the values dropped before the last layer. 34,826 parameters, about 99.2 % on the whole of MNIST.",
        Blocks(
            conv=(ConvBlock(filters=32, padding="valid"), ConvBlock(filters=64, padding="valid", dropout=0.5)),
        ),
        DataSpec(),
        TrainingSpec(epochs=15, batch_size=128),
    ),
    *(_pooled(pooling, about) for pooling, about in POOLINGS.items()),
)
