"""The open layer: its settings, made from the fields of its kind, its name, its inputs, and what can be done with it."""

from typing import Any, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from cnn_core import editing
from cnn_core.layer_kinds import BaseLayer, Shape
from cnn_core.shapes import LayerReport
from cnn_core.spec import INPUT, ModelSpec
from pages.components import history
from pages.components.controls import synced
from pages.components.controls.blocks import FILTERS, STRENGTHS, UNITS
from pages.components.layer_editor import choice
from pages.components.layer_editor.adding import first_sentence, fitting

PENALTIES = ("kernel_l2", "kernel_l1", "max_norm", "activity_l1", "activity_l2")
LABELS = {
    "kernel_l1": "L1 on weights",
    "kernel_l2": "L2 on weights (weight decay)",
    "activity_l1": "L1 on outputs",
    "activity_l2": "L2 on outputs",
    "max_norm": "MaxNorm (0: off)",
    "strides": "Stride",
    "stddev": "Standard deviation",
}
STOPS = {"filters": FILTERS, "units": UNITS}
SENSIBLE = {"rate": (0.0, 0.9, 0.05), "stddev": (0.0, 1.0, 0.05), "max_norm": (0.0, 10.0, 0.5)}  # least, most, step
FEW = 3  # choices that stand side by side


def layer_settings(model: ModelSpec, report: LayerReport, input_shape: Shape) -> None:
    """Everything about one layer."""
    layer = model.layer(report.name)
    names = editing.settings_of(layer)
    with st.container(border=True, key="open_layer_box"):
        st.caption(first_sentence(type(layer)))
        _kind(layer, input_shape)
        columns = st.columns(2)
        first = sorted((name for name in names if name not in PENALTIES), key=lambda name: name not in STOPS)
        for number, name in enumerate(first):
            with columns[number % 2]:
                _setting(layer, name)
        _place(model, layer)
        if penalties := [name for name in PENALTIES if name in names]:
            active = any(getattr(layer, name) for name in penalties)
            with st.expander("Regularisation (on)" if active else "Regularisation"):
                for name in penalties:
                    _setting(layer, name)
        _buttons(model, layer.name)


def _kind(layer: BaseLayer, input_shape: Shape) -> None:
    """The kinds that can stand in the layer's place: those of as many inputs."""
    kinds = [kind.__name__ for kind in fitting(input_shape) if kind.takes == layer.takes]
    if layer.kind not in kinds:
        kinds.append(layer.kind)  # it came with data of the other dimension
    about = "Another kind in the same place. Its inputs and the settings that both kinds have stay."
    st.selectbox("Kind", kinds, help=about, **synced(f"edit_layer_{layer.name}_kind", layer.kind, choice.change_kind, layer.name))


def _setting(layer: BaseLayer, name: str) -> None:
    """The control that suits the type and the limits of a field."""
    field, value = type(layer).model_fields[name], getattr(layer, name)
    label = LABELS.get(name, name.replace("_", " ").capitalize())
    key = f"edit_layer_{layer.name}_{name}"
    options: dict[str, Any] = {
        "help": field.description,
        **synced(key, value, _configure, layer.name, name),
    }
    if get_origin(field.annotation) is not None and isinstance(value, str):
        choices = get_args(field.annotation)
        if len(choices) <= FEW:
            st.segmented_control(label, choices, required=True, **options)
        else:
            st.selectbox(label, choices, **options)
    elif name in STOPS or (isinstance(value, float) and name not in SENSIBLE):
        st.select_slider(label, sorted({*STOPS.get(name, STRENGTHS), value}), **options)
    else:
        low, high, step = SENSIBLE.get(name) or (*_limits(field), 1)
        st.slider(label, min(low, value), max(high, value), step=step, **options)


def _limits(field: FieldInfo) -> tuple[int, int]:
    rules = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    return rules["ge"], rules["le"]


def _configure(layer: str, setting: str, value: Any) -> None:
    history.change(editing.configure, choice.current(layer), **{setting: value})


def _place(model: ModelSpec, layer: BaseLayer) -> None:
    """Name and inputs."""
    left, right = st.columns(2)
    left.text_input(
        "Name",
        max_chars=editing.MOST_LETTERS,
        help=type(layer).model_fields["name"].description,
        **synced(f"edit_layer_{layer.name}_name", layer.name, choice.rename, layer.name),
    )
    before = [INPUT]
    for other in model.layers:
        if other.name == layer.name:
            break
        before.append(other.name)
    inputs = list(dict.fromkeys(layer.inputs))
    one = layer.takes[1] == 1 and len(inputs) == 1
    options: dict[str, Any] = {
        "help": "What feeds this layer: 'input' (the image or series) or layers above it, in this order.",
        **synced(f"edit_layer_{layer.name}_inputs", inputs[0] if one else inputs, _connect, layer.name),
    }
    if one:
        right.selectbox("Input from", before, **options)
    else:
        right.multiselect("Inputs from", before, wrap=True, select_all=False, **options)


def _connect(layer: str, chosen: str | list[str]) -> None:
    history.change(editing.set_inputs, choice.current(layer), [chosen] if isinstance(chosen, str) else chosen)


def _buttons(model: ModelSpec, name: str) -> None:
    place = [layer.name for layer in model.layers].index(name)
    with st.container(horizontal=True, gap="xsmall"):
        for label, icon, function, off in (
            ("Move up", "arrow_upward", editing.move_up, place == 0),
            ("Move down", "arrow_downward", editing.move_down, place == len(model.layers) - 1),
            ("Duplicate", "content_copy", editing.duplicate, False),
            ("Remove", "delete", editing.remove, False),
        ):
            st.button(label, icon=f":material/{icon}:", disabled=off, on_click=_do, args=(function, name))


def _do(function, name: str) -> None:
    name = choice.current(name)
    copy = editing.fresh_name(st.session_state.draft.model, name)
    if history.change(function, name) is None:
        return
    if function is editing.duplicate:
        choice.choose(copy)
    elif function is editing.remove:
        choice.choose(None)
