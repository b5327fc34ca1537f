"""What the tests share: one finished run, labs that leave no process behind, and waiting with a deadline."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.run import Run
from cnn_core.spec import RunSpec, change

Wait = Callable[..., None]


def _wait_until(condition: Callable[[], object], seconds: float = 90) -> None:
    """Ask until `condition` holds; fail when it still does not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} seconds"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def wait_until() -> Wait:
    """`wait_until(condition, seconds=90)`: the one way to wait."""
    return _wait_until


@dataclass(frozen=True)
class Trained:
    """A finished run. Tests read it and change nothing."""

    lab: Lab
    run: str
    spec: RunSpec

    @property
    def folder(self) -> Path:
        return self.lab.store.folder(self.run)

    @property
    def row(self) -> Run:
        return self.lab.store.get(self.run)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The preset `tiny`, trained for two epochs in a home folder of its own."""
    lab = Lab(tmp_path_factory.mktemp("home"))
    spec = change(preset("tiny").spec, {"training.epochs": 2})
    run = lab.submit(spec)
    _wait_until(lambda: lab.store.get(run).is_over)
    assert lab.store.get(run).status == "finished", lab.log(run)
    lab._workers[run].wait(timeout=60)  # it closes the database last, and takes files of it away that a copy would miss
    return Trained(lab, run, spec)


@pytest.fixture(autouse=True)
def no_process_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ends what a test has started on its own folder and left: a run that ends starts the next one, of which no test knows."""
    mine = str(request.getfixturevalue("tmp_path")) if "tmp_path" in request.fixturenames else None
    yield
    if mine is not None:
        for process in psutil.process_iter(["cmdline"]):
            if mine in " ".join(process.info["cmdline"] or ()):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Makes labs on one empty home folder; their processes are gone after the test."""
    labs: list[Lab] = []

    def make(**options) -> Lab:
        labs.append(Lab(tmp_path / "home", **options))
        return labs[-1]

    yield make
    for lab in labs:
        for run in lab.store.runs(("queued",)):
            lab.stop(run.run)
    for lab in labs:
        for process in lab._workers.values():
            process.kill()
            process.wait()
        lab.close()


@pytest.fixture
def lab(new_lab: Callable[..., Lab]) -> Lab:
    """A lab on an empty home folder."""
    return new_lab()


@pytest.fixture
def finished(trained: Trained, new_lab: Callable[..., Lab], tmp_path: Path) -> tuple[Lab, str]:
    """A lab of its own on a copy of the finished run's home, and the run: to resume, damage or delete."""
    shutil.copytree(trained.lab.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock"))
    lab = new_lab()
    assert lab.store.get(trained.run) == trained.row
    return lab, trained.run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of half a megabyte, or None where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], capture_output=True).returncode
    )
    yield place if mounted else None
    if mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
