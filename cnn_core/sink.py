"""Where a training run puts what it finds out: the seam between the worker's loop and the store."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cnn_core.store import Metric, Store


class Sink(Protocol):
    """What `cnn_core.worker.train` needs of the outside world."""

    def append(self, metrics: Iterable[Metric], **values) -> None:
        """Keep metric rows and set columns of the run, together."""

    def stage(self, text: str) -> None:
        """Say what the run is doing now."""

    def stop_requested(self) -> bool:
        """Whether someone asked the run to stop."""

    def path(self, name: str) -> Path:
        """Where the file `name` of the run is kept."""


class StoreSink:
    """The sink of a run on this computer: the SQLite store and the run's folder."""

    def __init__(self, store: Store, run: str) -> None:
        self.store, self.run = store, run

    def append(self, metrics: Iterable[Metric], **values) -> None:
        self.store.append(self.run, metrics, **values)

    def stage(self, text: str) -> None:
        self.store.update(self.run, stage=text)

    def stop_requested(self) -> bool:
        return "stop" in self.store.commands(self.run)

    def path(self, name: str) -> Path:
        return self.store.folder(self.run) / name
