"""How far the confidence of a head can be trusted, and what it gains by saying "I don't know"."""

import streamlit as st

from cnn_core import confidence, figures
from pages.components.scores.said import PLAIN, Said


@st.fragment
def trust(said: Said) -> None:
    """A threshold with its coverage and accuracy, the reliability diagram, and how confident right and wrong answers are."""
    found = confidence.calibration(said.probabilities, said.true)
    sure, right = said.probabilities.max(axis=1), said.probabilities.argmax(axis=1) == said.true
    lean = float(sure.mean() - right.mean())
    threshold = st.slider(
        "Less confident than this means “I don't know”",
        0.0,
        1.0,
        0.0,
        0.01,
        format="percent",
        key="confidence_threshold",
        persist_state="session",
        help="The confidence of an answer is the largest of its probabilities.",
    )
    coverage, accuracy = confidence.at(said.probabilities, said.true, threshold)
    given = round(coverage * len(said.true))
    with st.container(horizontal=True):
        st.metric("Coverage", f"{coverage:.1%}", border=True, help=f"The part of the test {said.what} that it answers.")
        st.metric("Of these, right", "–" if accuracy is None else f"{accuracy:.2%}", border=True)
        st.metric("“I don't know”", f"{len(said.true) - given:,} of {len(said.true):,}", border=True)
        help = "The mean difference between how sure it is and how often it is right, over ten bins (Guo and others, 2017)."
        st.metric("Expected calibration error", f"{found.error:.2%}", border=True, help=help)

    left, right_side = st.columns(2, gap="medium")
    with left:
        st.subheader("Is it right as often as it is sure?", anchor=False)
        alt = f"Reliability diagram: the part read right against confidence; expected calibration error {found.error:.1%}"
        st.plotly_chart(figures.reliability(found), key="reliability", config=PLAIN, alt=alt)
        words = "more sure than right" if lean > 0 else "less sure than right"
        st.caption(f"On average it is {100 * abs(lean):.1f} points {words}: {sure.mean():.1%} sure, {right.mean():.1%} right.")
    with right_side:
        st.subheader("What saying “I don't know” is worth", anchor=False)
        curve = confidence.selective(said.probabilities, said.true)
        alt = "Accuracy of the answers that are given, against the part that is given, over all thresholds"
        figure = figures.accuracy_coverage(curve, (coverage, accuracy))
        st.plotly_chart(figure, key="accuracy_coverage", config=PLAIN, alt=alt)
        st.caption("To the left it answers less and only what it is surest of. Move the threshold to walk along the curve.")
    st.subheader("How sure its right and wrong answers are", anchor=False)
    figure = figures.confidence_histogram(sure[right], sure[~right], threshold)
    alt = f"Histogram of confidence: {right.sum()} right answers and {(~right).sum()} wrong ones"
    st.plotly_chart(figure, key="confidence_histogram", config=PLAIN, alt=alt)
