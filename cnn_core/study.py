"""Long work on a trained run: in a process of its own, with progress, and its result kept with the run.

`start`, `cancel`, `state` and `result` are what pages and commands use; `python -m cnn_core.study RUN_FOLDER KIND` is the process,
which holds the lock on its folder for as long as it lives. A kind is a module of `cnn_core.studies`.
"""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from cnn_core.errors import LabError, StoreError
from cnn_core.files import replacing
from cnn_core.jobs import Lab
from cnn_core.run import Run

KINDS = ("robustness", "map", "importance", "favourites")
ORDER, PROGRESS, RESULT, CANCEL, LOCK = "order.json", "progress.json", "result.npz", "cancel", "study.lock"
OF = "of"  # what a result says of itself: the study and the weights it is of
FORMAT = 3  # of the results: raise it when a study gives other names or other shapes
SAYS = 0.25  # least seconds between two words on the progress
STARTS = 30.0  # seconds within which its process has said something
ROOT = Path(__file__).parents[1]

Result = dict[str, np.ndarray]


class Cancelled(Exception):
    """Someone asked the study to end."""


@dataclass(frozen=True)
class State:
    """How far a study is. status: none, running, done, cancelled or failed; part: 0 to 1; message: what there is to say."""

    status: str
    part: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Context:
    """What a study works on. run: the row of the store; weights: the file with those that answer; options: plain values.

    progress(part, words): say how far it is, 0 to 1; raises Cancelled when someone asked for the end.
    """

    run: Run
    weights: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[float, str], None] = lambda part, words: None


