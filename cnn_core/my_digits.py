"""Drawings of the person with their right answers: a test set of one's own, and what a network can be taught with.

They are one file of the home folder, `my_digits.npz`; each addition replaces it whole.
"""

import io
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from cnn_core.errors import DataError, StoreError
from cnn_core.files import replacing

FILE = "my_digits.npz"
MOST = 5000  # drawings that are kept
MOST_BYTES = 2 * MOST * 28 * 28  # of an exported collection; what would unpack to more is refused
SIDE = 28


@dataclass(frozen=True)
class Collection:
    """images: uint8 (n, 28, 28), as the network sees them, 0 black to 255 white; labels: uint8 (n,), the right answers."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


EMPTY = Collection(np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8))


def read(home: Path) -> Collection:
    """The collection of a home folder, empty when there is none. Raises DataError when its file is damaged."""
    file = home / FILE
    if not file.is_file():
        return EMPTY
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(
            f"Your digits in {file} cannot be read ({error.strerror}). Give yourself permission and try again."
        ) from None
    return _unpacked(data, f"The file of your digits, {file},")


def set_aside(home: Path) -> Path:
    """Move the file of the collection out of the way, so that a new one can be begun; where it is now. Raises StoreError."""
    aside = home / f"my_digits.{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.npz"
    with _alone(home):
        try:
            (home / FILE).rename(aside)
        except FileNotFoundError:
            raise StoreError("There is no file of your digits any more: someone has moved it. Open the page anew.") from None
    return aside


def add(home: Path, pixels: np.ndarray, label: int) -> int:
    """Keep a drawing, uint8 (28, 28), with its right answer; how many there are now. Raises DataError and StoreError."""
    return _changed(home, lambda kept: _joined(kept, Collection(pixels[np.newaxis], np.array([label], np.uint8))))


def remove(home: Path, index: int) -> int:
    """Forget one drawing; how many are left. Raises DataError when there is none of this number."""

    def without(kept: Collection) -> Collection:
        place = _place(kept, index)
        return Collection(np.delete(kept.images, place, axis=0), np.delete(kept.labels, place))

    return _changed(home, without)


def relabel(home: Path, index: int, label: int) -> int:
    """Give one drawing another right answer; how many are kept. Raises DataError when there is none of this number."""

    def corrected(kept: Collection) -> Collection:
        labels = kept.labels.copy()
        labels[_place(kept, index)] = label
        return Collection(kept.images, labels)

    return _changed(home, corrected)


def merge(home: Path, data: bytes) -> int:
    """Add the drawings of an exported collection that are not there yet; how many were added. Raises DataError, and nothing is lost."""
    new = _unpacked(data, "The file")
    before = len(read(home))

    def with_new(kept: Collection) -> Collection:
        known = {_key(*pair) for pair in zip(kept.images, kept.labels, strict=True)}
        fresh = []
        for number, pair in enumerate(zip(new.images, new.labels, strict=True)):
            if (key := _key(*pair)) not in known:
                known.add(key)
                fresh.append(number)
        return _joined(kept, Collection(new.images[fresh], new.labels[fresh]))

    return _changed(home, with_new) - before


def pack(collection: Collection) -> bytes:
    """A collection as the bytes of a file to take home, which numpy can read: arrays `images` and `labels`.

    >>> len(_unpacked(pack(EMPTY), "The file"))
    0
    """
    inside = io.BytesIO()
    np.savez_compressed(inside, images=collection.images, labels=collection.labels)
    return inside.getvalue()


def _unpacked(data: bytes, what: str) -> Collection:
    """Raises DataError unless the bytes are a collection."""
    wanted = "Expected a .npz file with uint8 arrays images (n, 28, 28) and labels (n,) from 0 to 9, as My digits exports it."
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if sum(part.file_size for part in file.zip.infolist()) > MOST_BYTES:
                raise ValueError("too large")
            images, labels = file["images"], file["labels"]
    except Exception:  # zipfile, zlib and numpy each raise errors of their own
        raise DataError(f"{what} cannot be read as a collection of digits. {wanted}") from None
    fits = images.dtype == labels.dtype == np.uint8 and labels.ndim == 1 and images.shape == (len(labels), SIDE, SIDE)
    if not fits or labels.max(initial=0) > 9:
        raise DataError(f"{what} holds no collection of digits. {wanted}")
    return Collection(images, labels)


def _place(kept: Collection, index: int) -> int:
    if not 0 <= index < len(kept):
        raise DataError(f"There is no drawing number {index + 1}: {len(kept)} are kept.")
    return index


def _joined(kept: Collection, new: Collection) -> Collection:
    if len(kept) + len(new) > MOST:
        raise DataError(
            f"At most {MOST:,} drawings are kept, and with these there would be {len(kept) + len(new):,}. Remove some."
        )
    return Collection(np.concatenate([kept.images, new.images]), np.concatenate([kept.labels, new.labels]))


def _key(image: np.ndarray, label: int) -> bytes:
    return image.tobytes() + bytes([label])


def _changed(home: Path, change: Callable[[Collection], Collection]) -> int:
    """Keep what `change` makes of the collection; how many drawings it has."""
    with _alone(home):
        changed = change(read(home))
        try:
            with replacing(home / FILE) as new:
                new.write_bytes(pack(changed))
        except OSError as error:
            raise StoreError(
                f"Your digits could not be stored in {home} ({error.strerror}). Free some space or give yourself write permission."
            ) from None
    return len(changed)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process and one thread at a time changes the collection."""
    try:
        with FileLock(home / "my_digits.lock", timeout=10):
            yield
    except Timeout:
        raise StoreError("Your digits are being changed by another process. Try again.") from None
    except OSError as error:
        raise StoreError(
            f"The home folder {home} cannot be written ({error.strerror}). Give yourself write permission."
        ) from None
