"""What is known of one run, as a value: a row of the store."""

from dataclasses import dataclass

from pydantic.dataclasses import dataclass as checked_dataclass

from cnn_core.spec import RunSpec

ACTIVE = ("running",)
ANSWERS = {"last": "test_answers.npz", "best": "best_answers.npz"}  # files of a run, by the weights that gave them
RATE_EVENT = "learning rate"  # a kind of event in a run, whose text is the new rate
FURTHER_EVENT = "trained further"  # another one: epochs were added to those that were planned
ENDED = ("paused", "stopped", "finished", "failed", "interrupted")


@dataclass(frozen=True)
class Metric:
    """One measured value. step: training steps since the start of the run. phase: step (running mean within an epoch),
    train, validation, seconds (of a whole epoch) or test. time: seconds since 1970."""

    step: int
    epoch: int
    phase: str
    name: str
    value: float
    time: float


@checked_dataclass(frozen=True)
class Run:
    """One row of the table of runs. Times in seconds since 1970; `epoch` counts the finished ones, `resumed` how often it went on
    after an end; `created` is when it was put into the queue last, `place` its place there, `seconds` the time that it was trained
    for; `device` is what trains it, in words. best_epoch: the best so far, from 1, 0 before the first. uses: whose weights answer, the
    "last" epoch's or the "best" one's; the test scores are theirs. parent: the run whose weights it started from. Raises ValidationError for a value of another kind."""

    run: str
    name: str
    status: str
    spec: RunSpec
    created: float
    started: float | None
    ended: float | None
    stage: str
    message: str
    epoch: int
    step: int
    steps_per_epoch: int
    seconds_per_step: float | None
    parameters: int | None
    test_accuracy: float | None
    test_loss: float | None
    seconds: float | None
    resumed: int = 0
    place: int = 0
    device: str = ""
    best_epoch: int = 0
    uses: str = "last"
    parent: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing trains it or will, unless someone asks for it."""
        return self.status in ENDED

    @property
    def weights_file(self) -> str:
        """The name of the file with the weights that answer."""
        return "model.weights.h5" if self.uses == "last" else "best"

    @property
    def keras_file(self) -> str:
        """The name of the file with the whole network that answers."""
        return "model.keras" if self.uses == "last" else "best.keras"

    @property
    def answers_file(self) -> str:
        """The name of the file with what its heads gave for the test part."""
        return ANSWERS[self.uses]

    @property
    def epochs(self) -> int:
        return self.spec.training.epochs

    @property
    def fraction(self) -> float:
        """Part of the training steps done, 0 to 1."""
        return min(1.0, self.step / (self.steps_per_epoch * self.epochs)) if self.steps_per_epoch else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds to the end of training, None before the first measurement."""
        if self.seconds_per_step is None or self.is_over:
            return None
        return max(0, self.steps_per_epoch * self.epochs - self.step) * self.seconds_per_step
