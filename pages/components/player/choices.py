"""Which layer is played, and which of its maps, halves and blocks of channels."""

import streamlit as st

from cnn_core import computation, shapes
from cnn_core.computation import Choice
from cnn_core.spec import RunSpec


def layer_choice(spec: RunSpec) -> str:
    """The name of the chosen layer; the first convolution unless another was chosen."""
    titles = {
        layer.name: f"{layer.name}: {layer.function if layer.kind == 'Activation' else layer.title}, "
        f"{' × '.join(map(str, found.output_shape or ()))}"
        for layer, found in zip(spec.model.layers, shapes.report(spec.model, spec.data).layers, strict=True)
    }
    if st.session_state.get("computed_layer") not in titles:
        st.session_state.computed_layer = next((x.name for x in spec.model.layers if "Conv" in x.kind), next(iter(titles)))
    return st.selectbox("Layer", list(titles), format_func=titles.get, key="computed_layer", persist_state="session")


def map_choice(spec: RunSpec, name: str) -> Choice:
    """Which half, map and block of a layer; a control for each of which there are several."""
    found = next(found for found in shapes.report(spec.model, spec.data).layers if found.name == name)
    layer, entering = spec.model.layer(name), found.input_shapes[0]
    half, number, block = "", 0, 0
    if halves := computation.halves(layer):
        half = st.segmented_control(
            "Half", list(halves), format_func=halves.get, key=f"half_{name}", default="depthwise", required=True
        )
    what, count = computation.numbered(layer, entering, found.output_shape, half)
    if count > 1:
        help = "Which of its output maps is computed. Each filter has a kernel of its own and makes one map."
        number = st.slider(f"{what.capitalize()} (of {count})", 1, count, key=f"number_{name}_{half}", help=help) - 1
    blocks = computation.blocks(layer, entering, half)
    if len(blocks) > 1:
        words = {place: f"{first + 1}–{last}" for place, (first, last) in enumerate(blocks)}
        what = "Units" if layer.kind == "Dense" else "Channels"
        help = f"There are too many to show at once: {blocks[-1][1]:,}."
        block = st.selectbox(what, list(words), format_func=words.get, key=f"block_{name}_{half}", help=help)
    return Choice(number, half, block)
