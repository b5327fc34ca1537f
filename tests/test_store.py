"""The store: what goes in comes out, and a home that cannot be used is told in a sentence."""

import resource
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from cnn_core import database
from cnn_core.commands.answers import result, summary
from cnn_core.errors import SpecError, StoreError, UnknownRun
from cnn_core.presets import preset
from cnn_core.run import Metric
from cnn_core.store import Store, default_home

SPEC = preset("tiny").spec
ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def test_an_empty_home(store):
    assert store.runs() == [] and store.metrics("x") == [] and store.history("x") == {} and store.events("x") == []
    with pytest.raises(UnknownRun, match=r"There is no run yet\."):
        store.get("latest")
    with pytest.raises(UnknownRun, match=r"There is no run '20200101-000000-abcd'\."):
        store.get("20200101-000000-abcd")


def test_runs_come_newest_first_and_latest_is_the_newest(store):
    for name in ("b", "a", "c"):
        store.add(name, f"run {name}", SPEC)
    assert [run.run for run in store.runs()] == ["c", "a", "b"] and store.get("latest").run == "c"
    store.update("a", status="finished")
    assert [run.run for run in store.runs(("queued",))] == ["c", "b"]
    assert store.runs(("running",)) == []
    row = store.get("a")
    assert (row.name, row.spec, row.is_over, row.epochs) == ("run a", SPEC, True, 6)
    with pytest.raises(StoreError, match="UNIQUE"):
        store.add("a", "again", SPEC)


def test_a_run_that_cannot_be_read_hides_no_other(store):
    for name in ("old", "strange", "new"):
        store.add(name, name, SPEC)
    store.update("strange", spec='{"of": "another version"}')
    assert [run.run for run in store.runs()] == ["new", "old"]
    assert store.ids() == ["new", "strange", "old"]
    with pytest.raises(SpecError, match="stored spec of run strange"):
        store.get("strange")


def test_a_status_moves_only_from_where_it_may(store):
    store.add("a", "a", SPEC)
    assert store.move("a", "running", allowed=("queued",), started=5.0, stage="Starting")
    assert not store.move("a", "running", allowed=("queued",))
    assert not store.move("none", "running", allowed=("queued",))
    assert (store.get("a").status, store.get("a").started, store.get("a").stage) == ("running", 5.0, "Starting")


def rows() -> list[Metric]:
    """Two epochs of two steps, not in their order."""
    return [
        Metric(4, 2, "train", "loss", 0.5, 40.0),
        Metric(4, 2, "validation", "loss", 0.7, 40.0),
        Metric(1, 1, "step", "loss", 2.0, 10.0),
        Metric(2, 1, "train", "loss", 1.0, 20.0),
        Metric(2, 1, "train", "accuracy", 0.3, 20.0),
        Metric(2, 1, "validation", "loss", 1.5, 20.0),
        Metric(2, 1, "seconds", "epoch", 9.0, 20.0),
        Metric(4, 2, "seconds", "epoch", 8.0, 40.0),
    ]


def test_rows_come_in_the_order_of_the_steps(store):
    store.add("a", "a", SPEC)
    store.add("b", "b", SPEC)
    store.append("a", rows(), epoch=2, step=4)
    store.append("b", rows()[:1])
    assert [row.step for row in store.metrics("a")] == [1, 2, 2, 2, 2, 4, 4, 4]
    assert sorted(store.metrics("a"), key=repr) == sorted(rows(), key=repr)
    assert store.history("a") == {"loss": [1.0, 0.5], "accuracy": [0.3], "val_loss": [1.5, 0.7]}
    assert store.seconds_per_epoch("a") == [9.0, 8.0]
    assert (store.get("a").epoch, store.get("a").step) == (2, 4) and len(store.metrics("b")) == 1


def test_events_and_commands_keep_their_order(store):
    store.add("a", "a", SPEC)
    for text in ("first", "second"):
        store.event("a", 3, "note", text)
        store.command("a", text)
    assert [(event["kind"], event["text"]) for event in store.events("a")] == [("note", "first"), ("note", "second")]
    assert store.commands("a") == ["first", "second"] and store.commands("b") == []


def test_a_removed_run_leaves_no_row(store):
    for name in ("a", "b"):
        store.add(name, name, SPEC)
        store.append(name, rows())
        store.event(name, 3, "note", "text")
        store.command(name, "stop")
    store.remove("a")
    assert [run.run for run in store.runs()] == ["b"]
    assert not store.metrics("a") and not store.events("a") and not store.commands("a")
    assert store.metrics("b") and store.events("b") and store.commands("b")


def test_progress_and_time_left(store):
    store.add("a", "a", SPEC)
    assert store.get("a").fraction == 0 and store.get("a").seconds_left is None
    store.update("a", steps_per_epoch=10, step=15, seconds_per_step=0.5, status="running")
    assert store.get("a").fraction == 0.25 and store.get("a").seconds_left == pytest.approx(45 * 0.5)
    store.update("a", status="stopped")
    assert store.get("a").seconds_left is None


def test_fields_that_others_rely_on(store):
    store.add("a", "my run", SPEC)
    store.append(
        "a", rows(), epoch=2, status="finished", test_accuracy=0.9, test_loss=0.4, parameters=7, seconds=3.0, started=1.0
    )
    row = store.get("a")
    assert summary(row) == {
        "run": "a",
        "name": "my run",
        "status": "finished",
        "dataset": "mnist-5k",
        "preset": "tiny",
        "from": "tiny",
        "epoch": 2,
        "epochs": 6,
        "test_accuracy": 0.9,
        "test_loss": 0.4,
        "parameters": 7,
        "seconds": 3.0,
        "started": 1.0,
        "device": "",
        "best_epoch": None,
        "uses": "last",
        "parent": None,
        "message": "",
    }
    answer = result(store, row)
    assert answer["epochs"] == 2 and answer["seconds_per_epoch"] == [9.0, 8.0] and answer["history"]["val_loss"] == [1.5, 0.7]
    assert answer["spec"]["training"]["epochs"] == 6 and answer["test_accuracy"] == 0.9


