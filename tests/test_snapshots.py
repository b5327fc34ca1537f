"""Snapshots of a run: few, small, harmless."""

from collections.abc import Sequence

import numpy as np
import pytest

from cnn_core import snapshots, worker
from cnn_core.course import Course, lay_out
from cnn_core.figures.painted import painted
from cnn_core.presets import preset
from cnn_core.snapshots import Recorder, Snapshot, files, histogram, history, read, write
from cnn_core.spec import change
from tests.sinks import QuietSink

TWO_HEADS = change(
    preset("mnist1d-forecast").spec,
    {"training.deterministic": True, "training.batch_size": 512, "training.epochs": 2},
)


def shot(step: int, values: Sequence[float] = (1.0, 1.0)) -> Snapshot:
    """A snapshot of one layer."""
    spread = histogram(np.array(values))
    return Snapshot(step, 1 + step // 100, {"conv_1": np.ones((2, 3, 4))}, {"conv_1": np.ones((5, 5, 4))}, {"conv_1": spread}, {})


@pytest.fixture
def each_step_is_looked_at(monkeypatch):
    monkeypatch.setattr("cnn_core.course.SECONDS_PER_EXECUTION", 0.001)
    monkeypatch.setattr("cnn_core.callbacks.EVERY", 0)
    monkeypatch.setattr("cnn_core.callbacks.LISTEN", 0)


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / "new", shot(7, np.arange(5.0)))
    (file,) = files(tmp_path / "new")
    found = read(file)
    assert (found.step, found.epoch, set(found.maps), set(found.gradients)) == (7, 1, {"conv_1"}, set())
    np.testing.assert_array_equal(found.kernels["conv_1"], np.ones((5, 5, 4)))
    assert found.weights["conv_1"].norm == pytest.approx(30**0.5) and found.weights["conv_1"].high == 4.0


def test_a_histogram_agrees_with_numpy():
    values = np.random.default_rng(0).normal(size=1000)
    found, limit = histogram(values), np.abs(values).max()
    counts, edges = np.histogram(values, np.linspace(-limit, limit, snapshots.BINS + 1))
    np.testing.assert_array_equal(found.counts, counts)
    assert (found.low, found.high) == (edges[0], edges[-1]) and found.norm == pytest.approx(np.sqrt((values**2).sum()))
    assert histogram(np.zeros(3)).counts.sum() == 3


@pytest.mark.parametrize("values", [[np.nan, np.inf, -np.inf], [np.inf, 1.0, -2.0], [3e38, -3e38], []])
def test_numbers_that_overflow_have_a_histogram_and_a_picture(values):
    found = histogram(np.array(values, np.float32))
    assert found.counts.sum() == np.isfinite(values).sum() and np.isfinite([found.low, found.high, found.norm]).all()
    if values:
        small = snapshots._small(np.array(values, np.float32).reshape(1, -1, 1))
        assert np.isfinite(small).all()
        assert painted(np.array(values, np.float32), (-np.inf, np.inf)).shape == (len(values), 4)
        assert painted(small[0, :, 0], (float(small.min()), float(small.max()))).shape == (len(values), 4)


def test_one_of_another_kind_is_none(tmp_path):
    whole = {"about": np.array([1, 1]), "maps/conv_1": np.ones((2, 2, 1)), "weights/conv_1": np.zeros(snapshots.BINS + 3)}
    for other in ({"maps/conv_1": np.array("text")}, {"maps/conv_1": np.ones((0, 2, 1))}, {"weights/conv_1": np.zeros(3)}):
        np.savez(tmp_path / "1.npz", **{**whole, **other})
        assert read(tmp_path / "1.npz") is None
    np.savez(tmp_path / "1.npz", about=whole["about"])
    assert read(tmp_path / "1.npz") is None
    np.savez(tmp_path / "1.npz", **whole)
    assert read(tmp_path / "1.npz").step == 1


