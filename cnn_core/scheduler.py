"""Training processes: which run gets one, when, and what became of it. A spare one is kept ready between runs.

A run is alive while its process holds the lock on its folder's worker.lock; nothing else decides.
"""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core.cores import cores
from cnn_core.course import can_be_rehearsed
from cnn_core.errors import LabError, StoreError
from cnn_core.run import ACTIVE, Run
from cnn_core.spare import Spare, worker
from cnn_core.spec import RunSpec
from cnn_core.store import Store

LONGEST_START = 60  # seconds a process may take to claim its run


class Scheduler:
    """The processes of one home folder.

    home: the folder. spare: keep a process with TensorFlow loaded ready between runs, so that the next one starts at once.
    """

    def __init__(self, home: Path, spare: bool = False) -> None:
        self.store = Store(home)
        self.home = home
        self.keeps_spare = spare
        self._spare: Spare | None = None
        self._workers: dict[str, subprocess.Popen] = {}
        self._threads = threading.Lock()

    def start_next(self) -> None:
        """Bring the store up to date and start the first of the queue while there is a free place."""
        with self._scheduling():
            self._bury()
            while len(self.store.runs(ACTIVE)) < self.at_once:
                if not (queue := self.store.queue()):
                    return
                self._launch(queue[0].run)

    def reconcile(self) -> None:
        """`start_next`, when there is anything it could do: cheap enough for every view."""
        ended = [run for run, process in list(self._workers.items()) if process.poll() is not None]
        if ended:
            alive = {run.run for run in self.store.runs(ACTIVE)}
            for run in set(ended) - alive:  # of the others `_bury` wants to know how they ended
                self._workers.pop(run, None)
        if self.store.runs((*ACTIVE, "queued")):
            self.start_next()

    @property
    def at_once(self) -> int:
        """How many runs may train at the same time."""
        return min(self.store.setting("at_once", 1), most_at_once())

    @property
    def threads(self) -> int:
        """Threads that each training gets: as set, or what an equal share of the cores is."""
        return self.threads_asked_for or max(1, cores() // self.at_once)

    @property
    def threads_asked_for(self) -> int:
        """Threads that each training was given by a person, 0 for an equal share."""
        return min(self.store.setting("threads", 0), cores())  # the home may come from a computer with more

    def share(self, at_once: int, threads: int = 0) -> None:
        """Let so many runs train at the same time, each with so many threads (0: an equal share of the cores), from the next
        that starts on. Raises LabError for what this computer does not have."""
        most = most_at_once()
        if not 1 <= at_once <= most or not 0 <= threads <= cores():
            raise LabError(
                f"At least 1 and at most {most} runs can train at once on this computer, with 1 to {cores()} threads each (0: an "
                f"equal share), and {at_once} with {threads} were asked for."
            )
        self.store.set("at_once", at_once)
        self.store.set("threads", threads)
        self.start_next()

    def warm(self, spec: RunSpec) -> None:
        """Have a spare process ready for a run of `spec`, unless something trains."""
        with self._threads:
            if not self.keeps_spare or self.store.runs(ACTIVE):
                return
            if self._spare is not None and self._spare.is_ready and not can_be_rehearsed(spec):
                return  # it has loaded TensorFlow, and that is all that can be done
            if self._spare is not None and self._spare.suits(spec, self.threads):
                self._spare.prepare(spec)
            else:
                self._let_go()
                self._spare = Spare(spec, self.threads)

    def close(self) -> None:
        """Let the spare process go. Runs go on."""
        with self._threads:
            self._let_go()

    def _let_go(self) -> None:
        if self._spare is not None:
            self._spare.let_go()
            self._spare = None

    @contextmanager
    def _scheduling(self) -> Iterator[None]:
        """One process, and in it one thread, decides at a time."""
        with self._threads:
            try:
                with FileLock(self.home / "scheduler.lock", timeout=2 * LONGEST_START + 10):
                    yield
            except Timeout:
                raise StoreError(f"Another process has been starting a run in {self.home} for minutes. Try again.") from None
            except OSError as error:
                raise StoreError(
                    f"The home folder {self.home} cannot be written ({error.strerror}). Give yourself write permission, free some "
                    "space, or set CNN_LAB_HOME to another folder."
                ) from None

    def _launch(self, run: str) -> None:
        """Start the process of a queued run and wait until it has claimed it."""
        folder, spare, self._spare = self.store.folder(run), self._spare, None
        if spare is not None and spare.suits(self.store.get(run).spec, self.threads):
            if self._claims(run, spare.hand_over(folder)):
                return
        elif spare is not None:
            spare.let_go()
        if not self._claims(run, worker(self.threads, "cnn_core.worker", str(folder))):
            self.store.move(
                run,
                "failed",
                allowed=("queued",),
                ended=time.time(),
                message="The training process could not be started. Is there a free disk and enough memory? "
                f"Its log says: {self.log(run, 3) or 'nothing'}",
            )

    def _claims(self, run: str, process: subprocess.Popen) -> bool:
        """Wait until the process has claimed the run; False, with the process ended, when it does not."""
        self._workers[run] = process
        deadline = time.monotonic() + LONGEST_START
        while self.store.get(run).status == "queued":
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                return self.store.get(run).status != "queued"
            time.sleep(0.02)
        return True

    def _bury(self) -> None:
        """Give every run whose process is gone an end."""
        for run in self.store.runs(ACTIVE):
            folder = self.store.folder(run.run)
            if folder.is_dir() and not _is_free(folder / "worker.lock"):
                continue
            if self.store.get(run.run).is_over:
                continue  # it ended properly in the meantime, and its process may wait for us to start the next run
            process = self._workers.pop(run.run, None)
            if process:
                process.kill()  # it may still train, into a folder that was deleted
            code = (process.wait() if process else None) or None  # 0: of an earlier life, which ended well
            last = self.store.last_row(run.run)
            why = _last_words(code) if folder.is_dir() else "its folder was deleted while it trained"
            kept = "The weights of its last checkpoint can be used." if self.has_weights(run) else "It left no weights."
            self.store.move(
                run.run,
                "interrupted" if code is None else "failed",
                allowed=ACTIVE,
                ended=time.time(),
                seconds=(run.seconds or 0) + max(0, (last or run.started) - run.started),
                stage="",
                message=f"Training ended before it was done, after {run.epoch} of {run.epochs} epochs: {why}. {kept}",
            )

    def has_weights(self, run: Run) -> bool:
        """Whether it can answer."""
        return (self.store.folder(run.run) / run.weights_file).is_file()

    def log(self, run: str, lines: int = 12) -> str:
        """The last lines of what the training process printed."""
        try:
            text = (self.store.folder(run) / "log.txt").read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])


def most_at_once() -> int:
    """How many runs may train at the same time on this computer at most."""
    return max(4, cores())


def _last_words(code: int | None) -> str:
    """What the exit code of a process that ended too early means."""
    if code is None:
        return "its process is gone (the computer was switched off, or the process was killed)"
    if code == -9:
        return "its process was killed (signal 9), often because the computer ran out of memory; a smaller batch or network needs less"
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"


def _is_free(file: Path) -> bool:
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True
