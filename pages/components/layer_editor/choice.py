"""Which layer is open, and what follows it when names change."""

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
    if old not in {layer.name for layer in st.session_state.draft.model.layers}:
        return  # it has the new name: this was cut short behind that
    if history.change(editing.rename, old, new) is not None:
        _follow(name, old, new)


def change_kind(name: str, kind: str) -> None:
    """Make a layer one of another kind, which may bring another name."""
    old = current(name)
    names = [layer.name for layer in st.session_state.draft.model.layers]
    if old not in names:
        return  # it has the new name: this was cut short behind that
    if (model := history.change(editing.change_kind, old, kind)) is not None:
        _follow(name, old, model.layers[names.index(old)].name)


def _follow(name: str, old: str, new: str) -> None:
    """Keep a layer open that was `old`, and let clicks find it that were made while it was called `name`."""
    if st.session_state.get("open_layer") == old:
        choose(new)
    st.session_state.renamed = {name: new}


def current(name: str) -> str:
    """A layer's name now: a click that comes with the new name of a layer was made while it had the old one."""
    return st.session_state.get("renamed", {}).get(name, name)
