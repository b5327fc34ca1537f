"""Widgets that start from a value of the draft."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def keyed(key: str, value) -> str:
    """The key of a widget that starts from `value`."""
    st.session_state.setdefault(f"edit_{key}", value)
    return f"edit_{key}"


def synced(key: str, value: Any, change: Callable[..., None], *arguments: Any) -> dict[str, Any]:
    """Options of a widget that shows `value` whatever it showed before; `change(*arguments, what it shows)` is its callback."""
    shown = st.session_state.setdefault("shown", {})
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    shown[key] = value, change, arguments
    return {"key": key, "on_change": _deal_with, "args": (key,)}


def catch_up() -> None:
    """Call the callbacks that a newer click cut short. Called before the page is drawn.

    Streamlit ends a callback at its next use of the session when another event is waiting, and does not call it again:
    a name that is typed and left by a click on a button sends both at once. The click's own callback comes before this, so one that
    depends on what was typed calls this itself. A page that is left with such a callback unfinished does not finish it.
    """
    for key, (value, _, _) in list(st.session_state.get("shown", {}).items()):
        if key in st.session_state and st.session_state[key] != value:
            _deal_with(key)


def _deal_with(key: str) -> None:
    if key not in st.session_state:
        return  # a preset that is chosen at the same moment takes the controls of the old network away
    shown, value = st.session_state.shown, st.session_state[key]
    _, change, arguments = shown[key]
    change(*arguments, value)
    shown[key] = value, change, arguments


def stops(label: str, values: tuple, key: str, value, help: str, **options):
    """A slider over sensible stops; a value between them (of an opened run) gets a stop of its own."""
    key = keyed(key, value)
    return st.select_slider(label, sorted({*values, value, st.session_state[key]}), key=key, help=help, **options)


def slider(label: str, low: float, high: float, step: float, key: str, value: float, help: str) -> float:
    """A slider over the sensible range, which reaches as far as the value of an opened run."""
    key = keyed(key, value)
    now = st.session_state[key]
    return st.slider(label, min(low, now), max(high, now), step=step, key=key, help=help)


def choice(label: str, options: tuple[str, ...], key: str, value: str, help: str, **more) -> str:
    """One of a few words, side by side."""
    return st.segmented_control(label, options, key=keyed(key, value), help=help, required=True, **more)
