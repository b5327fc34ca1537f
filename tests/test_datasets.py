"""Datasets: the embedded one is fixed, files are checked, and a download leaves a whole file or none."""

import gzip
import hashlib
import io
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from cnn_core import datasets
from cnn_core.errors import DataError
from cnn_core.spec import DatasetName

CHECKSUM = "e318b7b6a20ff02b267e1929e618701e3887523362f4d7f3af098440147843d9"
LABELS = {"y_train": np.arange(60_000) % 10, "y_test": np.arange(10_000) % 10}


def arrays(**changes) -> dict[str, np.ndarray]:
    """Arrays of MNIST's shapes: black images, but for the first pixel of the first."""
    made = {name: values.astype(np.uint8) for name, values in LABELS.items()}
    made |= {"x_train": np.zeros((60_000, 28, 28), np.uint8), "x_test": np.zeros((10_000, 28, 28), np.uint8)}
    made["x_train"][0, 0, 0] = 255
    return {name: values for name, values in (made | changes).items() if values is not None}


@pytest.fixture(scope="module")
def good_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays())
    return file.getvalue()


@pytest.fixture(scope="module")
def idx_files() -> dict[str, bytes]:
    """The four files of Fashion-MNIST in their own format, by name."""
    made = arrays()
    return {
        file: gzip.compress(bytes(16 if part.startswith("x") else 8) + made[part].tobytes(), compresslevel=1)
        for part, file in datasets.IDX_FILES.items()
    }


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty places to look for data in; the folder of CNN_LAB_DATA."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CNN_LAB_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    find = datasets._find
    monkeypatch.setattr(
        datasets, "_find", lambda name: None if (place := find(name)) and not place.is_relative_to(tmp_path) else place
    )
    return tmp_path


def test_mnist_5k_is_balanced_and_fixed():
    data = datasets.load("mnist-5k")
    assert data.x_train.shape == (4000, 28, 28, 1) and data.x_test.shape == (1000, 28, 28, 1)
    assert {array.dtype for array in (data.x_train, data.y_train, data.x_test, data.y_test)} == {np.dtype(np.uint8)}
    assert np.bincount(data.y_train).tolist() == [400] * 10 and np.bincount(data.y_test).tolist() == [100] * 10
    digest = hashlib.sha256()
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        digest.update(np.ascontiguousarray(array).tobytes())
    assert digest.hexdigest() == CHECKSUM
    assert len({*data.y_train[:50]}) > 5, "the classes come mixed"
    assert "embedded" in data.source and data.info.labels == tuple("0123456789")


def test_no_test_image_is_a_training_image():
    data = datasets.load("mnist-5k")
    train = {image.tobytes() for image in data.x_train}
    assert len(train) == 4000 and not [image for image in data.x_test if image.tobytes() in train]


def test_names():
    assert datasets.is_here("mnist-5k") and datasets.is_here("mnist-1d") and not datasets.is_here("mnist")
    assert tuple(datasets.DATASETS) == get_args(DatasetName)
    with pytest.raises(
        DataError, match=r"There is no dataset 'cats'\. Expected one of: mnist-5k, mnist, fashion-mnist, mnist-1d\."
    ):
        datasets.load("cats")


def test_mnist_1d_is_the_packages_own_and_leaves_the_random_numbers_of_others_alone():
    """The package seeds both generators anew, so that its series are always the same."""
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    expected = []
    for load in (lambda: None, lambda: datasets.load("mnist-1d")):
        np.random.seed(5)
        random.seed(5)
        datasets._series.cache_clear()
        data = load()
        expected.append((np.random.random(), random.random()))
    assert expected[0] == expected[1]
    assert data.x_train.shape == (4000, 40, 1) and data.x_test.shape == (1000, 40, 1)
    assert data.x_train.dtype == data.x_test.dtype == np.float32 and data.y_train.dtype == data.y_test.dtype == np.uint8
    for ours, part in ((data.x_train, "x"), (data.x_test, "x_test")):
        np.testing.assert_array_equal(ours[..., 0], made[part].astype(np.float32))
    for ours, part in ((data.y_train, "y"), (data.y_test, "y_test")):
        np.testing.assert_array_equal(ours, made[part])
    assert np.bincount(np.concatenate([data.y_train, data.y_test])).tolist() == [500] * 10
    assert "mnist1d" in data.source and data.info.is_series and data.info.labels == tuple("0123456789")
    assert (data.info.train, data.info.test, data.info.input_shape) == (4000, 1000, (40, 1))


def test_a_file_in_the_data_folder(places, good_npz):
    (places / "mnist.npz").write_bytes(good_npz)
    data = datasets.load("mnist")
    assert datasets.is_here("mnist") and data.source == str(places / "mnist.npz")
    assert data.x_train.shape == (60_000, 28, 28, 1) and data.x_test.shape == (10_000, 28, 28, 1)
    assert data.x_train[0, 0, 0, 0] == 255 and data.x_train.sum() == 255
    assert data.y_test[:12].tolist() == [*range(10), 0, 1] and data.y_test.dtype == np.uint8


