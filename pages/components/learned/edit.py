"""Single filters and units switched off, in a copy: what the network answers then, what its maps are, and how often it is right."""

import numpy as np
import streamlit as st

from cnn_core import figures, insight, switching, targets
from cnn_core.filters import ends
from cnn_core.run import Run
from cnn_core.spec import RunSpec
from pages.components import layer_view, state
from pages.components.answers import answers
from pages.components.input_picker import input_picker, show_input
from pages.components.kept import mark
from pages.components.overview import answer_line, overview
from pages.components.study_panel import study_panel

PILLS = 64  # filters that are shown as buttons; more are chosen from a list
ABOUT = "Switches each filter and unit off on its own and reads 1,000 test examples each time: some seconds to a few minutes."


@st.fragment
@state.in_sentences()
def edit(run: Run) -> None:
    """Choose what is switched off, and see."""
    model = state.model(run.run)
    if not ends(run.spec.model):
        st.info("This network has nothing between its input and its answers that could be switched off.")
        return
    counts = switching.counts(model)
    picture, work = st.columns([2, 5], gap="medium")
    with work:
        layer, off = _switches(run, counts)
        kept = switching.keeps(model, off)
        _accuracy(run, model, kept)
    with picture:
        st.subheader("Input", anchor=False)
        example = input_picker(run.spec.data)
        show_input(run.spec.data, example)
    with work:
        if example is None:
            st.info("Draw a digit, upload one or take a test image to see its answer and its maps change as well.")
        else:
            _answer(run.spec, model, example, kept)
        _carried(run, layer, off.get(layer, []))


def _switches(run: Run, counts: dict[str, int]) -> tuple[str, dict[str, list[int]]]:
    """The layer that is worked on, and what is switched off in each."""
    session = st.session_state
    keys = {layer: f"off_{run.run}_{layer}" for layer in counts}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox("Layer", list(counts), key=f"edit_layer_of_{run.run}", persist_state="session")
        some = any(session.get(key) for key in keys.values())
        st.button("All on again", icon=":material/undo:", disabled=not some, on_click=_all_on, args=(list(keys.values()),))
    label = "Switched off (press a number)" if counts[layer] <= PILLS else "Switched off (choose numbers)"
    numbers = list(range(counts[layer]))
    settings = {"format_func": lambda number: f"{number + 1}", "key": keys[layer], "persist_state": "session"}
    if counts[layer] <= PILLS:
        st.pills(label, numbers, selection_mode="multi", wrap=True, **settings)
    else:
        st.multiselect(label, numbers, placeholder="All are on", **settings)
    return layer, {layer: list(session.get(key) or []) for layer, key in keys.items()}


def _all_on(keys: list[str]) -> None:
    for key in keys:
        st.session_state[key] = []


@st.cache_data(show_spinner="Reading 1,000 test examples…", max_entries=200)
def _right(of: tuple, kept: dict, _model, _data) -> float:
    return switching.accuracy(_model, _data, kept)


def _accuracy(run: Run, model, kept: dict) -> None:
    if targets.main_head(run.spec) is None:
        st.caption("This network names no classes, so there is no accuracy to follow.")
        return
    data = state.dataset(run.spec.data.dataset)
    whole, now = (_right(mark(run.run), keeps, model, data) for keeps in ({}, kept))
    count = f"{min(switching.EXAMPLES, len(data.x_test)):,}"
    off = len(kept)
    with st.container(horizontal=True):
        change = f"{100 * (now - whole):+.1f} points" if off else None
        st.metric(f"Accuracy on {count} test examples", f"{now:.1%}", change, border=True, help="With what is switched off now.")
        st.metric("With all on", f"{whole:.1%}", border=True)


def _answer(spec: RunSpec, model, example, kept: dict) -> None:
    activations = model.activations(example, kept)
    views = insight.views(spec, activations)
    st.subheader("All layers, and the answer", anchor=False)
    for when, these in (("With all on:", model.activations(example)), ("Now:", activations)):
        with st.container(horizontal=True, gap="medium"):
            st.caption(when, width=80)
            answer_line(spec, example, these, "content")
    overview(views, "layer", layer_view.limits(views))
    with st.expander("Every probability now", key="edit_probabilities"):
        answers(spec, example, model.answers(example[np.newaxis], kept))


def _carried(run: Run, layer: str, off: list[int]) -> None:
    st.subheader("How much accuracy each carries", anchor=False)
    found = study_panel(run.run, "importance", "Measure each", ABOUT)
    if found is None:
        return
    lost = found[f"{layer}/lost"]
    st.plotly_chart(
        figures.carried(lost, off),
        key=f"carried_{layer}",
        config={"displayModeBar": False},
        alt=f"Accuracy lost without each filter or unit of {layer}: most without number {lost.argmax() + 1}, {lost.max():.1%}",
    )
    free = int((lost <= 0).sum())
    st.caption(
        f"Each alone, of {int(found['examples']):,} test examples. Without any one of {free} of {len(lost)} the network reads as many right "
        "or more: others do their work as well, or they do none."
    )
