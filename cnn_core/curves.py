"""The curves of a run as a view draws them: read once for all viewers, and thinned when they are long."""

import threading
import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cnn_core.store import Store

POINTS = 600  # more than this cannot be told apart on a screen
RUNS_KEPT = 8

Name = tuple[str, str]  # phase, name


@dataclass(frozen=True)
class Curve:
    """steps: training steps since the start of the run, rising, int64 (n,). values: float64 (n,)."""

    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Curves:
    """The thinned curves of a run, and a number that changes with them."""

    by_name: Mapping[Name, Curve]
    version: int

    def last(self, name: str) -> float | None:
        """The newest value of a metric in any phase, None before the first."""
        found = [curve for (_, other), curve in self.by_name.items() if other == name and len(curve.steps)]
        return float(max(found, key=lambda curve: curve.steps[-1]).values[-1]) if found else None


def thin(curve: Curve, points: int = POINTS) -> Curve:
    """About `points` of a curve: the lowest and the highest of each stretch, so its best and worst survive, and both ends.

    >>> long = Curve(np.arange(10_000), np.sin(np.arange(10_000)))
    >>> len(thin(long, points=100).steps)
    100
    """
    count = len(curve.steps)
    if count <= points:
        return curve
    edges = np.linspace(0, count, (points - 2) // 2 + 1).astype(int)
    lowest, highest = (
        [start + int(choose(curve.values[start:end])) for start, end in pairwise(edges)] for choose in (np.argmin, np.argmax)
    )
    kept = np.unique([0, *lowest, *highest, count - 1])
    return Curve(curve.steps[kept], curve.values[kept])


@dataclass
class _Known:
    """What has been read of a run so far."""

    row: int  # the last one read
    read: float  # when, by the monotonic clock
    whole: dict[Name, tuple[array, array]]  # steps, values
    shown: Curves


class Reader:
    """Reads the metric rows of runs, each row once, whoever asks."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[tuple[str, int], _Known] = {}
        self._lock = threading.Lock()

    def curves(self, run: str, resumed: int = 0, fresh: float = 0.3) -> Curves:
        """The thinned curves of a run that has gone on so many times, at which rows may go. Raises StoreError.

        fresh: seconds for which what was read last is new enough.
        """
        with self._lock:
            known = self._known.pop((run, resumed), None) or _Known(0, float("-inf"), {}, Curves({}, 0))
            if time.monotonic() - known.read >= fresh:
                self._read(run, known)
            self._known[run, resumed] = known  # the newest is last
            while len(self._known) > RUNS_KEPT:
                del self._known[next(iter(self._known))]
            return known.shown

    def _read(self, run: str, known: _Known) -> None:
        changed = set()
        for row, step, phase, name, value in self.store.points(run, known.row):
            steps, values = known.whole.setdefault((phase, name), (array("q"), array("d")))
            steps.append(step)
            values.append(value)
            known.row = row
            changed.add((phase, name))
        known.read = time.monotonic()
        if changed:
            fresh = {key: thin(Curve(*map(np.array, known.whole[key]))) for key in changed}
            known.shown = Curves({**known.shown.by_name, **fresh}, known.row)
