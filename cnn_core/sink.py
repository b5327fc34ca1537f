"""Where a training run puts what it finds out: the seam between the worker's loop and the store."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, Protocol

from filelock import FileLock

from cnn_core.jobs import Lab
from cnn_core.store import ACTIVE, Metric, Store


class StopRequested(Exception):
    """Raised out of a run that someone asked to stop: Keras' own flag would validate first."""


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

    def end(self, status: str, message: str) -> NoReturn:
        """Say how the run ended, let the next one start, and end the process."""


class StoreSink:
    """The sink of a run on this computer: the SQLite store and the run's folder."""

    def __init__(self, store: Store, run: str, lock: FileLock) -> None:
        self.store, self.run, self.lock = store, run, lock

    def append(self, metrics: Iterable[Metric], **values) -> None:
        self.store.append(self.run, metrics, **values)

    def stage(self, text: str) -> None:
        self.store.update(self.run, stage=text)

    def stop_requested(self) -> bool:
        return "stop" in self.store.commands(self.run)

    def path(self, name: str) -> Path:
        return self.store.folder(self.run) / name

    def end(self, status: str, message: str) -> NoReturn:
        now = time.time()
        started = self.store.get(self.run).started
        self.store.move(self.run, status, ACTIVE, message=message, stage="", ended=now, seconds=now - started)
        self.lock.release()
        Lab(self.store.home).start_next()
        # Not sys.exit: this may be a thread beside a training step that is still computing.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
