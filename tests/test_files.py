"""A file is replaced by a whole one, or not at all."""

import pytest

from cnn_core.files import replacing


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    file = tmp_path / "network.weights.h5"
    file.write_text("old")
    with replacing(file) as new:
        new.write_text("new")
        assert file.read_text() == "old" and new.name.endswith(".weights.h5")
    assert file.read_text() == "new" and list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "network.keras"
    file.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(file) as new:
        new.write_text("half")
        raise OSError("full")
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]
