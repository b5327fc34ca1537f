"""Checkpoints: whole or not there, whatever happens to their files."""

import numpy as np
import pytest

from cnn_core import checkpoint
from cnn_core.checkpoint import BEFORE, LAST, Checkpoint, read, write


def made(step: int) -> Checkpoint:
    random = np.random.default_rng(step)
    return Checkpoint(
        step,
        step // 2,
        [random.random((3, 4), np.float32), np.int64(step), random.integers(0, 9, 5).astype(np.uint32)],
        {"loss": 1 / 3},
    )


def same(one: Checkpoint, other: Checkpoint) -> bool:
    pairs = list(zip(one.variables, other.variables, strict=True))
    facts = (one.step, one.epochs, one.logs) == (other.step, other.epochs, other.logs)
    return facts and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def test_what_is_written_is_read(tmp_path):
    assert read(tmp_path) is None
    for step in (1, 2, 3):
        write(tmp_path, made(step))
        assert same(read(tmp_path), made(step))
    assert {file.name for file in tmp_path.iterdir()} == {LAST, BEFORE}


@pytest.mark.parametrize("part", [0, 0.01, 0.05, 0.3, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path, part, damage):
    write(tmp_path, made(1))
    write(tmp_path, made(2))
    data = bytearray((tmp_path / LAST).read_bytes())
    place = int(part * len(data))
    if damage == "cut":
        data = data[:place]
    else:
        data[place] ^= 0x40
    (tmp_path / LAST).write_bytes(data)
    assert same(read(tmp_path), made(1))
    (tmp_path / BEFORE).unlink()
    assert read(tmp_path) is None


def test_a_disk_that_is_full_leaves_the_last_one(tmp_path, monkeypatch):
    write(tmp_path, made(1))

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, made(2))
    assert same(read(tmp_path), made(1)) and {file.name for file in tmp_path.iterdir()} == {LAST}


def test_a_kill_between_the_two_moves_leaves_the_one_before(tmp_path):
    write(tmp_path, made(1))
    (tmp_path / LAST).replace(tmp_path / BEFORE)
    assert same(read(tmp_path), made(1))


def test_it_fits_the_network_it_was_taken_from_only():
    taken = made(1)
    assert taken.fits(taken.variables) and taken.fits(made(2).variables)
    assert not taken.fits(taken.variables[:2]) and not taken.fits([*taken.variables[:2], np.zeros(6)])
