"""Long work on a run in a process of its own: begun, followed, ended, kept, and not taken for that of other weights."""

import json
import os
import shutil
import sys
import time
from types import ModuleType

import numpy as np
import psutil
import pytest
from filelock import FileLock

from cnn_core import study
from cnn_core.errors import LabError, StoreError
from cnn_core.jobs import Lab


@pytest.fixture
def own(trained, tmp_path, monkeypatch):
    """A lab of its own with the trained run, as (lab, run)."""
    monkeypatch.setattr(os, "nice", lambda steps: 0)  # these tests are not to become slower
    shutil.copytree(trained.lab.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock", "studies"))
    lab = Lab(tmp_path / "home")
    yield lab, trained.run
    lab.close()


@pytest.fixture
def no_process(monkeypatch):
    """`start` orders a study, and the test itself does it."""
    monkeypatch.setattr(study.subprocess, "Popen", lambda *arguments, **options: None)


@pytest.fixture
def as_map(monkeypatch, no_process):
    """Makes a function the study "map"."""

    def make(work):
        module = ModuleType("cnn_core.studies.map")
        module.study = work
        monkeypatch.setitem(sys.modules, "cnn_core.studies.map", module)

    return make


def compute(lab, run):
    study.compute(lab.store.folder(run), "map")


def processes(run):
    """Those that study the run."""
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if one.status() != psutil.STATUS_ZOMBIE and run in " ".join(one.cmdline())]


def test_a_study_tells_how_far_it_is_and_is_kept(own, as_map, monkeypatch):
    lab, run = own
    monkeypatch.setattr(study, "SAYS", 0)
    seen = []

    def work(context):
        context.progress(0.5, "Half of it")
        seen.append(study.state(lab, run, "map"))
        assert context.options == {"level": 3} and context.weights == lab.weights(run)
        return {"numbers": np.arange(3)}

    as_map(work)
    assert study.state(lab, run, "map") == study.State("none") and study.result(lab, run, "map") is None
    study.start(lab, run, "map", level=3)
    assert study.state(lab, run, "map").status == "running" and study.options(lab, run, "map") == {"level": 3}
    compute(lab, run)
    assert seen == [study.State("running", 0.5, "Half of it")]
    assert study.state(lab, run, "map") == study.State("done", 1.0)
    assert study.result(lab, run, "map")["numbers"].tolist() == [0, 1, 2]


def test_it_ends_when_asked_and_can_be_begun_again(own, as_map):
    lab, run = own

    def work(context):
        study.cancel(lab, run, "map")
        context.progress(0.5, "never said")

    as_map(work)
    study.start(lab, run, "map")
    compute(lab, run)
    assert study.state(lab, run, "map").status == "cancelled" and study.result(lab, run, "map") is None
    as_map(lambda context: {"numbers": np.ones(1)})
    study.start(lab, run, "map")
    compute(lab, run)
    assert study.state(lab, run, "map").status == "done"


def test_what_it_found_of_other_weights_or_in_another_version_is_nothing(own, as_map, monkeypatch):
    lab, run = own
    as_map(lambda context: {"numbers": np.ones(1)})
    study.start(lab, run, "map")
    compute(lab, run)
    with monkeypatch.context() as later:
        later.setattr(study, "FORMAT", study.FORMAT + 1)
        assert study.state(lab, run, "map").status == "none" and study.result(lab, run, "map") is None
    assert study.state(lab, run, "map").status == "done" and study.result(lab, run, "map").keys() == {"numbers"}
    os.utime(lab.weights(run), ns=(1, 1))
    assert study.state(lab, run, "map").status == "none" and study.result(lab, run, "map") is None
    lock = FileLock(lab.store.folder(run) / "studies" / "map" / study.LOCK)
    with lock, pytest.raises(LabError, match="of other weights"):  # one that is still at work on them
        study.start(lab, run, "map")
    study.start(lab, run, "map")
    assert study.state(lab, run, "map").status == "running"


@pytest.mark.parametrize(
    ("error", "words"), [(LabError("It cannot be so."), "It cannot be so."), (ValueError("odd"), "ValueError: odd. The whole")]
)
def test_its_errors_are_told(own, as_map, error, words, capsys):
    lab, run = own

    def work(context):
        raise error

    as_map(work)
    study.start(lab, run, "map")
    compute(lab, run)
    found = study.state(lab, run, "map")
    assert found.status == "failed" and words in found.message


def test_damaged_files_are_as_none(own, as_map):
    lab, run = own
    as_map(lambda context: {"numbers": np.ones(1)})
    study.start(lab, run, "map")
    folder = lab.store.folder(run) / "studies" / "map"
    (folder / study.PROGRESS).write_text("{")
    assert study.state(lab, run, "map").status == "running"  # it has said nothing yet
    compute(lab, run)
    assert study.state(lab, run, "map").status == "done"
    (folder / study.RESULT).write_bytes(b"nonsense")
    assert study.state(lab, run, "map").status == "none" and study.result(lab, run, "map") is None
    np.savez(folder / study.RESULT, numbers=np.ones(1))  # sound, but it does not say what it is of
    assert study.state(lab, run, "map").status == "none" and study.result(lab, run, "map") is None
    for damaged in ("[", "[1]", "{}"):
        (folder / study.ORDER).write_text(damaged)
        assert study.state(lab, run, "map").status == "none"
    study.start(lab, run, "map")
    for damaged in ("[1]", '{"status": "done"}'):
        (folder / study.PROGRESS).write_text(damaged)
        assert study.state(lab, run, "map") == study.State("running", 0.0, "Starting")


def test_a_study_that_cannot_be_stored_says_so(own, no_process):
    lab, run = own
    (lab.store.folder(run) / "studies").write_text("no folder")
    with pytest.raises(StoreError, match=r"The study could not be stored in .* and try again"):
        study.start(lab, run, "map")
    assert study.state(lab, run, "map").status == "none"


def test_what_cannot_be_begun(own, tmp_path):
    lab, run = own
    with pytest.raises(LabError, match="There is no study 'magic'"):
        study.start(lab, run, "magic")
    lab.weights(run).unlink()
    with pytest.raises(LabError, match="has no weights"):
        study.start(lab, run, "map")


def test_one_process_for_two_starts_and_a_killed_one_is_noticed(own, wait_until):
    lab, run = own
    study.start(lab, run, "importance")
    study.start(lab, run, "importance")
    wait_until(lambda: (lab.store.folder(run) / "studies" / "importance" / study.PROGRESS).is_file())
    study.start(lab, run, "importance")
    wait_until(lambda: len(processes(run)) == 1)
    assert study.state(lab, run, "importance").status == "running"
    processes(run)[0].kill()
    wait_until(lambda: study.state(lab, run, "importance").status == "failed")
    assert "Start it again" in study.state(lab, run, "importance").message
    study.start(lab, run, "importance")
    study.cancel(lab, run, "importance")
    wait_until(lambda: study.state(lab, run, "importance").status == "cancelled")
    wait_until(lambda: not processes(run))


def test_a_process_that_never_spoke_is_given_up(own, no_process):
    lab, run = own
    study.start(lab, run, "map")
    order = lab.store.folder(run) / "studies" / "map" / study.ORDER
    asked = json.loads(order.read_text())
    order.write_text(json.dumps({**asked, "asked": time.time() - study.STARTS - 1}))
    assert study.state(lab, run, "map").status == "failed"
