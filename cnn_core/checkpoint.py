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
BEST = "best"  # the weights of the best epoch, in a file of the same kind
MARK = b"CNN Lab checkpoint 1\n"


@dataclass(frozen=True)
class Checkpoint:
    """step: training steps done since the start of the run. epochs: those that are over, their validation too. variables: their
    values, in the order of the network that trains. logs: what was measured of the epoch under way at its last step. history:
    what was measured of each epoch that is over."""

    step: int
    epochs: int
    variables: Sequence[np.ndarray]
    logs: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()

    def fits(self, variables: Sequence) -> bool:
        """Whether it belongs to a network with these variables, by their number and shapes."""
        return [value.shape for value in self.variables] == [tuple(variable.shape) for variable in variables]

    @property
    def is_finite(self) -> bool:
        """Whether none of its numbers is infinite or not a number."""
        return all(np.isfinite(value).all() for value in self.variables)


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in the folder of its run, and the one before it. Killed at any moment, one of the two is whole."""
    with replacing(folder / LAST) as new:
        new.write_bytes(_packed(checkpoint))
        if (folder / LAST).is_file():
            (folder / LAST).replace(folder / BEFORE)


def read(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint in the folder of a run, None when there is none."""
    return _read(folder / LAST) or _read(folder / BEFORE)


def write_best(folder: Path, best: Checkpoint) -> None:
    """Keep the weights of the best epoch, which are all the variables of `best`."""
    with replacing(folder / BEST) as new:
        new.write_bytes(_packed(best))


def read_best(folder: Path) -> Checkpoint | None:
    """The weights of the best epoch of a run, None when they are not there or damaged."""
    return _read(folder / BEST)


def _packed(checkpoint: Checkpoint) -> bytes:
    inside = io.BytesIO()
    facts = {name: getattr(checkpoint, name) for name in ("step", "epochs", "logs", "history")}
    np.savez(inside, np.frombuffer(json.dumps(facts).encode(), np.uint8), *checkpoint.variables)
    data = inside.getvalue()
    return MARK + hashlib.sha256(data).digest() + data


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
