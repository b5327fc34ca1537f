"""How the network is edited, and what it was before each change: Blocks or Layers, undo and redo."""

import time
from collections.abc import Callable

import streamlit as st

from cnn_core import datasets, differences
from cnn_core.errors import SpecError
from cnn_core.spec import ModelSpec, RunSpec
from pages.components import state

BLOCKS, LAYERS = "Blocks", "Layers"
MOST_STEPS = 100
DRAG = 2.0  # seconds: changes of one setting that follow each other as closely are one step
OF_THE_NETWORK = ("edit_conv", "edit_dense", "edit_kernel_", "edit_activity_", "edit_max_norm")  # keys of simple controls


def remember(spec: RunSpec, whole: bool = False) -> None:
    """Note the draft as it was before a change of its network, or of the `whole` of it; what was undone is given up."""
    steps = st.session_state.setdefault("undo", [])
    if not steps or steps[-1][0] is not spec:  # a change that was cut short has noted it already
        steps.append((spec, whole))
        del steps[:-MOST_STEPS]
    st.session_state.redo = []


def remember_change(spec: RunSpec, model: ModelSpec) -> RunSpec:
    """The draft `spec` with another network, after noting `spec`; a slider that is dragged over many values is noted once."""
    changed = spec.model_copy(update={"model": model})
    paths = [one.path for one in differences.differences(spec, changed)]
    last, when, made = st.session_state.get("last_change", ([], 0.0, None))
    if len(paths) > 1 or paths != last or made is not spec.model or time.monotonic() - when > DRAG:
        remember(spec)
    st.session_state.last_change = paths, time.monotonic(), model
    return changed


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
        _set_network(remember_change(draft, model))
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
        st.toast(note, icon=":material/info:", duration="long")
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
    if not made_of_blocks:
        st.caption("Blocks is off: this network is not a plain chain of blocks. Undo, or start from another, to have it back.")
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
    if not st.session_state.get(taken):
        return  # a click that was on its way when the list became empty
    st.session_state.pop("last_change", None)
    spec, whole = st.session_state[taken].pop()
    draft = st.session_state.draft
    st.session_state.setdefault(given, []).append((draft, whole))
    if whole or datasets.info(spec.data.dataset).is_series != datasets.info(draft.data.dataset).is_series:
        state.set_draft(spec)
    else:
        _set_network(draft.model_copy(update={"model": spec.model, "preset": spec.preset}))


def _set_network(spec: RunSpec) -> None:
    """Make `spec`, of which only the network is new, the draft: controls of training and images keep what they say."""
    for key in [key for key in st.session_state if str(key).startswith(OF_THE_NETWORK)]:
        del st.session_state[key]
    st.session_state.draft = spec  # the last use of the session: until then nothing is changed, after it everything
