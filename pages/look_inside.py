"""Look inside: feature maps of every layer for the current example, kernels of every convolution, dense layers as bars."""

import streamlit as st

from cnn_core import insight
from pages.components import layer_view, state
from pages.components.input_picker import input_picker, show_input
from pages.components.run_picker import run_picker

state.open_session()
choose, scale = st.columns([3, 2], vertical_alignment="bottom")
with choose:
    run = run_picker()
if run is None:
    st.stop()
with scale:
    mode = layer_view.scale_control()

picture, layers = st.columns([2, 5], gap="medium")
with picture:
    st.subheader("Input", anchor=False)
    example = input_picker(run.spec.data)
    show_input(run.spec.data, example)
with layers:
    if example is None:
        st.info("Draw a digit, upload one or take a test image: every layer's feature maps for it appear here.")
        st.stop()
    model = state.model(run.run)
    activations = model.activations(example)
    views = insight.views(run.spec.model, activations)
    limits = layer_view.limits(views)
    for view in views:
        layer_view.show(view, mode, limits)
        if (kernels := insight.kernels(view.kind, model.weights(view.name))) is not None:
            layer_view.show_kernels(view.name, *kernels)
