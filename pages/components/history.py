"""How the network is edited, and what it was before each change: Blocks or Layers, undo and redo."""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st
from pydantic import BaseModel

from cnn_core import datasets, editing
from cnn_core.blocks import Blocks
from cnn_core.errors import SpecError
from cnn_core.spec import ModelSpec, RunSpec
from pages.components import state
from pages.components.controls import catch_up

BLOCKS, LAYERS = "Blocks", "Layers"
MOST_STEPS = 100
DRAG = 2.0  # seconds: changes by one control that follow each other as closely are one step
OF_THE_NETWORK = ("edit_conv", "edit_dense", "edit_kernel_", "edit_activity_", "edit_max_norm")  # keys of simple controls


def remember(spec: RunSpec, whole: bool = False) -> None:
    """Note the draft as it was before a change of its network, or of the `whole` of it; what was undone is given up."""
    steps = st.session_state.setdefault("undo", [])
    if steps and steps[-1][0] is spec:  # a change that was cut short has noted it already
        steps[-1] = spec, whole or steps[-1][1]
    else:
        steps.append((spec, whole))
        del steps[:-MOST_STEPS]
    st.session_state.redo = []


def remember_change(spec: RunSpec, model: ModelSpec, control: object) -> RunSpec:
    """The draft `spec` with another network, after noting `spec`. control: what changes it, None where each change is a step.

    A slider that is dragged over many values is one step.
    """
    last, when, made = st.session_state.get("last_change", (None, 0.0, None))
    if control is None or control != last or made is not spec.model or time.monotonic() - when > DRAG:
        remember(spec)
    st.session_state.last_change = control, time.monotonic(), model
    return spec.model_copy(update={"model": model})


def control_of(before: Blocks, after: Blocks) -> str | None:
    """The one of the simple controls that was moved, None where several differ."""
    moved = _moved(before, after)
    return moved[0] if len(moved) == 1 else None


def _moved(before: Any, after: Any) -> list[str]:
    if before == after:
        return []
    if isinstance(before, tuple) and len(before) == len(after):
        return [f"{number}.{path}" for number, pair in enumerate(zip(before, after, strict=True)) for path in _moved(*pair)]
    if isinstance(before, BaseModel):
        names = type(before).model_fields
        return [f"{name}.{path}" for name in names for path in _moved(getattr(before, name), getattr(after, name))]
    return [""]


def replace(spec: RunSpec) -> None:
    """Make `spec` the draft, so that undo brings the whole of the old one back."""
    remember(st.session_state.draft, whole=True)
    state.set_draft(spec)


def change(function: Callable[..., ModelSpec], /, *arguments, **settings) -> ModelSpec | None:
    """Change the draft's network by a function of `cnn_core.editing`. A fault is said at the next run of the page; then None."""
    draft = st.session_state.draft
    try:
        model = function(draft.model, *arguments, **settings)
    except SpecError as error:
        st.session_state.fault = str(error)
        return None
    st.session_state.way = LAYERS  # also when the network happens to be made of blocks now
    if model != draft.model:
        control = (arguments[0], *settings) if function in (editing.configure, editing.change_head) else None
        _set_network(remember_change(draft, model, control))
    return model


def fault() -> None:
    """Say what could not be done, once."""
    if text := st.session_state.pop("fault", None):
        st.error(text, icon=":material/error:")


def say(text: str) -> None:
    """A note for the next run of the page: what a callback shows itself may be overwritten by the page."""
    st.session_state.note = text


def toolbar(made_of_blocks: bool) -> bool:
    """The choice between the simple controls and the layer editor, Undo and Redo; whether the simple controls are to be shown."""
    if note := st.session_state.pop("note", None):
        st.info(note, icon=":material/info:")  # not a toast: it would lie on Train
    with st.container(horizontal=True, vertical_alignment="center", key="editor_bar"):
        if made_of_blocks:
            st.session_state.setdefault("way", BLOCKS)
            about = "Blocks: a few sliders for a chain of convolutions. Layers: every layer, branches and several heads."
            st.segmented_control(
                "Edit by",
                (BLOCKS, LAYERS),
                key="way",
                required=True,
                help=about,
                label_visibility="collapsed",
                persist_state="session",
            )
        else:
            st.segmented_control(
                "Edit by", (BLOCKS, LAYERS), default=LAYERS, key="only_way", disabled=True, label_visibility="collapsed"
            )
        _buttons()
    return made_of_blocks and st.session_state.way == BLOCKS


def _buttons() -> None:
    for label, taken, given in (("Undo", "undo", "redo"), ("Redo", "redo", "undo")):
        st.button(
            label,
            icon=f":material/{taken}:",
            disabled=not st.session_state.get(taken),
            on_click=_step,
            args=(taken, given),
            help="Take the last change of the network back." if taken == "undo" else "Make the change again that was taken back.",
        )


def _step(taken: str, given: str) -> None:
    """Go one step along one of the two lists; where the draft was is noted in the other."""
    catch_up()  # what was typed before the click is the change that is taken back
    steps, others = (st.session_state.setdefault(name, []) for name in (taken, given))
    if not steps:
        return  # a click that was on its way when the list became empty
    st.session_state.pop("last_change", None)
    draft, (spec, whole) = st.session_state.draft, steps[-1]
    if whole or datasets.info(spec.data.dataset).is_series != datasets.info(draft.data.dataset).is_series:
        state.set_draft(spec)
    else:
        _set_network(draft.model_copy(update={"model": spec.model, "preset": spec.preset}))
    # Only lists from here on: a use of the session might end this between the two.
    steps.pop()
    others.append((draft, whole))


def _set_network(spec: RunSpec) -> None:
    """Make `spec`, of which only the network is new, the draft: controls of training and images keep what they say."""
    for key in [key for key in st.session_state if str(key).startswith(OF_THE_NETWORK)]:
        del st.session_state[key]
    st.session_state.draft = spec  # the last use of the session: until then the network is the old one