def test_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "lab"))
    assert default_home() == tmp_path / "lab"
    monkeypatch.delenv("CNN_LAB_HOME")
    assert default_home() == ROOT / "runs"


def test_a_file_that_is_no_database_stays_as_it_is(tmp_path):
    for content in (b"my diary\n" * 1000, b"SQLite format 3\0" + b"\xff" * 5000):
        (tmp_path / "lab.sqlite3").write_bytes(content)
        with pytest.raises(StoreError, match="is not a database that the lab can read") as caught:
            Store(tmp_path).runs()
        assert "Move the file away" in str(caught.value)
        assert (tmp_path / "lab.sqlite3").read_bytes() == content


def test_a_home_that_is_a_file(tmp_path):
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(StoreError, match=r"home cannot be made .*Set CNN_LAB_HOME to a folder that can be written"):
        Store(tmp_path / "home")


IN_ANOTHER_PROCESS = """
import os, sys
from pathlib import Path
from cnn_core.errors import StoreError
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.store import Store
home = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)  # the super-user may write anywhere
for act in (lambda: Store(home).add("b", "b", preset("tiny").spec), lambda: Lab(home).submit(preset("tiny").spec)):
    try:
        act()
    except StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("used_before", [True, False])
def test_a_home_that_cannot_be_written(used_before):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        home.mkdir()
        if used_before:
            Store(home).add("a", "a", SPEC)
        home.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, home], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        home.chmod(0o755)
        said = done.stdout.splitlines()
        assert len(said) == 2 and all("cannot be written" in line and "write permission" in line for line in said), done.stdout
        assert [path for path in home.iterdir() if path.is_dir()] == []
        if used_before:
            assert [run.run for run in Store(home).runs()] == ["a"]


FILL = """
import sys
from pathlib import Path
from cnn_core.errors import StoreError
from cnn_core.run import Metric
from cnn_core.store import Store
store = Store(Path(sys.argv[1]))
kept = 0
try:
    while kept < 200:
        store.append("a", [Metric(kept, 1, "step", "loss", 1.0, 1.0)] * 200)
        kept += 1
except StoreError as error:
    print(kept, error)
"""


@pytest.mark.parametrize("limit", ["disk", "file size"])
def test_a_full_disk_is_told_and_what_was_stored_stays(small_disk, tmp_path, limit):
    """A small disk, and (also where none can be mounted) a limit on the size of a file."""
    home = small_disk if limit == "disk" and small_disk else tmp_path / "home"
    Store(home).add("a", "a", SPEC)

    def restrict() -> None:
        if home != small_disk:
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    done = subprocess.run(
        [sys.executable, "-c", FILL, home], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60, preexec_fn=restrict
    )
    kept, _, sentence = done.stdout.strip().partition(" ")
    assert 0 < int(kept) < 200
    assert sentence.startswith(f"The disk that holds {home} is full") and "what was stored before is safe" in sentence
    assert len(Store(home).metrics("a")) == 200 * int(kept) and Store(home).get("a").name == "a"


def test_a_database_of_the_first_version_is_taken_over(tmp_path):
    added = ", ".join(f"{name} {kind}" for name, kind in database.ADDED.items())
    old = database.SCHEMA.replace(f",\n    {added}", "").replace("happenings", "events")
    assert not [name for name in database.ADDED if name in old]
    with closing(sqlite3.connect(tmp_path / "lab.sqlite3")) as connection:
        connection.executescript(old)
        values = ("a", "a", "finished", SPEC.model_dump_json(), 1.0)
        connection.execute("INSERT INTO runs (run, name, status, spec, created) VALUES (?, ?, ?, ?, ?)", values)
        connection.commit()
    for _ in range(2):
        row = Store(tmp_path).get("a")
        assert (row.status, row.resumed, Store(tmp_path).events("a")) == ("finished", 0, [])


def test_going_on_forgets_what_came_after_the_checkpoint(store):
    store.add("a", "a", SPEC)
    metrics = [Metric(step, 1, "step", "loss", 1.0, 0.0) for step in (1, 2, 3, 4)]
    # The end of the second epoch was noted at step 3, but the checkpoint knows of one epoch only.
    metrics += [Metric(2, 1, "train", "loss", 1.0, 0.0), Metric(3, 2, "train", "loss", 1.0, 0.0)]
    store.append("a", metrics, status="running", step=4, steps_per_epoch=2, epoch=2)
    store.event("a", 4, "learning rate", "0.1")
    assert not store.resume("a", SPEC), "it is not over"
    store.update("a", status="failed", message="killed", ended=1.0)
    store.command("a", "stop")
    assert store.resume("a", SPEC) and not store.resume("a", SPEC)
    assert store.commands("a") == [] and store.get("a").status == "queued"
    store.go_on_from("a", 3, 1)
    row = store.get("a")
    assert [(metric.step, metric.phase) for metric in store.metrics("a")] == [(1, "step"), (2, "step"), (2, "train"), (3, "step")]
    assert store.events("a") == []
    assert (row.step, row.epoch, row.resumed, row.message, row.ended) == (3, 1, 1, "", None)
