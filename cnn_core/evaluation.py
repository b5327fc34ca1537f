"""Scores of a run on the test part of its data, for each of its heads."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
)

from cnn_core import datasets, targets
from cnn_core.jobs import Lab


@dataclass(frozen=True)
class Scores:
    """accuracy with its interval, the least and the most that 95 % of such test parts leave room for. confusion: (classes, classes),
    true class down, answer across. Of each class (classes,): class_accuracy, the part of it read right (its recall), precision, the
    part of the answers with its name that are right, f1, the harmonic mean of the two, and support, its examples. mistakes: indices
    of wrong answers, the most confident first."""

    accuracy: float
    interval: tuple[float, float]
    confusion: np.ndarray
    class_accuracy: np.ndarray
    precision: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    mistakes: np.ndarray


@dataclass(frozen=True)
class Errors:
    """Of a head that says numbers: the means over all test examples, and of each example the mean squared error (n,)."""

    mean_squared_error: float
    mean_absolute_error: float
    each: np.ndarray


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Scores of probabilities (n, classes) against the true labels (n,)."""
    answers = probabilities.argmax(axis=1)
    classes = np.arange(probabilities.shape[1])
    wrong = np.flatnonzero(answers != labels)
    precision, recall, f1, support = precision_recall_fscore_support(labels, answers, labels=classes, zero_division=0.0)
    return Scores(
        accuracy=float(accuracy_score(labels, answers)),
        interval=interval(len(labels) - len(wrong), len(labels)),
        confusion=confusion_matrix(labels, answers, labels=classes),
        class_accuracy=recall,
        precision=precision,
        f1=f1,
        support=support,
        mistakes=wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")],
    )


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % confidence interval of an accuracy, `right` of so many: Wilson's, which holds near 100 % too.

    >>> [round(end, 4) for end in interval(990, 1000)]
    [0.9817, 0.9946]
    """
    found = binomtest(right, of).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def cell(probabilities: np.ndarray, labels: np.ndarray, true: int, answer: int) -> np.ndarray:
    """The indices behind a cell of the confusion matrix: of class `true`, read as `answer`, the most confident first."""
    found = np.flatnonzero((labels == true) & (probabilities.argmax(axis=1) == answer))
    return found[np.argsort(-probabilities[found, answer], kind="stable")]


def errors(said: np.ndarray, true: np.ndarray) -> Errors:
    """Errors of numbers (n, values) against the true ones."""
    return Errors(
        mean_squared_error=float(mean_squared_error(true, said)),
        mean_absolute_error=float(mean_absolute_error(true, said)),
        each=((said - true) ** 2).mean(axis=1),
    )


def read_answers(lab: Lab, run: str) -> dict[str, np.ndarray]:
    """What each head of a run said of the test examples: probabilities (n, classes) or numbers (n, values).

    Computed from its weights when it kept none that fit.
    """
    known = lab.store.get(run)
    heads = {head.name: head for head in known.spec.model.heads}
    try:
        with np.load(lab.store.folder(run) / known.answers_file, allow_pickle=False) as file:
            kept = {name: targets.readable(head, file[name]) for name, head in heads.items()}
    except Exception:  # zipfile, zlib and numpy each raise errors of their own
        kept = {}
    count, sizes = datasets.info(known.spec.data.dataset).test, targets.of(known.spec.data)
    expected = {name: (count, sizes[head.target].size) for name, head in heads.items()}
    if {name: said.shape for name, said in kept.items()} == expected:
        return kept
    from cnn_core.inference import TrainedModel

    return TrainedModel(known.spec, lab.weights(run)).answers(datasets.load(known.spec.data.dataset).x_test)


def score_run(lab: Lab, run: str) -> dict[str, Scores | Errors]:
    """Scores of each head of a run on the test examples. Raises LabError when it has no weights."""
    lab.weights(run)
    spec = lab.store.get(run).spec
    data = datasets.load(spec.data.dataset)
    found = {}
    for head in spec.model.heads:
        true = targets.values(head.target, spec.data, data.x_test, data.y_test)
        said = read_answers(lab, run)[head.name]
        found[head.name] = score(said, true) if targets.labels(spec, head) else errors(said, true)
    return found
