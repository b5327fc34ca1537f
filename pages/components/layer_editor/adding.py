"""Adding a layer: where, and of which kind."""

import streamlit as st

from cnn_core import editing
from cnn_core.layer_kinds import KINDS, BaseLayer, Shape
from cnn_core.spec import INPUT, ModelSpec
from pages.components import history
from pages.components.layer_editor import choice

BETWEEN, BRANCH = "In between", "New branch"


def add_layer(model: ModelSpec, input_shape: Shape) -> None:
    """A menu of the kinds that fit the data, by their group, and of the places where the new layer can stand."""
    with st.popover("Add a layer", icon=":material/add:", type="primary" if not model.layers else "secondary"):
        if model.layers:
            _where(model)
        groups: dict[str, list[type[BaseLayer]]] = {}
        for kind in fitting(input_shape):
            groups.setdefault(kind.group, []).append(kind)
        for group, kinds in groups.items():
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.caption(group, width=110)
                for kind in kinds:
                    name = kind.__name__
                    st.button(name, key=f"add_{name}", help=first_sentence(kind), on_click=_add, args=(name,))


def _where(model: ModelSpec) -> None:
    """Where the new layer comes: behind the open layer or the last one, unless another is chosen."""
    names, start = [INPUT, *(layer.name for layer in model.layers)], _start(model)
    # The browser makes what is in a menu when it is opened, so each place to start from has a widget of its own.
    st.selectbox(
        "Behind",
        names,
        names.index(start),
        key=_behind_key(start),
        help="The layer whose output the new layer is fed. 'input' is the image or series itself.",
    )
    st.segmented_control(
        "How",
        (BETWEEN, BRANCH),
        default=BETWEEN,
        key=f"edit_add_how_{len(model.layers)}",  # a branch is begun once, and goes on behind its first layer
        required=True,
        help="In between: what followed that layer follows the new one. New branch: what followed stays, and the network splits.",
    )


def _start(model: ModelSpec) -> str:
    names = {INPUT, *(layer.name for layer in model.layers)}
    name = choice.current(st.session_state.get("add_behind") or "")
    return name if name in names else (model.layers[-1].name if model.layers else INPUT)


def _behind_key(start: str) -> str:
    return f"edit_add_behind_{start}"


def _add(kind: str) -> None:
    model = st.session_state.draft.model
    start = _start(model)
    behind = choice.current(st.session_state.get(_behind_key(start), start))
    branch = bool(model.layers) and st.session_state.get(f"edit_add_how_{len(model.layers)}") == BRANCH
    name = editing.fresh_name(model, kind)
    if history.change(editing.add, kind, behind, branch) is not None:
        choice.choose(name)


def fitting(input_shape: Shape) -> list[type[BaseLayer]]:
    """The kinds for images or for series."""
    axes = len(input_shape) - 1
    return [kind for kind in KINDS.values() if getattr(kind, "axes", axes) == axes]


def first_sentence(kind: type[BaseLayer]) -> str:
    """What a kind of layer does, in a sentence."""
    return " ".join((kind.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."
