"""What one head said of the test part beside what is true, and how single examples of it are shown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from cnn_core import figures
from cnn_core.datasets import Dataset
from cnn_core.run import Run
from pages.components import pictures

SHOWN, SHOWN_SERIES = 20, 8
PLAIN = {"displayModeBar": False}


class Said(NamedTuple):
    """labels: the names of the classes. probabilities: (n, classes); true: the classes (n,)."""

    run: Run
    head: str
    data: Dataset
    labels: Sequence[str]
    probabilities: np.ndarray
    true: np.ndarray

    @property
    def what(self) -> str:
        return "series" if self.data.info.is_series else "images"


def examples(said: Said, indices: np.ndarray, key: str) -> None:
    """Test examples, a page of them at a time, each with its class, its answer and how sure it was."""
    at_once = SHOWN_SERIES if said.data.info.is_series else SHOWN
    pages = -(-len(indices) // at_once)
    page = st.number_input(f"Page, of {pages}", 1, pages, key=f"page_{key}_{pages}", width=140) if pages > 1 else 1
    shown = indices[(page - 1) * at_once : page * at_once]
    words = {}
    for index in shown:
        answer = said.probabilities[index].argmax()
        true, read, sure = said.labels[said.true[index]], said.labels[answer], f"{said.probabilities[index, answer]:.1%}"
        words[index] = f"{true}, {'rightly read' if answer == said.true[index] else f'read as {read}'} ({sure})"
    if said.data.info.is_series:
        grid = figures.curves_grid(said.data.x_test[shown, :, 0].T, "map", (0, 0), titles=list(words.values()))
        st.plotly_chart(grid, key=key, config=PLAIN, alt=f"The series: {'; '.join(words.values())}")
        return
    with st.grid("auto", min_column_width=112, gap="small", key=f"pictures_{key}"):
        for index, text in words.items():
            st.image(pictures.enlarged(said.data.x_test[index]), caption=text, width=112, alt=f"Test image {index}: {text}")


def loss(run: Run) -> None:
    """The test loss of a run, as a figure to read."""
    words = "–" if run.test_loss is None else f"{run.test_loss:.4f}"
    what = "The weighted losses of all heads" if len(run.spec.model.heads) > 1 else "The loss of its head"
    st.metric(
        "Test loss of all heads" if len(run.spec.model.heads) > 1 else "Test loss",
        words,
        border=True,
        help=f"{what} and the penalties on the weights; lower is better.",
    )
