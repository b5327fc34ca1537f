"""What speaks for an answer, drawn over the input in three ways."""

import numpy as np
import streamlit as st

from cnn_core import datasets, figures, targets
from cnn_core.errors import LabError
from cnn_core.run import Run
from cnn_core.spec import HeadSpec
from pages.components import state

PLAIN = {"displayModeBar": False}
FAINT = 0.02  # a change of the probability that means little, though the colours show it as well


def why(run: Run, example: np.ndarray) -> None:
    """Grad-CAM, saliency and occlusion for a class of a head, beside one another."""
    from cnn_core import explanations  # brings TensorFlow

    model = state.model(run.run)
    heads = {head.name: head for head in run.spec.model.heads if targets.labels(run.spec, head)}
    if not heads:
        st.info(
            "This network names no classes, and the three ways explain the choice of a class. See Look inside for its layers."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        head, target = _asked(run, heads, model.answers(example[np.newaxis]))
        layer = _looked_at(run, explanations.map_layers(model))
    columns = st.columns(3, gap="medium")
    for column, (name, way) in zip(columns, explanations.WAYS.items(), strict=True):
        with column:
            st.subheader(way.title, anchor=False)
            try:
                if name == "grad-cam":
                    heat = explanations.grad_cam(model, example, head, target, layer) if layer else None
                else:
                    heat = getattr(explanations, name)(model, example, head, target)
            except LabError as error:
                st.info(str(error))
                continue
            if heat is None:
                st.info("This network has no layer with a map, so there is nothing that Grad-CAM could look at.")
            else:
                _show(run, example, heat, name, way.title)
            st.markdown(way.means)
            st.caption(f":material/warning: Where it misleads: {way.misleads}")


def _asked(run: Run, heads: dict[str, HeadSpec], said: dict[str, np.ndarray]) -> tuple[HeadSpec, int]:
    """The head and the class that are asked about; the class is the answer unless another is chosen."""
    name = next(iter(heads))
    if len(heads) > 1:
        name = st.selectbox("Head", list(heads), key=f"why_head_{run.run}", persist_state="session")
    head, probabilities = heads[name], said[name][0]
    labels, answer = targets.labels(run.spec, head), int(probabilities.argmax())
    words = {None: f"its answer: {labels[answer]} ({probabilities[answer]:.1%})"}
    words |= {number: f"{label} ({probabilities[number]:.1%})" for number, label in enumerate(labels)}
    key = f"why_class_{run.run}_{name}"
    target = st.selectbox("What speaks for", list(words), format_func=words.get, key=key, persist_state="session")
    return head, answer if target is None else target


def _looked_at(run: Run, layers: list[str]) -> str | None:
    """The layer that Grad-CAM looks at; None where there is none."""
    if not layers:
        return None
    key = f"why_layer_{run.run}"
    st.session_state.setdefault(key, _last_convolution(run, layers))
    return st.selectbox("Layer of Grad-CAM", layers, key=key, persist_state="session")


def _last_convolution(run: Run, layers: list[str]) -> str:
    kinds = {layer.name: layer.kind for layer in run.spec.model.layers}
    return next((name for name in reversed(layers) if "Conv" in kinds[name]), layers[-1])


def _show(run: Run, example: np.ndarray, heat: np.ndarray, name: str, title: str) -> None:
    signed = name == "occlusion"
    if datasets.info(run.spec.data.dataset).is_series:
        figure = figures.over_series(example[: targets.seen(run.spec.data), 0], heat, signed, height=280)
    else:
        figure = figures.over_image(example, heat, signed)
    st.plotly_chart(
        figure, key=f"why_{name}", config=PLAIN, alt=f"{title}, drawn over the input; the strongest place has {heat.max():.3g}"
    )
    if not np.any(heat):
        st.caption(":material/info: It is zero everywhere: nothing here speaks for this class.")
    elif signed and np.abs(heat).max() < FAINT:
        st.caption(f":material/info: Hardly anything changes: its probability by {100 * np.abs(heat).max():.2g} points at most.")
