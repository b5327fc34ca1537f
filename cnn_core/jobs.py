"""Start, stop, queue and steer runs. The one way from a page or a command to a training process."""

import secrets
import shutil
import time
from pathlib import Path

from cnn_core import checkpoint, datasets, memory, my_digits, presets, shapes, targets
from cnn_core.course import START
from cnn_core.errors import DataError, LabError, SpecError, StoreError
from cnn_core.files import replacing
from cnn_core.run import FURTHER_EVENT, Run
from cnn_core.scheduler import Scheduler
from cnn_core.spec import RunSpec, change

LONGEST = 1000  # epochs of a run
LEARNING_RATE = "learning rate "  # begins the command that is followed by the rate


class Lab(Scheduler):
    """The runs of one home folder, and all that can be done to them."""

    def submit(self, spec: RunSpec, name: str | None = None, parent: str = "") -> str:
        """Queue a run and start it when nothing else trains; its id. parent: a run that is over, whose weights it starts from.

        Raises LabError, and then nothing is kept.
        """
        shapes.check(spec.model, spec.data)
        if spec.training.early_stopping == "accuracy" and targets.main_head(spec) is None:
            raise SpecError(
                "Early stopping watches the accuracy, and no head of this network names classes. Let it watch the loss."
            )
        memory.check(spec)
        own = self._own_digits(spec)
        start = self.weights(parent) if parent else None
        run = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        folder = self.store.folder(run)
        try:
            folder.mkdir()
        except OSError as error:
            raise self._not_stored(error) from None
        try:
            (folder / "spec.json").write_text(spec.model_dump_json(indent=2))
            if own is not None:
                (folder / my_digits.FILE).write_bytes(my_digits.pack(own))
            if start is not None:
                (folder / START).mkdir()
                shutil.copyfile(start, folder / START / start.name)
            self.store.add(run, name or self._new_name(f"{presets.origin(spec)} on {spec.data.dataset}"), spec, parent)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise self._not_stored(error) from None
        except StoreError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.start_next()
        return run

    def _own_digits(self, spec: RunSpec) -> my_digits.Collection | None:
        """The drawings that a run learns as well, None where it learns none."""
        if not spec.data.own_digits:
            return None
        info = datasets.info(spec.data.dataset)
        if info.is_series or not info.has_digits:
            raise SpecError(f"Drawings of digits cannot be mixed with {info.title}: its examples are no images of digits.")
        own = my_digits.read(self.home)
        if not len(own):
            raise DataError("There are no drawings of your own to learn from. Draw some on the My digits page first.")
        return own

    def teach(self, run: str, share: float = 0.2, epochs: int = 3) -> str:
        """Queue a run that goes on from the weights of another and learns the person's own drawings among its images; its id.

        share: the part of the images of each epoch that are such drawings. The learning rate starts at a third of what it was and
        falls to 0. Raises LabError.
        """
        known = self.store.get(run)
        if not known.is_over:
            raise LabError(f"{known.name!r} is {known.status}. Teach it when it is over.")
        settings = {
            "data.own_digits": share,
            "training.epochs": epochs,
            "training.learning_rate": known.spec.training.learning_rate / 3,
            "training.schedule": "cosine",
            "training.early_stopping": "off",
        }
        name = self._new_name(f"{known.name}, taught my digits"[:80])
        return self.submit(change(known.spec, settings), name, known.run)

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
        """Queue a run that is over again: it goes on from its last checkpoint, for `more` epochs than were planned, or than it has done
        when it is finished; its id.

        Raises LabError when it still trains, or when it has done all its epochs and no more are asked for.
        """
        with self._scheduling():  # nobody else resumes or deletes it meanwhile
            name = self._queue_again(run, more)
        self.start_next()
        return name

    def _queue_again(self, run: str, more: int) -> str:
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
        if self.store.resume(known.run, spec) and more and known.step:
            self.store.event(known.run, known.step, FURTHER_EVENT, f"by {more} epoch{'s' * (more > 1)}")
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
