"""One training run, in a process of its own: `python -m cnn_core.worker RUN_FOLDER`.

With `--spare` instead of a folder it loads TensorFlow first and waits for the folder on standard input; end of file means exit.
The process holds the lock on its folder's worker.lock for as long as it lives, and that lock alone says that the run is alive.
"""

import math
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from cnn_core import datasets, handwriting, presets, shapes
from cnn_core.cores import in_halves, share_cores
from cnn_core.errors import LabError, StoreError
from cnn_core.files import replacing
from cnn_core.sink import Sink, StopRequested, StoreSink
from cnn_core.spec import RunSpec, read
from cnn_core.store import Store

SECONDS_PER_EXECUTION = 0.3  # between two looks at the commands
MULTIPLY_ADDS_PER_SECOND = 25e9  # of a small network on two cores, a rough figure
LONG_EXECUTION = 1.0  # seconds: a run between two looks that far apart is not waited for
PATIENCE = 1.2  # seconds that another may take to notice that it should stop
LARGEST_LAYER = 50_000_000  # values that one layer may give at once where nothing is learned
NOTHING_LEARNED = "It was stopped before it had learned anything."
CHEAP_TEST = 2e10  # multiply-adds that a stopped run may still spend on its test score


def train(spec: RunSpec, sink: Sink) -> str:
    """Train a spec from fresh weights and put everything into `sink`; "finished" or "stopped".

    The random state is seeded, so the same spec gives the same run (to the bit with `training.deterministic`). Raises
    DataError and SpecError for what the user can mend.
    """
    course, over, ending = Course(), threading.Event(), threading.Lock()
    threading.Thread(target=_insist, args=(sink, course, over, ending), daemon=True).start()
    outcome = "finished"
    try:
        _learn(spec, sink, course)
    except StopRequested:
        outcome = "stopped"
    finally:
        over.set()
        ending.acquire()  # for good: where the other thread was first, it ends the process
    if not course.has_learned():
        raise StopRequested
    sink.stage("Saving the network")
    _save(course, sink)
    if outcome == "finished" or course.multiply_adds * len(course.data.y_test) < CHEAP_TEST:
        sink.stage("Reading the test images")
        with suppress(StopRequested):  # trained, but not tested
            score(course.model, course.data, sink, course.reading)
    return outcome


@dataclass
class Course:
    """What a run has made so far; None until it has."""

    data: datasets.Dataset | None = None
    model: Any = None
    trainer: Any = None  # computes the steps of `model`: itself, or the same layers in halves
    reporter: Any = None
    multiply_adds: int = 0
    reading: int = 1000  # images read at once where nothing is learned

    def has_learned(self) -> bool:
        """Whether at least one step was taken."""
        return self.reporter is not None and int(self.trainer.optimizer.iterations.numpy()) > 0


def _learn(spec: RunSpec, sink: Sink, course: Course) -> None:
    """Read, build and fit, noting in `course` what there is."""
    import keras
    import tensorflow as tf

    from cnn_core.callbacks import Reporter
    from cnn_core.fast_layers import quicken
    from cnn_core.model import TrainingBatches, build_model, compile_model, evaluation_batches

    sink.stage("Reading the images")
    course.data = datasets.load(spec.data.dataset, lambda done, total: _downloading(sink, done / total))
    train_part, validation_part = split(course.data, spec)
    if spec.data.augmentation.hands and course.data.info.has_digits:
        sink.stage("Redrawing some digits in other hands")
        train_part = (handwriting.vary(*train_part, spec.data.augmentation.hands, spec.training.seed), train_part[1])

    sink.stage("Building the network")
    keras.utils.set_random_seed(spec.training.seed)
    if spec.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    course.model = model = build_model(spec)
    if not spec.training.deterministic:
        quicken(model)
    course.trainer = trainer = _trainer(spec, model)
    batches = TrainingBatches(*train_part, spec)
    network = shapes.report(spec.model, course.data.info.input_shape, len(course.data.info.labels))
    course.multiply_adds = network.multiply_adds
    course.reading = reading_size(network)
    execution = steps_per_execution(network.multiply_adds, spec.training.batch_size, batches.steps)
    compile_model(trainer, spec, batches.steps, execution)
    sink.append([], parameters=model.count_params(), steps_per_epoch=batches.steps, stage="Training")
    course.reporter = Reporter(sink, batches.steps)
    trainer.fit(
        batches.dataset,
        epochs=spec.training.epochs,
        shuffle=False,  # the batches come shuffled
        validation_data=evaluation_batches(*validation_part, course.reading) if validation_part else None,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.epoch.assign(epoch)),
            course.reporter,
        ],
    )


