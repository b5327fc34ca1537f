"""Widgets that start from a value of the draft."""

import streamlit as st


def keyed(key: str, value) -> str:
    """The key of a widget that starts from `value`."""
    st.session_state.setdefault(f"edit_{key}", value)
    return f"edit_{key}"


def synced(key: str, value) -> str:
    """The key of a widget that shows `value` whatever it showed before: its callback has already brought the draft up to date."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


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
