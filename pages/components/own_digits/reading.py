"""What networks say of the person's own drawings."""

import hashlib

import numpy as np
import streamlit as st

from cnn_core import datasets, evaluation, my_digits, targets
from cnn_core.errors import DataError
from cnn_core.run import Run
from pages.components import state


def can_read(run: Run) -> bool:
    """Whether a network was made for pictures of digits, and names classes."""
    info = datasets.info(run.spec.data.dataset)
    return info.has_digits and not info.is_series and targets.main_head(run.spec) is not None


def probabilities(run: Run, collection: my_digits.Collection) -> np.ndarray:
    """Of each drawing, by the first head of classes of a run that can read them: (n, classes). Raises LabError."""
    weights = state.lab().weights(run.run)
    content = hashlib.sha256(collection.images.tobytes()).hexdigest()
    return _probabilities(run.run, f"{weights.name} {weights.stat().st_mtime_ns}", content, collection.images)


@st.cache_data(show_spinner="Reading your digits…", max_entries=64)
def _probabilities(run: str, weights: str, content: str, _images: np.ndarray) -> np.ndarray:
    return state.model(run).probabilities(_images)


def truth(run: Run, collection: my_digits.Collection) -> np.ndarray:
    """What the first head of classes of a run should say of each drawing: (n,)."""
    return targets.values(targets.main_head(run.spec).target, run.spec.data, collection.images, collection.labels)


def score(run: Run, collection: my_digits.Collection) -> evaluation.Scores:
    """Scores of a run that can read them on at least one drawing. Raises LabError."""
    return evaluation.score(probabilities(run, collection), truth(run, collection))


def taught_with(run: Run) -> my_digits.Collection:
    """The drawings that a run was taught with; none for most runs. Raises DataError when they are damaged."""
    if not run.spec.data.own_digits:
        return my_digits.EMPTY
    try:
        return my_digits.read(state.lab().store.folder(run.run))
    except DataError:
        raise DataError(
            "The drawings that it was taught with, kept in its folder, are damaged. Teach again to see which it knows."
        ) from None
