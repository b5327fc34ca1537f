"""The training process: repeatable, and with a word on what went wrong."""

import threading

import numpy as np
import pytest

from cnn_core import checkpoint, datasets, scoring, stopping, worker
from cnn_core.callbacks import Reporter
from cnn_core.course import Course
from cnn_core.errors import StoreError
from cnn_core.model import build_model, compile_model
from cnn_core.presets import preset
from cnn_core.sink import StopRequested
from cnn_core.spec import change
from tests.sinks import QuietSink


def weights(file) -> list[np.ndarray]:
    """Every array of a file of weights."""
    import h5py

    found: list[np.ndarray] = []
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    return found


def test_a_deterministic_run_repeats_to_the_bit(lab, wait_until):
    spec = change(
        preset("lenet5-regularised").spec,
        {"training.epochs": 1, "training.deterministic": True, "training.seed": 7, "data.validation": 0.5},
    )
    runs = [lab.submit(spec), lab.submit(spec)]
    wait_until(lambda: all(lab.store.get(run).is_over for run in runs))
    first, second = (lab.store.get(run) for run in runs)
    assert first.status == second.status == "finished", lab.log(runs[0])
    one, other = weights(lab.weights(runs[0])), weights(lab.weights(runs[1]))
    assert len(one) > 10
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)
    assert (first.test_loss, first.test_accuracy) == (second.test_loss, second.test_accuracy)
    assert lab.store.history(runs[0]) == lab.store.history(runs[1])


def test_a_learning_rate_that_is_far_too_high(lab, wait_until):
    spec = change(preset("dense-l2-l1").spec, {"training.optimizer": "sgd", "training.learning_rate": 10, "training.epochs": 50})
    run = lab.submit(spec)
    wait_until(lambda: lab.store.get(run).is_over)
    row = lab.store.get(run)
    assert row.status == "failed", row
    assert row.message.startswith("The loss became ") and "The learning rate is usually too high" in row.message
    assert "Lower it, or add batch normalisation, and train again." in row.message


class StuckSink(QuietSink):
    """A sink that is asked to stop from the start; `end` notes the end instead of leaving the process."""

    def __init__(self, folder):
        super().__init__(folder)
        self.ended = []

    def stop_requested(self):
        return True

    def end(self, status, message):
        self.ended.append((status, message))


def learning(sink, steps: int = 1) -> worker.Course:
    """A run that has taken some steps."""
    spec = preset("tiny").spec
    model = build_model(spec)
    compile_model(model, spec, 7)
    model.optimizer.iterations.assign(steps)
    return Course(datasets.load("mnist-5k"), model, model, Reporter(sink, steps_per_epoch=1, start=steps))


class Trainer(threading.Event):
    """The end of training, as the thread that insists sees it: notes how long it was waited for."""

    def wait(self, timeout):
        self.waited = timeout
        return super().wait(0)


@pytest.mark.parametrize(("execution", "patience"), [(None, stopping.PATIENCE), (30.0, 0), (0.3, stopping.PATIENCE)])
def test_a_run_that_looks_rarely_is_not_waited_for(tmp_path, execution, patience):
    sink, over = StuckSink(tmp_path), Trainer()
    course = learning(sink)
    course.reporter.execution = execution
    stopping.insist(sink, course, over, threading.Lock())
    assert (tmp_path / "model.weights.h5").is_file()
    assert over.waited == patience and sink.ended == [("stopped", "")]


def test_what_is_kept_of_a_step_under_way_is_the_state_before_it(tmp_path):
    sink = StuckSink(tmp_path)
    course = learning(sink, steps=4)
    checkpoint.write(tmp_path, course.taken())
    course.model.optimizer.iterations.assign(5)
    course.snap()
    course.model.optimizer.iterations.assign(6)  # the first thing that a step changes
    stopping.insist(sink, course, Trainer(), threading.Lock())
    assert checkpoint.read(tmp_path).step == 5 and course.reporter.is_over


