"""What becomes of the learning rate over a run, as numbers. `cnn_core.model` gives Keras the same plan."""

import numpy as np

from cnn_core.spec import TrainingSpec

WARM_START = 0.1  # of the learning rate, at the first step of a warm-up and of one cycle
ONE_CYCLE_RISE = 4  # the rate rises over one part in so many of the steps


def planned_rates(training: TrainingSpec, steps_per_epoch: int, points: int = 241) -> tuple[np.ndarray, np.ndarray]:
    """(epochs, rates): the planned learning rate at `points` places from the first to the last step; both float64 (points,).

    What a plateau will do to it nobody can know before; its plan is constant.

    >>> from cnn_core.spec import TrainingSpec
    >>> planned_rates(TrainingSpec(schedule="step", period=1, decay=0.5, epochs=2), steps_per_epoch=100, points=3)[1].tolist()
    [0.001, 0.0005, 0.00025]
    """
    steps = np.linspace(0, training.epochs * steps_per_epoch, points)
    return steps / steps_per_epoch, rates(training, steps_per_epoch, steps)


def rates(training: TrainingSpec, steps_per_epoch: int, steps: np.ndarray) -> np.ndarray:
    """The planned learning rate at steps since the start of the run: (n,) -> float64 (n,)."""
    rate, last, period = training.learning_rate, training.epochs * steps_per_epoch, training.period * steps_per_epoch
    steps = np.asarray(steps, float)
    match training.schedule:
        case "warm-up":
            return rate * np.minimum(1, _rise(steps / period))
        case "cosine":
            return rate * _half_cosine(steps / last)
        case "one-cycle":
            rise = last // ONE_CYCLE_RISE
            if not rise:
                return rate * _half_cosine(steps / last)
            return rate * np.where(steps < rise, _rise(steps / rise), _half_cosine((steps - rise) / (last - rise)))
        case "step":
            return rate * training.decay ** np.floor(steps / period)
        case "exponential":
            return rate * training.decay ** (steps / period)
        case _:
            return np.full_like(steps, rate)


def _rise(part: np.ndarray) -> np.ndarray:
    return WARM_START + (1 - WARM_START) * part


def _half_cosine(part: np.ndarray) -> np.ndarray:
    return (1 + np.cos(np.pi * np.clip(part, 0, 1))) / 2
