"""Early stopping, the plateau, and the weights of the best epoch: kept, chosen, and the same after an interruption."""

import keras
import numpy as np
import pytest

from cnn_core import checkpoint, datasets, scoring, worker
from cnn_core.blocks import Blocks, DenseBlock, to_graph
from cnn_core.callbacks import Diverged
from cnn_core.errors import LabError
from cnn_core.evaluation import score_run
from cnn_core.export import export
from cnn_core.inference import TrainedModel
from cnn_core.model import build_model, load_model
from cnn_core.spec import RunSpec, change
from tests.sinks import QuietSink

# Half the images and a high rate: it overfits within a few epochs.
OVERFITTING = change(
    RunSpec(model=to_graph(Blocks(dense=(DenseBlock(units=64),)))),
    {
        "training.epochs": 60,
        "training.learning_rate": 0.01,
        "training.early_stopping": "loss",
        "training.patience": 2,
        "training.deterministic": True,
        "data.validation": 0.5,
    },
)


def losses(sink: QuietSink) -> list[float]:
    return [row.value for row in sink.rows if row.phase == "validation" and row.name == "loss"]


@pytest.fixture(scope="module")
def stopped_early(tmp_path_factory) -> QuietSink:
    sink = QuietSink(tmp_path_factory.mktemp("whole"))
    assert worker.train(OVERFITTING, sink) == "finished"
    return sink


def test_it_ends_when_the_validation_loss_no_longer_falls(stopped_early):
    found = losses(stopped_early)
    best = int(np.argmin(found)) + 1
    assert len(found) == best + 2 < 60 and stopped_early.values["best_epoch"] == best


def test_the_weights_of_the_best_epoch_are_kept_beside_the_last(stopped_early):
    sink = stopped_early
    model = load_model(OVERFITTING, sink.path("best"))
    data = datasets.load("mnist-5k")
    images, labels = data.x_train[2000:] / np.float32(255), data.y_train[2000:]
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.evaluate(images, labels, verbose=0)[0] == pytest.approx(min(losses(sink)), rel=1e-4)
    model.load_weights(sink.path("model.weights.h5"))
    assert model.evaluate(images, labels, verbose=0)[0] == pytest.approx(losses(sink)[-1], rel=1e-4)
    saved = keras.saving.load_model(sink.path("best.keras"))
    for one, other in zip(saved.get_weights(), checkpoint.read_best(sink.folder).variables, strict=True):
        np.testing.assert_array_equal(one, other)
    probabilities = np.load(sink.path("best_answers.npz"))["label"]
    assert np.mean(probabilities.argmax(axis=1) == data.y_test) == pytest.approx(sink.values["best_test_accuracy"])
    assert sink.values["best_test_loss"] < sink.values["test_loss"]


class Killed(Exception):
    """The process dies."""


@pytest.mark.parametrize(("place", "epochs_after_the_best"), [("write_best", 0), ("write", 0), ("write", 2)])
def test_a_kill_behind_the_checkpoint_of_an_epoch_changes_nothing(
    tmp_path, monkeypatch, stopped_early, place, epochs_after_the_best
):
    when, keep = stopped_early.values["best_epoch"] + epochs_after_the_best, getattr(checkpoint, place)

    def dies(folder, state):
        if place == "write":
            keep(folder, state)
        if state.epochs == when:
            raise Killed

    first, second = QuietSink(tmp_path), QuietSink(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, place, dies)
        with pytest.raises(Killed):
            worker.train(OVERFITTING, first)
    second.rows, second.values = first.rows, dict(first.values)
    assert worker.train(OVERFITTING, second) == "finished"
    assert losses(second) == losses(stopped_early)
    for name in ("best_epoch", "best_test_loss", "test_loss"):
        assert second.values[name] == stopped_early.values[name]


def test_the_saved_best_network_can_be_trained_on_with_the_optimizer_of_the_run(stopped_early):
    optimizer = keras.saving.load_model(stopped_early.path("best.keras")).optimizer
    assert type(optimizer) is keras.optimizers.Adam and float(optimizer.learning_rate) == pytest.approx(0.01)


def test_a_run_that_is_killed_while_it_is_tested_is_not_trained_past_its_early_stop(tmp_path, monkeypatch, stopped_early):
    def dies(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "score", dies)
        with pytest.raises(Killed):
            worker.train(OVERFITTING, QuietSink(tmp_path))
    sink = QuietSink(tmp_path)
    assert worker.train(OVERFITTING, sink) == "finished"
    assert losses(sink) == [] and sink.values["test_loss"] == stopped_early.values["test_loss"]


def test_the_last_planned_epoch_is_no_early_stop(tmp_path, stopped_early):
    course = worker.Course()
    spec = change(OVERFITTING, {"training.epochs": len(losses(stopped_early))})
    assert worker.train(spec, QuietSink(tmp_path), course) == "finished" and course.message == ""


