"""The heads: what the network should say, from which layer, and how far its errors count."""

from typing import Any

import streamlit as st

from cnn_core import editing, targets
from cnn_core.shapes import NetworkReport
from cnn_core.spec import HeadSpec
from cnn_core.targets import Target
from pages.components import history
from pages.components.controls import synced

WEIGHTS = (0.01, 0.1, 0.2, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
LOSSES = {
    "categorical_crossentropy": "Categorical cross-entropy",
    "binary_crossentropy": "Binary cross-entropy",
    "mean_squared_error": "Mean squared error",
    "mean_absolute_error": "Mean absolute error",
}


def head_editor(network: NetworkReport) -> None:
    """One box a head, and a button for another. `network` is the report of the draft."""
    draft = st.session_state.draft
    known = targets.of(draft.data)
    st.markdown(
        "**Heads**", help="Each head reads a layer and says something of the example; training lowers the sum of their losses."
    )
    for head in draft.model.heads:
        _head(head, known, len(draft.model.heads) > 1, network.head_errors.get(head.name))
    if not draft.model.heads:
        st.caption("No head yet. A head says what the network should learn from the last layer of a branch.")
    st.button(
        "Add a head",
        icon=":material/add:",
        on_click=_add,
        disabled=not draft.model.layers,
        help="It reads the end of a branch that no head reads yet."
        if draft.model.layers
        else "A head reads a layer: add one first.",
    )


def _head(head: HeadSpec, known: dict[str, Target], several: bool, error: str | None) -> None:
    layers = [layer.name for layer in st.session_state.draft.model.layers]
    target = known.get(head.target)
    with st.container(border=True, key=f"head_{head.name}"):
        if error:
            st.markdown(f":red[:material/error: {error[:1].upper()}{error[1:]}]")
        left, right = st.columns(2)
        left.text_input("Name of the head", max_chars=editing.MOST_LETTERS, **_options(head, "name", "Names its curves."))
        right.selectbox("Reads layer", layers, **_options(head, "layer", "The layer whose output is the answer."))
        left.selectbox(
            "Target",
            list(dict.fromkeys((*known, head.target))),
            format_func=lambda name: f"{name}: {known[name].title}" if name in known else name,
            **_options(head, "target", "What the answer should be."),
        )
        right.selectbox(
            "Loss",
            list(dict.fromkeys((*(target.losses if target else ()), head.loss))),
            format_func=LOSSES.get,
            **_options(head, "loss", "How an answer is judged. Binary cross-entropy is for one sigmoid unit."),
        )
        if several or head.loss_weight != 1:
            help = "The losses of all heads are summed, each times its weight."
            st.select_slider("Loss weight", sorted({*WEIGHTS, head.loss_weight}), **_options(head, "loss_weight", help))
        st.button(
            "Remove the head", key=f"remove_head_{head.name}", icon=":material/delete:", on_click=_remove, args=(head.name,)
        )


def _options(head: HeadSpec, setting: str, help: str) -> dict[str, Any]:
    key = f"edit_head_{head.name}_{setting}"
    return {"help": help, **synced(key, getattr(head, setting), _change, head.name, setting)}


def _change(name: str, setting: str, value: Any) -> None:
    value = value.strip() if setting == "name" else value
    history.change(editing.change_head, name, targets.of(st.session_state.draft.data), **{setting: value})


def _add() -> None:
    """The first target that no head has yet."""
    draft = st.session_state.draft
    known = targets.of(draft.data)
    taken = {head.target for head in draft.model.heads}
    name = next((name for name in known if name not in taken), next(iter(known)))
    history.change(editing.add_head, known[name])


def _remove(name: str) -> None:
    history.change(editing.remove_head, name)
