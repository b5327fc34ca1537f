"""Which layer is open, and what follows it when names change."""

from collections.abc import Callable

import streamlit as st

from cnn_core import editing
from cnn_core.spec import ModelSpec
from pages.components import history


def opened(model: ModelSpec) -> str | None:
    """The name of the open layer, None when none is. Called once while the page is drawn."""
    st.session_state.pop("renamed", None)
    name = st.session_state.get("open_layer")
    return name if name in {layer.name for layer in model.layers} else None


def choose(name: str | None) -> None:
    """Open a layer; the one that was open closes. New layers come behind it."""
    st.session_state.open_layer = name
    st.session_state.add_behind = name


def toggle(name: str) -> None:
    """Open a layer, or close it when it is open."""
    name = current(name)
    choose(None if st.session_state.get("open_layer") == name else name)


def rename(name: str, new: str) -> None:
    """Give a layer another name."""
    new, old = new.strip(), current(name)
    if old in _names():
        _become(name, new, lambda: history.change(editing.rename, old, new))


def change_kind(name: str, kind: str) -> None:
    """Make a layer one of another kind, which may bring another name."""
    old = current(name)
    if old in _names():
        new = editing.name_as(st.session_state.draft.model, old, kind)
        _become(name, new, lambda: history.change(editing.change_kind, old, kind))


def _become(name: str, new: str, change: Callable[[], ModelSpec | None]) -> None:
    """Change a layer, which is called `new` afterwards, and keep it open. When this was cut short, it can be done again."""
    st.session_state.renamed = {name: new}
    if change() is not None and st.session_state.get("open_layer") == name:
        choose(new)


def current(name: str) -> str:
    """A layer's name now: a click that comes with the new name of a layer was made while it had the old one."""
    new = st.session_state.get("renamed", {}).get(name)
    return new if name not in _names() and new in _names() else name


def _names() -> set[str]:
    return {layer.name for layer in st.session_state.draft.model.layers}
