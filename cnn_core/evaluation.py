"""Scores of a run on its test images."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score


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
