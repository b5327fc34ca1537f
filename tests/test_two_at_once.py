"""Two of everything: two processes on one home, two workers on one run, two clicks on one button, and a clock that jumps."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cnn_core import checkpoint
from cnn_core.errors import LabError, UnknownRun
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change, read
from cnn_core.store import Store

ROOT = Path(__file__).parent.parent
ONE_EPOCH = change(preset("tiny").spec, {"training.epochs": 1, "training.batch_size": 128})
ENDLESS = change(ONE_EPOCH, {"training.epochs": 1000})


def test_two_processes_that_begin_a_home_at_once_train_one_after_the_other(tmp_path, wait_until):
    home = tmp_path / "home"
    command = [sys.executable, "-m", "cnn_core", "train", "--preset", "tiny", "--epochs", "1", "--json"]
    environment = {**os.environ, "CNN_LAB_HOME": str(home)}
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in "ab"]
    wait_until(lambda: (home / "lab.sqlite3").exists())
    store, most = Store(home), 0

    def all_over() -> bool:
        nonlocal most
        most = max(most, len(store.runs(("running",))))
        return all(process.poll() is not None for process in both)

    wait_until(all_over)
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    answers = [json.loads(out) for out, _ in said]
    assert [answer["status"] for answer in answers] == ["finished"] * 2 and most == 1
    assert {answer["run"] for answer in answers} == set(store.ids()) and len(store.ids()) == 2
    later, earlier = sorted(store.runs(), key=lambda run: run.started, reverse=True)
    assert earlier.ended <= later.started
    assert all(len(store.metrics(run, ("train",))) == 2 for run in store.ids())  # loss and accuracy, once


def test_of_two_workers_on_one_run_one_leaves_and_changes_nothing(lab, wait_until):
    store, folder = lab.store, lab.store.folder("a")
    store.add("a", "a", ENDLESS)
    folder.mkdir()
    begin = lambda: subprocess.Popen([sys.executable, "-m", "cnn_core.worker", str(folder)], cwd=ROOT)  # noqa: E731
    both = [begin(), begin()]
    wait_until(lambda: any(process.poll() is not None for process in both))
    wait_until(lambda: store.get("a").epoch >= 1)
    assert store.get("a").status == "running" and sorted(process.poll() is None for process in both) == [False, True]
    lab.stop("a")
    wait_until(lambda: all(process.poll() is not None for process in both))
    row, metrics = store.get("a"), store.metrics("a")
    assert [process.returncode for process in both] == [0, 0] and (row.status, row.resumed) == ("stopped", 0), lab.log("a")
    keys = [(metric.step, metric.phase, metric.name) for metric in metrics]
    assert len(keys) == len(set(keys)) and len(store.seconds_per_epoch("a")) == row.epoch

    files = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert begin().wait(60) == 0  # one that comes when it is all over
    assert store.get("a") == row and store.metrics("a") == metrics
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == files


class ClockGoingBack:
    """`time.time` of a computer whose clock is put back by an hour between every two looks at it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        self.now -= 3600
        return self.now


def test_the_queue_keeps_its_order_when_the_clock_is_put_back(lab, wait_until, monkeypatch):
    first = lab.submit(ENDLESS)
    monkeypatch.setattr(time, "time", ClockGoingBack())
    second, third = lab.submit(ENDLESS), lab.submit(ENDLESS)
    assert lab.store.get("latest").run == third and lab.store.ids() == [third, second, first]
    lab.stop(first)
    wait_until(lambda: lab.store.get(first).is_over and lab.store.runs(("running",)))
    assert (lab.store.get(second).status, lab.store.get(third).status) == ("running", "queued")
    lab.stop(third)
    lab.stop(second)
    wait_until(lambda: lab.store.get(second).is_over)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_run_took_less_than_no_time_when_the_clock_was_put_back(lab, wait_until, end):
    run = lab.submit(ENDLESS)
    lab.store.update(run, started=time.time() + 3600)  # it began at three, and now it is two again
    if end == "stop":
        lab.stop(run)
        wait_until(lambda: lab.store.get(run).is_over)
    else:
        os.kill(lab._workers[run].pid, signal.SIGKILL)
        lab._workers[run].wait()
        lab.reconcile()
    assert lab.store.get(run).is_over and lab.store.get(run).seconds >= 0


def twice(labs: list[Lab], action: str, *arguments) -> list[LabError]:
    """Do the same from two labs at the same moment: one has to succeed. What the other said; anything but a LabError is raised."""
    ready = threading.Barrier(2)

    def act(lab: Lab) -> LabError | None:
        ready.wait()
        try:
            getattr(lab, action)(*arguments)
        except LabError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(act, labs))
    assert None in said, said
    return [error for error in said if error]


def test_every_action_can_be_clicked_twice_at_once(new_lab, wait_until):
    labs = [new_lab(), new_lab()]
    store, run = labs[0].store, labs[0].submit(ENDLESS)
    wait_until(lambda: store.get(run).epoch >= 1)
    twice(labs, "pause", run)
    wait_until(lambda: store.get(run).is_over)
    assert store.get(run).status == "paused"
    assert len(twice(labs, "resume", run)) == 1
    kept = checkpoint.read(store.folder(run)).step
    wait_until(lambda: store.get(run).step > kept)
    assert store.get(run).resumed == 1 and sum(run in lab._workers and lab._workers[run].poll() is None for lab in labs) == 1
    twice(labs, "stop", run)
    wait_until(lambda: store.get(run).is_over)
    row, keys = store.get(run), [(metric.step, metric.phase, metric.name) for metric in store.metrics(run)]
    assert row.status == "stopped" and len(keys) == len(set(keys)) and len(store.seconds_per_epoch(run)) == row.epoch
    twice(labs, "stop", run)
    assert store.get(run) == row, "one that is over cannot be stopped further"
    (error,) = twice(labs, "delete", run)
    assert isinstance(error, UnknownRun)
    assert store.ids() == [] and store.commands(run) == [] and not store.folder(run).exists()


def resumed(lab: Lab, run: str, more: int) -> bool:
    """Whether this lab was the one to resume a run."""
    try:
        return bool(lab.resume(run, more))
    except LabError:
        return False


def test_of_two_who_ask_for_more_epochs_one_is_told_and_the_other_gets_what_was_asked_for(new_lab):
    labs = [new_lab(), new_lab()]
    labs[0].submit(ENDLESS)  # so that the other waits
    store = labs[0].store
    store.add("a", "a", ONE_EPOCH)
    for _ in range(25):
        store.update("a", status="stopped")
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(resumed, labs, ("a", "a"), (1, 2))) == [False, True]
        assert read(store.folder("a") / "spec.json") == store.get("a").spec
    labs[0].stop("a")
