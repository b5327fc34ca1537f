"""A run as a Python script: plain Keras and tf.data, nothing of the lab in it, and the same numbers."""

import sys
from collections.abc import Iterable
from importlib.metadata import version

from cnn_core import shapes
from cnn_core.cores import THREADS_TO_REPEAT
from cnn_core.errors import SpecError
from cnn_core.export import data, network, training
from cnn_core.export.python_code import Section
from cnn_core.presets import origin
from cnn_core.spec import RunSpec

ENVIRONMENT = 'os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # before TensorFlow is imported: much faster on many CPUs'
REPEATABLE = f"""\

# Each time the same numbers to the bit. Another number of threads would add up in another order.
tf.config.threading.set_intra_op_parallelism_threads({THREADS_TO_REPEAT})
tf.config.experimental.enable_op_determinism()"""


def script(spec: RunSpec, departed: str | None = None) -> str:
    """A Python script that trains the network of a spec and prints its test accuracy last. Raises SpecError when it cannot be trained.

    departed: how the run in the lab departed from its spec, in words.

    With `training.deterministic` the history of its epochs is that of the lab to the bit, on the same computer; else it agrees as
    well as two runs of the lab do. One exception: the learning rate of a plateau whose `decay` is no power of a half may differ in its
    last bit.

    >>> from cnn_core.presets import preset
    >>> print(script(preset("tiny").spec).splitlines()[0])
    \"""tiny on mnist-5k: a network for Keras, written by CNN Lab.
    """
    first, *others = sections(spec, departed)
    text = f'"""{about(spec, departed)}\n"""\n\n{first.code}'
    for part in others:
        # Two empty lines around what is defined.
        before = "\n\n\n" if _begins_with_definition(part.code) or text.splitlines()[-1].startswith(" ") else "\n\n"
        text += before + part.code
    return text + "\n"


def obstacle(spec: RunSpec) -> str | None:
    """Why a network that fits has no script, None when it has one."""
    if spec.data.own_digits:
        return "It learned from drawings of your own, which a script does not hold. Take it home as a Keras file."
    return None


def sections(spec: RunSpec, departed: str | None = None) -> list[Section]:
    """The parts of the script in their order; the first holds the imports and settings of all."""
    shapes.check(spec.model, spec.data)
    if reason := obstacle(spec):
        raise SpecError(reason)
    parts = (
        data.data(spec),
        data.hands(spec) if data.redraws(spec) else None,
        data.questions(spec),
        data.changes(spec) if spec.data.augmentation.active else None,
        data.batches(spec),
        network.network(spec),
        training.training(spec),
        training.test(spec),
    )
    found = [part for part in parts if part is not None]
    return [_settings(spec, found, departed), *found]


def about(spec: RunSpec, departed: str | None) -> str:
    """What the script is, what it needs, and how close its numbers are to the lab's."""
    packages = ["tensorflow", *data.PACKAGES.get(spec.data.dataset, ()), *(("pillow", "scipy") if data.redraws(spec) else ())]
    if departed:
        same = departed
    elif spec.training.deterministic:
        same = "On the computer that trained it in the lab it gives the same numbers, to the bit."
    else:
        same = "It gives the numbers of the lab as nearly as two runs of the lab agree."
    return (
        f"{origin(spec)} on {spec.data.dataset}: a network for Keras, written by CNN Lab.\n\n"
        f"Needs: pip install {' '.join(packages)}\n"
        f"Written for TensorFlow {version('tensorflow')} and Keras {version('keras')}.\n"
        f"{same}"
    )


def _settings(spec: RunSpec, parts: Iterable[Section], departed: str | None) -> Section:
    statements = {"import os", "import tensorflow as tf", *(line for part in parts for line in part.imports)}
    standard = {line for line in statements if line.split()[1].partition(".")[0] in sys.stdlib_module_names}
    settings = [
        f"SEED = {spec.training.seed}",
        f"EPOCHS = {spec.training.epochs}",
        f"BATCH_SIZE = {spec.training.batch_size}",
        f"LEARNING_RATE = {spec.training.learning_rate!r}",
    ]
    if spec.training.deterministic:
        settings.append(REPEATABLE)
    code = "\n\n".join([_sorted(standard), ENVIRONMENT, _sorted(statements - standard), "\n".join(settings)])
    return Section("Settings", f"{about(spec, departed).partition(chr(10))[2].strip()}", code)


def _sorted(statements: set[str]) -> str:
    """Import statements as isort orders them: the plain ones first, and one statement for all that a module gives."""
    plain = sorted(line for line in statements if line.startswith("import "))
    given: dict[str, set[str]] = {}
    for line in statements - set(plain):
        _, module, _, names = line.split(maxsplit=3)
        given.setdefault(module, set()).add(names)
    return "\n".join(
        [*plain, *(f"from {module} import {', '.join(sorted(given[module]))}" for module in sorted(given, key=str.lower))]
    )


def _begins_with_definition(code: str) -> bool:
    return code.startswith(("def ", "class ", "@"))
