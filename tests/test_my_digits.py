"""A collection of one's own drawings: nothing is lost, bad files are refused, and a network learns them."""

import io
import threading
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_core import datasets, my_digits
from cnn_core.course import Course, lay_out
from cnn_core.errors import DataError, LabError, SpecError, StoreError
from cnn_core.presets import preset
from cnn_core.spec import change


def drawing(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (28, 28), np.uint8)


def test_drawings_are_kept_in_order_and_removed_by_their_number(tmp_path):
    assert len(my_digits.read(tmp_path)) == 0
    assert [my_digits.add(tmp_path, drawing(number), number) for number in range(3)] == [1, 2, 3]
    kept = my_digits.read(tmp_path)
    assert kept.labels.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(kept.images[1], drawing(1))
    assert my_digits.remove(tmp_path, 1) == 2
    kept = my_digits.read(tmp_path)
    assert kept.labels.tolist() == [0, 2]
    np.testing.assert_array_equal(kept.images[1], drawing(2))
    with pytest.raises(DataError, match=r"There is no drawing number 3: 2 are kept\."):
        my_digits.remove(tmp_path, 2)


def test_the_right_answer_of_a_drawing_can_be_corrected(tmp_path):
    for number in range(3):
        my_digits.add(tmp_path, drawing(number), number)
    assert my_digits.relabel(tmp_path, 1, 9) == 3
    kept = my_digits.read(tmp_path)
    assert kept.labels.tolist() == [0, 9, 2] and kept.labels.dtype == np.uint8
    np.testing.assert_array_equal(kept.images, [drawing(number) for number in range(3)])
    with pytest.raises(DataError, match=r"There is no drawing number 4: 3 are kept\."):
        my_digits.relabel(tmp_path, 3, 1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=5))
def test_an_exported_collection_comes_back(labels):
    made = my_digits.Collection(
        np.array([drawing(n) for n in range(len(labels))], np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8)
    )
    with np.load(io.BytesIO(my_digits.pack(made))) as file:
        np.testing.assert_array_equal(file["images"], made.images)
        np.testing.assert_array_equal(file["labels"], made.labels)


