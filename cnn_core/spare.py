"""A worker that waits for a run with TensorFlow loaded and, where that is quick, with the run itself prepared."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cnn_core import presets
from cnn_core.cores import THREADS, splits_batches, threads_for
from cnn_core.course import can_be_rehearsed
from cnn_core.spec import RunSpec


def worker(threads: int, *arguments: str, **options) -> subprocess.Popen:
    """A training process of so many threads: `python -m` with these arguments.

    It has a session of its own, so that neither Ctrl-C nor the end of the server reaches it.
    """
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, THREADS: str(threads)},
        start_new_session=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options},
    )


class Spare:
    """One spare process. spec: the run that may come; where it cannot be prepared, TensorFlow is, with a usual one."""

    def __init__(self, spec: RunSpec, threads: int) -> None:
        self.process = worker(threads, "cnn_core.stand_by", stdin=subprocess.PIPE)
        self._prepared: RunSpec | None = None
        self._ways = _ways(_stand_in(spec), threads)
        self._threads = threads
        self.prepare(spec)

    @property
    def is_ready(self) -> bool:
        """Whether it lives."""
        return self.process.poll() is None

    def suits(self, spec: RunSpec, threads: int) -> bool:
        """Whether it lives and can train this spec with so many threads: how a process shares them out is settled for good."""
        return self.is_ready and _ways(spec, threads) == self._ways

    def prepare(self, spec: RunSpec) -> None:
        """Have it prepare a run of `spec`, unless it has."""
        wanted = _stand_in(spec)
        if wanted != self._prepared and self.suits(wanted, self._threads):
            self._prepared = wanted
            self._order({"prepare": wanted.model_dump(mode="json")})

    def hand_over(self, folder: Path) -> subprocess.Popen:
        """Give it the run of a folder; it is a worker from then on."""
        self._order({"run": str(folder)})
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process

    def let_go(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def _order(self, order: dict) -> None:
        try:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.process.kill()


def _stand_in(spec: RunSpec) -> RunSpec:
    return spec if can_be_rehearsed(spec) else presets.preset("tiny").spec


def _ways(spec: RunSpec, threads: int) -> tuple[int, bool, bool]:
    """What a process settles for good."""
    return threads_for(spec, threads), splits_batches(spec, threads), spec.training.deterministic
