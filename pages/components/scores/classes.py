"""Scores of a head that names classes: accuracy, what is taken for what with the examples behind it, and each class."""

import numpy as np
import streamlit as st

from cnn_core import evaluation, figures
from pages.components.scores.said import PLAIN, Said, examples, loss


def overview(said: Said) -> None:
    """All scores, the confusion matrix whose cells open, and the scores of each class."""
    found = evaluation.score(said.probabilities, said.true)
    low, high = found.interval
    with st.container(horizontal=True):
        help = f"Part of the test {said.what} read right."
        st.metric("Test accuracy", f"{found.accuracy:.2%}", border=True, help=help)
        help = f"With other test {said.what} of the same kind, as many, its accuracy would mostly lie here (Wilson's interval)."
        st.metric("95 % confidence interval", f"{low:.1%} – {high:.1%}", border=True, help=help)
        loss(said.run)
        st.metric("Mistakes", f"{len(found.mistakes):,} of {len(said.true):,}", border=True)
    _confusion(said, found.confusion)
    _each_class(said, found)


@st.fragment
def _confusion(said: Said, matrix: np.ndarray) -> None:
    st.subheader("Confusion matrix", anchor=False)
    st.caption("Press a cell, or choose its two classes, to see the examples behind it.")
    names = [f"{said.run.run}_{said.head}_{which}" for which in ("true", "answer")]
    off = np.where(np.eye(len(matrix), dtype=bool), -1, matrix)
    for name, place in zip(names, np.unravel_index(off.argmax(), off.shape), strict=True):
        st.session_state.setdefault(name, int(place))  # the most frequent mistake
    chart = f"confusion_{said.run.run}_{said.head}"

    def choose() -> None:
        if points := st.session_state[chart].selection.points:
            st.session_state[names[0]], st.session_state[names[1]] = map(int, points[0]["customdata"][:2])

    left, right = st.columns([3, 2], gap="medium")
    with right, st.container(horizontal=True):
        for name, label in zip(names, ("True class", "Read as"), strict=True):
            st.selectbox(label, range(len(said.labels)), format_func=said.labels.__getitem__, key=name, width="stretch")
    true, answer = (st.session_state[name] for name in names)
    with left:
        figure = figures.confusion_cells(matrix, said.labels, (true, answer))
        alt = "Confusion matrix: true class down, answer across; the two lists beside it open a cell as a click does"
        st.plotly_chart(figure, key=chart, config=PLAIN, alt=alt, on_select=choose, selection_mode="points")
    with right:
        _behind(said, true, answer)


def _behind(said: Said, true: int, answer: int) -> None:
    """The examples behind a cell of the confusion matrix."""
    found = evaluation.cell(said.probabilities, said.true, true, answer)
    names, order = f"**{said.labels[true]}** read as **{said.labels[answer]}**", "the surest first"
    if true == answer:
        found, order = found[::-1], "the least sure first"
    if not len(found):
        st.info(f"None of the test {said.what}: {names}. Click another cell.", icon=":material/grid_off:")
        return
    st.caption(f"{names}: {len(found)} of {int((said.true == true).sum())}, {order}.")
    examples(said, found, f"cell_{said.head}")


def _each_class(said: Said, found: evaluation.Scores) -> None:
    st.subheader("Each class", anchor=False)
    scores = {"Precision": found.precision, "Recall": found.class_accuracy, "F1": found.f1}
    left, right = st.columns([3, 2], gap="medium")
    with left:
        worst = int(found.f1.argmin())
        alt = f"Precision, recall and F1 of each class; the lowest F1 is that of {said.labels[worst]}, {found.f1[worst]:.1%}"
        st.plotly_chart(figures.class_scores(scores, said.labels), key="classes", config=PLAIN, alt=alt)
        st.caption(
            "Precision: of the answers with its name, the part that is right. Recall: of its examples, the part that is found. "
            "F1: their harmonic mean, high only where both are."
        )
    with right:
        rows = {"Class": list(said.labels), "Examples": found.support, **{name: 100 * values for name, values in scores.items()}}
        percent = {name: st.column_config.NumberColumn(format="%.1f %%") for name in scores}
        st.dataframe(rows, hide_index=True, column_config=percent, alt="Precision, recall and F1 of each class", height=388)


@st.fragment
def mistakes(said: Said) -> None:
    """The wrong answers it was surest of."""
    found = evaluation.score(said.probabilities, said.true).mistakes
    st.subheader("The most confident mistakes", anchor=False)
    if not len(found):
        st.success(f"It made none on these test {said.what}.")
        return
    st.caption(f"All {len(found):,} wrong answers, those first of which it was surest.")
    examples(said, found, "mistakes")
