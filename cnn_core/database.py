"""The SQLite file of a home folder: its tables, how it is opened, and what its errors mean for a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from cnn_core.errors import StoreError

VERSION = 2  # of the tables, kept in the database: without it one with a damaged name would be taken for an earlier one
ADDED = {  # columns that databases of earlier versions do not have
    "resumed": "INTEGER NOT NULL DEFAULT 0",
    "place": "INTEGER NOT NULL DEFAULT 0",
    "device": "TEXT NOT NULL DEFAULT ''",
    "best_epoch": "INTEGER NOT NULL DEFAULT 0",
    "uses": "TEXT NOT NULL DEFAULT 'last'",
    "best_test_accuracy": "REAL",
    "best_test_loss": "REAL",
    "parent": "TEXT NOT NULL DEFAULT ''",
}
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    spec TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    stage TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    epoch INTEGER NOT NULL DEFAULT 0,
    step INTEGER NOT NULL DEFAULT 0,
    steps_per_epoch INTEGER NOT NULL DEFAULT 0,
    seconds_per_step REAL,
    parameters INTEGER,
    test_accuracy REAL,
    test_loss REAL,
    seconds REAL,
    {", ".join(f"{name} {kind}" for name, kind in ADDED.items())}
);
CREATE TABLE IF NOT EXISTS metrics (
    run TEXT NOT NULL, step INTEGER NOT NULL, epoch INTEGER NOT NULL, phase TEXT NOT NULL,
    name TEXT NOT NULL, value REAL NOT NULL, time REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS metrics_by_run ON metrics (run, phase, name, step);
CREATE TABLE IF NOT EXISTS happenings (run TEXT NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS commands (run TEXT NOT NULL, command TEXT NOT NULL, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
DAMAGED = ("not a database", "malformed", "no such column", "has no column", "Could not decode")  # in SQLite's words


class Database:
    """The database of one home folder, made or taken over when it is opened. Raises StoreError with a sentence."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.file = home / "lab.sqlite3"
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The home folder {home} cannot be made ({error.strerror}). Set CNN_LAB_HOME to a folder that can be written."
            ) from None
        # SQLite takes a file of a byte for an empty database, and begins it anew.
        if self.file.is_file() and self.file.stat().st_size < 2 and any(home.glob("*/spec.json")):
            raise StoreError(self._damaged("it is empty, and there are runs beside it"))
        with self._alone(), self._connect() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                columns = {row["name"] for row in connection.execute("PRAGMA table_info(runs)")}
                for name in ADDED.keys() - columns:
                    connection.execute(f"ALTER TABLE runs ADD COLUMN {name} {ADDED[name]}")
                connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time, since SQLite does not wait for another that makes the database."""
        lock = FileLock(self.home / "setup.lock")
        with suppress(OSError):  # in a folder that cannot be written SQLite says what is wrong
            lock.acquire(timeout=20)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """A connection whose work is one transaction."""
        try:
            connection = sqlite3.connect(self.file, timeout=20)
            try:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous = NORMAL")
                with connection:
                    yield connection
            finally:
                connection.close()
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter from a schema that was damaged
            raise StoreError(self._explain(error)) from None

    def _explain(self, error: Exception) -> str:
        text = str(error)
        if isinstance(error, UnicodeDecodeError) or any(sign in text for sign in DAMAGED):
            return self._damaged(text)
        if "full" in text or "disk I/O" in text:
            return f"The disk that holds {self.home} is full ({text}). Free some space, then try again; what was stored before is safe."
        if "readonly" in text or "unable to open" in text:
            return (
                f"The home folder {self.home} cannot be written ({text}). Give yourself write permission, or set CNN_LAB_HOME to "
                "another folder."
            )
        return f"The database {self.file} could not be used: {text}. Try again."

    def _damaged(self, how: str) -> str:
        return (
            f"{self.file} is not a database that the lab can read ({how}). Nothing was changed. Move the file away to start "
            "with an empty list of runs; the run folders beside it stay."
        )