def _trainer(spec: RunSpec, model):
    """What computes the steps of a model: itself, or the same layers in halves."""
    from cnn_core.halves import HalvesModel

    return HalvesModel(model.inputs, model.outputs) if in_halves(spec) else model


def _save(course: Course, sink: Sink) -> None:
    """Keep the weights and the whole network, which can be trained on where it is loaded."""
    from cnn_core.callbacks import save_weights

    course.model.compile(optimizer=course.trainer.optimizer, loss=course.trainer.loss, metrics=["accuracy"])
    save_weights(course.model, sink)
    with replacing(sink.path("model.keras")) as new:
        course.model.save(new)


def _downloading(sink: Sink, part: float) -> None:
    """Say how far a download is, and leave it when someone asks to stop."""
    sink.stage(f"Downloading the images: {part:.0%}")
    if sink.stop_requested():
        raise StopRequested


def _insist(sink: Sink, course: Course, over: threading.Event, ending: threading.Lock) -> None:
    """Stop in time even when nothing else looks: keep the weights of the last finished step and end the process.

    Loading TensorFlow takes seconds, and Keras looks up only between executions, of which one of a very large network takes
    minutes. Of this thread and the one that trains, the first to hold `ending` ends the run.
    """
    while not _is_asked(sink):
        if over.wait(0.2):
            return
    execution = course.reporter.execution if course.reporter else None
    rarely = execution is not None and execution >= LONG_EXECUTION
    if over.wait(0 if rarely else PATIENCE) or not ending.acquire(blocking=False):
        return
    try:
        if course.has_learned():
            from cnn_core.callbacks import save_weights

            save_weights(course.model, sink)
            sink.end("stopped", "")
        else:
            sink.end("stopped", NOTHING_LEARNED)
    except Exception:  # the other thread waits for this one, which has to end the process whatever happens
        _give_up()


def _is_asked(sink: Sink) -> bool:
    """Whether someone asks to stop, as far as can be known: while the disk is full, the store cannot even be read."""
    try:
        return sink.stop_requested()
    except StoreError:
        return False


