"""Runs in processes of their own: started, queued, stopped, killed, and never forgotten."""

import json
import os
import shutil
import signal
import threading
from itertools import pairwise

import numpy as np
import pytest

from cnn_core.errors import LabError, SpecError, StoreError
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change, read

ONE_EPOCH = change(preset("tiny").spec, {"training.epochs": 1, "training.batch_size": 128})
ENDLESS = change(preset("tiny").spec, {"training.epochs": 1000, "training.batch_size": 128})


def kill(lab: Lab, run: str) -> None:
    os.kill(lab._workers[run].pid, signal.SIGKILL)


def test_a_finished_run_leaves_its_files_and_rows(trained):
    row, folder = trained.row, trained.folder
    files = {path.name for path in folder.iterdir()}
    assert {"spec.json", "model.weights.h5", "model.keras", "log.txt", "test_answers.npz"} <= files
    assert not [name for name in files if name.startswith("new.")]
    assert read(folder / "spec.json") == trained.spec == row.spec
    assert (row.status, row.message, row.stage) == ("finished", "", "")
    assert (row.epoch, row.step, row.steps_per_epoch) == (2, 226, 113)  # 3,600 images in batches of 32
    assert row.parameters == 5 * 5 * 8 + 8 + (14 * 14 * 8 + 1) * 64 + 65 * 10
    assert row.created <= row.started < row.ended and 0 < row.seconds < row.ended - row.started + 0.1  # of two clocks
    assert row.fraction == 1 and row.seconds_left is None


