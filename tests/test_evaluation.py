"""Scores against numbers made by hand."""

import io

import numpy as np
import pytest

from cnn_core import evaluation
from cnn_core.errors import LabError, UnknownRun


def test_scores_of_six_answers():
    probabilities = np.array(
        [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.9, 0.0], [0.2, 0.7, 0.1], [0.05, 0.95, 0.0], [0.5, 0.4, 0.1]]
    )
    labels = np.array([0, 0, 1, 1, 2, 1], np.uint8)
    scores = evaluation.score(probabilities, labels)
    assert scores.accuracy == pytest.approx(3 / 6)
    assert scores.confusion.tolist() == [[1, 1, 0], [1, 2, 0], [0, 1, 0]]
    np.testing.assert_allclose(scores.class_accuracy, [1 / 2, 2 / 3, 0])
    assert scores.mistakes.tolist() == [4, 1, 5], "the most confident first"


def test_a_class_without_images_and_no_mistakes():
    scores = evaluation.score(np.eye(3)[[0, 1, 1]], np.array([0, 1, 1]))
    assert scores.accuracy == 1 and scores.mistakes.tolist() == []
    np.testing.assert_array_equal(scores.class_accuracy, [1, 1, 0])
    assert scores.confusion.shape == (3, 3)


def test_scores_of_a_run_are_those_of_its_end(trained):
    (scores,) = evaluation.score_run(trained.lab, trained.run).values()
    assert scores.accuracy == pytest.approx(trained.row.test_accuracy, abs=1e-6)
    assert scores.confusion.sum(axis=1).tolist() == [100] * 10
    assert len(scores.mistakes) == round(1000 * (1 - scores.accuracy))


def test_answers_are_computed_again_when_none_were_kept(trained, lab):
    lab.store.add(trained.run, "copy", trained.spec)
    folder = lab.store.folder(trained.run)
    folder.mkdir()
    with pytest.raises(LabError, match="has no weights yet"):
        evaluation.score_run(lab, trained.run)
    (folder / "model.weights.h5").write_bytes((trained.folder / "model.weights.h5").read_bytes())
    kept = np.load(trained.folder / "test_answers.npz")["label"]
    fewer = io.BytesIO()
    np.savez(fewer, label=kept[:7])
    for damaged in (None, b"damaged", (trained.folder / "test_answers.npz").read_bytes()[:-200], fewer.getvalue()):
        if damaged:
            (folder / "test_answers.npz").write_bytes(damaged)
        found = evaluation.read_answers(lab, trained.run)
        assert list(found) == ["label"] and found["label"] is not kept
        np.testing.assert_allclose(found["label"], kept, atol=1e-5)


def test_an_unknown_run(trained):
    with pytest.raises(UnknownRun):
        evaluation.score_run(trained.lab, "nothing")


def test_each_class_against_counts(trained):
    (scores,) = evaluation.score_run(trained.lab, trained.run).values()
    right = np.diag(scores.confusion)
    precision, recall = right / scores.confusion.sum(axis=0), right / scores.confusion.sum(axis=1)
    np.testing.assert_allclose(scores.precision, precision)
    np.testing.assert_allclose(scores.class_accuracy, recall)
    np.testing.assert_allclose(scores.f1, 2 * precision * recall / (precision + recall))
    assert scores.support.tolist() == [100] * 10


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (10, 10, 0.7225, 1.0),
        (0, 20, 0.0, 0.1611),
    ],  # Newcombe, Statistics in Medicine 17 (1998), table I
)
def test_wilsons_interval(right, of, low, high):
    assert evaluation.interval(right, of) == pytest.approx((low, high), abs=5e-5)


def test_what_is_behind_a_cell():
    probabilities = np.array([[0.4, 0.6], [0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    labels = np.array([0, 0, 0, 1])
    assert evaluation.cell(probabilities, labels, 0, 1).tolist() == [1, 0], "the most confident first"
    assert evaluation.cell(probabilities, labels, 0, 0).tolist() == [2]
    assert evaluation.cell(probabilities, labels, 1, 0).tolist() == []
