"""One layer for one image: its feature maps, its kernels, or its values as bars."""

import numpy as np
import streamlit as st

from cnn_core import figures
from cnn_core.insight import LayerView

SCALES = {"map": "Each map", "layer": "Each layer", "all": "All maps"}
PLAIN = {"displayModeBar": False}


def scale_control() -> str:
    """How far one colour scale reaches."""
    st.session_state.setdefault("scale", "layer")
    help = "Each map: details of faint maps show. Each layer: maps of a layer can be compared. All maps: those of the whole network can."
    return st.segmented_control(
        "One colour scale for",
        list(SCALES),
        format_func=SCALES.get,
        key="scale",
        help=help,
        required=True,
        persist_state="session",
    )


def choose(views: list[LayerView], key: str) -> str:
    """The name of the layer that is shown in large; the first is the default."""
    titles = {view.name: view.title for view in views}
    if st.session_state.get(key) not in titles:
        st.session_state[key] = next(iter(titles))
    return st.selectbox(
        "Layer", list(titles), format_func=titles.get, key=key, label_visibility="collapsed", persist_state="session"
    )


def limits(views: list[LayerView]) -> tuple[float, float]:
    """Smallest and largest value of all feature maps or curves of the network."""
    values = [view.values for view in views if view.is_map or view.is_curves]
    return (min(float(v.min()) for v in values), max(float(v.max()) for v in values)) if values else (0.0, 1.0)


def show(view: LayerView, mode: str, everywhere: tuple[float, float]) -> None:
    """Title, note and picture of a layer."""
    st.markdown(f"**{view.title}**")
    if view.note:
        st.caption(f":material/info: {view.note}")
    if not view.is_map and not view.is_curves:
        alt = f"Values of the {len(view.values)} units of {view.name}"
        st.plotly_chart(figures.value_bars(view.values, view.classes), key=f"bars_{view.name}", config=PLAIN, alt=alt)
        return
    own = (float(view.values.min()), float(view.values.max()))
    reach = own if mode == "layer" else everywhere
    what, draw = ("feature maps", figures.maps_grid) if view.is_map else ("feature curves", figures.curves_grid)
    shown = _page(view.name, view.values.shape[-1], what)
    grid = draw(view.values, mode, reach, shown)
    words = {"map": "each on its own scale", "layer": f"one scale for this layer, {own[0]:.2f} to {own[1]:.2f}"}
    scale = words.get(mode, f"one scale for all maps, {reach[0]:.2f} to {reach[1]:.2f}")
    with st.container(key=f"row_maps_{view.name}"):
        st.plotly_chart(grid, key=f"maps_{view.name}", config=PLAIN, alt=f"{what.capitalize()} of {view.name}, {scale}")
    st.caption(f"{'Colours' if view.is_map else 'Heights'}: {scale}.")


def show_kernels(name: str, pictures: np.ndarray, words: str) -> None:
    """The learned kernels of a convolution: pictures (height, width, filters) or curves (width, filters)."""
    size = " × ".join(map(str, pictures.shape[:-1]))
    with st.expander(
        f"Kernels of {name}: {size}", expanded=words.startswith("Each filter's kernel."), key=f"open_kernels_{name}"
    ):
        shown = _page(f"kernels_{name}", pictures.shape[-1], "kernels")
        if pictures.ndim == 3:
            grid = figures.kernel_grid(pictures, shown)
        else:
            grid = figures.curves_grid(pictures, "layer", (float(pictures.min()), float(pictures.max())), shown)
        with st.container(key=f"row_kernels_{name}"):
            st.plotly_chart(grid, key=f"kernels_{name}", config=PLAIN, alt=f"Learned kernels of {name}")
        meaning = (
            "Red weights raise the output, blue ones lower it." if pictures.ndim == 3 else "Weights above 0 raise the output."
        )
        st.caption(f"{words} {meaning}")


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
