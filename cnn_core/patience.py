"""When a run has waited long enough for something to become better: early stopping and the plateau of the learning rate.

All follows from the values of the epochs alone, so a run that goes on after an interruption decides as if it had never stopped.
"""

from collections.abc import Mapping, Sequence

from cnn_core.spec import TrainingSpec

LEAST = 1e-4  # a loss that fell by less than this stands on a plateau, as for Keras' ReduceLROnPlateau

History = Sequence[Mapping[str, float]]  # what was measured in each epoch, as Keras names it


def has_waited(values: Sequence[float], patience: int, least: float = 0.0) -> bool:
    """Whether the last of `values` completes a row of `patience` in which none fell below the lowest before by more than `least`.

    After each such row a new one begins, as in Keras' EarlyStopping (least 0) and ReduceLROnPlateau.

    >>> [has_waited([3, 2, 2, 2, 2, 2][:count], patience=2) for count in range(1, 7)]
    [False, False, False, True, False, True]
    """
    lowest, waited = float("inf"), 0
    for value in values:
        if waited == patience:
            waited = 0
        if value < lowest - least:
            lowest, waited = value, 0
        else:
            waited += 1
    return waited == patience


def should_stop(training: TrainingSpec, history: History) -> bool:
    """Whether early stopping ends the run after these epochs."""
    return training.early_stopping != "off" and has_waited(_watched(training.early_stopping, history), training.patience)


def should_slow_down(training: TrainingSpec, history: History) -> bool:
    """Whether the schedule `plateau` lowers the learning rate after these epochs."""
    return training.schedule == "plateau" and has_waited(_watched("loss", history), training.period, LEAST)


def best_epoch(training: TrainingSpec, history: History) -> int:
    """The best of these epochs, from 1: by what early stopping watches, as Keras does; else by the accuracy, and of equal ones by
    the loss. Of epochs that are equal in this the first; 0 for none.

    >>> best_epoch(TrainingSpec(early_stopping="loss"), [{"val_loss": 0.3}, {"val_loss": 0.1}, {"val_loss": 0.2}])
    2
    """
    names = ("accuracy", "loss") if training.early_stopping == "off" else (training.early_stopping,)
    watched = list(zip(*(_watched(name, history) for name in names), strict=True))
    return min(range(len(watched)), key=watched.__getitem__, default=-1) + 1


def watched_name(training: TrainingSpec, history: History) -> str:
    """What `best_epoch` goes by, in words: "validation loss", for example."""
    name = _measured("accuracy" if training.early_stopping == "off" else training.early_stopping, history)
    return f"{'validation' if any(f'val_{name}' in epoch for epoch in history) else 'training'} {name}"


def _measured(name: str, history: History) -> str:
    measured = not history or any(found in epoch for epoch in history for found in (name, f"val_{name}"))
    return name if measured else "loss"


def _watched(name: str, history: History) -> list[float]:
    """The values of the validation part where there is one; of an accuracy its negative, so that lower is better.

    A network that names no classes has no accuracy: then the loss stands for it.
    """
    name = _measured(name, history)
    sign = -1 if name == "accuracy" else 1
    return [sign * epoch.get(f"val_{name}", epoch.get(name, 0.0)) for epoch in history]
