"""Evaluate: how well a network reads the test images, and where it fails."""

import streamlit as st

from cnn_core import datasets, evaluation, figures
from pages.components import pictures, state
from pages.components.run_picker import run_picker

SHOWN = 20
PLAIN = {"displayModeBar": False}

state.open_session()
run = run_picker()
if run is None:
    st.stop()
if not datasets.is_here(run.spec.data.dataset):
    st.info("The images of this network's dataset are not on this computer. Download them on the Build page.")
    st.stop()
data, labels = state.dataset(run.spec.data.dataset), datasets.info(run.spec.data.dataset).labels
probabilities = evaluation.read_probabilities(state.lab(), run.run)
scores = evaluation.score(probabilities, data.y_test)

with st.container(horizontal=True):
    st.metric("Test accuracy", f"{scores.accuracy:.2%}", border=True, help="Part of the test images read right.")
    loss = "–" if run.test_loss is None else f"{run.test_loss:.4f}"
    st.metric("Test loss", loss, border=True, help="Cross-entropy and the penalties on the weights; lower is better.")
    st.metric("Mistakes", f"{len(scores.mistakes):,} of {len(data.y_test):,}", border=True)

left, right = st.columns([3, 2], gap="medium")
with left:
    st.subheader("Confusion matrix", anchor=False)
    st.plotly_chart(
        figures.confusion(scores.confusion, labels),
        key="confusion",
        config=PLAIN,
        alt="Confusion matrix: true class against answer",
    )
with right:
    st.subheader("Accuracy of each class", anchor=False)
    alt = ", ".join(f"{label} {part:.1%}" for label, part in zip(labels, scores.class_accuracy, strict=True))
    st.plotly_chart(
        figures.class_bars(scores.class_accuracy, labels), key="classes", config=PLAIN, alt=f"Accuracy of each class: {alt}"
    )

st.subheader("The most confident mistakes", anchor=False)
mistakes = scores.mistakes[:SHOWN]
if not len(mistakes):
    st.success("It made none on these test images.")
with st.grid("auto", min_column_width=118, gap="small"):
    for index in mistakes:
        answer = probabilities[index].argmax()
        words = f"{labels[data.y_test[index]]}, read as {labels[answer]} ({probabilities[index, answer]:.0%})"
        st.image(pictures.enlarged(data.x_test[index]), caption=words, width=112, alt=f"Test image {index}: {words}")
