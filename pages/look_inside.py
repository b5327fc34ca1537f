"""Look inside: every layer at once for the current example, small, after each stroke; and one of them in large with its kernels."""

import streamlit as st

from cnn_core import insight
from pages.components import layer_view, state
from pages.components.input_picker import input_picker, show_input
from pages.components.overview import answer_line, overview
from pages.components.run_picker import run_picker

state.open_session()
choose, scale = st.columns([3, 2], vertical_alignment="bottom")
with choose:
    run = run_picker()
if run is None:
    st.stop()
with scale:
    mode = layer_view.scale_control()


@st.fragment
@state.in_sentences()
def look() -> None:
    picture, layers = st.columns([2, 5], gap="medium")
    with picture:
        st.subheader("Input", anchor=False)
        example = input_picker(run.spec.data)
        show_input(run.spec.data, example)
    with layers:
        model = state.model(run.run)  # even with no example yet, so that the first stroke is as quick as the others
        if example is None:
            st.info("Draw a digit, upload one or take a test image: every layer's feature maps for it appear here.")
            return
        activations = model.activations(example)
        views = {view.name: view for view in insight.views(run.spec, activations)}
        limits = layer_view.limits(list(views.values()))
        st.subheader("All layers, and the answer", anchor=False)
        answer_line(run.spec, example, activations)
        overview(list(views.values()), mode, limits)
        st.subheader("One layer in large", anchor=False)
        chosen = layer_view.choose(list(views.values()), "large")
        layer_view.show(views[chosen], mode, limits)
        if (kernels := insight.kernels(views[chosen].kind, model.weights(chosen))) is not None:
            layer_view.show_kernels(chosen, *kernels)


look()
