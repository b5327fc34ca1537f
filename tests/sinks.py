"""A sink for tests: keeps rows, events and files, and is asked for nothing."""

from collections.abc import Iterable
from pathlib import Path

from cnn_core.run import Metric


class QuietSink:
    """Rows in `rows`, the newest columns in `values`, events in `events`, files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Metric] = []
        self.values: dict = {}
        self.events: list[tuple[int, str, str]] = []
        self.rates: list[float] = []
        folder.mkdir(exist_ok=True)

    def append(self, metrics: Iterable[Metric], **values) -> None:
        self.rows += metrics
        self.values |= values

    def stage(self, text: str) -> None: ...

    def stop_requested(self) -> bool:
        return False

    def pause_requested(self) -> bool:
        return False

    def learning_rate(self) -> float | None:
        return self.rates.pop() if self.rates else None

    def event(self, step: int, kind: str, text: str) -> None:
        self.events.append((step, kind, text))

    def go_on_from(self, step: int, epoch: int) -> None:
        self.rows = [row for row in self.rows if row.step <= step]

    def path(self, name: str) -> Path:
        return self.folder / name
