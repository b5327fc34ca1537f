"""Look inside: feature maps of every layer for the current digit, kernels of every convolution, dense layers as bars."""

import streamlit as st

from cnn_core import insight
from pages.components import layer_view, pictures, state
from pages.components.input_picker import input_picker
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
    digit = input_picker(run.spec.data.dataset)
    if digit is not None and not digit.empty:
        st.image(pictures.enlarged(digit.pixels, 6), width=168, alt="The digit as the network sees it, 28 by 28 pixels")
with layers:
    if digit is None or digit.empty:
        st.info("Draw a digit, upload one or take a test image: every layer's feature maps for it appear here.")
        st.stop()
    model = state.model(run.run)
    activations = model.activations(digit.pixels)
    views = insight.views(run.spec.model, activations)
    limits = layer_view.limits(views)
    for view in views:
        layer_view.show(view, mode, limits)
        if view.kind == "Conv2D":
            layer_view.show_kernels(view.name, model.kernels(view.name))
