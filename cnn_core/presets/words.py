"""Specs in words."""

from cnn_core.spec import RunSpec

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


def recipe(spec: RunSpec) -> str:
    """How a spec is trained, in words: optimizer, learning rate, batches, and the random changes to the images.

    >>> from cnn_core.presets import preset
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
