"""Commands for the person's own drawings: keep them, take them home, and teach a network with them."""

import argparse
import sys
from pathlib import Path

from cnn_core import my_digits
from cnn_core.commands.answers import result, say
from cnn_core.commands.training import open_lab, wait_for
from cnn_core.drawing import prepare, read_image
from cnn_core.errors import ImageError, LabError
from cnn_core.store import default_home


def add(options: argparse.Namespace) -> int:
    """Keep a picture of a digit with its right answer."""
    try:
        digit = prepare(read_image(_bytes(options.image)))
    except ImageError as error:
        raise LabError(f"{options.image}: {error}") from None
    if digit.empty:
        raise LabError(f"{options.image}: nothing is drawn on it. Give a picture of one digit.")
    count = my_digits.add(_home(), digit.pixels, options.label)
    say(options, {"label": options.label, "drawings": count}, f"Kept as a {options.label}: {count} drawings now")
    return 0


def list_all(options: argparse.Namespace) -> int:
    labels = my_digits.read(_home()).labels.tolist()
    lines = [f"{number:>5}  {label}" for number, label in enumerate(labels, 1)]
    data = [{"number": number, "label": label} for number, label in enumerate(labels, 1)]
    say(options, data, "\n".join(lines) or "There are no drawings yet. Add one: python -m cnn_core my-digits add IMAGE LABEL")
    return 0


def export(options: argparse.Namespace) -> int:
    collection = my_digits.read(_home())
    try:
        options.file.write_bytes(my_digits.pack(collection))
    except OSError as error:
        raise LabError(f"{options.file} cannot be written ({error.strerror}). Check its folder and try again.") from None
    say(options, {"file": str(options.file), "drawings": len(collection)}, f"{options.file}: {len(collection)} drawings")
    return 0


def import_from(options: argparse.Namespace) -> int:
    added = my_digits.merge(_home(), _bytes(options.file))
    say(options, {"added": added, "drawings": len(my_digits.read(_home()))}, f"{added} drawings added")
    return 0


def remove(options: argparse.Namespace) -> int:
    count = my_digits.remove(_home(), options.number - 1)
    say(options, {"removed": options.number, "drawings": count}, f"Drawing {options.number} is gone: {count} are left")
    return 0


def teach(options: argparse.Namespace) -> int:
    lab = open_lab()
    before = lab.store.get(options.run)
    known = wait_for(lab, lab.teach(before.run, options.share, options.epochs))
    after = "no test score" if known.test_accuracy is None else f"test accuracy {known.test_accuracy:.4f}"
    say(options, {"from": before.run, **result(lab.store, known)}, f"{known.run}: {known.status}, {after}")
    if known.status in ("failed", "interrupted"):
        print(known.message, file=sys.stderr)
        return 1
    return 0


def _home() -> Path:
    """The home folder, which is there once a lab was opened."""
    open_lab()
    return default_home()


def _bytes(file: str | Path) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise LabError(f"{file} cannot be read ({error.strerror}). Check its name and try again.") from None
