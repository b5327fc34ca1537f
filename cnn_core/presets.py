"""Networks to start from, each with what it is for."""

from dataclasses import dataclass

from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, Weights, to_graph
from cnn_core.errors import SpecError
from cnn_core.spec import AugmentationSpec, DataSpec, RunSpec, TrainingSpec


@dataclass(frozen=True)
class Preset:
    """A named spec: `title` for menus, `about` for one sentence of why."""

    name: str
    title: str
    about: str
    spec: RunSpec


def _preset(name: str, title: str, about: str, blocks: Blocks, data: DataSpec, training: TrainingSpec) -> Preset:
    return Preset(name, title, about, RunSpec(preset=name, model=to_graph(blocks), data=data, training=training))


LENET_CONV = (
    ConvBlock(filters=6, kernel_size=5),
    ConvBlock(filters=6, kernel_size=5),
    ConvBlock(filters=6, kernel_size=5, pooling="none"),
)

PRESETS = {
    preset.name: preset
    for preset in (
        _preset(
            "tiny",
            "Tiny (a few seconds)",
            "One convolution of 8 filters. Trains in a few seconds: the quickest way to a network that reads your digits.",
            Blocks(conv=(ConvBlock(filters=8, kernel_size=5),), dense=(DenseBlock(units=64),)),
            DataSpec(),
            TrainingSpec(epochs=6, batch_size=32, learning_rate=0.002),
        ),
        _preset(
            "lenet5",
            "LeNet-5 style",
            "Three 5x5 convolutions of 6 filters, two max poolings, a dense layer of 84. It validates on the test images, as the "
            "course text it follows does; hold out a part of the training images instead when you choose settings by its score.",
            Blocks(conv=LENET_CONV, dense=(DenseBlock(units=84),)),
            DataSpec(validation="test"),
            TrainingSpec(epochs=30, batch_size=128),
        ),
        _preset(
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
        _preset(
            "dense-l2-l1",
            "Dense only, L2 and L1",
            "No convolution: one dense layer of 64 units, an L2 penalty of 0.01 on its kernel and L1 of 0.01 on its output. What "
            "strong regularisation does to a network, and what convolutions are for.",
            Blocks(dense=(DenseBlock(units=64, activation="linear"),), weights=Weights(kernel_l2=0.01, activity_l1=0.01)),
            DataSpec(),
            TrainingSpec(epochs=10, batch_size=128),
        ),
    )
}


def preset(name: str) -> Preset:
    """The preset called `name`. Raises SpecError that lists the names."""
    if name not in PRESETS:
        raise SpecError(f"There is no preset {name!r}. Expected one of: {', '.join(PRESETS)}.")
    return PRESETS[name]


def origin(spec: RunSpec) -> str:
    """Where a spec comes from, in words: "lenet5", "lenet5 (edited)" or "custom"."""
    if spec.preset not in PRESETS:
        return "custom"
    return spec.preset if PRESETS[spec.preset].spec.model == spec.model else f"{spec.preset} (edited)"
