"""Where a training run puts what it finds out: the seam between the worker's loop and the store."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, Protocol

from filelock import FileLock

from cnn_core.jobs import LEARNING_RATE, Lab
from cnn_core.run import ACTIVE, ANSWERS, RATE_EVENT, Metric
from cnn_core.store import Store


class StopRequested(Exception):
    """Raised out of a run that someone asked to stop or to pause: Keras' own flag would validate first."""


class Sink(Protocol):
    """What `cnn_core.worker.train` needs of the outside world."""

    def append(self, metrics: Iterable[Metric], **values) -> None:
        """Keep metric rows and set columns of the run, together."""

    def stage(self, text: str) -> None:
        """Say what the run is doing now."""

    def stop_requested(self) -> bool:
        """Whether someone asked the run to stop or to pause."""

    def pause_requested(self) -> bool:
        """Whether someone asked the run to pause, and nobody to stop."""

    def learning_rate(self) -> float | None:
        """The learning rate that someone asked for since the last call, None for none."""

    def event(self, step: int, kind: str, text: str) -> None:
        """Note something that happened to the run at a step."""

    def go_on_from(self, step: int, epoch: int) -> None:
        """Forget what was kept of later steps, which the run takes anew; `epoch` epochs are over."""

    def path(self, name: str) -> Path:
        """Where the file `name` of the run is kept."""

    def end(self, status: str, message: str) -> NoReturn:
        """Say how the run ended, let the next one start, and end the process."""


class StoreSink:
    """The sink of a run on this computer: the SQLite store and the run's folder."""

    def __init__(self, store: Store, run: str, lock: FileLock) -> None:
        self.store, self.run, self.lock, self.lab = store, run, lock, Lab(store.home)
        self._began = time.monotonic()  # the clock of the wall may be set while it trains
        self._forgotten: float | None = None  # one that was given after the checkpoint that the run goes on from

    def append(self, metrics: Iterable[Metric], **values) -> None:
        self.store.append(self.run, metrics, **values)

    def stage(self, text: str) -> None:
        self.store.update(self.run, stage=text)

    def stop_requested(self) -> bool:
        return self.lab.ending(self.run) is not None

    def pause_requested(self) -> bool:
        return self.lab.ending(self.run) == "pause"

    def learning_rate(self) -> float | None:
        new = self.store.take_commands(self.run, LEARNING_RATE)
        forgotten, self._forgotten = self._forgotten, None
        return float(new[-1].removeprefix(LEARNING_RATE)) if new else forgotten

    def event(self, step: int, kind: str, text: str) -> None:
        self.store.event(self.run, step, kind, text)

    def go_on_from(self, step: int, epoch: int) -> None:
        later = [event for event in self.store.events(self.run) if event["step"] > step and event["kind"] == RATE_EVENT]
        self._forgotten = float(later[-1]["text"]) if later else None
        for name in (*ANSWERS.values(), "model.keras", "best.keras"):  # of the network as it was
            self.path(name).unlink(missing_ok=True)
        self.store.go_on_from(self.run, step, epoch)

    def path(self, name: str) -> Path:
        return self.store.folder(self.run) / name

    def end(self, status: str, message: str) -> NoReturn:
        seconds = (self.store.get(self.run).seconds or 0) + time.monotonic() - self._began
        self.store.move(self.run, status, ACTIVE, message=message, stage="", ended=time.time(), seconds=seconds)
        self.lock.release()
        self.lab.start_next()
        # Not sys.exit: this may be a thread beside a training step that is still computing.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
