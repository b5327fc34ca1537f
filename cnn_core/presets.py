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


OPTIMIZERS = {"adam": "Adam", "sgd": "SGD", "adagrad": "Adagrad", "rmsprop": "RMSprop"}
SCHEDULES = {
    "constant": "Constant",
    "warm-up": "Warm-up",
    "cosine": "Cosine",
    "one-cycle": "One cycle",
    "step": "Step",
    "exponential": "Exponential",
    "plateau": "On a plateau",
}
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
        ),
        _preset(
            "best",
            "Best: reads real handwriting",
            "The best reader, in some eight minutes on two cores with the whole of MNIST. A 5x5 convolution and a pooling make the "
            "strokes cheap to look at, two 3x3 convolutions of 64 and 96 filters see how they meet; that leaves time to show every "
            "image 26 times, each time turned, slanted, stretched, bent and drawn with another pen. Three in ten of the zeros, ones, "
            "sevens and nines are redrawn as other hands write them: slashed, with a flag and a foot, crossed, with a looped tail. "
            "MNIST has few of those, and networks trained without them misread them. In the last third all of this calms down, so "
            "that the network settles on digits as they mostly are.",
            Blocks(
                conv=(
                    ConvBlock(filters=32, kernel_size=5, padding="valid", dropout=0.1),
                    ConvBlock(filters=64, padding="valid", pooling="none"),
                    ConvBlock(filters=96, padding="valid", dropout=0.1),
                ),
                dense=(DenseBlock(units=256, dropout=0.4),),
            ),
            DataSpec(
                validation=0.05,
                augmentation=AugmentationSpec(
                    rotation=10, shear=0.1, stretch=0.08, shift=0.04, stroke=0.1, elastic=0.03, hands=0.3, calm_after=0.7
                ),
            ),
            TrainingSpec(epochs=26, batch_size=64, learning_rate=0.0015, schedule="one-cycle"),
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


def recipe(spec: RunSpec) -> str:
    """How a spec is trained, in words: optimizer, learning rate, batches, and the random changes to the images.

    >>> recipe(preset("lenet5").spec)
    'Adam, learning rate 0.001, batches of 128'
    """
    training, changes = spec.training, spec.data.augmentation
    planned = "" if training.schedule == "constant" else f" ({SCHEDULES[training.schedule].lower()})"
    words = (
        f"{OPTIMIZERS[training.optimizer]}, learning rate {training.learning_rate:g}{planned}, batches of {training.batch_size}"
    )
    amounts = (
        ("turned by up to {:g} degrees", changes.rotation),
        ("moved by up to {:.0%}", changes.shift),
        ("enlarged or shrunk by up to {:.0%}", changes.zoom),
        ("slanted by up to {:g}", changes.shear),
        ("stretched by up to {:.0%}", changes.stretch),
        ("drawn with a pen up to {:g} pixels thicker or thinner", changes.stroke),
        ("bent by up to {:.0%}", changes.elastic),
        ("{:.0%} of the zeros, ones, sevens and nines redrawn in other hands", changes.hands),
    )
    if said := [text.format(value) for text, value in amounts if value]:
        words += f"; images {', '.join(said)}"
        if changes.calm_after < 1:
            words += f"; half as much in the last {1 - changes.calm_after:.0%} of the epochs"
    return words


def origin(spec: RunSpec) -> str:
    """Where a spec comes from, in words: "lenet5", "lenet5 (edited)" or "custom"."""
    if spec.preset not in PRESETS:
        return "custom"
    return spec.preset if PRESETS[spec.preset].spec.model == spec.model else f"{spec.preset} (edited)"
