"""How well a network answers: class by class, as far as its confidence goes, and on changed images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.answers import confusion
from cnn_core.figures.base import PALETTE, RIGHT, TRAINING, VALIDATION, WRONG, laid_out

if TYPE_CHECKING:  # scikit-learn takes half a second, and most pages draw without it
    from cnn_core.confidence import Calibration, Selective

ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}}
DIAGONAL = {"color": "#7a7a7a", "width": 1, "dash": "dash"}
DASHES = ("solid", "dash", "dot", "dashdot")


def confusion_cells(matrix: np.ndarray, labels: Sequence[str], chosen: tuple[int, int] | None = None) -> go.Figure:
    """The confusion matrix with an invisible point over each cell, which can be selected; customdata: its true class and its answer.

    chosen: the cell with a frame.
    """
    figure, size = confusion(matrix, labels), len(labels)
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    true, answer = (places.ravel() for places in np.indices((size, size)))
    figure.add_scatter(
        x=[labels[place] for place in answer],
        y=[labels[place] for place in true],
        customdata=np.stack([true, answer, matrix.ravel()], axis=1).tolist(),
        mode="markers",
        marker={"size": 24, "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
        hovertemplate="true %{y}, read as %{x}: %{customdata[2]}<br>click to see them<extra></extra>",
    )
    figure.update_xaxes(range=[-0.5, size - 0.5])
    figure.update_yaxes(range=[size - 0.5, -0.5], autorange=False)
    figure.update_layout(hoverdistance=60, hovermode="closest", clickmode="event+select", dragmode=False)
    if chosen:
        row, column = chosen
        frame = {"type": "rect", "line": {"color": VALIDATION, "width": 3}, "fillcolor": "rgba(0,0,0,0)"}
        figure.add_shape(x0=column - 0.47, x1=column + 0.47, y0=row - 0.45, y1=row + 0.45, **frame)
    return figure


def class_scores(scores: Mapping[str, np.ndarray], labels: Sequence[str], height: int = 300) -> go.Figure:
    """Scores of each class, such as precision and recall, (classes,) by their names, as points in a row a class."""
    figure = go.Figure()
    for number, (name, values) in enumerate(scores.items()):
        figure.add_scatter(
            x=list(labels),
            y=np.round(values, 4).tolist(),
            name=name,
            mode="markers",
            marker={"size": 11, "color": PALETTE[number], "symbol": ("circle", "diamond", "square")[number % 3]},
            hovertemplate=f"{name} of %{{x}}: %{{y:.1%}}<extra></extra>",
        )
    lowest = min(float(values.min()) for values in scores.values())
    figure.update_xaxes(title="Class", type="category")
    figure.update_yaxes(title="Score", tickformat=".0%", range=[max(0.0, lowest - 0.05), 1.02])
    return laid_out(figure, height, legend=ABOVE)


def reliability(found: Calibration, height: int = 340) -> go.Figure:
    """Reliability diagram: how many of the answers of each confidence are right; on the diagonal, confidence can be taken at its word."""
    figure = go.Figure()
    figure.add_bar(
        x=found.edges.mean(axis=1).tolist(),
        y=found.accuracy.tolist(),
        width=(found.edges[:, 1] - found.edges[:, 0]).tolist(),
        name="right",
        marker={"color": TRAINING, "opacity": 0.6},
        customdata=np.stack([found.counts, found.confidence], axis=1).tolist(),
        hovertemplate="%{customdata[0]:,} answers, confidence %{customdata[1]:.1%} on average: %{y:.1%} right<extra></extra>",
    )
    figure.add_scatter(
        x=found.confidence.tolist(),
        y=found.confidence.tolist(),
        name="mean confidence",
        mode="markers",
        marker={"size": 10, "symbol": "diamond", "color": VALIDATION},
        hovertemplate="mean confidence %{x:.1%}<extra></extra>",
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], name="as confident as right", mode="lines", line=DIAGONAL, hoverinfo="skip")
    figure.update_xaxes(title="Confidence", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title="Read right", range=[0, 1.02], tickformat=".0%")
    return laid_out(figure, height, legend=ABOVE, bargap=0)


def confidence_histogram(right: np.ndarray, wrong: np.ndarray, threshold: float = 0.0, height: int = 340) -> go.Figure:
    """How many answers there are of each confidence: of the right (n,) and the wrong (m,) ones; a line at the threshold, if any."""
    figure, edges = go.Figure(), np.linspace(0, 1, 21)
    for name, values, colour, pattern in (("right", right, RIGHT, ""), ("wrong", wrong, WRONG, "/")):
        counts = np.histogram(values, edges)[0]
        figure.add_bar(
            x=((edges[:-1] + edges[1:]) / 2).tolist(),
            y=[int(count) or None for count in counts],
            name=name,
            marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate=f"about %{{x:.0%}} confident: %{{y:,}} {name}<extra></extra>",
        )
    if threshold:
        figure.add_vline(x=threshold, line={"color": VALIDATION, "width": 2, "dash": "dash"})
    figure.update_xaxes(title="Confidence", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title="Answers (logarithmic)", type="log", dtick=1)
    return laid_out(figure, height, legend=ABOVE, barmode="group", bargap=0.1)


def accuracy_coverage(curve: Selective, chosen: tuple[float, float | None], height: int = 340) -> go.Figure:
    """Accuracy of the answers that are given against the part that is given. chosen: where the threshold of the person lies."""
    figure = go.Figure()
    figure.add_scatter(
        x=curve.coverage.tolist(),
        y=curve.accuracy.tolist(),
        customdata=curve.thresholds.tolist(),
        name="every threshold",
        mode="lines" if len(curve.coverage) > 1 else "markers",
        line={"color": TRAINING, "width": 2.5},
        hovertemplate="answers %{x:.1%}, of which %{y:.2%} right; threshold %{customdata:.1%}<extra></extra>",
    )
    if chosen[1] is not None:
        figure.add_scatter(
            x=[chosen[0]],
            y=[chosen[1]],
            name="this threshold",
            mode="markers",
            marker={"size": 14, "symbol": "diamond", "color": VALIDATION},
            hovertemplate="answers %{x:.1%}, of which %{y:.2%} right<extra></extra>",
        )
    lowest = min(float(curve.accuracy.min()), 0.98)
    figure.update_xaxes(title="Answers (the rest is “I don't know”)", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="Of these, right", tickformat=".1%", range=[lowest - 0.05 * (1 - lowest), 1 + 0.05 * (1 - lowest)])
    return laid_out(figure, height, legend=ABOVE)


def robustness(
    levels: Sequence[float],
    curves: Mapping[str, np.ndarray],
    title: str,
    unit: str,
    falls: Mapping[str, float | None],
    wanted: float = 0.9,
    height: int = 260,
) -> go.Figure:
    """Accuracy of runs against the level of a change. falls: where each falls under what is wanted, None where it never does."""
    figure = go.Figure()
    for number, (name, accuracy) in enumerate(curves.items()):
        colour = PALETTE[number % len(PALETTE)]
        figure.add_scatter(
            x=list(levels),
            y=np.round(accuracy, 4).tolist(),
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            marker={"size": 6},
            hovertemplate="%{x:g}: %{y:.1%}<extra>" + name + "</extra>",
        )
        if falls.get(name) is not None:
            figure.add_scatter(
                x=[falls[name]],
                y=[wanted],
                mode="markers",
                marker={"size": 13, "symbol": "x", "color": colour, "line": {"color": "#ffffff", "width": 1}},
                showlegend=False,
                hovertemplate=f"under {wanted:.0%} from %{{x:.3g}}<extra>{name}</extra>",
            )
    figure.add_hline(y=wanted, line=DIAGONAL)
    figure.update_xaxes(title=unit, zeroline=False)
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", zeroline=False)
    several = len(curves) > 1
    legend = {**ABOVE, "font": {"size": 10}}
    figure = laid_out(
        figure, height + 22 * several * len(curves), title={"text": title, "x": 0}, showlegend=several, legend=legend
    )
    return figure.update_layout(margin={"t": 40 + 22 * several * len(curves)})
