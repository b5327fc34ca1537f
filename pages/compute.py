"""How it computes: any layer of a trained network on the current example, cell by cell, and what a window does to any map's sides."""

import streamlit as st

from cnn_core import computation, datasets
from cnn_core.spec import INPUT
from pages.components import state
from pages.components.input_picker import input_picker, show_input
from pages.components.player import player
from pages.components.player.choices import layer_choice, map_choice
from pages.components.player.shapes import shape_workbench
from pages.components.run_picker import run_picker

VIEWS = {"layer": "A layer of a network", "shapes": "Shapes"}

state.open_session()
st.session_state.setdefault("compute_view", "layer")
view = st.segmented_control(
    "What to look at", list(VIEWS), format_func=VIEWS.get, key="compute_view", required=True, persist_state="session"
)
if view == "shapes":
    shape_workbench()
    st.stop()

choose, which, settings = st.columns([3, 3, 3], vertical_alignment="top")
with choose:
    run = run_picker()
if run is None:
    st.caption("The view “Shapes” needs no network.")
    st.stop()
with which:
    name = layer_choice(run.spec)
with settings:
    choice = map_choice(run.spec, name)

picture, steps = st.columns([2, 5], gap="medium")
with picture:
    st.subheader("Input", anchor=False)
    example = input_picker(run.spec.data)
    show_input(run.spec.data, example)
with steps:
    if example is None:
        st.info("Draw a digit on the black square: here appears how this layer computes each of its cells from it.")
        if not datasets.info(run.spec.data.dataset).is_series:
            take = {"route": "test"}
            st.button("Take a test image", icon=":material/image:", on_click=st.session_state.update, args=(take,))
        state.model(run.run)  # so that the first digit is played as quickly as the others
        st.stop()
    model = state.model(run.run)
    known = {INPUT: computation.fed(run.spec.data, example), **model.activations(example)}
    found = computation.steps(run.spec, name, known, model.weights(name), choice)
    st.markdown(f"**{name}.** {found['about']}")
    if found["left_out"]:
        st.caption(f":material/info: {found['left_out']}")
    player(found, anchor=f"{run.run} {choice.half} {choice.block}", key="player")