def test_a_stop_that_is_waited_for_finds_the_training_that_began_meanwhile(tmp_path):
    sink, course = StuckSink(tmp_path), Course()

    class Later(Trainer):
        def wait(self, timeout):
            vars(course).update(vars(learning(sink)))
            return super().wait(timeout)

    stopping.insist(sink, course, Later(), threading.Lock())
    assert sink.ended == [("stopped", "")] and (tmp_path / "model.weights.h5").is_file()


def test_a_run_that_another_thread_has_ended_says_nothing_more(tmp_path):
    sink = QuietSink(tmp_path)
    reporter = Reporter(sink, steps_per_epoch=1)
    reporter.on_epoch_begin(0)
    reporter.is_over = True
    reporter.on_train_batch_end(0, {"loss": 1.0})
    reporter.on_epoch_end(0, {"loss": 1.0})
    assert sink.rows == [] and sink.values == {}


def test_a_resumed_run_that_is_stopped_before_its_first_step_had_learned_something(tmp_path):
    sink = StuckSink(tmp_path)
    checkpoint.write(tmp_path, learning(sink).taken())
    stopping.insist(sink, Course(), Trainer(), threading.Lock())
    assert sink.ended == [("stopped", "")]


@pytest.mark.parametrize("steps", [None, 0])  # TensorFlow is still being loaded; the first step is not over
def test_a_stop_before_the_first_step_keeps_no_network(tmp_path, steps):
    sink = StuckSink(tmp_path)
    stopping.insist(sink, Course() if steps is None else learning(sink, steps), Trainer(), threading.Lock())
    assert sink.ended == [("stopped", "It was stopped before it had learned anything.")]
    assert not list(tmp_path.iterdir())


def test_a_stop_in_the_first_step_which_the_optimizer_counts_already_keeps_no_network(tmp_path):
    sink = StuckSink(tmp_path)
    course = learning(sink, steps=0)
    course.model.optimizer.iterations.assign(1)
    stopping.insist(sink, course, Trainer(), threading.Lock())
    assert sink.ended == [("stopped", "It was stopped before it had learned anything.")] and not list(tmp_path.iterdir())


def test_a_store_that_cannot_be_read_for_a_while_is_asked_again(tmp_path):
    sink, answers = StuckSink(tmp_path), iter([StoreError("The disk is full."), True])

    def stop_requested():
        answer = next(answers)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    sink.stop_requested = stop_requested
    stopping.insist(sink, learning(sink), Trainer(), threading.Lock())
    assert sink.ended == [("stopped", "")]


def test_a_stop_that_cannot_be_kept_ends_the_process_all_the_same(tmp_path, monkeypatch):
    def full(run, message):
        raise StoreError("The disk is full.")

    sink, codes = StuckSink(tmp_path), []
    sink.end = full
    monkeypatch.setattr(stopping.os, "_exit", codes.append)
    stopping.insist(sink, learning(sink), Trainer(), threading.Lock())
    assert codes == [1]


@pytest.mark.parametrize("training_is_first", [False, True])
def test_only_one_thread_ends_a_stopped_run(tmp_path, training_is_first):
    sink, over, ending = StuckSink(tmp_path), threading.Event(), threading.Lock()
    if training_is_first:
        ending.acquire()
    stopping.insist(sink, learning(sink), over, ending)
    assert sink.ended == ([] if training_is_first else [("stopped", "")])
    assert (tmp_path / "model.weights.h5").is_file() != training_is_first
    assert not list(tmp_path.glob("new*"))


class Asked(StuckSink):
    """A sink that is asked to stop at the second question."""

    questions = 0

    def stop_requested(self):
        self.questions += 1
        return self.questions > 1


def test_the_test_of_a_trained_network_can_be_stopped(tmp_path):
    course = learning(Asked(tmp_path))
    with pytest.raises(StopRequested):
        scoring.score(preset("tiny").spec, course, Asked(tmp_path))
    assert not list(tmp_path.iterdir())