def test_the_probabilities_that_a_run_keeps_are_those_behind_its_test_accuracy(trained):
    from cnn_core.datasets import load

    probabilities = np.load(trained.folder / "test_answers.npz")["label"]
    assert probabilities.shape == (1000, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    right = probabilities.argmax(axis=1) == load("mnist-5k").y_test
    assert trained.row.test_accuracy == pytest.approx(right.mean(), abs=1e-6)
    assert trained.row.test_accuracy > 0.8


def test_a_finished_run_has_metrics_of_every_phase(trained):
    rows = trained.lab.store.metrics(trained.run)
    by_phase = {(row.phase, row.name) for row in rows}
    assert by_phase == {
        *((phase, name) for phase in ("step", "train", "validation") for name in ("loss", "accuracy")),
        ("seconds", "epoch"),
    }
    for phase in ("train", "validation"):
        losses = [row for row in rows if row.phase == phase and row.name == "loss"]
        assert [(row.epoch, row.step) for row in losses] == [(1, 113), (2, 226)]
        assert losses[1].value < losses[0].value
    seconds = trained.lab.store.seconds_per_epoch(trained.run)
    assert len(seconds) == 2 and 0 < sum(seconds) < trained.row.seconds


def test_a_queue_runs_by_itself_and_a_stopped_run_keeps_its_weights(lab, wait_until):
    first, second, third = lab.submit(ENDLESS), lab.submit(ONE_EPOCH), lab.submit(ONE_EPOCH)
    status = lambda run: lab.store.get(run).status  # noqa: E731
    assert [status(run) for run in (first, second, third)] == ["running", "queued", "queued"]

    lab.stop(third)
    assert status(third) == "stopped" and "queue" in lab.store.get(third).message
    with pytest.raises(LabError, match=r"is queued, so it cannot be deleted\. Stop it first\."):
        lab.delete(second)
    with pytest.raises(LabError, match=r"is running, so it cannot be deleted\. Stop it first\."):
        lab.delete(first)
    assert lab.store.folder(first).is_dir()

    wait_until(lambda: lab.store.get(first).epoch >= 1)
    lab.stop(first)
    wait_until(lambda: lab.store.get(first).is_over, seconds=20)
    stopped = lab.store.get(first)
    assert stopped.status == "stopped" and 1 <= stopped.epoch < 1000 and stopped.message == ""
    assert stopped.test_accuracy > 0.5  # a small network is scored even then
    assert lab.weights(first).stat().st_size > 100_000
    assert (lab.store.folder(first) / "model.keras").is_file()

    # Nothing but the rows is looked at here: the worker that ended starts the next run.
    wait_until(lambda: lab.store.get(second).is_over)
    assert status(second) == "finished"
    assert lab.store.get(second).started >= stopped.ended
    assert status(third) == "stopped" and lab.store.get(third).started is None
    assert [run.run for run in lab.answering()] == [second, first]

    lab.delete(first)
    assert not lab.store.folder(first).exists()
    assert first not in {run.run for run in lab.store.runs()} and lab.store.metrics(first) == []


def test_a_killed_worker_is_a_failed_run_and_later_runs_start(lab, new_lab, wait_until):
    first, second = lab.submit(ENDLESS), lab.submit(ENDLESS)
    kill(lab, first)
    lab._workers[first].wait()
    lab.reconcile()
    row = lab.store.get(first)
    assert row.status == "failed" and row.ended is not None
    assert "Training ended before it was done, after 0 of 1000 epochs" in row.message
    assert "signal 9" in row.message and "It left no weights." in row.message
    assert lab.store.get(second).status == "running"

    # To a lab that did not start the process there is no exit code: as after a reboot.
    kill(lab, second)
    lab._workers[second].wait()
    stranger = new_lab()
    stranger.reconcile()
    row = stranger.store.get(second)
    assert row.status == "interrupted" and "its process is gone" in row.message
    with pytest.raises(LabError, match="has no weights yet"):
        stranger.weights(second)


def test_a_run_whose_folder_was_deleted_ends(lab):
    run = lab.submit(ENDLESS)
    shutil.rmtree(lab.store.folder(run))
    lab.reconcile()
    row = lab.store.get(run)
    assert row.status == "failed" and "its folder was deleted while it trained" in row.message
    assert lab._workers == {}
    lab.delete(run)
    assert lab.store.runs() == []


def test_labs_that_submit_at_once_never_train_two_runs_at_a_time(new_lab, wait_until):
    labs = [new_lab() for _ in range(3)]
    runs: list[str] = []
    threads = [threading.Thread(target=lambda lab=lab: runs.append(lab.submit(ONE_EPOCH))) for lab in labs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(runs)) == 3
    store = labs[0].store
    most = 0

    def all_over() -> bool:
        nonlocal most
        most = max(most, len(store.runs(("running",))))
        return all(store.get(run).is_over for run in runs)

    wait_until(all_over)
    rows = sorted((store.get(run) for run in runs), key=lambda row: row.started)
    assert most == 1 and [row.status for row in rows] == ["finished"] * 3
    assert all(before.ended <= after.started for before, after in pairwise(rows))


def test_a_spec_that_cannot_be_trained_leaves_nothing_behind(lab):
    bad = change(
        ONE_EPOCH, {"model.layers.conv_1.padding": "valid", "model.layers.conv_1.strides": 4, "model.layers.pool_1.pool_size": 8}
    )
    with pytest.raises(SpecError, match="Layer pool_1: Pool 8x8 does not fit the 6x6 map"):
        lab.submit(bad)
    assert lab.store.runs() == [] and [path for path in lab.home.iterdir() if path.is_dir()] == []


def test_names_and_logs(lab, trained):
    lab.store.add("run_a", "first", ONE_EPOCH)
    lab.rename("run_a", "  A better name ")
    assert lab.store.get("run_a").name == "A better name"
    with pytest.raises(LabError, match="at least one character"):
        lab.rename("run_a", "   ")
    assert lab.log("run_a") == ""
    (lab.home / "run_a").mkdir()
    (lab.home / "run_a" / "log.txt").write_text("\n".join(str(number) for number in range(30)))
    assert lab.log("run_a", 3) == "27\n28\n29"
    assert trained.row.name == "tiny on mnist-5k"


def test_a_stored_spec_is_readable_text(trained):
    written = json.loads((trained.folder / "spec.json").read_text())
    assert written["training"]["epochs"] == 2 and written["model"]["layers"][0]["kind"] == "Conv2D"


def test_a_disk_that_fills_up_during_training_is_told_and_given_its_space_back(small_disk, wait_until):
    if small_disk is None:
        pytest.skip("no small disk can be mounted here")
    lab = Lab(small_disk)
    run = lab.submit(change(ONE_EPOCH, {"model.layers.dense_1.units": 128}))

    def is_over() -> bool:
        try:
            return lab.store.get(run).is_over
        except StoreError as error:  # for as long as the disk is full it cannot be read either
            assert str(error).startswith(f"The disk that holds {small_disk} is full")
            return False

    wait_until(is_over)
    row = lab.store.get(run)
    assert row.status == "failed" and row.message.startswith("The disk ") and "full" in row.message, row
    assert not [file.name for file in lab.store.folder(run).iterdir() if file.name.startswith("new")]
    lab.rename(run, "there is room to go on")


def test_a_stop_while_tensorflow_is_being_loaded(lab, wait_until):
    run = lab.submit(ONE_EPOCH)
    lab.stop(run)
    wait_until(lambda: lab.store.get(run).is_over)
    row = lab.store.get(run)
    assert row.status == "stopped" and row.message == "It was stopped before it had learned anything."
    assert run not in [other.run for other in lab.answering()]


def test_a_run_that_was_deleted_elsewhere_disturbs_nobody(lab, wait_until):
    run = lab.submit(ONE_EPOCH)
    wait_until(lambda: lab.store.get(run).is_over)
    lab._workers[run].wait()
    lab.store.remove(run)
    lab.reconcile()
    assert lab._workers == {}


def test_the_time_before_a_kill_counts(lab, wait_until):
    run = lab.submit(ENDLESS)
    wait_until(lambda: lab.store.get(run).epoch >= 2)
    kill(lab, run)
    lab._workers[run].wait()
    lab.reconcile()
    row = lab.store.get(run)
    assert 0 < row.seconds <= row.ended - row.started
