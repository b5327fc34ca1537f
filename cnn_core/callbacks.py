"""The Keras callback through which a run reports and listens."""

import math
import time
from collections.abc import Callable

import keras

from cnn_core.files import replacing
from cnn_core.run import RATE_EVENT, Metric
from cnn_core.sink import Sink, StopRequested
from cnn_core.snapshots import Recorder

EVERY = 0.5  # seconds between two writes within an epoch
LONG_EXECUTION = 1.0  # seconds: a run between two looks that far apart is not waited for
LISTEN = 0.25  # seconds between two looks for what someone asks


class Diverged(Exception):
    """The loss is no longer a number."""


class Reporter(keras.callbacks.Callback):
    """Appends metric rows to a sink and looks whether it asks to stop. It writes and does not think.

    sink: where the rows go. steps_per_epoch: training steps in an epoch. start: steps done before, when a run goes on. every: least
    seconds between two writes within an epoch (EVERY). weights_every: least seconds between two savings of the weights, which happen at
    the end of an epoch. keep: called at the end of every epoch, to keep where the run stands. snap: called whenever Keras looks up
    after LONG_EXECUTION or more, to hold it in memory. read: makes of what Keras measured what is reported. recorder:
    takes snapshots of the network, None for none. is_over: set by another thread that has ended the run.
    history: what was measured of each epoch that is over. epochs: how many they are. logs: what Keras measured of the epoch under
    way. execution: seconds that the last steps took between which Keras looks up; None before the second look.
    """

    def __init__(
        self,
        sink: Sink,
        steps_per_epoch: int,
        start: int = 0,
        keep: Callable[[], None] = lambda: None,
        snap: Callable[[], None] = lambda: None,
        read: Callable[[dict], dict] = dict,
        recorder: Recorder | None = None,
        every: float | None = None,
        weights_every: float = 5.0,
    ) -> None:
        super().__init__()
        self.sink, self.steps_per_epoch, self.start = sink, steps_per_epoch, start
        self.every, self.weights_every = EVERY if every is None else every, weights_every
        self.keep, self.snap, self.read, self.recorder, self.is_over = keep, snap, read, recorder, False
        self.epoch = self.before = 0
        self.epochs, self.logs, self.history = 0, {}, []
        self.written = self.listened = self.saved = -math.inf
        self.looked, self.execution = None, None
        self.step = start

    @property
    def looks_rarely(self) -> bool:
        """Whether so much is computed between two looks that nobody should wait for the next."""
        return self.execution is not None and self.execution >= LONG_EXECUTION

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch, self.epoch_started = epoch, time.monotonic()
        # Steps of this epoch that were done before the run went on.
        self.before = max(0, self.start - epoch * self.steps_per_epoch)
        self.timed_since, self.untimed_steps = self.epoch_started, self.before

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.is_over:
            return
        # Keras counts whole executions, so its index can pass the end of the epoch.
        steps = min(self.before + batch + 1, self.steps_per_epoch)
        self.step = self.epoch * self.steps_per_epoch + steps
        self._check(logs["loss"])
        logs = self.read(logs)
        self.logs = {name: float(value) for name, value in logs.items()}
        now = time.monotonic()
        if self.looked is None:
            # The first steps built the graph, which says nothing of their speed.
            self.timed_since, self.untimed_steps = now, steps
        else:
            self.execution = now - self.looked
        self.looked = now
        if now - self.written >= self.every:
            self.written = now
            self._append("step", logs, step=self.step, **self._speed(steps))
        self._listen()
        if self.execution is None or self.looks_rarely:
            self.snap()
        if self.recorder is not None and self.epoch == 0 and not self.looks_rarely:
            self.recorder.within(self.step, self.epoch + 1)

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._listen()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.is_over:
            return
        seconds = time.monotonic() - self.epoch_started
        self.step = (epoch + 1) * self.steps_per_epoch
        self._check(logs.get("val_loss", 0.0))  # the last step may have ruined the weights
        logs = self.read(logs)
        rows = [
            *self._rows("train", {name: value for name, value in logs.items() if not name.startswith("val_")}),
            *self._rows("validation", {name[4:]: value for name, value in logs.items() if name.startswith("val_")}),
            *self._rows("seconds", {"epoch": seconds}),
        ]
        self.sink.append(rows, epoch=epoch + 1, step=self.step, **self._speed(self.steps_per_epoch))
        self.epochs, self.logs = epoch + 1, {}
        self.history.append({name: float(value) for name, value in logs.items()})
        self.take_rate()  # so that it is kept as well
        self.keep()
        if self.recorder is not None and not self.looks_rarely:
            self.recorder.after(self.step, self.epochs)
        if time.monotonic() - self.saved >= self.weights_every:
            save_weights(self.model, self.sink)
            self.saved = time.monotonic()
        self._obey()

    def _speed(self, steps: int) -> dict[str, float]:
        """Seconds for each of the steps of this epoch that were timed, validation included at its end."""
        timed = steps - self.untimed_steps
        return {"seconds_per_step": (time.monotonic() - self.timed_since) / timed} if timed else {}

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} near step {self.step} (epoch {self.epoch + 1}).")

    def _append(self, phase: str, logs: dict, **values) -> None:
        self.sink.append(self._rows(phase, logs), **values)

    def _rows(self, phase: str, logs: dict) -> list[Metric]:
        now = time.time()
        return [Metric(self.step, self.epoch + 1, phase, name, float(value), now) for name, value in logs.items()]

    def _listen(self) -> None:
        if time.monotonic() - self.listened >= LISTEN:
            self.listened = time.monotonic()
            self.take_rate()
            self._obey()

    def _obey(self) -> None:
        if self.sink.stop_requested():
            raise StopRequested

    def take_rate(self) -> None:
        """Train on with the learning rate that someone asked for, if any; call it between two steps."""
        if (rate := self.sink.learning_rate()) is not None:
            self.model.optimizer.steering.change(rate, self.step)
            self.sink.event(self.step, RATE_EVENT, f"{rate:g}")


def save_weights(model: keras.Model, sink: Sink) -> None:
    """Keep the weights: the file under the final name is always a whole one."""
    with replacing(sink.path("model.weights.h5")) as new:
        model.save_weights(new)
