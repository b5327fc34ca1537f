"""Every layer of a network at once, small, for one example; and what the network answers."""

import numpy as np
import streamlit as st

from cnn_core import targets
from cnn_core.figures import painted
from cnn_core.insight import LayerView
from cnn_core.spec import RunSpec
from pages.components import pixels


def overview(views: list[LayerView], mode: str, everywhere: tuple[float, float]) -> None:
    """One strip for each layer: its first maps, its curves as lines of colour, or its values. mode: how far one scale reaches."""
    pixels.rows([(_title(view), _alt(view), painted.strip(view.values, _limits(view, mode, everywhere))) for view in views])


def answer_line(spec: RunSpec, example: np.ndarray, activations: dict[str, np.ndarray], width: str = "stretch") -> None:
    """What each head says of `example`, on one line each."""
    for head in spec.model.heads:
        said = targets.readable(head, activations[head.layer][np.newaxis])[0]
        if labels := targets.labels(spec, head):
            answer, sure = labels[said.argmax()], f"{said.max():.1%}"
        else:
            answer = targets.of(spec.data)[head.target].title
            sure = f"mean squared error {targets.squared_error(spec, head, example, said):.3f}"
        name = f"{head.name}: " if len(spec.model.heads) > 1 else ""
        st.markdown(f"{name}**{answer}** &nbsp; :gray[{sure}]", width=width)


def _title(view: LayerView) -> str:
    """The layer's own, and what its strip does not show by itself."""
    if view.values.size == 1:
        return f"{view.title}: {view.values.item():.3f}"
    shown = painted.SHOWN if view.is_map or view.is_curves else painted.UNITS
    if view.values.shape[-1] > shown:
        return f"{view.title} (the first {shown})"
    if view.classes:
        return f"{view.title}: {view.classes[0]} to {view.classes[-1]}"
    return view.title


def _limits(view: LayerView, mode: str, everywhere: tuple[float, float]) -> tuple[float, float] | None:
    if mode == "map":
        return None
    is_row = not view.is_map and not view.is_curves
    return everywhere if mode == "all" and not is_row else (float(view.values.min()), float(view.values.max()))


def _alt(view: LayerView) -> str:
    count = view.values.shape[-1]
    if view.is_map:
        return f"The first {min(count, painted.SHOWN)} of {count} feature maps of {view.name}"
    if view.is_curves:
        return f"The first {min(count, painted.SHOWN)} of {count} feature curves of {view.name}, a line of colour each"
    return f"The values of {min(count, painted.UNITS)} of {count} units of {view.name}, a cell each"
