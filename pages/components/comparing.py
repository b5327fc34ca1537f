"""Two runs side by side: on the same example, by their curves, and by what differs in their settings."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnn_core import datasets, differences, figures, insight, targets
from cnn_core.run import Run
from pages.components import state
from pages.components.answers import answers
from pages.components.input_picker import input_picker, show_input

PLAIN = {"displayModeBar": False}
ALL = "All heads"
Pair = tuple[Run, Run]


@st.fragment
@state.in_sentences()
def on_the_same(pair: Pair) -> None:
    """What both say of the same digit or series, and one layer of each."""
    first, second = (datasets.info(run.spec.data.dataset) for run in pair)
    if first.is_series != second.is_series:
        st.info(
            "One of them reads images and the other one series, so there is nothing that both can be asked. See the other views."
        )
        return
    choose, *columns = st.columns([3, 4, 4], gap="medium")
    with choose:
        st.subheader("A series" if first.is_series else "A digit", anchor=False)
        example = input_picker(pair[0].spec.data)
        show_input(pair[0].spec.data, example)
    if example is None:
        columns[0].info("Draw a digit, or choose Upload or Test image: both networks read it.")
        return
    chosen = []
    for side, (column, run) in enumerate(zip(columns, pair, strict=True)):
        with column, state.in_sentences():
            model = state.model(run.run)
            st.subheader(run.name, anchor=False)
            answers(run.spec, example, model.answers(example[np.newaxis]), key=f"answer_{side}")
            chosen.append((column, run, side, _layer(run, model.activations(example), side)))
    reaches = [_reach(view) for *_, view in chosen]
    if len(chosen) == 2 and all(_has_scale(view) for *_, view in chosen):
        help = "A colour then means the same value in both. Off: each goes from its own lowest to its own highest value."
        if choose.toggle("One scale for both", key="compare_scale", help=help):
            reaches = [(min(low for low, _ in reaches), max(high for _, high in reaches))] * 2
    for (column, run, side, view), reach in zip(chosen, reaches, strict=True):
        with column:
            _maps(run, view, reach, side)


def _reach(view: insight.LayerView) -> tuple[float, float]:
    return float(view.values.min()), float(view.values.max())


def _has_scale(view: insight.LayerView) -> bool:
    return view.is_map or view.is_curves


def _layer(run: Run, activations: dict[str, np.ndarray], side: int) -> insight.LayerView:
    """A layer of one of the two, to be chosen."""
    views = {view.name: view for view in insight.views(run.spec, activations)}
    first = next((name for name, view in views.items() if view.values.ndim > 1), next(iter(views)))
    name = st.selectbox(
        "Layer",
        list(views),
        list(views).index(first),
        format_func=lambda name: views[name].title,
        key=f"compare_layer_{side}_{run.run}",
    )
    return views[name]


def _maps(run: Run, view: insight.LayerView, reach: tuple[float, float], side: int) -> None:
    """What a layer of one of the two makes of the example, from the lowest to the highest value of `reach`."""
    if _has_scale(view):
        draw, what = (figures.maps_grid, "feature maps") if view.is_map else (figures.curves_grid, "feature curves")
        figure, count = draw(view.values, "layer", reach), view.values.shape[-1]
        words = f"{min(count, figures.MAPS_SHOWN)} of {count} {what}, one scale from {reach[0]:.2f} to {reach[1]:.2f}"
    else:
        figure, words = figures.value_bars(view.values), f"The values of its {len(view.values)} units"
    with st.container(key=f"row_compare_{side}"):
        st.plotly_chart(figure, key=f"compare_maps_{side}", config=PLAIN, alt=f"{view.title} of {run.name}: {words}")
    st.caption(f"{words}. {view.note}")


def curves(runs: Sequence[Run]) -> None:
    """Curves of several runs over the epochs: of all they do, or of one of their heads."""
    measured = _measured(runs)
    shown = ALL
    if len(measured) > 1:
        shown = st.segmented_control("Curves of", list(measured), default=ALL, required=True, key="curves_of")
    histories = {f"{number}. {run.name}": _history(run) for number, run in enumerate(runs, 1)}
    for column, (metric, title) in zip(st.columns(2, gap="medium"), measured[shown].items(), strict=False):
        alt = f"{title} of {len(runs)} networks over the epochs, in training and validation"
        figure = figures.compared_curves(histories, metric, title)
        column.plotly_chart(figure, key=f"compare_{metric}", config=PLAIN, alt=alt)


def _measured(runs: Sequence[Run]) -> dict[str, dict[str, str]]:
    """What was measured of whole networks and of each head, where there are several: the names of the values and their titles."""
    accuracy = {"accuracy": "Accuracy"} if any(targets.main_head(run.spec) for run in runs) else {}
    found = {ALL: {**accuracy, "loss": "Loss"}}
    for run in runs:
        if len(run.spec.model.heads) > 1:
            titles = dict(targets.metrics(run.spec))
            for head in run.spec.model.heads:
                names = (f"{head.name}_{value}" for value in ("accuracy", "mean_absolute_error", "loss"))
                found.setdefault(head.name, {}).update({name: titles[name] for name in names if name in titles})
    return found


def _history(run: Run) -> dict[str, list[float]]:
    """The history of a run, in which "accuracy" is that of its first head of classes."""
    history, head = state.lab().store.history(run.run), targets.main_head(run.spec)
    if head and len(run.spec.model.heads) > 1:
        history |= {f"{phase}accuracy": history.get(f"{phase}{head.name}_accuracy", []) for phase in ("", "val_")}
    return history


def settings(pair: Pair) -> None:
    """What differs between their settings, and what they reached."""
    found = differences.differences(pair[0].spec, pair[1].spec)
    names = [f"{number}. {run.name}" for number, run in enumerate(pair, 1)]
    st.subheader("What they reached", anchor=False)
    reached = {
        "Test accuracy": [_percent(run.test_accuracy) for run in pair],
        "Test loss": ["–" if run.test_loss is None else f"{run.test_loss:.4f}" for run in pair],
        "Parameters": ["–" if run.parameters is None else f"{run.parameters:,}" for run in pair],
        "Epochs": [f"{run.epoch}" for run in pair],
        "Seconds of training": ["–" if run.seconds is None else f"{run.seconds:.1f}" for run in pair],
    }
    rows = [{"": label, **dict(zip(names, values, strict=True))} for label, values in reached.items()]
    st.dataframe(rows, hide_index=True, alt="What both networks reached")
    st.subheader("Settings that differ", anchor=False)
    if not found:
        st.success("None: they were trained with the same settings, and differ by chance alone.")
        return
    rows = [{"Setting": one.path, names[0]: _words(one.one), names[1]: _words(one.other)} for one in found]
    st.dataframe(rows, hide_index=True, alt=f"The {len(found)} settings in which they differ")
    st.caption("By the names that `--set` takes on the command line. A layer that only one of them has is told by its kind.")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _words(value) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
