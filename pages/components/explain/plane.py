"""The test part on a plane as the last hidden layer sees it, with the person's input among it."""

import numpy as np
import streamlit as st

from cnn_core import embedding, figures, targets
from cnn_core.run import Run
from pages.components import pictures, state
from pages.components.explain.hover import under_the_pointer
from pages.components.kept import mark
from pages.components.study_panel import study_panel

WAYS = {"pca": "PCA", "t-sne": "t-SNE"}
ABOUT = "Lays out the test part, at most 1,500 examples of it, so that neighbours stay neighbours: about half a minute."
PLAIN = {"displayModeBar": False, "scrollZoom": True}


def plane(run: Run, example: np.ndarray | None) -> None:
    """The map, and the example of the point that was pressed."""
    layer = embedding.hidden_layer(run.spec)
    if layer is None:
        st.info(embedding.no_map(run.spec))
        return
    model, data = state.model(run.run), state.dataset(run.spec.data.dataset)
    features, said, true = _read(mark(run.run), layer, model, data)
    newcomer = None if example is None else model.activations(example)[layer].ravel()
    way = st.segmented_control(
        "Laid out by", list(WAYS), format_func=WAYS.get, key="map_way", default="pca", required=True, persist_state="session"
    )
    found = _principal(mark(run.run), features, newcomer) if way == "pca" else _neighbours(run, newcomer)
    if found is None:
        return
    places, star, axes, words = found
    labels = targets.labels(run.spec, targets.main_head(run.spec))
    chart, beside = st.columns([4, 1])
    wrong = int((said != true).sum())
    alt = f"{len(places):,} test examples laid out by {WAYS[way]}, coloured by class; {wrong} mistakes have a ring"
    with chart:
        event = st.plotly_chart(
            figures.plane(places, true, said, labels, star, axes),
            key=f"map_{way}",
            on_select="rerun",
            selection_mode="points",
            config=PLAIN,
            alt=alt,
        )
    under_the_pointer(f"map_{way}", run.spec.data.dataset, data.x_test[: len(places)])
    with beside:
        _pressed(run, data, event.selection.points, true, said, labels)
    st.caption(
        f"{words} Rings mark the {wrong:,} of {len(places):,} that it reads wrong; the star is your input. From layer {layer}."
    )


@st.cache_data(show_spinner="Reading the test part…", max_entries=8)
def _read(of: tuple, layer: str, _model, _data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the layer gives for the test part, what the network says and what is true."""
    examples, labels = _data.x_test[: embedding.EXAMPLES], _data.y_test[: embedding.EXAMPLES]
    head = targets.main_head(_model.spec)
    features = _model.outputs(examples, [layer])[layer].reshape(len(examples), -1)
    return (
        features,
        _model.probabilities(examples).argmax(axis=1),
        targets.values(head.target, _model.spec.data, examples, labels),
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _plane(of: tuple, _features: np.ndarray):
    return embedding.principal(_features)


def _principal(of: tuple, features: np.ndarray, newcomer: np.ndarray | None):
    found, components = _plane(of, features)
    star = None if newcomer is None else embedding.project(components, newcomer)
    words = f"The two directions in which the layer's values spread most hold {found.explained:.0%} of their variance."
    return found.places, star, ("First component", "Second component"), words


def _neighbours(run: Run, newcomer: np.ndarray | None):
    found = study_panel(run.run, "map", "Lay out by t-SNE", ABOUT)
    if found is None:
        return None
    laid_out = embedding.Plane(found["places"], found["features"])
    star = None if newcomer is None else embedding.put(laid_out, newcomer)
    return laid_out.places, star, None, "Neighbours are alike; the axes and the distances between groups mean nothing."


def _pressed(run: Run, data, points: list, true: np.ndarray, said: np.ndarray, labels: tuple[str, ...]) -> None:
    """The example of the point that was pressed."""
    known = [point["customdata"][0] for point in points if point.get("customdata")]
    if not known:
        st.caption("Point at a dot to see its example; press it to keep it here.")
        return
    index = int(known[0])
    st.markdown(f"**Test example {index}**: {labels[true[index]]}, read as {labels[said[index]]}")
    if data.info.is_series:
        figure = figures.series(data.x_test[index][:, 0], targets.seen(run.spec.data), height=180)
        st.plotly_chart(figure, key="map_pressed", config={"displayModeBar": False}, alt=f"Test series {index}")
    else:
        st.image(pictures.enlarged(data.x_test[index], 5), width=140, alt=f"Test image {index}: {labels[true[index]]}")
