"""One training run, in a process of its own: `python -m cnn_core.worker RUN_FOLDER`.

The process holds the lock on its folder's worker.lock for as long as it lives, and that lock alone says that the run is alive.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core import checkpoint, patience, snapshots
from cnn_core.cores import device, share_cores
from cnn_core.course import Course, lay_out
from cnn_core.errors import LabError
from cnn_core.files import replacing
from cnn_core.scoring import score_all, with_accuracy
from cnn_core.sink import Sink, StopRequested, StoreSink
from cnn_core.spec import RunSpec
from cnn_core.stopping import asked_for, give_up, insist, nothing_learned
from cnn_core.store import Store

CHEAP_TESTS = 4e10  # multiply-adds that a stopped run may still spend on its test scores


def train(spec: RunSpec, sink: Sink, course: Course | None = None) -> str:
    """Train a spec and put everything into `sink`; "finished", "stopped" or "paused".

    It goes on from the checkpoint of its folder, or begins with fresh weights. The random state is seeded, so the same spec gives
    the same run, to the bit with `training.deterministic`, whether it was interrupted or not. course: what is laid out already.
    Raises DataError and SpecError for what the user can mend, and Diverged.
    """
    course = course or Course()
    over, ending = threading.Event(), threading.Lock()
    threading.Thread(target=insist, args=(sink, course, over, ending), daemon=True).start()
    outcome = "finished"
    try:
        _learn(spec, sink, course)
    except StopRequested:
        outcome = asked_for(sink)
        if course.has_learned():
            course.reporter.take_rate()  # asked for just before
    except StoppedEarly as stop:
        course.message = str(stop)
    finally:
        over.set()
        ending.acquire()  # for good: where the other thread was first, it ends the process
    if not course.has_learned():
        raise StopRequested
    sink.stage("Saving the network")
    taken = course.taken()
    checkpoint.write(sink.path(""), taken)
    _save(spec, course, sink)
    tests = 2 * course.multiply_adds * len(course.data.y_test)  # of the last weights and of the best
    if outcome == "finished" or (outcome == "stopped" and tests < CHEAP_TESTS):
        sink.stage("Reading the test images")
        with suppress(StopRequested):  # trained, but not tested
            score_all(spec, course, sink)
    if course.message:  # trained further, it is not stopped for that again; interrupted before this, it is
        course.reporter.history[-1]["stopped_early"] = 1.0
        checkpoint.write(sink.path(""), taken)
    return outcome


def _learn(spec: RunSpec, sink: Sink, course: Course) -> None:
    """Lay out the run, unless that was done before, take up its checkpoint where there is one, and fit."""
    import keras

    from cnn_core.callbacks import Diverged, Reporter, save_weights

    if course.spec is None:
        lay_out(spec, course, sink.stage, lambda done, total: _downloading(sink, done / total), sink.path(""))
    batches, folder = course.batches, sink.path("")
    kept = checkpoint.read(folder)
    running_means = course.go_back_to(kept) if kept else None
    start, epoch = (kept.step, kept.epochs) if kept else (0, 0)
    sink.go_on_from(start, epoch)
    keras.utils.set_random_seed(spec.training.seed)
    sink.append([], parameters=course.model.count_params(), steps_per_epoch=batches.steps, stage="Training", device=device(spec))
    snapshots.forget_after(folder / snapshots.FOLDER, start)
    recorder = snapshots.Recorder(spec, course, folder, start)
    reporter = Reporter(
        sink, batches.steps, start, lambda: _keep(spec, course, sink), course.snap, partial(with_accuracy, spec), recorder
    )
    course.reporter = reporter
    if kept:
        reporter.epochs, reporter.logs, reporter.history = epoch, kept.logs, list(kept.history)
        sink.event(start, "resumed", "")
        best = checkpoint.read_best(folder)
        if best and best.epochs > epoch:  # of an epoch that was lost with its checkpoint
            sink.path(checkpoint.BEST).unlink()
            sink.append([], best_epoch=0)
        if start == epoch * batches.steps:  # what comes after the checkpoint of an epoch may not have come about
            _keep_best(spec, course, sink)
            if kept.history and "stopped_early" not in kept.history[-1]:
                _stop_in_time(spec, kept.history)

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
    try:
        if done == batches.steps:
            _end_epoch(course, epoch, kept.logs)
        elif done:
            fit(batches.rest(done), epoch, epoch + 1)
        if done:
            epoch += 1
        if epoch < spec.training.epochs:
            fit(batches.dataset, epoch, spec.training.epochs)
    except Diverged:
        if last := checkpoint.read(folder):
            course.go_back_to(last)
            save_weights(course.model, sink)
        raise


class StoppedEarly(Exception):
    """Early stopping ended the run; the words say why."""


def _keep(spec: RunSpec, course: Course, sink: Sink) -> None:
    """At the end of an epoch: lower the learning rate where the plan says so, keep where the run stands, and stop it in time."""
    from cnn_core.callbacks import Diverged

    reporter, training, rate = course.reporter, spec.training, None
    if patience.should_slow_down(training, reporter.history):
        rate = course.trainer.optimizer.steering.scale(training.decay, reporter.step)
    taken = course.taken()
    if not taken.is_finite:
        raise Diverged(f"A weight is no longer a number after step {reporter.step} (epoch {reporter.epochs}).")
    checkpoint.write(sink.path(""), taken)
    if rate is not None:
        sink.event(reporter.step, "plateau, rate", f"{rate:g}")
    _keep_best(spec, course, sink)
    _stop_in_time(spec, reporter.history)


def _stop_in_time(spec: RunSpec, history: patience.History) -> None:
    """Raise StoppedEarly when early stopping ends the run after these epochs, and not after the last."""
    training = spec.training
    if len(history) < training.epochs and patience.should_stop(training, history):
        raise StoppedEarly(
            f"Stopped early: in {training.patience} epoch{'s' * (training.patience > 1)} the "
            f"{patience.watched_name(training, history)} had not become better than in epoch "
            f"{patience.best_epoch(training, history)}."
        )


def _keep_best(spec: RunSpec, course: Course, sink: Sink) -> None:
    """Keep the weights as the best ones when the epoch that is just over was the best."""
    history, epochs = course.reporter.history, course.reporter.epochs
    best = patience.best_epoch(spec.training, history)
    if best == epochs == len(history):  # a checkpoint of an earlier version holds no history to compare with
        checkpoint.write_best(sink.path(""), course.best())
        sink.append([], best_epoch=best)


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
    from cnn_core.model import goals, ordinary_optimizer

    trainer = course.trainer
    optimizer = ordinary_optimizer(trainer.optimizer, spec.training, course.batches.steps, trainer.trainable_variables)
    course.model.compile(optimizer=optimizer, **goals(spec))
    save_weights(course.model, sink)
    with replacing(sink.path("model.keras")) as new:
        course.model.save(new)


def _downloading(sink: Sink, part: float) -> None:
    """Say how far a download is, and leave it when someone asks to stop."""
    sink.stage(f"Downloading the images: {part:.0%}")
    if sink.stop_requested():
        raise StopRequested


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
        status, message = train(spec, sink, course), course.message
    except StopRequested:
        status, message = asked_for(sink), nothing_learned(folder)
    except Exception as error:  # whatever it is, the run has to end with a word on it
        traceback.print_exc()
        status, message = "failed", _explain(error, folder)
    try:
        sink.end(status, message)
    except Exception:  # even that could not be kept
        give_up()


def _explain(error: Exception, folder: Path) -> str:
    """What went wrong, for the person who pressed Train."""
    if isinstance(error, LabError):
        return str(error)
    kind = type(error).__name__
    if kind == "Diverged":
        kept = checkpoint.read(folder)
        left = f" The weights after step {kept.step}, which were sound, are kept." if kept else ""
        return f"{error} The learning rate is usually too high for this network. Lower it, or add batch normalisation, and train again.{left}"
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


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Expected one run folder.")
    try:
        run(Path(sys.argv[1]))
    except LabError as error:
        sys.exit(str(error))
