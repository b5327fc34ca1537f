"""One training run, in a process of its own: `python -m cnn_core.worker RUN_FOLDER`.

With `--spare` instead of a folder it loads TensorFlow, prepares the runs that may come, and waits on standard input for one.
The process holds the lock on its folder's worker.lock for as long as it lives, and that lock alone says that the run is alive.
"""

import json
import math
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from cnn_core import checkpoint, datasets
from cnn_core.cores import share_cores
from cnn_core.course import Course, lay_out, rehearse
from cnn_core.errors import LabError, StoreError
from cnn_core.files import replacing
from cnn_core.sink import Sink, StopRequested, StoreSink
from cnn_core.spec import RunSpec
from cnn_core.store import Store

PATIENCE = 1.2  # seconds that another may take to notice that it should stop
QUIET = 0.4  # seconds without a newer spec after which one is prepared
NOTHING_LEARNED = "It was stopped before it had learned anything."
CHEAP_TEST = 2e10  # multiply-adds that a stopped run may still spend on its test score


def train(spec: RunSpec, sink: Sink, course: Course | None = None) -> str:
    """Train a spec and put everything into `sink`; "finished", "stopped" or "paused".

    It goes on from the checkpoint of its folder, or begins with fresh weights. The random state is seeded, so the same spec gives
    the same run, to the bit with `training.deterministic`, whether it was interrupted or not. course: what is laid out already.
    Raises DataError and SpecError for what the user can mend.
    """
    course = course or Course()
    over, ending = threading.Event(), threading.Lock()
    threading.Thread(target=_insist, args=(sink, course, over, ending), daemon=True).start()
    outcome = "finished"
    try:
        _learn(spec, sink, course)
    except StopRequested:
        outcome = _asked_for(sink)
    finally:
        over.set()
        ending.acquire()  # for good: where the other thread was first, it ends the process
    if not course.has_learned():
        raise StopRequested
    sink.stage("Saving the network")
    checkpoint.write(sink.path(""), course.taken())
    _save(spec, course, sink)
    if outcome == "finished" or (outcome == "stopped" and course.multiply_adds * len(course.data.y_test) < CHEAP_TEST):
        sink.stage("Reading the test images")
        with suppress(StopRequested):  # trained, but not tested
            score(course.model, course.data, sink, course.reading)
    return outcome


def _asked_for(sink: Sink) -> str:
    return "paused" if sink.pause_requested() else "stopped"


def _learn(spec: RunSpec, sink: Sink, course: Course) -> None:
    """Lay out the run, unless that was done before, take up its checkpoint where there is one, and fit."""
    import keras

    from cnn_core.callbacks import Reporter

    if course.spec is None:
        lay_out(spec, course, sink.stage, lambda done, total: _downloading(sink, done / total))
    batches, folder = course.batches, sink.path("")
    kept = checkpoint.read(folder)
    running_means = course.go_back_to(kept) if kept else None
    start, epoch = (kept.step, kept.epochs) if kept else (0, 0)
    sink.go_on_from(start, epoch)
    keras.utils.set_random_seed(spec.training.seed)
    sink.append([], parameters=course.model.count_params(), steps_per_epoch=batches.steps, stage="Training")
    reporter = Reporter(sink, batches.steps, start, lambda: checkpoint.write(folder, course.taken()), course.snap)
    if kept:
        reporter.epochs, reporter.logs = epoch, kept.logs
        sink.event(start, "resumed", "")
    course.reporter = reporter

    def begin(epoch: int, logs: dict) -> None:
        batches.epoch.assign(epoch)
        if running_means and epoch * batches.steps < start:
            running_means()

    def fit(images, epoch: int, epochs: int) -> None:
        course.trainer.fit(
            images,
            initial_epoch=epoch,
            epochs=epochs,
            shuffle=False,  # the batches come shuffled
            validation_data=course.validation,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=begin), reporter],
        )

    done = start - epoch * batches.steps
    if done == batches.steps:
        _end_epoch(course, epoch, kept.logs)
    elif done:
        fit(batches.rest(done), epoch, epoch + 1)
    if done:
        epoch += 1
    if epoch < spec.training.epochs:
        fit(batches.dataset, epoch, spec.training.epochs)


def _end_epoch(course: Course, epoch: int, logs: Mapping[str, float]) -> None:
    """Do what is left of an epoch when all its steps are done: validate and report."""
    reporter = course.reporter
    reporter.set_model(course.trainer)
    reporter.on_epoch_begin(epoch)
    found = {}
    if course.validation is not None:
        found = course.trainer.evaluate(course.validation, verbose=0, callbacks=[reporter], return_dict=True)
    reporter.on_epoch_end(epoch, {**logs, **{f"val_{name}": value for name, value in found.items()}})


