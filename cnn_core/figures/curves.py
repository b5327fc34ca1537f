"""Curves over the epochs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnn_core.curves import Curve, Curves
from cnn_core.figures.base import PALETTE, RIGHT, TRAINING, VALIDATION, laid_out

NOTHING = Curve(np.empty(0, np.int64), np.empty(0))
MARK = {"color": "#7a7a7a", "width": 1, "dash": "dash"}
MARK_WORDS = {"showarrow": False, "font": {"size": 10, "color": "#7a7a7a"}}
MARKS_APART = 0.05  # of the width of a chart: two upright words closer than that would overlap
TITLES = {"accuracy": "Accuracy", "loss": "Loss"}


def training_curves(
    curves: Curves,
    name: str,
    steps_per_epoch: int,
    epochs: int,
    best_epoch: int = 0,
    marks: Sequence[tuple[int, str]] = (),
    height: int = 260,
    title: str = "",
) -> go.Figure:
    """Curve of one metric over the epochs: the running value of training, and training and validation per epoch.

    title: of the values; the metric's own where none is given. best_epoch: the one that is marked as the best, 0 for none. marks: (step, words) of what happened on the way, drawn as upright
    lines.
    """
    steps = max(1, steps_per_epoch)
    figure = go.Figure()
    for phase, words, line, mode in (
        ("step", "within the epoch", {"color": TRAINING, "width": 1, "dash": "dot"}, "lines"),
        ("train", "training", {"color": TRAINING, "width": 2.5}, "lines+markers"),
        ("validation", "validation", {"color": VALIDATION, "width": 2.5}, "lines+markers"),
    ):
        curve = curves.by_name.get((phase, name), NOTHING)
        symbol = "diamond" if phase == "validation" else "circle"
        figure.add_scatter(
            x=(curve.steps / steps).tolist(),
            y=curve.values.tolist(),
            name=words,
            mode=mode if len(curve.steps) > 1 else "markers",  # a line of one point is invisible
            line=line,
            cliponaxis=False,  # the last epoch lies on the edge
            marker={"size": 6, "symbol": symbol},
            hovertemplate="epoch %{x:.2f}: %{y:.4f}",
        )
    last = next((curves.by_name[phase, name] for phase in ("validation", "train") if (phase, name) in curves.by_name), NOTHING)
    if len(place := np.flatnonzero(last.steps == best_epoch * steps)):
        figure.add_scatter(
            x=[best_epoch],
            y=[float(last.values[place[0]])],
            name="best epoch",
            mode="markers",
            cliponaxis=False,
            marker={"size": 14, "symbol": "star", "color": RIGHT, "line": {"color": "#ffffff", "width": 1}},
            hovertemplate="epoch %{x}: %{y:.4f}",
        )
    figure.update_xaxes(title="Epoch", range=[0, max(1, epochs)], zeroline=False)
    is_accuracy = name.endswith("accuracy")
    shown = {"tickformat": ".0%"} if is_accuracy else {"rangemode": "tozero"}
    figure.update_yaxes(title=title or TITLES[name], **shown)
    values = [value for line in figure.data for value in line.y]
    if len(values) < 2:  # a range of its own would put one point anywhere
        figure.update_yaxes(range=[0, 1.02] if is_accuracy else [0, max([2.5, *(1.1 * value for value in values)])])
    lines = [
        {"type": "line", "x0": step / steps, "x1": step / steps, "y0": 0, "y1": 1, "yref": "paper", "line": MARK}
        for step, _ in marks
    ]
    words = [
        {
            "x": step / steps,
            "y": 0 if is_accuracy else 1,  # where such a curve seldom is
            "yref": "paper",
            "yanchor": "bottom" if is_accuracy else "top",
            "xanchor": "left",
            "textangle": 90,
            "text": text,
            **MARK_WORDS,
        }
        for step, text in _apart(marks, MARKS_APART * steps * max(1, epochs))
    ]
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}}
    return laid_out(figure, height, legend=legend, hovermode="x unified", shapes=lines, annotations=words)


def _apart(marks: Sequence[tuple[int, str]], steps: float) -> list[tuple[int, str]]:
    """The marks whose words have room: each at least so many steps behind the last one that has."""
    shown: list[tuple[int, str]] = []
    for step, text in marks:
        if not shown or step - shown[-1][0] >= steps:
            shown.append((step, text))
    return shown


def learning_rate(epochs: np.ndarray, rates: np.ndarray, height: int = 130) -> go.Figure:
    """A planned learning rate over the epochs: both (n,)."""
    figure = go.Figure(
        go.Scatter(
            x=np.round(epochs, 3).tolist(),
            y=rates.tolist(),
            mode="lines",
            line={"color": TRAINING, "width": 2},
            hovertemplate="epoch %{x:.1f}: %{y:.3g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Epoch", range=[0, float(epochs[-1])], zeroline=False, fixedrange=True)
    figure.update_yaxes(title="Rate", range=[0, 1.1 * float(rates.max())], tickformat="~g", nticks=3, fixedrange=True)
    return laid_out(figure, height).update_layout(margin={"l": 8, "r": 8, "t": 6, "b": 8})


def compared_curves(histories: dict[str, dict[str, list[float]]], name: str, title: str = "", height: int = 320) -> go.Figure:
    """One metric of several runs over the epochs: training solid, validation dashed, a colour a run.

    title: of the values; the metric's own where none is given.
    """
    figure = go.Figure()
    for number, (run, history) in enumerate(histories.items()):
        colour = PALETTE[number % len(PALETTE)]
        for key, dash, words in ((name, "solid", run), (f"val_{name}", "dash", f"{run}, validation")):
            values = history.get(key, [])
            figure.add_scatter(
                x=list(range(1, len(values) + 1)),
                y=values,
                name=words,
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                marker={"size": 5},
            )
    figure.update_xaxes(title="Epoch", rangemode="tozero")
    figure.update_yaxes(title=title or TITLES[name], tickformat=".0%" if name.endswith("accuracy") else None)
    return laid_out(figure, height + 22 * len(histories) * 2, legend={"orientation": "h", "y": -0.25, "yanchor": "top"})
