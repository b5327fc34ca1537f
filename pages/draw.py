"""Draw: a digit from the canvas, a file or the test images, what the network sees of it, and the answer of each head."""

import streamlit as st

from cnn_core import datasets, presets
from pages.components import state
from pages.components.answers import answers
from pages.components.input_picker import input_picker, show_input
from pages.components.live_panel import duration
from pages.components.run_picker import run_picker

state.open_session()
run = run_picker()
if run is None:
    st.stop()
info = datasets.info(run.spec.data.dataset)


@st.fragment
@state.in_sentences()
def read_example() -> None:
    parts = st.container(key="reading")
    choose, see, answer = parts.columns([3, 4, 4] if info.is_series else [3, 2, 4], gap="medium")
    with choose:
        st.subheader("A series" if info.is_series else "Your digit", anchor=False)
        example = input_picker(run.spec.data)
    with see:
        st.subheader("What the network sees", anchor=False)
        show_input(run.spec.data, example)
    with answer:
        st.subheader("Its answer", anchor=False)
        if example is None:
            st.info("There is no digit yet. Draw one, large or small, or choose Upload or Test image.")
            state.model(run.run)  # so that the first answer is as quick as the others
            return
        answers(run.spec, example, state.model(run.run).answers(example[None]))
        st.page_link("pages/look_inside.py", label="Look inside: how it got there", icon=":material/visibility:")


read_example()
took = f" in {duration(run.seconds)}" if run.seconds else ""
st.caption(f"{run.name}: trained for {run.epoch} epochs on {info.title}{took}. {presets.recipe(run.spec)}.")
if presets.origin(run.spec) == run.spec.preset:
    st.caption(f"**{presets.preset(run.spec.preset).title}.** {presets.preset(run.spec.preset).about}")