def test_their_history_has_one_scale_and_loses_nothing():
    small, large = np.random.default_rng(1).normal(size=(2, 500)) * [[0.01], [1.0]]
    found = history([shot(1, small), shot(2, large), shot(3)], "conv_1", "weights")
    assert found.steps.tolist() == [1, 2, 3] and found.edges[-1] == np.abs(large).max()
    np.testing.assert_allclose(found.parts.sum(axis=1), 1)
    assert found.parts[0].max() == pytest.approx(1, abs=0.2) and found.parts[0].argmax() == snapshots.BINS // 2
    np.testing.assert_allclose(found.parts[1], histogram(large).counts / 500)
    assert history([shot(1)], "conv_1", "gradients") is None


def test_their_number_is_bounded_and_the_first_one_stays(tmp_path):
    for step in range(1, 201):
        write(tmp_path, shot(step))
        assert len(files(tmp_path)) <= snapshots.MOST
    steps = [int(file.stem) for file in files(tmp_path)]
    assert steps[0] == 1 and steps[-1] == 200


def test_a_long_run_is_looked_at_ever_more_rarely_and_at_its_end(tmp_path, monkeypatch):
    course = Course()
    lay_out(TWO_HEADS, course, stage=lambda text: None)
    monkeypatch.setattr(Recorder, "_look", lambda self, step, epoch: shot(step))
    monkeypatch.setattr(snapshots, "FREE", 1e9)
    recorder = Recorder(change(TWO_HEADS, {"training.epochs": 331}), course, tmp_path)
    epochs = course.batches.steps
    for epoch in range(1, 332):
        recorder.after(epoch * epochs, epoch)
    taken = [int(file.stem) / epochs for file in files(tmp_path / snapshots.FOLDER)]
    assert 20 <= len(taken) <= snapshots.MOST and taken[0] == 1 and taken[-1] == 331
    assert recorder.every == 16 and np.diff(taken[1:-1]).max() <= 32
    assert Recorder(TWO_HEADS, course, tmp_path).every >= 8  # one that goes on


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_one_is_none(tmp_path, damage):
    write(tmp_path, shot(1))
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    assert read(file) is None
    assert read(tmp_path / "000000002.npz") is None


def test_a_run_that_goes_on_forgets_later_ones(tmp_path):
    for step in (1, 5, 9):
        write(tmp_path, shot(step))
    snapshots.forget_after(tmp_path, 5)
    assert [int(file.stem) for file in files(tmp_path)] == [1, 5]


def test_training_is_the_same_to_the_bit_with_and_without_them(tmp_path, each_step_is_looked_at, monkeypatch):
    seen, blind = QuietSink(tmp_path / "seen"), QuietSink(tmp_path / "blind")
    monkeypatch.setattr(snapshots, "FREE", 1e9)
    assert worker.train(TWO_HEADS, seen) == "finished"
    kept = files(seen.folder / snapshots.FOLDER)
    monkeypatch.setattr(Recorder, "take", lambda self, step, epoch: None)
    assert worker.train(TWO_HEADS, blind) == "finished"
    assert not files(blind.folder / snapshots.FOLDER)
    measured = [
        [(row.step, row.phase, row.name, row.value) for row in sink.rows if row.phase != "seconds"] for sink in (seen, blind)
    ]
    assert measured[0] == measured[1]
    assert seen.values["test_loss"] == blind.values["test_loss"]

    assert len(kept) >= 4 and sum(file.stat().st_size for file in kept) < 40_000 * len(kept)
    first, last = read(kept[0]), read(kept[-1])
    assert first.step == first.epoch == 0 < last.step == seen.values["step"] and last.epoch == 2
    assert last.maps["conv_1"].shape == (32, 12) and last.kernels["conv_1"].shape == (5, 12)
    assert set(last.weights) == set(last.gradients) >= {"conv_1", "digit", "next_points"}
    assert all(found.norm > 0 for found in (*last.weights.values(), *last.gradients.values()))


def test_a_full_disk_does_not_end_training(tmp_path, monkeypatch):
    course = Course()
    lay_out(TWO_HEADS, course, stage=lambda text: None)
    (tmp_path / snapshots.FOLDER).write_text("in the way")
    monkeypatch.setattr(Recorder, "_look", lambda self, step, epoch: shot(step))
    recorder = Recorder(TWO_HEADS, course, tmp_path)
    recorder.take(1, 1)
