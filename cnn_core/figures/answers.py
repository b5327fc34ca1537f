"""What a network answers, and how often it is right."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import TRAINING, VALIDATION, laid_out


def probability_bars(probabilities: np.ndarray, labels: Sequence[str], height: int = 300) -> go.Figure:
    """A bar for each class, the answer in another colour."""
    best = int(np.argmax(probabilities))
    colours = [VALIDATION if number == best else TRAINING for number in range(len(labels))]
    figure = go.Figure(
        go.Bar(
            x=probabilities,
            y=list(labels),
            orientation="h",
            marker_color=colours,
            text=[f"{value:.1%}" for value in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Probability", range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(autorange="reversed", type="category")
    return laid_out(figure, height)


def confusion(matrix: np.ndarray, labels: Sequence[str], height: int = 460) -> go.Figure:
    """Confusion matrix: true class down, answer across, counts in the cells, the colour by the part of the true class.

    A cell without examples is empty. The colours let the page through, so that the theme's own letters can be read on all of them.
    """
    parts = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=np.where(matrix, parts, np.nan),
            x=list(labels),
            y=list(labels),
            text=matrix,
            colorscale=[[0, "rgba(47, 143, 203, 0.12)"], [1, "rgba(47, 143, 203, 0.75)"]],
            zmin=0,
            zmax=1,
            xgap=1,
            ygap=1,
            colorbar={"tickformat": ".0%", "thickness": 12, "title": {"text": "of class"}},
            hovertemplate="true %{y}, read as %{x}: %{text} (%{z:.1%})<extra></extra>",
        )
    )
    size = 12 if matrix.max(initial=0) < 1000 else 10  # four letters have to fit a cell on a phone
    figure.update_layout(
        annotations=[
            {"x": int(answer), "y": int(true), "text": f"{matrix[true, answer]}", "showarrow": False, "font": {"size": size}}
            for true, answer in np.argwhere(matrix)
        ]
    )
    figure.update_xaxes(title="Answer", type="category", constrain="domain", showgrid=False, zeroline=False)
    figure.update_yaxes(title="True class", type="category", autorange="reversed", showgrid=False, zeroline=False)
    return laid_out(figure, height)
