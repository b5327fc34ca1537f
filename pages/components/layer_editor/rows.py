"""The list of layers, one of which is open."""

import streamlit as st

from cnn_core import editing
from cnn_core.shapes import LayerReport, NetworkReport
from pages.components import history
from pages.components.layer_editor import choice
from pages.components.layer_editor.adding import add_layer
from pages.components.layer_editor.settings import layer_settings

# Streamlit's buttons say their words in the middle; a list is read from its left edge.
LEFT = "<style>[class*='st-key-layer_of_'] button > div {justify-content: flex-start; text-align: left; width: 100%;}</style>"


def layer_editor(network: NetworkReport, made_of_blocks: bool) -> None:
    """Add layers, open one to change it, move, copy and remove it. `network` is the report of the draft."""
    model = st.session_state.draft.model
    open_layer = choice.opened(model)
    st.html(LEFT)
    with st.container(horizontal=True, key="editor_tools"):
        add_layer(model, network.input_shape)
        st.button(
            "Empty",
            icon=":material/delete_sweep:",
            on_click=_empty,
            disabled=model == editing.EMPTY,
            help="Start from nothing. Undo brings the network back.",
        )
    history.fault()
    if not made_of_blocks:  # below the menu: a menu that is open stays where it is
        st.caption("Blocks is off: this network is not a plain chain of blocks. Undo, or start from another, to have it back.")
    if not model.layers:
        size = " × ".join(map(str, network.input_shape))
        st.info(f"No layers yet. **Add a layer**: the first one is fed {size} values.", icon=":material/arrow_upward:")
    with st.container(gap="xxsmall", key="layer_rows"):
        for number, report in enumerate(network.layers, 1):
            _row(number, report, report.name == open_layer)
            if report.name == open_layer:
                layer_settings(model, report, network.input_shape)


def _row(number: int, report: LayerReport, is_open: bool) -> None:
    shape = " × ".join(map(str, report.output_shape)) if report.output_shape else "no output"
    parameters = f" · {report.parameters:,} parameters" if report.parameters else ""
    st.button(
        f"{number} **{report.name}** · {report.kind} · {shape}{parameters}",
        key=f"layer_of_{report.name}",
        icon=":material/expand_less:" if is_open else ":material/expand_more:",
        type="secondary" if is_open else "tertiary",
        on_click=choice.toggle,
        args=(report.name,),
        width="stretch",
    )
    if report.error:
        st.markdown(f":red[:material/error: {report.error}]")


def _empty() -> None:
    history.change(lambda model: editing.EMPTY)
    st.session_state.draft = st.session_state.draft.model_copy(update={"preset": None})
    choice.choose(None)
