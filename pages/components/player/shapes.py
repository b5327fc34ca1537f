"""The shape workbench: what a convolution and a pooling do to the sides of any map, without a network."""

import streamlit as st

from cnn_core.workbench import DoesNotFit, Slide
from pages.components.player import shape_player

PADDINGS = {"valid": "None (valid)", "same": "Same", "zeros": "A number of zeros"}
POOLINGS = {"none": "No pooling", "valid": "Pooling, valid", "same": "Pooling, same"}


def shape_workbench() -> None:
    """Controls beside the convolution's picture and formula, and the pooling's below."""
    controls, picture = st.columns([2, 5], gap="medium")
    with controls:
        side = _slider("Input size", 2, 40, 11, "Side of a square map, in cells.")
        slide = {
            "size": _slider("Kernel size", 1, 11, 4, "Side of the kernel, in cells."),
            "stride": _slider("Stride", 1, 4, 2, "How far the kernel moves each time."),
            "padding": _padding(),
            "dilation": _slider("Dilation", 1, 4, 1, "How far apart the cells lie that the kernel reads."),
        }
        pooling = _choice("Pooling behind it", POOLINGS, "none")
        pool = {}
        if pooling != "none":
            size = _slider("Pool size", 1, 8, 2, "Side of the pooling window.")
            pool = {"size": size, "stride": _slider("Pool stride", 1, 8, 2, "How far it moves."), "padding": pooling}
    with picture:
        out = _show("Convolution", side, slide, "kernel")
        if out and pool:
            _show("Pooling", out, pool, "pooling window")


def _show(title: str, side: int, settings: dict, what: str) -> int | None:
    """Formula, sentences and picture of a window over a map; the side of the output, or None when it does not fit."""
    st.subheader(title, anchor=False)
    try:
        slide = Slide(side, what=what, **settings)
    except DoesNotFit as error:
        st.error(str(error), icon=":material/error:")
        return None
    # Within a line of text it breaks where a phone ends; a formula of its own would be a box that scrolls.
    st.markdown(rf"$\displaystyle {slide.symbols}$ $\displaystyle = {slide.formula}$")
    st.markdown(f"**{side} × {side}** cells become **{slide.output} × {slide.output}**.")
    for sentence in slide.sentences:
        st.markdown(f"- {sentence}")
    if slide.stride > 1 and slide.dilation > 1:
        st.caption(":material/info: Keras has no convolution with a stride and a dilation above 1 at once; the arithmetic holds.")
    shape_player(slide, key=f"shape_{title.lower()}")
    return slide.output


def _padding() -> str | int:
    chosen = _choice("Padding", PADDINGS, "valid")
    return _slider("Zeros at each end", 1, 10, 1, "What a zero padding layer adds.") if chosen == "zeros" else chosen


def _slider(label: str, low: int, high: int, usual: int, help: str) -> int:
    key = f"bench_{label.lower().replace(' ', '_')}"
    st.session_state.setdefault(key, usual)
    return st.slider(label, low, high, key=key, help=help, persist_state="session")


def _choice(label: str, options: dict[str, str], usual: str) -> str:
    key = f"bench_{label.lower().replace(' ', '_')}"
    st.session_state.setdefault(key, usual)
    return st.segmented_control(
        label, list(options), format_func=options.get, key=key, required=True, persist_state="session", width="stretch"
    )
