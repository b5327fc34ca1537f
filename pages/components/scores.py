"""The scores of one head on the test part: of classes with their confusion and mistakes, of numbers with their errors."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnn_core import evaluation, figures, targets
from cnn_core.datasets import Dataset
from cnn_core.run import Run
from pages.components import pictures

SHOWN = 20
SHOWN_SERIES = 8
PLAIN = {"displayModeBar": False}


def of_classes(run: Run, data: Dataset, labels: Sequence[str], probabilities: np.ndarray, true: np.ndarray) -> None:
    """probabilities: (n, classes); true: the classes (n,)."""
    found = evaluation.score(probabilities, true)
    what = "series" if data.info.is_series else "images"
    with st.container(horizontal=True):
        st.metric("Test accuracy", f"{found.accuracy:.2%}", border=True, help=f"Part of the test {what} read right.")
        _loss(run)
        st.metric("Mistakes", f"{len(found.mistakes):,} of {len(true):,}", border=True)

    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("Confusion matrix", anchor=False)
        matrix = figures.confusion(found.confusion, labels)
        st.plotly_chart(matrix, key="confusion", config=PLAIN, alt="Confusion matrix: true class against answer")
    with right:
        st.subheader("Accuracy of each class", anchor=False)
        alt = ", ".join(f"{label} {part:.1%}" for label, part in zip(labels, found.class_accuracy, strict=True))
        bars = figures.class_bars(found.class_accuracy, labels)
        st.plotly_chart(bars, key="classes", config=PLAIN, alt=f"Accuracy of each class: {alt}")

    st.subheader("The most confident mistakes", anchor=False)
    mistakes = found.mistakes[: SHOWN_SERIES if data.info.is_series else SHOWN]
    if not len(mistakes):
        st.success(f"It made none on these test {what}.")
        return
    words = {}
    for index in mistakes:
        answer = probabilities[index].argmax()
        words[index] = f"{labels[true[index]]}, read as {labels[answer]} ({probabilities[index, answer]:.0%})"
    if data.info.is_series:
        grid = figures.curves_grid(data.x_test[mistakes, :, 0].T, "map", (0, 0), titles=list(words.values()))
        st.plotly_chart(grid, key="mistakes", config=PLAIN, alt=f"The series of the mistakes: {'; '.join(words.values())}")
        return
    with st.grid("auto", min_column_width=118, gap="small"):
        for index, text in words.items():
            st.image(pictures.enlarged(data.x_test[index]), caption=text, width=112, alt=f"Test image {index}: {text}")


def of_numbers(run: Run, data: Dataset, said: np.ndarray, true: np.ndarray) -> None:
    """said and true: (n, values)."""
    found = evaluation.errors(said, true)
    flat = float(((true - true.mean(axis=0)) ** 2).mean())
    with st.container(horizontal=True):
        help = "Mean over all test series and points; lower is better."
        st.metric("Mean squared error", f"{found.mean_squared_error:.4f}", border=True, help=help)
        st.metric("Mean absolute error", f"{found.mean_absolute_error:.4f}", border=True, help=help)
        help = "Mean squared error of one who always says the mean of each point: what a forecast has to beat."
        st.metric("Always the mean", f"{flat:.4f}", border=True, help=help)
        _loss(run)
    seen, order = targets.seen(run.spec.data), np.argsort(found.each, kind="stable")
    middle = len(order) // 2 - SHOWN_SERIES // 2
    for title, rows in (
        ("Forecasts as they mostly are", order[middle : middle + SHOWN_SERIES]),
        ("The worst forecasts", order[::-1][:SHOWN_SERIES]),
    ):
        st.subheader(title, anchor=False)
        titles = [f"error {found.each[row]:.2f}" for row in rows]
        grid = figures.forecasts(data.x_test[rows, :, 0], seen, said[rows], titles)
        alt = f"{title}: {len(rows)} test series, the points that were seen, the true rest and the forecast"
        st.plotly_chart(grid, key=title, config=PLAIN, alt=alt)


def _loss(run: Run) -> None:
    loss = "–" if run.test_loss is None else f"{run.test_loss:.4f}"
    what = "The weighted losses of all heads" if len(run.spec.model.heads) > 1 else "The loss of its head"
    st.metric("Test loss", loss, border=True, help=f"{what} and the penalties on the weights; lower is better.")
