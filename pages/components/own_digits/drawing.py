"""One more drawing: the square, what the network reads in it, and a button for each right answer."""

import numpy as np
import streamlit as st

from cnn_core import my_digits
from cnn_core.run import Run
from cnn_core.spec import DataSpec
from pages.components import input_picker, pictures, state
from pages.components.own_digits.reading import can_read


@st.fragment
@state.in_sentences()
def draw_one(run: Run | None) -> None:
    """Draw or upload a digit and keep it. run: who reads it first, if anyone."""
    square, beside = st.columns([3, 2], gap="medium")
    with square:
        example = input_picker.input_picker(DataSpec())
    with beside:
        _keep_one(run, example)


def _keep_one(run: Run | None, example: np.ndarray | None) -> None:
    """What is drawn, and the buttons that keep it: beside the square, so that the next digit needs no scrolling."""
    if st.session_state.route == "test":
        st.info("Test images are not kept: a network taught with them could no longer be tested. Choose Draw or Upload.")
        return
    if example is None:
        st.info("Draw a digit as you always write it, then say which it is.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="pictures_new"):
        st.image(pictures.enlarged(example), width=112, alt="The digit as a network sees it, 28 by 28 pixels")
        st.markdown(_reading(run, example), width="content")
    st.markdown("**Which digit is it?** It is kept with the answer that you press.")
    with st.container(horizontal=True, gap="small"):
        pressed = [label for label in range(10) if st.button(str(label), key=f"keep_{label}", help=f"Keep it as a {label}")]
    if pressed:
        _keep(example, pressed[0])


def _reading(run: Run | None, example: np.ndarray) -> str:
    if run is None or not can_read(run):
        return "28 × 28 pixels, as a network sees it."
    said = state.model(run.run).probabilities(example[np.newaxis])[0]
    return f"The network reads **{int(said.argmax())}** ({said.max():.1%})."


def _keep(example: np.ndarray, label: int) -> None:
    home = state.lab().home
    kept = my_digits.read(home)
    if any(np.array_equal(image, example) for image in kept.images[kept.labels == label]):
        st.info("This very drawing is kept already. Draw another.")
        return
    count = my_digits.add(home, example, label)
    input_picker.clear()
    st.toast(f"Kept as a {label}: {count} drawing{'s' * (count != 1)} now.", icon=":material/check:")
    st.rerun(scope="app")
