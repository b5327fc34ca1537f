"""What the tests of several pages share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnn_core.jobs import Lab


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty home folder for the app, and no spare process."""
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CNN_LAB_SPARE", "0")
    return tmp_path / "home"


@pytest.fixture
def page_lab(home, trained) -> Iterator[Lab]:
    """A lab of its own with the finished run, which the app opens as well."""
    shutil.copytree(trained.lab.home, home, ignore=shutil.ignore_patterns("*.lock", "studies"))
    lab = Lab(home)
    yield lab
    lab.close()
