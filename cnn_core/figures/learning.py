"""How a network changed while it learned, and what its filters carry."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import PALETTE, TRAINING, VALIDATION, laid_out
from cnn_core.snapshots import History

DASHES = ("solid", "dash", "dot", "dashdot")
BARS = 40  # filters in a chart of what they carry


def spread(history: History, step: int, title: str, height: int = 260) -> go.Figure:
    """How the values of a layer were spread at each snapshot: the darker, the larger a part. A line stands at `step`."""
    middles, places = (history.edges[1:] + history.edges[:-1]) / 2, list(range(len(history.steps)))
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=middles,
            z=np.round(np.sqrt(history.parts.T), 4),  # or the peak at 0 would hide all else
            customdata=np.dstack([np.round(history.parts.T, 4), np.broadcast_to(history.steps, history.parts.T.shape)]),
            colorscale="Viridis",
            showscale=False,
            hovertemplate="step %{customdata[1]:,}, about %{y:.3g}: %{customdata[0]:.1%} of the values<extra></extra>",
        )
    )
    _steps(figure, history.steps, step)
    figure.update_yaxes(title="Value", zeroline=False, exponentformat="power")
    return laid_out(figure, height, title={"text": title, "font": {"size": 13}})


def norms(histories: Mapping[str, History], step: int, title: str, height: int = 260) -> go.Figure:
    """The Euclidean length of all values of each layer at each snapshot, on a logarithmic scale."""
    figure = go.Figure()
    for number, (layer, history) in enumerate(histories.items()):
        figure.add_scatter(
            x=list(range(len(history.steps))),
            y=np.maximum(history.norms, 1e-12),
            customdata=history.steps,
            name=layer,
            mode="lines+markers",
            line={"color": PALETTE[number % len(PALETTE)], "dash": DASHES[number // len(PALETTE) % len(DASHES)], "width": 1.8},
            marker={"size": 4},
            hovertemplate=f"{layer}, step %{{customdata:,}}: %{{y:.3g}}<extra></extra>",
        )
    _steps(figure, next(iter(histories.values())).steps, step)
    figure.update_yaxes(title="Norm", type="log", exponentformat="power", dtick="D2")
    return laid_out(figure, height, title={"text": title, "font": {"size": 13}}, legend={"font": {"size": 10}})


def _steps(figure: go.Figure, steps: Sequence[int], now: int) -> None:
    """An axis with a place for each snapshot, since those of the first epoch would lie on one another, and a line at one of them."""
    shown = np.unique(np.linspace(0, len(steps) - 1, min(7, len(steps))).round().astype(int))
    figure.update_xaxes(
        title="Training step", tickvals=shown.tolist(), ticktext=[f"{steps[place]:,}" for place in shown], zeroline=False
    )
    if now in (known := list(steps)):
        figure.add_vline(x=known.index(now), line={"color": VALIDATION, "width": 2})


def carried(lost: np.ndarray, off: Sequence[int] = (), height: int = 300) -> go.Figure:
    """Accuracy lost without each filter of a layer, the most first; the BARS that carry most. off: those that are switched off now."""
    order = np.argsort(-lost, kind="stable")[:BARS]
    figure = go.Figure(
        go.Bar(
            x=[f"{number + 1}" for number in order],
            y=np.round(lost[order], 4),
            marker_color=[VALIDATION if number in off else TRAINING for number in order],
            marker_pattern_shape=["/" if number in off else "" for number in order],
            hovertemplate="without filter or unit %{x}: %{y:.1%} of the examples fewer<extra></extra>",
        )
    )
    figure.update_xaxes(title="Filter or unit, the one that carries most first", type="category")
    figure.update_yaxes(title="Accuracy lost", tickformat=".1%")
    return laid_out(figure, height)
