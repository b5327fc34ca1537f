"""The reporter: complete rows whatever the number of steps that Keras runs at once, and a word when training goes wrong."""

from pathlib import Path

import keras
import numpy as np
import pytest

from cnn_core.blocks import Blocks, to_graph
from cnn_core.callbacks import Diverged, Reporter, StopRequested
from cnn_core.model import TrainingBatches, build_model, compile_model, evaluation_batches
from cnn_core.spec import RunSpec, TrainingSpec
from tests.sinks import QuietSink

SPEC = RunSpec(model=to_graph(Blocks()), training=TrainingSpec(batch_size=10))


class Notes(QuietSink):
    """A sink that asks to stop after some steps."""

    def __init__(self, folder: Path, stop_after: int | None = None) -> None:
        super().__init__(folder)
        self.stop_after = stop_after

    def stop_requested(self) -> bool:
        return self.stop_after is not None and self.values.get("step", 0) >= self.stop_after


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (65, 28, 28, 1), dtype=np.uint8), random.integers(0, 10, 65).astype(np.uint8)


def fit(images, sink: Notes, steps_per_execution: int, epochs: int = 2, reporter: Reporter | None = None) -> keras.Model:
    model = build_model(SPEC)
    compile_model(model, SPEC, 7, steps_per_execution)
    model.fit(
        TrainingBatches(*images, SPEC).dataset,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        validation_data=evaluation_batches(*images),
        callbacks=[reporter or Reporter(sink, 7, every=0)],
    )
    return model


@pytest.mark.parametrize("steps_per_execution", [1, 3, 4, 7])
def test_rows_are_complete_when_the_steps_do_not_divide(tmp_path, images, steps_per_execution):
    sink = Notes(tmp_path)
    model = fit(images, sink, steps_per_execution)
    assert int(model.optimizer.iterations) == 14, "65 images in batches of 10 are 7 steps"
    for phase, names in (("train", ("accuracy", "loss")), ("validation", ("accuracy", "loss")), ("seconds", ("epoch",))):
        found = [(row.epoch, row.step, row.name) for row in sink.rows if row.phase == phase]
        assert sorted(found) == [(epoch, 7 * epoch, name) for epoch in (1, 2) for name in names]
    steps = [row.step for row in sink.rows if row.phase == "step" and row.name == "loss"]
    in_epoch = [*range(steps_per_execution, 7, steps_per_execution), 7]
    assert steps == in_epoch + [7 + step for step in in_epoch]
    assert sink.values["epoch"] == 2 and sink.values["step"] == 14 and sink.values["seconds_per_step"] > 0


def test_weights_are_kept_at_the_end_of_an_epoch(tmp_path, images):
    model = fit(images, Notes(tmp_path), 7, epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["model.weights.h5"]
    again = build_model(SPEC)
    again.load_weights(tmp_path / "model.weights.h5")
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_writing_and_saving_are_limited_by_time(tmp_path, images):
    sink = Notes(tmp_path)
    fit(images, sink, 1, reporter=Reporter(sink, 7, every=1000))
    assert {row.step for row in sink.rows if row.phase == "step"} == {1}
    assert len([row for row in sink.rows if row.phase == "train"]) == 4


def test_a_stop_ends_the_fit_before_its_epoch_does(tmp_path, images):
    sink = Notes(tmp_path, stop_after=1)
    with pytest.raises(StopRequested):
        fit(images, sink, 1, epochs=1000)
    assert sink.values["step"] < 7000


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run(tmp_path, loss):
    reporter = Reporter(Notes(tmp_path), steps_per_epoch=10)
    reporter.on_epoch_begin(2)
    with pytest.raises(Diverged, match=rf"The loss became {loss} near step 24 \(epoch 3\)"):
        reporter.on_train_batch_end(3, {"loss": loss, "accuracy": 0.1})
    with pytest.raises(Diverged, match="near step 30"):
        reporter.on_epoch_end(2, {"loss": 2.0, "accuracy": 0.1, "val_loss": loss, "val_accuracy": 0.1})
    assert reporter.sink.rows == []


def test_the_speed_leaves_out_the_steps_that_built_the_graph(tmp_path, monkeypatch):
    clock = iter([0.0, 100.0, 100.0, 106.0, 106.0, 106.0])  # epoch begins, first look, second look, as long as it is asked
    monkeypatch.setattr("cnn_core.callbacks.time.monotonic", lambda: next(clock, 106.0))
    sink = Notes(tmp_path)
    reporter = Reporter(sink, steps_per_epoch=9, every=0)
    reporter.on_epoch_begin(0)
    reporter.on_train_batch_end(2, {"loss": 1.0})
    assert "seconds_per_step" not in sink.values
    reporter.on_train_batch_end(5, {"loss": 1.0})
    assert sink.values["seconds_per_step"] == pytest.approx(2)
