"""One layer for one image: its feature maps, its kernels, or its values as bars."""

import numpy as np
import streamlit as st

from cnn_core import figures, insight
from cnn_core.insight import LayerView

SCALES = {"map": "Each map", "layer": "Each layer", "all": "All layers"}
PLAIN = {"displayModeBar": False}


def scale_control() -> str:
    """How far one colour scale reaches."""
    st.session_state.setdefault("scale", "layer")
    help = "Each map: details of faint maps show. Each layer: maps of a layer can be compared. All layers: the whole network can."
    return st.segmented_control(
        "One colour scale for",
        list(SCALES),
        format_func=SCALES.get,
        key="scale",
        help=help,
        required=True,
        persist_state="session",
    )


def limits(views: list[LayerView]) -> tuple[float, float]:
    """Smallest and largest value of all feature maps of the network."""
    values = [view.values for view in views if view.is_map]
    return (min(float(v.min()) for v in values), max(float(v.max()) for v in values)) if values else (0.0, 1.0)


def show(view: LayerView, mode: str, everywhere: tuple[float, float]) -> None:
    """Title, note and picture of a layer."""
    st.markdown(f"**{view.title}**")
    if view.note:
        st.caption(f":material/info: {view.note}")
    if not view.is_map:
        alt = f"Values of the {len(view.values)} units of {view.name}"
        st.plotly_chart(figures.value_bars(view.values), key=f"bars_{view.name}", config=PLAIN, alt=alt)
        return
    own = (float(view.values.min()), float(view.values.max()))
    reach = own if mode == "layer" else everywhere
    shown = _page(view.name, view.values.shape[2], "feature maps")
    grid = figures.maps_grid(view, mode, reach, shown)
    words = {"map": "each map on its own scale", "layer": f"one scale for this layer, {own[0]:.2f} to {own[1]:.2f}"}
    scale = words.get(mode, f"one scale for all layers, {reach[0]:.2f} to {reach[1]:.2f}")
    with st.container(key=f"row_maps_{view.name}"):
        st.plotly_chart(grid, key=f"maps_{view.name}", config=PLAIN, alt=f"Feature maps of {view.name}, {scale}")
    st.caption(f"Colours: {scale}.")


def show_kernels(name: str, kernels: np.ndarray) -> None:
    """The learned kernels of a convolution."""
    pictures, words = insight.kernel_pictures(kernels)
    with st.expander(
        f"Kernels of {name}: {kernels.shape[0]} × {kernels.shape[1]}", expanded=kernels.shape[2] == 1, key=f"open_kernels_{name}"
    ):
        shown = _page(f"kernels_{name}", pictures.shape[2], "kernels")
        grid = figures.kernel_grid(pictures, shown)
        with st.container(key=f"row_kernels_{name}"):
            st.plotly_chart(grid, key=f"kernels_{name}", config=PLAIN, alt=f"Learned kernels of {name}")
        st.caption(f"{words} Red weights raise the output, blue ones lower it.")


def _page(name: str, count: int, what: str) -> int:
    """How many pictures are shown: a first page, or all once the person asks."""
    if count <= figures.MAPS_SHOWN:
        return count
    everything = st.session_state.get(f"all_{name}", False)
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = count if everything else figures.MAPS_SHOWN
        st.caption(f"{shown} of {count} {what} shown.", width="content")
        st.toggle("Show all", key=f"all_{name}", persist_state="page")
    return shown
