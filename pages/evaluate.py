"""Evaluate: how well each head of a network answers on the test part, where it fails, and how far it can be trusted."""

import streamlit as st

from cnn_core import datasets, evaluation, targets
from pages.components import state
from pages.components.run_picker import run_picker
from pages.components.scores import changes, classes, numbers, trust
from pages.components.scores.said import Said

VIEWS = {
    "Scores": classes.overview,
    "Mistakes": classes.mistakes,
    "Confidence": trust.trust,
    "Robustness": changes.changes,
}

state.open_session()
run = run_picker()
if run is None:
    st.stop()
spec = run.spec
if not datasets.is_here(spec.data.dataset):
    st.info("The images of this network's dataset are not on this computer. Download them on the Build page.")
    st.page_link("pages/build.py", label="Build", icon=":material/construction:")
    st.stop()
data = state.dataset(spec.data.dataset)
said = evaluation.read_answers(state.lab(), run.run)

heads, known = {head.name: head for head in spec.model.heads}, targets.of(spec.data)
name = next(iter(heads))
bar = st.container(horizontal=True, vertical_alignment="bottom")
if len(heads) > 1:
    name = bar.segmented_control(
        "Head",
        list(heads),
        format_func=lambda name: f"{name}: {known[heads[name].target].title}",
        default=name,
        key=f"head_of_{run.run}",
        help="Each head has its own target and its own scores.",
        required=True,
    )
head = heads[name]
true = targets.values(head.target, spec.data, data.x_test, data.y_test)
labels = targets.labels(spec, head)
if not labels:
    numbers.numbers(run, data, said[name], true)
    st.stop()
st.session_state.setdefault("scores_view", "Scores")
view = bar.segmented_control("View", list(VIEWS), key="scores_view", required=True, persist_state="session")
VIEWS[view](Said(run, name, data, labels, said[name], true))
