"""Where a run stands, kept so that it can go on as if it had never stopped.

A file holds every variable by value: weights, optimizer, the states of the random generators and the running means of the epoch.
Neither Keras' `.keras` nor its `.weights.h5` does. The one before the last is kept too, for the case that the last is damaged.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnn_core.files import replacing

LAST, BEFORE = "checkpoint", "checkpoint.before"
MARK = b"CNN Lab checkpoint 1\n"


@dataclass(frozen=True)
class Checkpoint:
    """step: training steps done since the start of the run. epochs: those that are over, their validation too. variables: their
    values, in the order of the network that trains. logs: what was measured of the epoch under way at its last step."""

    step: int
    epochs: int
    variables: Sequence[np.ndarray]
    logs: Mapping[str, float] = field(default_factory=dict)

    def fits(self, variables: Sequence) -> bool:
        """Whether it belongs to a network with these variables, by their number and shapes."""
        return [value.shape for value in self.variables] == [tuple(variable.shape) for variable in variables]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in the folder of its run, and the one before it. Killed at any moment, one of the two is whole."""
    inside = io.BytesIO()
    words = json.dumps({"step": checkpoint.step, "epochs": checkpoint.epochs, "logs": dict(checkpoint.logs)})
    np.savez(inside, np.frombuffer(words.encode(), np.uint8), *checkpoint.variables)
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
        words, *variables = (arrays[f"arr_{number}"] for number in range(len(arrays)))
    return Checkpoint(variables=variables, **json.loads(words.tobytes()))
