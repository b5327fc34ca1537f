"""What a run needs before its first step: images, network, optimizer and graphs. Laid out for the run, or before anyone asks.

TensorFlow is imported when something is laid out, not before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnn_core import datasets, handwriting, my_digits, shapes, targets
from cnn_core.checkpoint import Checkpoint
from cnn_core.cores import gpu, splits_batches, threads
from cnn_core.errors import DataError
from cnn_core.spec import RunSpec

SECONDS_PER_EXECUTION = 0.3  # between two looks at the commands
MULTIPLY_ADDS_PER_SECOND = 25e9  # of a small network on two cores, a rough figure
START = "start"  # the folder, in that of a run, with the weights that it starts from
LARGEST_LAYER = 50_000_000  # values that one layer may give at once where nothing is learned


@dataclass
class Course:
    """What a run has made so far; None until it has. `spec` is set when all that comes before the first step is there."""

    data: datasets.Dataset | None = None
    model: Any = None
    trainer: Any = None  # computes the steps of `model`: itself, or the same layers in halves
    reporter: Any = None
    batches: Any = None  # of training
    validation: Any = None
    multiply_adds: int = 0
    reading: int = 1000  # images read at once where nothing is learned
    execution: int = 1  # steps between two looks at the commands
    spec: RunSpec | None = None
    snapshot: Checkpoint | None = None  # after the last step of a network whose steps take long
    message: str = ""  # what there is to say at its end

    @property
    def step(self) -> int:
        """Training steps done since the start of the run."""
        return int(self.trainer.optimizer.iterations.numpy())

    def has_learned(self) -> bool:
        """Whether at least one step is over. The optimizer counts one as soon as it begins, which may be minutes before."""
        return self.reporter is not None and self.reporter.step > 0

    def taken(self) -> Checkpoint:
        """Where it stands, as a checkpoint. Only for the thread that trains: within a step the variables are of two moments."""
        values = [variable.numpy() for variable in (*self._state(), *self.trainer.metrics_variables)]
        if (reporter := self.reporter) is None:
            return Checkpoint(self.step, 0, values)
        return Checkpoint(self.step, reporter.epochs, values, reporter.logs, tuple(reporter.history))

    def best(self) -> Checkpoint:
        """The weights, as those of the best epoch."""
        return Checkpoint(self.step, self.reporter.epochs, [variable.numpy() for variable in self.model.weights])

    def snap(self) -> None:
        """Hold where it stands for another thread, which cannot read the variables while a step is computed."""
        self.snapshot = self.taken()

    def go_back_to(self, checkpoint: Checkpoint) -> Callable[[], None]:
        """Take up the state of a checkpoint; gives what has to be called once Keras has begun the epoch under way,
        since it then forgets its running means.

        Raises DataError when the checkpoint is not of this network.
        """
        state = self._state()
        count = len(state)
        if not Checkpoint(0, 0, checkpoint.variables[:count]).fits(state):
            raise DataError("The checkpoint of this run does not fit its settings. Train the settings again as a new run.")
        for variable, value in zip(state, checkpoint.variables, strict=False):
            variable.assign(value)

        # Keras makes the running means with the first batch that it measures, those of the losses of several heads as well.
        examples, wanted = next(iter(self.batches.dataset))
        answers = self.model(examples)
        self.trainer.compute_loss(x=examples, y=wanted, y_pred=answers)
        self.trainer.compute_metrics(examples, wanted, answers, None)

        def running_means() -> None:
            for variable, value in zip(self.trainer.metrics_variables, checkpoint.variables[count:], strict=True):
                variable.assign(value)

        return running_means

    def _state(self) -> list:
        """All that training changes, but for the running means of the epoch."""
        trainer, optimizer = self.trainer, self.trainer.optimizer
        optimizer.build(trainer.trainable_variables)
        return [*trainer.variables, *optimizer.variables, optimizer.steering.factor]


def lay_out(
    spec: RunSpec,
    course: Course,
    stage: Callable[[str], None],
    progress: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> None:
    """Read the images, build the network with fresh weights and compile it, noting in `course` what there is.

    stage: is told what happens now. progress: is told (bytes here, bytes in all) while images are downloaded. folder: of the run,
    with the drawings that it learns as well and the weights that it starts from, where it has them. Raises DataError and SpecError.
    """
    import keras
    import tensorflow as tf

    from cnn_core.fast_layers import quicken
    from cnn_core.model import TrainingBatches, build_model, compile_model, evaluation_batches, in_halves, take_weights

    stage("Reading the images")
    course.data = datasets.load(spec.data.dataset, progress)
    train_part, validation_part = split(course.data, spec)
    calm, augmentation = None, spec.data.augmentation
    if augmentation.hands and course.data.info.has_digits:
        stage("Redrawing some digits in other hands")
        redrawn = handwriting.vary(*train_part, augmentation.hands, spec.training.seed)
        calm = handwriting.fewer(redrawn, train_part[0])
        train_part = (redrawn, train_part[1])
    if spec.data.own_digits:
        train_part, calm = _with_own(spec, train_part, calm, my_digits.read(folder) if folder else my_digits.EMPTY)

    stage("Building the network")
    keras.utils.set_random_seed(spec.training.seed)
    if spec.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    course.model = model = build_model(spec)
    if folder and (start := _start(folder)):
        take_weights(model, start)
    on_cpu = gpu() is None  # of its cores alone the lab knows ways to make more
    if on_cpu and not spec.training.deterministic:
        quicken(model)
    course.trainer = in_halves(model, spec) if on_cpu and splits_batches(spec, threads()) else model
    network = shapes.report(spec.model, spec.data)
    course.multiply_adds = network.multiply_adds
    course.reading = reading_size(network)
    shown = targets.inputs(spec.data, train_part[0])
    course.batches = TrainingBatches(shown, targets.answers(spec, *train_part), spec, calm)
    if validation_part:
        shown = targets.inputs(spec.data, validation_part[0])
        course.validation = evaluation_batches(shown, targets.answers(spec, *validation_part), course.reading)
    course.execution = steps_per_execution(network.multiply_adds, spec.training.batch_size, course.batches.steps)
    compile_model(course.trainer, spec, course.batches.steps, course.execution)
    course.spec = spec


def rehearse(spec: RunSpec) -> Course:
    """A course whose graphs are built and kernels compiled: its first steps were taken once, and then undone.

    Training it gives what training a new one gives. Raises what `lay_out` raises.
    """
    course = Course()
    lay_out(spec, course, stage=lambda text: None)
    trainer = course.trainer
    start = course.taken()
    checked = course.validation and course.validation.take(1)
    trainer.fit(course.batches.dataset.take(course.execution), shuffle=False, verbose=0, validation_data=checked)
    course.go_back_to(start)
    return course


def can_be_rehearsed(spec: RunSpec) -> bool:
    """Whether that takes a few seconds at most: its images are here, none is to be redrawn, and a step is cheap.

    >>> from cnn_core.presets import preset
    >>> can_be_rehearsed(preset("tiny").spec)
    True
    """
    data = spec.data
    if not datasets.is_here(data.dataset) or data.augmentation.hands or data.own_digits:
        return False
    network = shapes.report(spec.model, data)
    return not network.errors and _seconds_per_step(network.multiply_adds, spec.training.batch_size) < SECONDS_PER_EXECUTION


def reading_size(network: shapes.NetworkReport) -> int:
    """Images read at once where nothing is learned: at most 1000, fewer where the largest layer would take over 200 MB.

    >>> from cnn_core.presets import preset
    >>> lenet5 = preset("lenet5").spec
    >>> reading_size(shapes.report(lenet5.model, lenet5.data))
    1000
    """
    largest = max(math.prod(layer.output_shape) for layer in network.layers if layer.output_shape)
    return max(1, min(1000, LARGEST_LAYER // largest))


def split(data: datasets.Dataset, spec: RunSpec) -> tuple[tuple, tuple | None]:
    """(examples, labels) to train on and to validate on; the validation part is the last of the training part."""
    if spec.data.validation == "test":
        return (data.x_train, data.y_train), (data.x_test, data.y_test)
    kept = len(data.y_train) - round(len(data.y_train) * spec.data.validation)
    held_out = (data.x_train[kept:], data.y_train[kept:])
    return (data.x_train[:kept], data.y_train[:kept]), held_out if len(held_out[1]) else None


def _with_own(spec: RunSpec, part: tuple, calm: np.ndarray | None, own: my_digits.Collection) -> tuple[tuple, np.ndarray | None]:
    """The training part, and its calm images, with drawings of the person's own behind them, each as often as it takes."""
    if not len(own):
        raise DataError("This run has no drawings of your own to learn from. Draw some on the My digits page and teach it again.")
    share = spec.data.own_digits
    rows = np.resize(np.arange(len(own)), round(len(part[1]) * share / (1 - share)))
    images, labels = own.images[rows][..., np.newaxis], own.labels[rows]
    settled = None if calm is None else np.concatenate([calm, images])
    return (np.concatenate([part[0], images]), np.concatenate([part[1], labels])), settled


def _start(folder: Path) -> Path | None:
    """The file with the weights that a run starts from, None where it begins with fresh ones."""
    return next(iter((folder / START).glob("*")), None)


def steps_per_execution(multiply_adds: int, batch_size: int, steps: int) -> int:
    """Training steps between two callbacks: about 0.3 s of them, at least four lots an epoch, at most 64.

    >>> steps_per_execution(multiply_adds=363_636, batch_size=128, steps=469)
    46
    """
    return max(1, min(64, round(SECONDS_PER_EXECUTION / _seconds_per_step(multiply_adds, batch_size)), -(-steps // 4)))


def _seconds_per_step(multiply_adds: int, batch_size: int) -> float:
    """A rough estimate: forward once, backward twice."""
    return 0.001 + 3 * multiply_adds * batch_size / MULTIPLY_ADDS_PER_SECOND