def _give_up() -> None:
    """End the process at once, with the error in its log; whoever looks next finds the run without a process."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def score(model, data: datasets.Dataset, sink: Sink, batch_size: int = 1000) -> None:
    """Score the model on the test images, and keep the probabilities it gave for each of them.

    Raises StopRequested when someone asks to stop now, not before, and Diverged when the loss is not a number.
    """
    import keras

    from cnn_core.callbacks import Diverged
    from cnn_core.model import evaluation_batches

    stopped_before = sink.stop_requested()

    def listen(batch: int, logs: dict | None) -> None:
        if not stopped_before and sink.stop_requested():
            raise StopRequested

    # A fresh compile: the metrics of training count in executions of several batches.
    model.compile(loss=model.loss, metrics=["accuracy"])
    batches = evaluation_batches(data.x_test, data.y_test, batch_size)
    ears = [keras.callbacks.LambdaCallback(on_test_batch_end=listen, on_predict_batch_end=listen)]
    loss, accuracy = model.evaluate(batches, verbose=0, callbacks=ears)
    if not math.isfinite(loss):
        raise Diverged(f"The loss on the test images is {loss}.")
    probabilities = model.predict(batches.map(lambda images, labels: images), verbose=0, callbacks=ears)
    with replacing(sink.path("test_probabilities.npy")) as new:
        np.save(new, probabilities)
    sink.append([], test_accuracy=accuracy, test_loss=loss)


def reading_size(network: shapes.NetworkReport) -> int:
    """Images read at once where nothing is learned: at most 1000, fewer where the largest layer would take over 200 MB.

    >>> from cnn_core.presets import preset
    >>> reading_size(shapes.report(preset("lenet5").spec.model, (28, 28, 1), 10))
    1000
    """
    largest = max(math.prod(layer.output_shape) for layer in network.layers if layer.output_shape)
    return max(1, min(1000, LARGEST_LAYER // largest))


def split(data: datasets.Dataset, spec: RunSpec) -> tuple[tuple, tuple | None]:
    """(images, labels) to train on and to validate on; the validation part is the last of the training images."""
    if spec.data.validation == "test":
        return (data.x_train, data.y_train), (data.x_test, data.y_test)
    kept = len(data.y_train) - round(len(data.y_train) * spec.data.validation)
    held_out = (data.x_train[kept:], data.y_train[kept:])
    return (data.x_train[:kept], data.y_train[:kept]), held_out if len(held_out[1]) else None


def steps_per_execution(multiply_adds: int, batch_size: int, steps: int) -> int:
    """Training steps between two callbacks: about 0.3 s of them, at least two lots an epoch, at most 64.

    >>> steps_per_execution(multiply_adds=363_636, batch_size=128, steps=469)
    46
    """
    seconds = 0.001 + 3 * multiply_adds * batch_size / MULTIPLY_ADDS_PER_SECOND  # forward once, backward twice
    return max(1, min(64, round(SECONDS_PER_EXECUTION / seconds), -(-steps // 2)))


def run(folder: Path) -> None:
    """Claim the run of `folder`, train it, say how it ended, and start the next in the queue."""
    store = Store(folder.parent)
    lock = FileLock(folder / "worker.lock", thread_local=False)  # either of two threads may end the run
    try:
        lock.acquire(timeout=2)
    except Timeout:
        return  # another worker has it
    name = folder.name
    _log_to(folder / "log.txt")
    if not store.move(name, "running", allowed=("queued",), started=time.time(), stage="Starting"):
        return
    sink = StoreSink(store, name, lock)
    try:
        spec = store.get(name).spec
        share_cores(spec)
        status, message = train(spec, sink), ""
    except StopRequested:
        status, message = "stopped", NOTHING_LEARNED
    except Exception as error:  # whatever it is, the run has to end with a word on it
        traceback.print_exc()
        status, message = "failed", _explain(error)
    try:
        sink.end(status, message)
    except Exception:  # even that could not be kept
        _give_up()


def _explain(error: Exception) -> str:
    """What went wrong, for the person who pressed Train."""
    if isinstance(error, LabError):
        return str(error)
    kind = type(error).__name__
    if kind == "Diverged":
        return f"{error} The learning rate is usually too high for this network. Lower it, or add batch normalisation, and train again."
    if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
        return "There was not enough memory for this network and batch size. Lower the batch size, filters or units, and train again."
    if "No space left" in str(error):
        return (
            "The disk is full, so a file of the run could not be written. Free some space and train again; earlier runs are safe."
        )
    if isinstance(error, OSError):
        return f"A file of the run could not be written or read ({error.strerror or error}). Is the disk full? Free some space and train again."
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"Training stopped with an error: {kind}: {first[:300]}. The whole message is in the run's log."


def _log_to(file: Path) -> None:
    """From here on, what this process and its libraries print goes to `file`."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _warm_up(spec: RunSpec) -> None:
    """Do once, on noise, all that makes the first steps of a process slow: load TensorFlow, build graphs, compile kernels."""
    import keras

    import cnn_core.callbacks  # noqa: F401
    from cnn_core.model import TrainingBatches, build_model, compile_model

    noise = np.random.default_rng(0).integers(0, 256, (2 * spec.training.batch_size, 28, 28, 1), np.uint8)
    share_cores(spec)
    trainer = _trainer(spec, build_model(spec))
    batches = TrainingBatches(noise, np.zeros(len(noise), np.uint8), spec)
    compile_model(trainer, spec, batches.steps)
    trainer.fit(batches.dataset, shuffle=False, verbose=0)
    keras.utils.clear_session()
    datasets.load(datasets.EMBEDDED)  # half a second of reading text


def main(arguments: list[str]) -> None:
    if arguments == ["--spare"]:
        usual = presets.preset("lenet5").spec
        _warm_up(usual)
        line = sys.stdin.readline().strip()
        if line and in_halves(read(Path(line) / "spec.json")) != in_halves(usual):
            os.execv(sys.executable, [sys.executable, "-m", "cnn_core.worker", line])  # the cores are shared out for good
        if line:
            run(Path(line))
    elif len(arguments) == 1:
        run(Path(arguments[0]))
    else:
        sys.exit("Expected one run folder, or --spare.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LabError as error:
        sys.exit(str(error))
