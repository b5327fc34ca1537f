"""What is known of every run: one SQLite file in the home folder, read and written by all processes.

Every view is a read of this file, so it shows the same thing in a second tab or after a restart.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from cnn_core.database import Database
from cnn_core.errors import SpecError, UnknownRun
from cnn_core.run import ENDED, Metric, Run
from cnn_core.spec import RunSpec, from_json

LAST_PLACE = "(SELECT COALESCE(MAX(place), 0) + 1 FROM runs)"


def default_home() -> Path:
    """The folder of `CNN_LAB_HOME`, or `runs` beside app.py."""
    return Path(os.environ.get("CNN_LAB_HOME") or Path(__file__).parent.parent / "runs").expanduser().absolute()


class Store(Database):
    """The runs of one home folder. Raises StoreError with a sentence when their database cannot be used."""

    def folder(self, run: str) -> Path:
        """The folder of a run."""
        return self.home / run

    def add(self, run: str, name: str, spec: RunSpec, parent: str = "") -> None:
        """Add a run with status queued. parent: the run whose weights it starts from."""
        with self._connect() as connection:
            connection.execute(
                f"INSERT INTO runs (run, name, status, spec, created, parent, place) VALUES (?, ?, 'queued', ?, ?, ?, {LAST_PLACE})",
                (run, name, spec.model_dump_json(), time.time(), parent),
            )

    def get(self, run: str) -> Run:
        """A run by its id, or the newest for "latest". Raises UnknownRun."""
        with self._connect() as connection:
            if run == "latest":
                row = connection.execute("SELECT * FROM runs ORDER BY number DESC LIMIT 1").fetchone()
            else:
                row = connection.execute("SELECT * FROM runs WHERE run = ?", (run,)).fetchone()
        if row is None:
            what = "There is no run yet." if run == "latest" else f"There is no run {run!r}."
            raise UnknownRun(f"{what} Choose one of the Runs page or of `python -m cnn_core runs`, or train one first.")
        return _run(row)

    def runs(self, statuses: Iterable[str] | None = None) -> list[Run]:
        """All runs, or those with one of `statuses`, newest first; without those that cannot be read."""
        wanted = None if statuses is None else tuple(statuses)
        condition = "" if wanted is None else f"WHERE status IN ({', '.join('?' * len(wanted))})"
        with self._connect() as connection:
            rows = connection.execute(f"SELECT * FROM runs {condition} ORDER BY number DESC", wanted or ()).fetchall()
        return [run for row in rows if (run := _readable(row))]

    def ids(self) -> list[str]:
        """The ids of all runs, newest first; also of those whose stored spec this version of the lab cannot read."""
        with self._connect() as connection:
            return [row["run"] for row in connection.execute("SELECT run FROM runs ORDER BY number DESC")]

    def queue(self) -> list[Run]:
        """The runs that wait, in the order in which they will run."""
        return sorted(self.runs(("queued",)), key=lambda run: run.place)

    def put_in_order(self, runs: Sequence[str]) -> None:
        """Let these runs, which wait, be trained in this order; among themselves, in the places that they have."""
        marks = ", ".join("?" * len(runs))
        with self._connect() as connection:
            rows = connection.execute(f"SELECT place FROM runs WHERE run IN ({marks}) ORDER BY place", tuple(runs)).fetchall()
            connection.executemany(
                "UPDATE runs SET place = ? WHERE run = ?", [(row["place"], run) for row, run in zip(rows, runs, strict=False)]
            )

    def setting(self, name: str, default: int) -> int:
        """A setting of the whole lab."""
        with self._connect() as connection:
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return default if row is None else row["value"]

    def set(self, name: str, value: int) -> None:
        """Keep a setting of the whole lab."""
        with self._connect() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def update(self, run: str, **values) -> None:
        """Set columns of a run."""
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._connect() as connection:
            connection.execute(f"UPDATE runs SET {columns} WHERE run = ?", (*values.values(), run))

    def move(self, run: str, to: str, allowed: Iterable[str], **values) -> bool:
        """Set the status if it is one of `allowed`, in one step; whether it was."""
        allowed = tuple(allowed)
        columns = "".join(f", {name} = ?" for name in values)
        marks = ", ".join("?" * len(allowed))
        with self._connect() as connection:
            done = connection.execute(
                f"UPDATE runs SET status = ?{columns} WHERE run = ? AND status IN ({marks})",
                (to, *values.values(), run, *allowed),
            )
            return done.rowcount == 1

    def remove(self, run: str) -> None:
        """Forget a run and all its rows."""
        with self._connect() as connection:
            for table in ("runs", "metrics", "happenings", "commands"):
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))

    def append(self, run: str, metrics: Iterable[Metric], **values) -> None:
        """Add metric rows and set columns of the run, in one transaction."""
        with self._connect() as connection:
            connection.executemany(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(run, row.step, row.epoch, row.phase, row.name, row.value, row.time) for row in metrics],
            )
            if values:
                columns = ", ".join(f"{name} = ?" for name in values)
                connection.execute(f"UPDATE runs SET {columns} WHERE run = ?", (*values.values(), run))

    def metrics(self, run: str, phases: Sequence[str] = ()) -> list[Metric]:
        """All metric rows of a run, or those of some phases, in the order of its steps."""
        condition = f"AND phase IN ({', '.join('?' * len(phases))})" if phases else ""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT CAST(step AS INTEGER), CAST(epoch AS INTEGER), CAST(phase AS TEXT), CAST(name AS TEXT), CAST(value AS REAL), "
                f"CAST(time AS REAL) FROM metrics WHERE run = ? {condition} ORDER BY step, rowid",
                (run, *phases),
            ).fetchall()
        return [Metric(*row) for row in rows]

    def points(self, run: str, after: int = 0) -> list[tuple[int, int, str, str, float]]:
        """(row, step, phase, name, value) of the metric rows of a run with a number above `after`, in the order of writing."""
        # With the plus sign SQLite goes by number, not by run: few rows are new, and a long run has many.
        by = "+run" if after else "run"
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT rowid, CAST(step AS INTEGER), CAST(phase AS TEXT), CAST(name AS TEXT), CAST(value AS REAL) FROM metrics "
                f"WHERE {by} = ? AND rowid > ? ORDER BY rowid",
                (run, after),
            )
            return [tuple(row) for row in rows]

    def history(self, run: str) -> dict[str, list[float]]:
        """Values per epoch as Keras names them: accuracy, loss, val_accuracy, val_loss."""
        history: dict[str, list[float]] = {}
        for row in self.metrics(run, ("train", "validation")):
            history.setdefault(("val_" if row.phase == "validation" else "") + row.name, []).append(row.value)
        return history

    def last_row(self, run: str) -> float | None:
        """When the newest metric row of a run was written, None before the first."""
        with self._connect() as connection:
            return connection.execute("SELECT MAX(time) FROM metrics WHERE run = ?", (run,)).fetchone()[0]

    def seconds_per_epoch(self, run: str) -> list[float]:
        """Wall seconds of each epoch, validation included."""
        return [row.value for row in self.metrics(run, ("seconds",))]

    def event(self, run: str, step: int, kind: str, text: str) -> None:
        """Note something that happened to a run at a step."""
        with self._connect() as connection:
            connection.execute("INSERT INTO happenings VALUES (?, ?, ?, ?, ?)", (run, step, kind, text, time.time()))

    def events(self, run: str) -> list[dict]:
        """What happened to a run, oldest first: step, kind, text, time."""
        with self._connect() as connection:
            rows = connection.execute(
                "SELECT step, kind, text, time FROM happenings WHERE run = ? ORDER BY rowid", (run,)
            ).fetchall()
        return [dict(row) for row in rows]

    def resume(self, run: str, spec: RunSpec) -> bool:
        """Put a run that is over into the queue again, with what may have changed in its spec; whether it was over."""
        with self._connect() as connection:
            marks = ", ".join("?" * len(ENDED))
            done = connection.execute(
                "UPDATE runs SET status = 'queued', spec = ?, message = '', stage = '', ended = NULL, seconds_per_step = NULL, "
                f"created = ?, place = {LAST_PLACE} WHERE run = ? AND status IN ({marks})",
                (spec.model_dump_json(), time.time(), run, *ENDED),
            )
            if done.rowcount:
                # A learning rate that nobody has heard of yet is still wanted.
                connection.execute("DELETE FROM commands WHERE run = ? AND command IN ('stop', 'pause')", (run,))
            return done.rowcount == 1

    def go_on_from(self, run: str, step: int, epoch: int) -> None:
        """Forget what was kept of the steps after `step`, at which `epoch` epochs were over."""
        with self._connect() as connection:
            connection.execute(
                "DELETE FROM metrics WHERE run = ? AND (step > ? OR (epoch > ? AND phase != 'step'))", (run, step, epoch)
            )
            connection.execute("DELETE FROM happenings WHERE run = ? AND step > ?", (run, step))
            connection.execute(
                "UPDATE runs SET resumed = resumed + (step > 0), step = ?, epoch = ?, test_accuracy = NULL, test_loss = NULL, "
                "best_test_accuracy = NULL, best_test_loss = NULL WHERE run = ?",
                (step, epoch, run),
            )

    def command(self, run: str, command: str) -> None:
        """Leave a command for the process that trains a run."""
        with self._connect() as connection:
            connection.execute("INSERT INTO commands VALUES (?, ?, ?)", (run, command, time.time()))

    def take_commands(self, run: str, start: str) -> list[str]:
        """The commands left for a run that begin with `start`, oldest first, which are then gone."""
        found = [command for command in self.commands(run) if command.startswith(start)]
        if found:
            with self._connect() as connection:
                connection.executemany(
                    "DELETE FROM commands WHERE run = ? AND command = ?", [(run, command) for command in found]
                )
        return found

    def commands(self, run: str) -> list[str]:
        """The commands left for a run, oldest first."""
        with self._connect() as connection:
            return [row[0] for row in connection.execute("SELECT command FROM commands WHERE run = ? ORDER BY rowid", (run,))]


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    try:
        del values["number"]
        best = {name: values.pop(f"best_{name}") for name in ("test_accuracy", "test_loss")}
        if values["uses"] == "best":
            values |= best
        return Run(**{**values, "spec": _parsed(values["spec"])})
    except SpecError as error:
        raise SpecError(f"The stored spec of run {values['run']}: {error}") from None
    except (KeyError, TypeError, ValueError):  # a column that is not there, or holds another kind of value
        raise SpecError(
            f"What is stored of run {values.get('run', 'without a name')} is damaged, so it cannot be shown. Other runs are as they "
            "were; its folder is untouched."
        ) from None


@lru_cache(maxsize=2000)
def _parsed(text: str) -> RunSpec:
    """Specs are frozen, and the same text is read again at every look at its run."""
    return from_json(text)


def _readable(row: sqlite3.Row) -> Run | None:
    try:
        return _run(row)
    except SpecError:
        return None
