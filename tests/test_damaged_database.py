"""A damaged database: it is told in a sentence or does no harm, it is never written over, and the run folders stay as they are."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cnn_core.curves import Reader
from cnn_core.errors import LabError, StoreError
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.store import Store

SPEC = preset("tiny").spec


@pytest.fixture
def home(trained, tmp_path) -> Path:
    """A copy of the home with one finished run."""
    shutil.copytree(trained.lab.home, tmp_path / "home")
    return tmp_path / "home"


def files(home: Path) -> dict[Path, bytes]:
    """The files of all runs."""
    return {file: file.read_bytes() for file in home.glob("*/**/*") if file.is_file()}


def replace_database(home: Path, data: bytes) -> Path:
    for old in home.glob("lab.sqlite3*"):
        old.unlink()
    (home / "lab.sqlite3").write_bytes(data)
    return home / "lab.sqlite3"


def reads(lab: Lab, run: str) -> Iterator[Callable[[], object]]:
    """What pages and commands read of a run."""
    store = lab.store
    yield from (store.ids, store.runs, lab.answering, lab.reconcile, lambda: store.get("latest"))
    yield lambda: [(row.fraction, row.seconds_left, row.epochs) for row in store.runs()]
    for read in (store.get, store.metrics, store.history, store.seconds_per_epoch, store.events, store.last_row, lab.ending):
        yield lambda read=read: read(run)
    yield lambda: Reader(store).curves(run)


def writes(lab: Lab, run: str) -> Iterator[Callable[[], object]]:
    """What pages and workers write of a run."""
    yield lambda: lab.rename(run, "another name")
    yield lambda: lab.store.append(run, lab.store.metrics(run)[:3], step=3)
    yield lambda: lab.store.event(run, 3, "note", "text")
    yield lambda: lab.pause(run)


def use(home: Path, run: str, acts: Callable[[Lab, str], Iterator[Callable[[], object]]]) -> list[str]:
    """Do all of `acts`: what was said, each a sentence. Anything else than a LabError is raised."""
    said = []
    try:
        lab = Lab(home)
        for act in acts(lab, run):
            try:
                act()
            except LabError as error:
                said.append(str(error))
    except StoreError as error:
        said.append(str(error))
    assert all(sentence.endswith((".", "safe.", "again.")) for sentence in said), said
    return said


def test_a_flipped_byte_anywhere_is_told_or_harmless(home, trained):
    whole, kept, said, wrong = (home / "lab.sqlite3").read_bytes(), files(home), [], []
    # The first page holds the names of tables and columns.
    for at in (*range(100, 4096, 61), *range(4096, len(whole), 997)):
        for mask in (0xFF, 0x01):
            damaged = whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :]
            database = replace_database(home, damaged)
            try:
                said += use(home, trained.run, reads)
                assert database.read_bytes() == damaged, "reading has changed the file"
                said += use(home, trained.run, writes)
                assert database.stat().st_size >= len(whole), "it was begun anew"
            except Exception as error:
                wrong.append(f"byte {at} ^ {mask}: {error!r}")
    assert not wrong, "\n".join(wrong)
    assert any("is not a database that the lab can read" in sentence for sentence in said) and files(home) == kept


@pytest.mark.parametrize("table", ["runs", "metrics", "happenings", "commands"])
def test_a_value_of_another_kind_is_told_or_harmless(home, trained, table):
    """What a flipped bit makes of the byte that says of which kind a value is."""
    lab, wrong = Lab(home), []
    lab.stop(trained.run)
    lab.store.event(trained.run, 3, "note", "text")
    whole = (home / "lab.sqlite3").read_bytes()
    with closing(sqlite3.connect(home / "lab.sqlite3")) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in ("number", "run")]
    for column in columns:
        for value in (b"\xff", "?", 2**62, -1.5):
            replace_database(home, whole)
            with closing(sqlite3.connect(home / "lab.sqlite3")) as connection, connection:
                connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
            try:
                use(home, trained.run, reads)
                use(home, trained.run, writes)
            except Exception as error:
                wrong.append(f"{column} = {value!r}: {error!r}")
    assert not wrong, "\n".join(wrong)


def test_a_database_that_was_cut_short_is_told_and_stays_as_it_is(home, trained):
    whole, kept = (home / "lab.sqlite3").read_bytes(), files(home)
    for length in (2, 15, 16, 99, 100, 511, *range(512, len(whole) - 4096, 1500), len(whole) - 4096):
        database = replace_database(home, whole[:length])
        for acts in (reads, writes):
            (sentence, *_) = use(home, trained.run, acts)
            assert "is not a database that the lab can read" in sentence and "Move the file away" in sentence, length
        assert database.read_bytes() == whole[:length] and files(home) == kept
    database.rename(home / "damaged")  # what the sentence advises
    lab = Lab(home)
    lab.store.add("b", "b", SPEC)
    assert lab.store.ids() == ["b"] and files(home) == kept
    (home / "lab.sqlite3").write_bytes(whole)


@pytest.mark.parametrize("left", [b"", b"S"])
def test_an_empty_file_beside_runs_is_not_taken_for_a_new_home(home, left):
    """What a crash of the computer may leave of a file. SQLite takes one of a single byte for empty too, and begins it anew."""
    replace_database(home, left)
    with pytest.raises(StoreError, match="Move the file away"):
        Store(home).runs()
    assert (home / "lab.sqlite3").read_bytes() == left


def test_a_damaged_journal_costs_no_more_than_what_was_written_last(home, trained):
    with closing(sqlite3.connect(home / "lab.sqlite3")) as open_elsewhere:  # so that the journal is kept
        open_elsewhere.execute("SELECT COUNT(*) FROM runs").fetchone()
        store = Store(home)
        for name in ("b", "c", "d"):
            store.add(name, name, SPEC)
        whole, journal = (home / "lab.sqlite3").read_bytes(), (home / "lab.sqlite3-wal").read_bytes()
    for at in range(0, len(journal), 499):
        for damaged in (journal[:at], journal[:at] + bytes([journal[at] ^ 0xFF]) + journal[at + 1 :]):
            replace_database(home, whole)
            (home / "lab.sqlite3-wal").write_bytes(damaged)
            ids = Store(home).ids()
            assert ids == ["d", "c", "b", trained.run][-len(ids) :], at
            assert Store(home).history(trained.run) == trained.lab.store.history(trained.run)
