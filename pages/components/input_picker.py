"""The example that the network is asked about: a digit that is drawn or uploaded, or one of the test part. It is kept for the session."""

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from cnn_core import datasets, figures, targets
from cnn_core.drawing import Digit, prepare, read_image
from cnn_core.errors import ImageError, LabError
from cnn_core.spec import DataSpec
from pages.components import pictures, state

ROUTES = {"draw": "Draw", "upload": "Upload", "test": "Test image"}


def input_picker(data: DataSpec) -> np.ndarray | None:
    """The current example, or None when there is none yet: an image, uint8 (28, 28), or a series, float32 (points, 1)."""
    if datasets.info(data.dataset).is_series:
        return _test_example(data.dataset)
    # Said anew at every run of a page: on another page they are other widgets, which the browser would begin empty.
    for key, value in (("route", "draw"), ("brush", 20)):
        st.session_state[key] = st.session_state.get(key) or value
    route = st.segmented_control(
        "Picture",
        list(ROUTES),
        format_func=ROUTES.get,
        key="route",
        required=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    if route == "test":
        return _test_example(data.dataset)
    digit = _drawn() if route == "draw" else _uploaded()
    return None if digit is None or digit.empty else digit.pixels


def show_input(data: DataSpec, example: np.ndarray | None) -> None:
    """The example as the network sees it."""
    if datasets.info(data.dataset).is_series:
        _show_series(data, example)
        return
    if example is not None:
        st.image(pictures.enlarged(example, 7), width=196, alt="The digit as the network sees it, 28 by 28 pixels")
    st.caption("28 × 28 pixels, fitted and centred as MNIST's digits were.")


def _show_series(data: DataSpec, example: np.ndarray | None) -> None:
    if example is None:
        return
    seen = targets.seen(data)
    alt = f"The series: {len(example)} points, of which the network sees the first {seen}"
    st.plotly_chart(figures.series(example[:, 0], seen), key="input_series", config={"displayModeBar": False}, alt=alt)
    st.caption(f"It sees {'all' if seen == len(example) else f'the first {seen}'} of {len(example)} points.")


def _drawn() -> Digit | None:
    session = st.session_state
    session.setdefault("canvas_number", 0)
    key = f"canvas_{session.canvas_number}"
    if key not in session:
        # What a new canvas starts with; it must not change while the canvas is shown, or the canvas begins anew.
        session.strokes_at_first = session.get("strokes")
    st.caption("One digit, any size.")
    result = st_canvas(
        stroke_width=session.brush,
        stroke_color="#ffffff",
        background_color="#000000",
        width=280,
        height=280,
        initial_drawing=session.strokes_at_first,
        return_image_data=True,
        key=key,
    )
    buttons = st.container(horizontal=True)
    st.slider("Brush width", 6, 40, key="brush", help="In pixels of the 280 × 280 canvas.", persist_state="session", width=280)
    pixels = result.image_data  # decodes the picture: read once
    if pixels is not None:
        session.strokes = result.json_data
        session.drawn = prepare(np.asarray(pixels))
        session.setdefault("drawn_by_strokes", {})[len(_objects())] = session.drawn
    nothing = not _objects()
    buttons.button(
        "Undo", icon=":material/undo:", disabled=nothing, on_click=_redraw, args=(1,), help="Takes the last stroke back."
    )
    buttons.button(
        "Clear", icon=":material/delete:", disabled=nothing, on_click=_redraw, args=(None,), help="Empties the square."
    )
    return session.get("drawn")


def clear() -> None:
    """Empty the square, as its button does; not after the canvas was shown in this run of the page, unless it is run again."""
    if _objects():
        _redraw(None)


def _objects() -> list:
    return (st.session_state.get("strokes") or {}).get("objects", [])


def _redraw(without: int | None) -> None:
    """Begin a new canvas with the strokes so far, but the last `without` (None: all)."""
    session = st.session_state
    kept = [] if without is None else _objects()[:-without]
    session.strokes = {**session.strokes, "objects": kept} if kept else None
    session.canvas_number += 1
    # A new canvas sends no picture before the next stroke, so the digit of that many strokes is taken from before.
    if kept:
        session.drawn = session.drawn_by_strokes.get(len(kept))
    else:
        session.drawn, session.drawn_by_strokes = None, {}


def _uploaded() -> Digit | None:
    file = st.file_uploader(
        "A picture of one digit", type=["png", "jpg", "jpeg"], help="PNG or JPG, dark on light or light on dark, at most 20 MB."
    )
    if file is None:
        return st.session_state.get("uploaded")
    try:
        st.session_state.uploaded = prepare(read_image(file.getvalue()))
    except ImageError as error:
        st.session_state.uploaded = None
        st.error(str(error), icon=":material/broken_image:")
    if st.session_state.uploaded is not None and st.session_state.uploaded.empty:
        st.warning("Nothing that looks like ink is on this picture. Choose one of a digit that stands out from its paper.")
    return st.session_state.uploaded


def _test_example(dataset: str) -> np.ndarray | None:
    if not datasets.is_here(dataset):
        st.info("The images of this network's dataset are not on this computer. Download them on the Build page.")
        return None
    try:
        data = state.dataset(dataset)
    except LabError as error:
        st.error(str(error))
        return None
    if st.button("Another one", icon=":material/shuffle:") or st.session_state.get("test_index", len(data.y_test)) >= len(
        data.y_test
    ):
        st.session_state.test_index = int(np.random.default_rng().integers(len(data.y_test)))
    index = st.session_state.test_index
    what = "series" if data.info.is_series else "image"
    st.caption(f"Test {what} {index + 1:,} of {len(data.y_test):,}. It is labelled **{data.info.labels[data.y_test[index]]}**.")
    return data.x_test[index] if data.info.is_series else data.x_test[index, ..., 0]
