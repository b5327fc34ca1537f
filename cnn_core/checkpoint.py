"""Where a run stands, kept so that it can go on as if it had never stopped.

A file holds every variable by value: weights, optimizer, the states of the random generators and the running means of the epoch.
Neither Keras' `.keras` nor its `.weights.h5` does. The one before the last is kept too, for the case that the last is damaged.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_core.files import replacing

LAST, BEFORE = "checkpoint", "checkpoint.before"
MARK = b"CNN Lab checkpoint 1\n"


@dataclass(frozen=True)
class Checkpoint:
    """step: training steps done since the start of the run. variables: their values, in the order of the network that trains."""

    step: int
    variables: Sequence[np.ndarray]

    def fits(self, variables: Sequence) -> bool:
        """Whether it belongs to a network with these variables, by their number and shapes."""
        return [value.shape for value in self.variables] == [tuple(variable.shape) for variable in variables]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in the folder of its run, and the one before it. Killed at any moment, one of the two is whole."""
    inside = io.BytesIO()
    np.savez(inside, np.int64(checkpoint.step), *checkpoint.variables)
    data = inside.getvalue()
    with replacing(folder / LAST) as new:
        new.write_bytes(MARK + hashlib.sha256(data).digest() + data)
        if (folder / LAST).is_file():
            (folder / LAST).replace(folder / BEFORE)


def read(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint in the folder of a run, None when there is none."""
    return _read(folder / LAST) or _read(folder / BEFORE)


def _read(file: Path) -> Checkpoint | None:
    try:
        data = file.read_bytes()
    except OSError:
        return None
    start = len(MARK) + hashlib.sha256().digest_size
    if not data.startswith(MARK) or hashlib.sha256(data[start:]).digest() != data[len(MARK) : start]:
        return None  # cut short, or not as it was written
    with np.load(io.BytesIO(data[start:])) as arrays:
        step, *variables = (arrays[f"arr_{number}"] for number in range(len(arrays)))
    return Checkpoint(int(step), variables)
