"""Scores of a run on its test images."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from cnn_core import datasets
from cnn_core.jobs import Lab


@dataclass(frozen=True)
class Scores:
    """confusion: (classes, classes), true class down, answer across. class_accuracy: (classes,), the part of each class
    read right (its recall). mistakes: indices of wrong answers, the most confident first."""

    accuracy: float
    confusion: np.ndarray
    class_accuracy: np.ndarray
    mistakes: np.ndarray


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Scores of probabilities (n, classes) against the true labels (n,)."""
    answers = probabilities.argmax(axis=1)
    classes = np.arange(probabilities.shape[1])
    wrong = np.flatnonzero(answers != labels)
    return Scores(
        accuracy=float(accuracy_score(labels, answers)),
        confusion=confusion_matrix(labels, answers, labels=classes),
        class_accuracy=recall_score(labels, answers, labels=classes, average=None, zero_division=0.0),
        mistakes=wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")],
    )


def read_probabilities(lab: Lab, run: str) -> np.ndarray:
    """The probabilities that a run gave for its test images, (n, classes); computed from its weights when it kept none."""
    known = lab.store.get(run)
    file = lab.store.folder(run) / known.probabilities_file
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        from cnn_core.inference import TrainedModel

        return TrainedModel(known.spec, lab.weights(run)).probabilities(datasets.load(known.spec.data.dataset).x_test)


def score_run(lab: Lab, run: str) -> tuple[Scores, tuple[str, ...]]:
    """Scores of a run on its test images, and the names of the classes. Raises LabError when it has no weights."""
    lab.weights(run)
    data = datasets.load(lab.store.get(run).spec.data.dataset)
    return score(read_probabilities(lab, run), data.y_test), data.info.labels