def test_an_import_adds_what_is_not_there_yet(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for place in (here, there):
        place.mkdir()
    my_digits.add(here, drawing(0), 0)
    my_digits.add(here, drawing(1), 1)
    my_digits.add(there, drawing(1), 1)
    my_digits.add(there, drawing(1), 7)
    packed = my_digits.pack(my_digits.read(here))
    assert my_digits.merge(there, packed) == 1
    assert my_digits.merge(there, packed) == 0
    assert my_digits.read(there).labels.tolist() == [1, 7, 0]


def npz(**arrays: np.ndarray) -> bytes:
    inside = io.BytesIO()
    np.savez_compressed(inside, **arrays)
    return inside.getvalue()


IMAGES, LABELS = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
BAD = {
    "text": b"not a file",
    "empty": b"",
    "no labels": npz(images=IMAGES),
    "floats": npz(images=IMAGES.astype(float), labels=LABELS),
    "another size": npz(images=np.zeros((2, 27, 28), np.uint8), labels=LABELS),
    "fewer labels": npz(images=IMAGES, labels=LABELS[:1]),
    "a label of ten": npz(images=IMAGES, labels=np.array([1, 10], np.uint8)),
    "pickled": npz(images=np.array([{}], object), labels=LABELS),
    "a bomb": npz(images=np.zeros((my_digits.MOST_BYTES // 784 + 1, 28, 28), np.uint8), labels=LABELS),
    "cut": npz(images=IMAGES, labels=LABELS)[:-30],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_lost(name, tmp_path):
    my_digits.add(tmp_path, drawing(0), 3)
    with pytest.raises(DataError, match=r"^The file .*Expected a \.npz file with uint8 arrays"):
        my_digits.merge(tmp_path, BAD[name])
    assert my_digits.read(tmp_path).labels.tolist() == [3]


def test_a_damaged_collection_says_where_it_lies(tmp_path):
    (tmp_path / my_digits.FILE).write_bytes(b"damaged")
    with pytest.raises(DataError, match=rf"The file of your digits, {tmp_path / my_digits.FILE}, cannot be read"):
        my_digits.read(tmp_path)
    with pytest.raises(DataError):
        my_digits.add(tmp_path, drawing(0), 0)
    assert (tmp_path / my_digits.FILE).read_bytes() == b"damaged", "what may be rescued is not written over"


def test_there_is_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(my_digits, "MOST", 1)
    my_digits.add(tmp_path, drawing(0), 0)
    with pytest.raises(DataError, match=r"At most 1 drawings are kept, and with these there would be 2"):
        my_digits.add(tmp_path, drawing(1), 1)


def test_several_who_add_at_once_lose_nothing(tmp_path):
    threads = [threading.Thread(target=my_digits.add, args=(tmp_path, drawing(number), number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(my_digits.read(tmp_path).labels.tolist()) == list(range(8))


def test_the_asked_part_of_an_epoch_is_ones_own(tmp_path):
    my_digits.add(tmp_path, drawing(5), 5)
    my_digits.add(tmp_path, drawing(6), 6)
    spec = change(preset("tiny").spec, {"data.own_digits": 0.25, "data.validation": 0.1})
    course = Course()
    lay_out(spec, course, stage=lambda text: None, folder=tmp_path)
    shown = np.concatenate([batch.numpy() for batch, _ in course.batches.dataset])
    assert len(shown) == 3600 + 1200
    for number in (5, 6):
        own = (np.abs(shown[..., 0] - drawing(number) / 255) < 1e-6).all(axis=(1, 2))
        assert own.sum() == 600


def test_a_taught_network_reads_what_it_was_taught_and_starts_from_what_it_knew(finished, wait_until):
    lab, trained = finished[0], finished[0].store.get(finished[1])
    data = datasets.load("mnist-5k")
    wrong = np.rot90(data.x_test[:20, ..., 0], axes=(1, 2))  # as nobody writes
    with pytest.raises(DataError, match=r"There are no drawings of your own to learn from\. Draw some"):
        lab.submit(change(trained.spec, {"data.own_digits": 0.2}))
    for pixels, label in zip(wrong, data.y_test[:20], strict=True):
        my_digits.add(lab.home, pixels, int(label))
    run = lab.submit(change(trained.spec, {"data.own_digits": 0.3, "training.learning_rate": 0.0007}), parent=trained.run)
    wait_until(lambda: lab.store.get(run).is_over)
    assert lab.store.get(run).status == "finished", lab.log(run)
    assert len(my_digits.read(lab.store.folder(run))) == 20, "a run keeps what it learned from"
    from cnn_core.inference import TrainedModel

    before = TrainedModel(trained.spec, lab.weights(trained.run)).probabilities(wrong).argmax(axis=1)
    after = TrainedModel(lab.store.get(run).spec, lab.weights(run)).probabilities(wrong).argmax(axis=1)
    assert (after == data.y_test[:20]).mean() > 0.9 > (before == data.y_test[:20]).mean()
    first = lab.store.history(run)["val_accuracy"][0]
    assert first > 0.85, "it did not begin anew"

    taught = lab.teach(run, share=0.1, epochs=1)
    wait_until(lambda: lab.store.get(taught).is_over)
    known = lab.store.get(taught)
    assert (known.status, known.epochs, known.parent) == ("finished", 1, run) and known.name.endswith("taught my digits")
    assert known.spec.data.own_digits == 0.1 and known.spec.training.learning_rate == pytest.approx(0.0007 / 3)


def test_what_cannot_be_taught_says_so(lab, trained):
    my_digits.add(lab.home, drawing(0), 0)
    series = change(preset("mnist1d").spec, {"data.own_digits": 0.2})
    with pytest.raises(SpecError, match="Drawings of digits cannot be mixed with MNIST-1D"):
        lab.submit(series)
    clothes = change(preset("tiny").spec, {"data.own_digits": 0.2, "data.dataset": "fashion-mnist"})
    with pytest.raises(SpecError, match="its examples are no images of digits"):
        lab.submit(clothes)
    with pytest.raises(LabError):
        lab.teach("none")


def test_a_damaged_collection_is_set_aside(tmp_path):
    (tmp_path / my_digits.FILE).write_bytes(b"damaged")
    aside = my_digits.set_aside(tmp_path)
    assert aside.read_bytes() == b"damaged" and len(my_digits.read(tmp_path)) == 0
    assert my_digits.add(tmp_path, drawing(0), 0) == 1
    my_digits.set_aside(tmp_path)
    with pytest.raises(StoreError, match="no file of your digits any more"):
        my_digits.set_aside(tmp_path)


def test_a_file_that_has_a_drawing_twice_adds_it_once(tmp_path):
    twice = my_digits.Collection(np.stack([drawing(1), drawing(1), drawing(2)]), np.array([1, 1, 2], np.uint8))
    assert my_digits.merge(tmp_path, my_digits.pack(twice)) == 2 and len(my_digits.read(tmp_path)) == 2


def test_labels_without_a_side_are_refused(tmp_path):
    np.savez(tmp_path / my_digits.FILE, images=drawing(0)[np.newaxis], labels=np.array(3, np.uint8))
    with pytest.raises(DataError, match="holds no collection"):
        my_digits.read(tmp_path)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images.npy", bytes(50_000_000))
        file.writestr("labels.npy", b"")
    with pytest.raises(DataError):
        my_digits.merge(tmp_path, inside.getvalue())
