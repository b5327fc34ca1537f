"""Evaluate: how well each head of a network answers on the test part, and where it fails."""

import streamlit as st

from cnn_core import datasets, evaluation, targets
from pages.components import scores, state
from pages.components.run_picker import run_picker

state.open_session()
run = run_picker()
if run is None:
    st.stop()
spec = run.spec
if not datasets.is_here(spec.data.dataset):
    st.info("The images of this network's dataset are not on this computer. Download them on the Build page.")
    st.stop()
data = state.dataset(spec.data.dataset)
said = evaluation.read_answers(state.lab(), run.run)

heads = {head.name: head for head in spec.model.heads}
name = next(iter(heads))
if len(heads) > 1:
    known = targets.of(spec.data)
    name = st.segmented_control(
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
if labels := targets.labels(spec, head):
    scores.of_classes(run, data, labels, said[name], true)
else:
    scores.of_numbers(run, data, said[name], true)
