"""Start, stop and queue runs, and say what became of them. The one way from a page or a command to a training process.

A run is alive while its process holds the lock on its folder's worker.lock; nothing else decides.
"""

import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_core import checkpoint, datasets, memory, presets, shapes
from cnn_core.cores import cores
from cnn_core.course import can_be_rehearsed
from cnn_core.errors import LabError, StoreError
from cnn_core.files import replacing
from cnn_core.run import ACTIVE, Run
from cnn_core.spare import Spare, worker
from cnn_core.spec import RunSpec, change
from cnn_core.store import Store

LONGEST = 1000  # epochs of a run
LEARNING_RATE = "learning rate "  # begins the command that is followed by the rate
LONGEST_START = 60  # seconds a process may take to claim its run


class Lab:
    """The runs of one home folder.

    home: the folder. spare: keep a process with TensorFlow loaded ready between runs, so that the next one starts at once.
    """

    def __init__(self, home: Path, spare: bool = False) -> None:
        self.store = Store(home)
        self.home = home
        self.keeps_spare = spare
        self._spare: Spare | None = None
        self._workers: dict[str, subprocess.Popen] = {}
        self._threads = threading.Lock()

    def submit(self, spec: RunSpec, name: str | None = None) -> str:
        """Queue a run and start it when nothing else trains; its id. Raises SpecError or StoreError, and then nothing is kept."""
        info = datasets.info(spec.data.dataset)
        shapes.check(spec.model, info.input_shape, len(info.labels))
        memory.check(spec)
        run = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        folder = self.store.folder(run)
        try:
            folder.mkdir()
        except OSError as error:
            raise self._not_stored(error) from None
        try:
            (folder / "spec.json").write_text(spec.model_dump_json(indent=2))
            self.store.add(run, name or self._new_name(f"{presets.origin(spec)} on {spec.data.dataset}"), spec)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise self._not_stored(error) from None
        except StoreError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.start_next()
        return run

    def _new_name(self, name: str) -> str:
        """A name that no run has: with a number behind it where others are called so."""
        names = {run.name for run in self.store.runs()}
        numbered = (f"{name} ({number})" for number in range(2, len(names) + 3))
        return name if name not in names else next(other for other in numbered if other not in names)

    def _not_stored(self, error: OSError) -> StoreError:
        return StoreError(
            f"The run could not be stored in {self.home} ({error.strerror}). Free some space or give yourself write "
            "permission, then train again; earlier runs are safe."
        )

    def start_next(self) -> None:
        """Bring the store up to date and start the first of the queue while there is a free place."""
        with self._scheduling():
            self._bury()
            while len(self.store.runs(ACTIVE)) < self.at_once:
                if not (queue := self.store.queue()):
                    return
                self._launch(queue[0].run)

    @property
    def at_once(self) -> int:
        """How many runs may train at the same time."""
        return self.store.setting("at_once", 1)

    @property
    def threads(self) -> int:
        """Threads that each training gets: as set, or what an equal share of the cores is."""
        return self.store.setting("threads", 0) or max(1, cores() // self.at_once)

    def share(self, at_once: int, threads: int = 0) -> None:
        """Let so many runs train at the same time, each with so many threads (0: an equal share of the cores), from the next
        that starts on. Raises LabError for what this computer does not have."""
        most = max(4, cores())
        if not 1 <= at_once <= most or not 0 <= threads <= cores():
            raise LabError(
                f"At least 1 and at most {most} runs can train at once on this computer, with 1 to {cores()} threads each (0: an "
                f"equal share), and {at_once} with {threads} were asked for."
            )
        self.store.set("at_once", at_once)
        self.store.set("threads", threads)
        self.start_next()

    def move(self, run: str, places: int) -> None:
        """Let a run that waits come so many places earlier in the queue, or later when negative. Raises LabError when it does not wait."""
        queue = [waiting.run for waiting in self.store.queue()]
        if run not in queue:
            known = self.store.get(run)
            raise LabError(f"{known.name!r} is {known.status}: only a run that waits has a place in the queue.")
        start = queue.index(run)
        queue.remove(run)
        queue.insert(max(0, start - places), run)
        self.store.put_in_order(queue)

    def use(self, run: str, epoch: str) -> None:
        """Let the weights of the "last" or the "best" epoch of a run answer. Raises LabError when they are not there."""
        known = self.store.get(run)
        if epoch not in ("last", "best"):
            raise LabError(f"Expected 'last' or 'best', the epoch whose weights answer, and {epoch!r} was given.")
        if not known.is_over:
            raise LabError(f"{known.name!r} is {known.status}. Choose its weights when it is over.")
        if epoch == "best" and checkpoint.read_best(self.store.folder(known.run)) is None:
            raise LabError(f"{known.name!r} has kept no weights of its best epoch that can be read. Its last ones still answer.")
        self.store.update(known.run, uses=epoch)

    def reconcile(self) -> None:
        """`start_next`, when there is anything it could do: cheap enough for every view."""
        ended = [run for run, process in list(self._workers.items()) if process.poll() is not None]
        if ended:
            alive = {run.run for run in self.store.runs(ACTIVE)}
            for run in set(ended) - alive:  # of the others `_bury` wants to know how they ended
                self._workers.pop(run, None)
        if self.store.runs((*ACTIVE, "queued")):
            self.start_next()

    def stop(self, run: str) -> None:
        """Ask a run to stop and keep what it has learned; one that still waits is taken out of the queue."""
        if not self._unqueue(run, "stopped", "Taken out of the queue."):
            self.store.command(run, "stop")

    def _unqueue(self, run: str, status: str, message: str) -> bool:
        """Give a run that waits another status; whether it waited. Of one that was trained before there is nothing to say."""
        said = "" if self.store.get(run).step else message
        return self.store.move(run, status, allowed=("queued",), ended=time.time(), message=said)

    def pause(self, run: str) -> None:
        """Ask a run to pause: it keeps exactly where it stands and ends its process, and `resume` goes on from there."""
        known = self.store.get(run)
        if self._unqueue(known.run, "paused", "Paused before it began."):
            return
        if known.is_over:
            raise LabError(f"{known.name!r} is {known.status}, so it cannot be paused.")
        self.store.command(known.run, "pause")

    def resume(self, run: str, more: int = 0) -> str:
        """Queue a run that is over again: it goes on from its last checkpoint, for `more` epochs than were planned; its id.

        Raises LabError when it still trains, or when it has done all its epochs and no more are asked for.
        """
        known = self.store.get(run)
        if not known.is_over:
            raise LabError(f"{known.name!r} is {known.status}, so it cannot be resumed. It goes on by itself.")
        if more < 0:
            raise LabError(f"The epochs to train further have to be at least 1, and {more} was given.")
        done = known.status == "finished"
        if done and not more:
            raise LabError(f"{known.name!r} has finished its {known.epoch} epochs. Say how many more it should train.")
        epochs = (known.epoch if done else known.epochs) + more
        if epochs > LONGEST:
            raise LabError(f"A run can have at most {LONGEST} epochs, and this would make {epochs}. Ask for fewer.")
        spec = change(known.spec, {"training.epochs": epochs})
        folder = self.store.folder(known.run)
        if known.epoch and checkpoint.read(folder) is None:
            raise LabError(
                f"{known.name!r} has left no checkpoint that can be read, so it cannot go on. Train its settings as a new run."
            )
        try:
            folder.mkdir(exist_ok=True)
            with replacing(folder / "spec.json") as new:
                new.write_text(spec.model_dump_json(indent=2))
        except OSError as error:
            raise self._not_stored(error) from None
        if not self.store.resume(known.run, spec):
            raise LabError(f"{known.name!r} was resumed a moment ago by someone else.")
        self.start_next()
        return known.run

    def can_go_on(self, run: Run) -> bool:
        """Whether there is a checkpoint to go on from, or nothing yet that a new beginning would lose."""
        return not run.epoch or any(
            (self.store.folder(run.run) / name).is_file() for name in (checkpoint.LAST, checkpoint.BEFORE)
        )

    def set_learning_rate(self, run: str, rate: float) -> None:
        """Give a run that trains another learning rate from its next steps on. Raises LabError when it does not train."""
        known = self.store.get(run)
        if not 0 < rate <= 10:
            raise LabError(f"The learning rate has to be above 0 and at most 10, and {rate:g} was given.")
        if known.status != "running":
            raise LabError(f"{known.name!r} is {known.status}: only of a run that trains can the learning rate be changed.")
        self.store.command(known.run, f"{LEARNING_RATE}{rate!r}")

    def ending(self, run: str) -> str | None:
        """ "stop" or "pause" when that was asked of a run that is not over, else None."""
        commands = self.store.commands(run)
        return next((command for command in ("stop", "pause") if command in commands), None)

    def rename(self, run: str, name: str) -> None:
        """Give a run another name. Raises LabError for an empty one."""
        if not name.strip():
            raise LabError("A run needs a name of at least one character.")
        self.store.get(run)
        self.store.update(run, name=name.strip()[:80])

    def delete(self, run: str) -> None:
        """Remove a run and its folder for good. Raises LabError while it trains or waits."""
        with self._scheduling():
            self._bury()
            known = self.store.get(run)
            if not known.is_over:
                raise LabError(f"{known.name!r} is {known.status}, so it cannot be deleted. Stop it first.")
            self.store.remove(known.run)
            shutil.rmtree(self.store.folder(known.run), ignore_errors=True)

    def weights(self, run: str) -> Path:
        """The file with the weights of a run. Raises LabError when it has none."""
        known = self.store.get(run)
        file = self.store.folder(known.run) / known.weights_file
        if not file.is_file():
            raise LabError(
                f"Run {known.name!r} ({known.status}) has no weights yet. Wait for its first epochs, or choose another run."
            )
        return file

    def answering(self) -> list[Run]:
        """The runs whose network can be asked, newest first: those that are over and left weights."""
        return [run for run in self.store.runs() if run.is_over and self.has_weights(run)]

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