def _save(spec: RunSpec, course: Course, sink: Sink) -> None:
    """Keep the weights and the whole network, which can be trained on where it is loaded."""
    from cnn_core.callbacks import save_weights
    from cnn_core.model import ordinary_optimizer

    trainer = course.trainer
    optimizer = ordinary_optimizer(trainer.optimizer, spec.training, course.batches.steps, trainer.trainable_variables)
    course.model.compile(optimizer=optimizer, loss=trainer.loss, metrics=["accuracy"])
    save_weights(course.model, sink)
    with replacing(sink.path("model.keras")) as new:
        course.model.save(new)


def _downloading(sink: Sink, part: float) -> None:
    """Say how far a download is, and leave it when someone asks to stop."""
    sink.stage(f"Downloading the images: {part:.0%}")
    if sink.stop_requested():
        raise StopRequested


def _insist(sink: Sink, course: Course, over: threading.Event, ending: threading.Lock) -> None:
    """Stop or pause in time even when nothing else looks: keep the state of the last finished step and end the process.

    Loading TensorFlow takes seconds, and Keras looks up only between executions, of which one of a very large network takes
    minutes. Of this thread and the one that trains, the first to hold `ending` ends the run.
    """
    while not _is_asked(sink):
        if over.wait(0.2):
            return
    folder = sink.path("")
    rarely = course.reporter is not None and course.reporter.looks_rarely
    if over.wait(0 if rarely else PATIENCE) or not ending.acquire(blocking=False):
        return
    try:
        if course.has_learned():
            course.reporter.is_over = True
            # The weights, for answers, may be of two steps; what a resumed run goes on from is of one.
            from cnn_core.callbacks import save_weights

            save_weights(course.model, sink)
            kept, snapshot = checkpoint.read(folder), course.snapshot
            if snapshot and (kept is None or kept.step < snapshot.step):
                checkpoint.write(folder, snapshot)
            sink.end(_asked_for(sink), "")
        else:
            sink.end(_asked_for(sink), _nothing_learned(folder))
    except Exception:  # the other thread waits for this one, which has to end the process whatever happens
        _give_up()


def _nothing_learned(folder: Path) -> str:
    """What to say of a run that was ended before it had taken a step: nothing, when it had before it was resumed."""
    return NOTHING_LEARNED if checkpoint.read(folder) is None else ""


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


def run(folder: Path, prepared: Course | None = None) -> None:
    """Claim the run of `folder`, train it, say how it ended, and start the next in the queue.

    prepared: what was laid out before anyone asked for a run; used when it is that of this run.
    """
    store = Store(folder.parent)
    lock = FileLock(folder / "worker.lock", thread_local=False)  # either of two threads may end the run
    try:
        lock.acquire(timeout=2)
    except Timeout:
        return  # another worker has it
    name = folder.name
    _log_to(folder / "log.txt")
    for left in folder.glob("new-*"):  # by a process that was killed while it wrote
        left.unlink(missing_ok=True)
    if not store.move(name, "running", allowed=("queued",), started=time.time(), stage="Starting"):
        return
    sink = StoreSink(store, name, lock)
    try:
        spec = store.get(name).spec
        if prepared is not None and prepared.spec == spec:
            course = prepared
        else:
            course = Course()
            share_cores(spec)
        status, message = train(spec, sink, course), ""
    except StopRequested:
        status, message = _asked_for(sink), _nothing_learned(folder)
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


def stand_by() -> None:
    """Load TensorFlow, prepare what the orders on standard input ask for, and train the run that one names.

    An order is a line of JSON: {"prepare": SPEC} or {"run": FOLDER}. Of several specs only the newest counts, and only once
    no newer has come for a moment. End of file means exit.
    """
    orders: queue.SimpleQueue[dict] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(orders,), daemon=True).start()
    order, course = orders.get(), None
    if "prepare" in order:
        share_cores(RunSpec.model_validate(order["prepare"]))
    while "prepare" in order:
        import cnn_core.callbacks
        import cnn_core.model  # noqa: F401

        with suppress(queue.Empty):
            while "prepare" in order:
                order = orders.get(timeout=QUIET)
        if "prepare" in order:
            course = _rehearsed(RunSpec.model_validate(order["prepare"]))
            order = orders.get()
    if "run" in order:
        run(Path(order["run"]), course)


def _hear(orders: queue.SimpleQueue) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put({})


def _rehearsed(spec: RunSpec) -> Course | None:
    """The course of a spec; None when it cannot be, which the run itself will say."""
    import keras

    keras.utils.clear_session()
    try:
        return rehearse(spec)
    except Exception:  # a rehearsal is a kindness: whatever is wrong with the spec, its run will say
        traceback.print_exc()
        return None


def main(arguments: list[str]) -> None:
    if arguments == ["--spare"]:
        stand_by()
    elif len(arguments) == 1:
        run(Path(arguments[0]))
    else:
        sys.exit("Expected one run folder, or --spare.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LabError as error:
        sys.exit(str(error))
