"""A run that was paused, stopped, killed or trained further ends as one that nothing happened to."""

import os
import random
import shutil
import signal

import numpy as np
import pytest
from filelock import FileLock

from cnn_core import checkpoint, worker
from cnn_core.blocks import Blocks, ConvBlock, DenseBlock, to_graph
from cnn_core.callbacks import Reporter
from cnn_core.errors import DataError, LabError
from cnn_core.presets import preset
from cnn_core.sink import StopRequested, StoreSink
from cnn_core.spec import RunSpec, change
from cnn_core.store import Store
from tests.sinks import QuietSink
from tests.test_worker import weights

SPEC = change(
    RunSpec(model=to_graph(Blocks(conv=(ConvBlock(filters=3, dropout=0.3),), dense=(DenseBlock(units=8, dropout=0.5),)))),
    {"training.epochs": 3, "training.schedule": "one-cycle", "data.augmentation.rotation": 20, "data.validation": 0.5},
)


class Interrupted(QuietSink):
    """A sink that asks to pause when a step was reported."""

    def __init__(self, folder, step):
        super().__init__(folder)
        self.at = step

    def stop_requested(self):
        return self.values.get("step", 0) >= self.at

    def pause_requested(self):
        return True


def epochs(sink: QuietSink) -> list[tuple]:
    return [(row.phase, row.name, row.step, row.value) for row in sink.rows if row.phase in ("train", "validation")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> QuietSink:
    """The run that nothing happened to: 3 epochs of 16 steps."""
    sink = QuietSink(tmp_path_factory.mktemp("whole"))
    assert worker.train(SPEC, sink) == "finished"
    return sink


def test_a_paused_run_goes_on_from_the_step_it_had_reached(tmp_path, monkeypatch, whole):
    """It is paused within an epoch, at the end of one, within the next, and before the last step."""
    # A look after every step, and nobody but the training thread looks.
    monkeypatch.setattr("cnn_core.course.SECONDS_PER_EXECUTION", 0.001)
    monkeypatch.setattr("cnn_core.callbacks.EVERY", 0)
    monkeypatch.setattr("cnn_core.callbacks.LISTEN", 0)
    rows = []
    for step, before in ((8, None), (16, 8), (24, 16), (47, 24)):
        first = Interrupted(tmp_path, step)
        first.rows = rows
        assert worker.train(SPEC, first) == "paused"
        assert first.events == ([(before, "resumed", "")] if before else [])
        kept, rows = checkpoint.read(tmp_path), first.rows
        assert (kept.step, kept.epochs) == (step, (step - 1) // 16) and "test_accuracy" not in first.values
    second = QuietSink(tmp_path)
    second.rows = rows
    assert worker.train(SPEC, second) == "finished" and second.events == [(47, "resumed", "")]
    assert [row[:3] for row in epochs(second)] == [row[:3] for row in epochs(whole)]
    np.testing.assert_allclose([row[3] for row in epochs(second)], [row[3] for row in epochs(whole)], rtol=2e-3)
    for one, other in zip(weights(tmp_path / "model.weights.h5"), weights(whole.path("model.weights.h5")), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_more_epochs_go_on_with_the_state_of_the_optimizer(tmp_path):
    constant = change(SPEC, {"training.schedule": "constant", "training.epochs": 2})
    once, twice = QuietSink(tmp_path / "once"), QuietSink(tmp_path / "twice")
    assert worker.train(constant, once) == "finished"
    assert worker.train(change(constant, {"training.epochs": 1}), twice) == "finished"
    assert worker.train(constant, twice) == "finished"
    assert [row[:3] for row in epochs(twice)] == [row[:3] for row in epochs(once)]
    np.testing.assert_allclose([row[3] for row in epochs(twice)], [row[3] for row in epochs(once)], rtol=2e-3)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    checkpoint.write(tmp_path, checkpoint.Checkpoint(3, 0, [np.zeros(4)]))
    with pytest.raises(DataError, match="does not fit its settings"):
        worker.train(SPEC, QuietSink(tmp_path))


def test_a_learning_rate_is_changed_while_it_trains_and_kept_by_the_checkpoint(tmp_path):
    sink = QuietSink(tmp_path)
    sink.rates = [0.25]
    assert worker.train(change(SPEC, {"training.schedule": "constant", "training.optimizer": "sgd"}), sink) == "finished"
    (event,) = sink.events
    assert event[1:] == ("learning rate", "0.25") and 0 < event[0] < 48
    assert checkpoint.read(tmp_path).variables[-5] == pytest.approx(250)  # times 0.001; behind it the four running means
    import keras

    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is keras.optimizers.SGD and float(loaded.optimizer.learning_rate) == pytest.approx(0.25)


def test_a_rate_that_is_given_just_before_a_pause_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("cnn_core.callbacks.LISTEN", 1000)  # the reporter hears of the pause alone
    sink = Interrupted(tmp_path, 0)
    sink.stop_requested = lambda: bool(sink.values.get("step")) and (sink.rates.append(0.25) or True)
    monkeypatch.setattr(worker, "insist", lambda *_: None)
    monkeypatch.setattr("cnn_core.callbacks.Reporter._listen", lambda reporter: _stop_where_asked(reporter.sink))
    assert worker.train(change(SPEC, {"training.schedule": "constant"}), sink) == "paused"
    assert [event[1:] for event in sink.events] == [("learning rate", "0.25")]
    assert checkpoint.read(tmp_path).variables[-5] == pytest.approx(250)


def _stop_where_asked(sink):
    if sink.stop_requested():
        raise StopRequested


def rows(lab, run) -> list[tuple]:
    return [(row.step, row.epoch, row.phase, row.name) for row in lab.store.metrics(run, ("train", "validation"))]


def test_kills_at_random_moments_change_not_a_bit(lab, wait_until):
    spec = change(SPEC, {"training.deterministic": True, "training.epochs": 8})
    whole, killed = lab.submit(spec), None
    wait_until(lambda: lab.store.get(whole).is_over)
    chance = random.Random(0)
    killed = lab.submit(spec)
    for _ in range(2):
        target = chance.randrange(1, 100)
        wait_until(lambda target=target: lab.store.get(killed).step >= target or lab.store.get(killed).is_over)
        if lab.store.get(killed).is_over:
            break
        os.kill(lab._workers[killed].pid, signal.SIGKILL)
        lab._workers[killed].wait()
        lab.reconcile()
        assert lab.store.get(killed).status == "failed"
        lab.resume(killed)
    wait_until(lambda: lab.store.get(killed).is_over)
    first, second = lab.store.get(whole), lab.store.get(killed)
    assert first.status == second.status == "finished", second.message
    assert second.resumed > 0 and rows(lab, whole) == rows(lab, killed)
    assert lab.store.history(whole) == lab.store.history(killed)
    for one, other in zip(weights(lab.weights(whole)), weights(lab.weights(killed)), strict=True):
        np.testing.assert_array_equal(one, other)


ENDLESS = change(preset("tiny").spec, {"training.epochs": 1000})


def test_pause_resume_and_stop_by_name(lab, wait_until):
    run = lab.submit(ENDLESS)
    with pytest.raises(LabError, match="is running, so it cannot be resumed"):
        lab.resume(run)
    wait_until(lambda: lab.store.get(run).epoch >= 1)
    lab.set_learning_rate(run, 0.01)
    lab.pause(run)
    wait_until(lambda: lab.store.get(run).is_over)
    paused = lab.store.get(run)
    assert paused.status == "paused" and paused.test_accuracy is None and paused.seconds > 0
    with pytest.raises(LabError, match="is paused, so it cannot be paused"):
        lab.pause(run)
    with pytest.raises(LabError, match="only of a run that trains"):
        lab.set_learning_rate(run, 0.01)
    assert lab.resume("latest") == run
    wait_until(lambda: lab.store.get(run).step > paused.step)
    lab.stop(run)
    wait_until(lambda: lab.store.get(run).is_over)
    stopped = lab.store.get(run)
    assert stopped.status == "stopped" and stopped.resumed == 1 and stopped.seconds > paused.seconds
    steps = [row.step for row in lab.store.metrics(run, ("validation",)) if row.name == "loss"]
    assert steps == sorted(set(steps)) and len(steps) == stopped.epoch
    kinds = [event["kind"] for event in lab.store.events(run)]
    assert kinds == ["learning rate", "resumed"]


def test_training_further(finished, wait_until):
    lab, run = finished
    with pytest.raises(LabError, match=r"has finished its 2 epochs\. Say how many more"):
        lab.resume(run)
    lab.resume(run, more=1)
    wait_until(lambda: lab.store.get(run).is_over)
    row = lab.store.get(run)
    assert (row.status, row.epoch, row.epochs) == ("finished", 3, 3) and row.test_accuracy > 0.5
    assert len(lab.store.history(run)["loss"]) == 3
    assert [event["text"] for event in lab.store.events(run) if event["kind"] == "trained further"] == ["by 1 epoch"]


def test_a_run_whose_checkpoints_are_lost_is_left_as_it_is(finished):
    lab, run = finished
    before, rows = lab.store.get(run), lab.store.metrics(run)
    assert lab.can_go_on(before)
    for name in (checkpoint.LAST, checkpoint.BEFORE):
        (lab.store.folder(run) / name).write_bytes(b"not a checkpoint")
    with pytest.raises(LabError, match="has left no checkpoint that can be read, so it cannot go on"):
        lab.resume(run, more=1)
    shutil.rmtree(lab.store.folder(run))
    with pytest.raises(LabError, match="has left no checkpoint"):
        lab.resume(run, more=1)
    assert not lab.can_go_on(before) and lab.store.get(run) == before and lab.store.metrics(run) == rows


def test_more_epochs_that_were_taken_out_of_the_queue_leave_the_result(finished, wait_until):
    lab, run = finished
    done = lab.store.get(run)
    other = lab.submit(ENDLESS)
    lab.resume(run, more=5)
    assert lab.store.get(run).status == "queued"
    lab.stop(run)
    row = lab.store.get(run)
    assert (row.status, row.message, row.test_accuracy, row.epoch) == ("stopped", "", done.test_accuracy, 2)
    assert (lab.store.folder(run) / "test_answers.npz").is_file()
    lab.stop(other)
    wait_until(lambda: lab.store.get(other).is_over)


def test_a_run_that_goes_on_has_no_old_scores_and_waits_behind_those_that_came_before(finished, wait_until):
    lab, run = finished
    first, second = lab.submit(ENDLESS), lab.submit(ENDLESS)
    lab.resume(run, more=900)
    lab.stop(first)
    wait_until(lambda: lab.store.get(second).status == "running")
    lab.stop(second)
    wait_until(lambda: lab.store.get(run).status == "running" and lab.store.get(run).stage == "Training")
    assert lab.store.get(run).test_accuracy is None
    assert not (lab.store.folder(run) / "test_answers.npz").exists()
    lab.pause(run)
    wait_until(lambda: lab.store.get(run).is_over)
    assert lab.store.get(run).status == "paused"


def test_a_learning_rate_given_after_the_checkpoint_is_given_again(tmp_path):
    store = Store(tmp_path)
    store.add("a", "a", SPEC)
    store.folder("a").mkdir()
    sink = StoreSink(store, "a", FileLock(tmp_path / "lock"))
    sink.event(10, "learning rate", "0.5")
    sink.event(20, "learning rate", "0.25")
    sink.event(21, "resumed", "")
    sink.go_on_from(15, 0)
    assert (sink.learning_rate(), sink.learning_rate()) == (0.25, None)
    assert [event["step"] for event in store.events("a")] == [10]
    sink.go_on_from(15, 0)
    assert sink.learning_rate() is None


def test_a_rate_that_nobody_has_heard_of_is_still_wanted_when_the_run_goes_on(tmp_path):
    store = Store(tmp_path)
    store.add("a", "a", SPEC)
    store.folder("a").mkdir()
    for command in ("learning rate 0.5", "learning rate 0.25", "pause"):
        store.command("a", command)
    store.update("a", status="paused")
    assert store.resume("a", SPEC)
    sink = StoreSink(store, "a", FileLock(tmp_path / "lock"))
    assert not sink.stop_requested()
    assert (sink.learning_rate(), sink.learning_rate()) == (0.25, None)


def test_a_rate_is_taken_before_the_state_is_held_or_kept(tmp_path):
    sink, seen = QuietSink(tmp_path), []
    reporter = Reporter(sink, 2, keep=lambda: seen.append("keep"), snap=lambda: seen.append("snap"), every=0)
    reporter.take_rate = lambda: seen.append("rate")
    reporter.weights_every = 1000
    reporter.saved = 1e12
    reporter.on_epoch_begin(0)
    reporter.on_train_batch_end(0, {"loss": 1.0})
    reporter.on_epoch_end(0, {"loss": 1.0})
    assert seen == ["rate", "snap", "rate", "keep"]


@pytest.mark.parametrize("rate", [0, -1, 11, float("nan")])
def test_a_learning_rate_that_cannot_be(lab, rate):
    run = lab.submit(ENDLESS)
    with pytest.raises(LabError, match="above 0 and at most 10"):
        lab.set_learning_rate(run, rate)