def test_best_weights_of_an_epoch_that_was_lost_are_not_kept(tmp_path):
    spec = change(OVERFITTING, {"training.epochs": 2, "training.early_stopping": "off"})
    assert worker.train(spec, QuietSink(tmp_path)) == "finished"
    assert checkpoint.read_best(tmp_path).epochs == 2
    kept = checkpoint.read(tmp_path)
    lost = checkpoint.Checkpoint(16, 1, kept.variables, history=kept.history[:1])
    checkpoint.write(tmp_path, lost)
    checkpoint.write_best(tmp_path, checkpoint.Checkpoint(48, 3, checkpoint.read_best(tmp_path).variables))
    sink = QuietSink(tmp_path)
    sink.stop_requested = lambda: True
    sink.pause_requested = lambda: True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "insist", lambda *_: None)
        assert worker.train(spec, sink) == "paused"
    assert sink.values["best_epoch"] == 1 and checkpoint.read_best(tmp_path).epochs == 1


def test_on_a_plateau_the_rate_falls(tmp_path):
    settings = {"training.early_stopping": "off", "training.schedule": "plateau", "training.period": 1, "training.decay": 0.1}
    sink = QuietSink(tmp_path)
    assert worker.train(change(OVERFITTING, settings | {"training.epochs": 10}), sink) == "finished"
    marks = [(step // 16, kind, float(rate)) for step, kind, rate in sink.events]
    found = losses(sink)
    waits = [epoch for epoch in range(2, 11) if found[epoch - 1] >= min(found[: epoch - 1]) - 1e-4]
    assert waits and [epoch for epoch, _, _ in marks] == waits
    assert [rate for _, _, rate in marks] == pytest.approx([0.01 * 0.1**count for count in range(1, len(waits) + 1)])


def test_a_run_that_ends_with_no_number_keeps_its_last_sound_weights(tmp_path, monkeypatch):
    spec = change(OVERFITTING, {"training.epochs": 2})
    assert worker.train(spec, QuietSink(tmp_path)) == "finished"
    sound = checkpoint.read(tmp_path)
    (tmp_path / "model.weights.h5").unlink()
    sink = QuietSink(tmp_path)
    sink.rates = [float("inf")]
    with pytest.raises(Diverged, match=r"near step \d+|after step 48"):
        worker.train(change(spec, {"training.epochs": 3}), sink)
    assert checkpoint.read(tmp_path).step == sound.step == 32
    model = build_model(spec)
    model.load_weights(tmp_path / "model.weights.h5")
    for one, other in zip(model.weights, sound.variables, strict=False):
        np.testing.assert_array_equal(one, other)


def test_the_person_chooses_which_weights_answer_and_can_train_a_run_that_was_stopped_early_further(lab, wait_until, tmp_path):
    run = lab.submit(OVERFITTING)
    with pytest.raises(LabError, match="Choose its weights when it is over"):
        lab.use(run, "best")
    wait_until(lambda: lab.store.get(run).is_over)
    last = lab.store.get(run)
    assert last.status == "finished" and last.epoch == last.best_epoch + 2
    assert last.message.startswith(
        f"Stopped early: in 2 epochs the validation loss had not become better than in epoch {last.best_epoch}"
    )
    lab.use(run, "best")
    best = lab.store.get(run)
    assert best.uses == "best" and best.test_loss < last.test_loss
    folder = lab.store.folder(run)
    assert lab.weights(run) == folder / "best"
    assert score_run(lab, run)["label"].accuracy == pytest.approx(best.test_accuracy)
    images = datasets.load("mnist-5k").x_test
    answers = TrainedModel(best.spec, lab.weights(run)).probabilities(images)
    np.testing.assert_allclose(answers, np.load(folder / "best_answers.npz")["label"], atol=1e-5)
    saved = keras.saving.load_model(export(lab, run, tmp_path))
    np.testing.assert_array_equal(saved.get_weights()[0], checkpoint.read_best(folder).variables[0])
    (folder / "best").write_bytes((folder / "best").read_bytes()[:-1])
    with pytest.raises(LabError, match="the file is damaged"):
        TrainedModel(best.spec, lab.weights(run))
    lab.use(run, "last")
    assert lab.store.get(run) == last
    with pytest.raises(LabError, match="no weights of its best epoch that can be read"):
        lab.use(run, "best")
    with pytest.raises(LabError, match="Expected 'last' or 'best'"):
        lab.use(run, "third")

    lab.resume(run, more=1)
    wait_until(lambda: lab.store.get(run).is_over)
    after = lab.store.get(run)
    assert (after.status, after.epoch, after.epochs, after.message) == ("finished", last.epoch + 1, last.epoch + 1, "")
