"""Draw: a digit from the canvas, a file or the test images, what the network sees of it, and its answer."""

import streamlit as st

from cnn_core import datasets, figures, presets
from pages.components import pictures, state
from pages.components.input_picker import input_picker
from pages.components.live_panel import duration
from pages.components.run_picker import run_picker

state.open_session()
run = run_picker()
if run is None:
    st.stop()
labels = datasets.info(run.spec.data.dataset).labels


@st.fragment
@state.in_sentences()
def read_digit() -> None:
    draw, see, answer = st.columns([3, 2, 4], gap="medium")
    with draw:
        st.subheader("Your digit", anchor=False)
        digit = input_picker(run.spec.data.dataset)
    with see:
        st.subheader("What the network sees", anchor=False)
        if digit is None or digit.empty:
            st.caption("28 × 28 pixels, fitted and centred as MNIST's digits were.")
        else:
            st.image(pictures.enlarged(digit.pixels, 8), width=196, alt="The digit as the network sees it, 28 by 28 pixels")
            st.caption("28 × 28 pixels, fitted and centred as MNIST's digits were.")
    with answer:
        st.subheader("Its answer", anchor=False)
        if digit is None or digit.empty:
            st.info("There is no digit yet. Draw one on the black square, large or small, or choose Upload or Test image.")
            state.model(run.run)  # so that the first answer is as quick as the others
            return
        probabilities = state.model(run.run).probabilities(digit.pixels[None])[0]
        best = int(probabilities.argmax())
        st.markdown(f"### {labels[best]} &nbsp; :gray[{probabilities[best]:.1%}]")
        alt = f"Probability of each class; the answer is {labels[best]} with {probabilities[best]:.1%}"
        st.plotly_chart(figures.probability_bars(probabilities, labels), key="answer", config={"displayModeBar": False}, alt=alt)
        st.page_link("pages/look_inside.py", label="Look inside: how it got there", icon=":material/visibility:")


read_digit()
where = datasets.info(run.spec.data.dataset).title
took = f" in {duration(run.seconds)}" if run.seconds else ""
st.caption(f"{run.name}: trained for {run.epoch} epochs on {where}{took}. {presets.recipe(run.spec)}.")
if presets.origin(run.spec) == run.spec.preset:
    st.caption(f"**{presets.preset(run.spec.preset).title}.** {presets.preset(run.spec.preset).about}")
