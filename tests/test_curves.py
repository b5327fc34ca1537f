"""Curves are read once, and thinned so that the best, the worst and the last value stay."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_core.curves import Curve, Reader, thin
from cnn_core.presets import preset
from cnn_core.run import Metric
from cnn_core.store import Store


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=700), st.integers(4, 60))
def test_the_best_the_worst_and_both_ends_survive(values, points):
    curve = Curve(np.arange(len(values)) * 3, np.array(values))
    thinned = thin(curve, points)
    assert len(thinned.steps) <= max(points, 4) and (np.diff(thinned.steps) > 0).all()
    assert thinned.values.min() == curve.values.min() and thinned.values.max() == curve.values.max()
    for end in (0, -1):
        assert (thinned.steps[end], thinned.values[end]) == (curve.steps[end], curve.values[end])
    assert set(zip(thinned.steps, thinned.values, strict=True)) <= set(zip(curve.steps, curve.values, strict=True))


def test_a_short_curve_stays_whole():
    curve = Curve(np.arange(600), np.random.default_rng(0).random(600))
    assert thin(curve) is curve


def test_one_point_far_out_survives_a_long_curve():
    values = np.full(100_000, 0.5)
    values[77_777] = 3.0
    thinned = thin(Curve(np.arange(100_000), values))
    assert len(thinned.steps) <= 600 and thinned.values.max() == 3.0 and 77_777 in thinned.steps


class CountingStore(Store):
    rows_read = 0

    def points(self, run, after=0):
        rows = super().points(run, after)
        self.rows_read += len(rows)
        return rows


@pytest.fixture
def store(tmp_path) -> CountingStore:
    store = CountingStore(tmp_path)
    for run in ("one", "two"):
        store.add(run, run, preset("tiny").spec)
    return store


def rows(first: int, last: int, phase: str = "step", name: str = "loss") -> list[Metric]:
    return [Metric(step, 1, phase, name, 1 / step, 0.0) for step in range(first, last + 1)]


def test_each_row_is_read_once_whoever_asks(store):
    store.append("one", rows(1, 5))
    reader = Reader(store)
    for _ in range(3):
        curves = reader.curves("one", fresh=0)
    assert list(curves.by_name["step", "loss"].steps) == [1, 2, 3, 4, 5] and store.rows_read == 5
    store.append("two", rows(1, 50))
    store.append("one", [*rows(6, 7), *rows(7, 7, "validation", "accuracy")])
    again = reader.curves("one", fresh=0)
    assert list(again.by_name["step", "loss"].steps) == [1, 2, 3, 4, 5, 6, 7] and store.rows_read == 8
    assert again.version > curves.version and reader.curves("one", fresh=0).version == again.version
    assert again.last("loss") == 1 / 7 and again.last("accuracy") == 1 / 7 and again.last("speed") is None


def test_a_look_shortly_after_another_reads_nothing(store, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    reader = Reader(store)
    store.append("one", rows(1, 1))
    before = reader.curves("one", fresh=0.5)
    store.append("one", rows(2, 2))
    clock[0] += 0.4
    assert reader.curves("one", fresh=0.5) is before
    clock[0] += 0.2
    assert len(reader.curves("one", fresh=0.5).by_name["step", "loss"].steps) == 2


def test_a_run_without_rows_has_no_curves(store):
    assert not Reader(store).curves("two").by_name