def start(lab: Lab, run: str, kind: str, **options: Any) -> None:
    """Begin a study of a run, unless it is under way. Raises LabError when the run has no weights, or there is no such kind."""
    if kind not in KINDS:
        raise LabError(f"There is no study {kind!r}. Expected one of: {', '.join(KINDS)}.")
    known, weights = lab.store.get(run), lab.weights(run)
    folder = _folder(lab, run, kind)
    with _stored(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if _is_alive(folder):
        if (_read(folder / ORDER) or {}).get("of") != _mark(known, weights):
            cancel(lab, run, kind)
            raise LabError("The same study of other weights of this run is still under way. It was told to end: try again soon.")
        return
    with _stored(folder):
        for left in (PROGRESS, RESULT, CANCEL):
            (folder / left).unlink(missing_ok=True)
        with replacing(folder / ORDER) as new:
            new.write_text(json.dumps({"options": options, "of": _mark(known, weights), "asked": time.time()}))
    with _stored(folder), (folder / "log.txt").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", "cnn_core.study", str(lab.store.folder(run)), kind],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def cancel(lab: Lab, run: str, kind: str) -> None:
    """Ask a study to end; nothing of it is kept."""
    folder = _folder(lab, run, kind)
    if folder.is_dir():
        with _stored(folder):
            (folder / CANCEL).touch()


def state(lab: Lab, run: str, kind: str) -> State:
    """How far a study of a run is. One of other weights than those that answer now, or of another version, counts as none."""
    folder = _folder(lab, run, kind)
    order = _read(folder / ORDER)
    if not order or order.get("of") != _mark_now(lab, run):
        return State("none")
    if (folder / RESULT).is_file():
        return State("done", 1.0) if _kept(lab, run, kind) else State("none")
    found = _read(folder / PROGRESS)
    if found and found.keys() != {"status", "part", "message"}:
        found = None
    said = State(found["status"], found["part"], found["message"]) if found else State("running", 0.0, "Starting")
    if said.status != "running" or _is_alive(folder) or (not found and time.time() - order.get("asked", 0.0) < STARTS):
        return said
    return State("failed", said.part, "Its process is gone. Start it again.")


def result(lab: Lab, run: str, kind: str) -> Result | None:
    """What a study found, by name; None when there is nothing sound for the weights that answer now."""
    found = _kept(lab, run, kind, whole=True) if state(lab, run, kind).status == "done" else None
    return found and {name: values for name, values in found.items() if name != OF}


def keep(lab: Lab, run: str, kind: str, found: Result, of: str | None = None) -> None:
    """Keep what a study of a run found. of: the mark of its weights, of those that answer now where none is given."""
    stamp = _stamp(kind, of or _mark_now(lab, run))
    with replacing(_folder(lab, run, kind) / RESULT) as new, new.open("wb") as file:
        np.savez_compressed(file, **found, **{OF: stamp})


def options(lab: Lab, run: str, kind: str) -> dict[str, Any]:
    """What the last study of this kind was asked with; nothing when there was none."""
    return (_read(_folder(lab, run, kind) / ORDER) or {}).get("options", {})


def _folder(lab: Lab, run: str, kind: str) -> Path:
    return lab.store.folder(run) / "studies" / kind


def _mark(run: Run, weights: Path) -> str:
    """Tells weights from others."""
    about = weights.stat()
    return f"{run.uses} {about.st_mtime_ns} {about.st_size}"


def _mark_now(lab: Lab, run: str) -> str | None:
    try:
        return _mark(lab.store.get(run), lab.weights(run))
    except (LabError, OSError):
        return None


def _kept(lab: Lab, run: str, kind: str, whole: bool = False) -> Result | None:
    """The result that is kept, or of it only what it is of; None when it is not sound, or not of what answers now."""
    try:
        with np.load(_folder(lab, run, kind) / RESULT, allow_pickle=False) as file:
            found = {name: file[name] for name in (file if whole else [OF])}
    except Exception:  # zipfile, zlib and numpy each raise errors of their own
        return None
    return found if str(found.get(OF)) == _stamp(kind, _mark_now(lab, run)) else None


def _stamp(kind: str, mark: str | None) -> str:
    """What a result of these weights says of itself."""
    return f"{FORMAT} {kind} {mark}"


def _read(file: Path) -> dict[str, Any] | None:
    """What a file of the study holds, None when it is gone or damaged."""
    try:
        data = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


@contextmanager
def _stored(folder: Path) -> Iterator[None]:
    """What cannot be written is told in a sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The study could not be stored in {folder} ({error.strerror}). Free some space or give yourself write permission, and "
            "try again."
        ) from None


def _is_alive(folder: Path) -> bool:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # no lock can be there
        return False
    lock.release()
    return False


def compute(folder: Path, kind: str) -> None:
    """Do the study of the run in `folder` that was asked for, and keep its result. Errors are told in words and kept in its log."""
    place = folder / "studies" / kind
    lock = FileLock(place / LOCK)
    try:
        lock.acquire(timeout=2)
    except Timeout:
        return  # another process does it
    if hasattr(os, "nice"):
        os.nice(5)  # a training goes first
    said = [0.0]

    def tell(status: str, part: float, message: str) -> None:
        with replacing(place / PROGRESS) as new:
            new.write_text(json.dumps({"status": status, "part": part, "message": message}))

    def progress(part: float, words: str) -> None:
        if (place / CANCEL).exists():
            raise Cancelled
        if time.monotonic() - said[0] >= SAYS:
            said[0] = time.monotonic()
            tell("running", min(1.0, part), words)

    try:
        progress(0.0, "Loading TensorFlow and the network")
        lab = Lab(folder.parent)
        context = Context(lab.store.get(folder.name), lab.weights(folder.name), options(lab, folder.name, kind), progress)
        of = _mark(context.run, context.weights)
        found = importlib.import_module(f"cnn_core.studies.{kind}").study(context)
        progress(1.0, "Keeping the result")
        keep(lab, folder.name, kind, found, of)
    except Cancelled:
        tell("cancelled", 0.0, "It was cancelled; nothing of it was kept.")
    except LabError as error:
        tell("failed", 0.0, str(error))
    except Exception as error:  # whatever it is, the person has to hear of it
        traceback.print_exc()
        first = (str(error).strip().splitlines() or ["no message"])[0]
        tell(
            "failed",
            0.0,
            f"It ended with an error: {type(error).__name__}: {first[:300]}. The whole message is in {place / 'log.txt'}.",
        )
    finally:
        lock.release()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Expected a run folder and a kind of study.")
    compute(Path(sys.argv[1]), sys.argv[2])