def saved(**changes) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays(**changes))
    return file.getvalue()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"x_test": None}, "it has no array x_test"),
        ({"x_test": np.zeros((10_000, 28, 27), np.uint8)}, r"expected uint8 \(10000, 28, 28\)"),
        ({"x_test": np.zeros((10_000, 28, 28), np.float32)}, "its test part is float32"),
        ({"x_train": np.zeros((10, 28, 28), np.uint8)}, r"shape \(10, 28, 28\)"),
        ({"y_train": LABELS["y_train"][:-1]}, r"labels of shape \(59999,\)"),
        ({"y_test": LABELS["y_test"] + 1}, "its test labels are not whole numbers from 0 to 9"),
        ({"y_test": LABELS["y_test"] - 1}, "its test labels are not whole numbers"),
        ({"y_test": LABELS["y_test"] / 2}, "its test labels are not whole numbers"),
        ({"y_test": np.array([{"code": 1}] * 10_000, object)}, "Object arrays cannot be loaded"),
    ],
)
def test_a_file_with_wrong_contents(places, changes, why):
    (places / "mnist.npz").write_bytes(saved(**changes))
    with pytest.raises(DataError, match=why) as caught:
        datasets.load("mnist")
    assert "mnist.npz is damaged" in str(caught.value) and "put a whole copy in its place" in str(caught.value)


def test_a_damaged_file(places, good_npz):
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    flipped = bytearray(good_npz)
    flipped[2000:2100] = b"\x55" * 100
    for data in (
        b"",
        b"not a file of arrays",
        good_npz[:100],
        good_npz[: len(good_npz) // 2],
        good_npz[:-10],
        array.getvalue(),
        flipped,
    ):
        (places / "mnist.npz").write_bytes(data)
        with pytest.raises(DataError, match=r"mnist\.npz is damaged"):
            datasets.load("mnist")


def write_idx(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_fashion_mnist_in_keras_cache(places, idx_files):
    folder = write_idx(places / "keras/datasets/fashion-mnist", idx_files)
    data = datasets.load("fashion-mnist")
    assert data.source == str(folder) and data.info.labels[9] == "Ankle boot"
    assert data.x_train.shape == (60_000, 28, 28, 1) and data.x_train[0, 0, 0, 0] == 255
    assert data.y_train[:3].tolist() == [0, 1, 2] and len(data.y_test) == 10_000


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"<html>", lambda data: data[:12] + bytes(40) + data[52:]]
)
def test_a_damaged_fashion_file(places, idx_files, damage):
    name = "train-images-idx3-ubyte.gz"
    write_idx(places / "keras/datasets/fashion-mnist", idx_files | {name: damage(idx_files[name])})
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        datasets.load("fashion-mnist")


class Server:
    """A file server on this computer: `files` by name; of those in `broken` only the first half arrives."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                server.asked.append(name)
                data = server.files.get(name)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                if data:
                    self.wfile.write(data[: len(data) // 2] if name in server.broken else data)

            def log_message(self, *arguments) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setattr(datasets, "KERAS_FILES", made.address)
    yield made
    made.close()


def cached(places: Path) -> list[str]:
    """Names of all files under Keras' cache."""
    return sorted(path.name for path in (places / "keras").rglob("*") if path.is_file())


def test_a_wrong_file_is_thrown_away(places, server, good_npz):
    server.files["mnist.npz"] = good_npz
    with pytest.raises(DataError, match=r"The download of mnist\.npz was not the expected file and was thrown away"):
        datasets.load("mnist")
    assert server.asked == ["mnist.npz"] and cached(places) == [] and not datasets.is_here("mnist")


def test_a_wrong_fashion_file_is_thrown_away(places, server, idx_files):
    first, second = list(idx_files)[:2]
    server.files = idx_files | {second: b"<html>Log in to the hotel's network</html>"}
    with pytest.raises(DataError, match=rf"The download of {second} was not the expected file"):
        datasets.load("fashion-mnist")
    assert cached(places) == [first]


@pytest.mark.parametrize(("name", "file"), [("mnist", "mnist.npz"), ("fashion-mnist", "train-images-idx3-ubyte.gz")])
def test_a_connection_that_breaks_half_way(places, server, good_npz, idx_files, name, file):
    server.files, server.broken = idx_files | {"mnist.npz": good_npz}, {file}
    with pytest.raises(DataError, match="could not be downloaded: "):
        datasets.load(name)
    assert cached(places) == []


def test_no_server_and_no_file(places, server):
    with pytest.raises(DataError, match="could not be downloaded: 404"):
        datasets.load("fashion-mnist")
    server.close()
    with pytest.raises(DataError, match="could not be downloaded: there is no connection") as caught:
        datasets.load("mnist")
    assert "mnist.npz into the folder that CNN_LAB_DATA names, or choose MNIST 5k" in str(caught.value)
    assert cached(places) == []


def test_a_download_is_told_of_and_happens_once(places, server, idx_files):
    server.files = idx_files
    told: list[tuple[int, int]] = []
    data = datasets.load("fashion-mnist", lambda done, total: told.append((done, total)))
    assert data.x_train[0, 0, 0, 0] == 255 and cached(places) == sorted(idx_files)
    done = [step for step, _ in told]
    assert min(np.diff(done)) > -datasets.CHUNK, "it never falls by more than the last chunk was counted too large"
    assert done[-1] == sum(map(len, idx_files.values())) and {total for _, total in told} == {30_000_000}
    asked = len(server.asked)
    datasets.load("fashion-mnist")
    assert asked == 4 == len(server.asked)
