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
    """Confusion matrix: true class down, answer across, counts in the cells, the colour by the part of the true class."""
    parts = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=parts,
            x=list(labels),
            y=list(labels),
            text=matrix,
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={"tickformat": ".0%", "thickness": 12, "title": {"text": "of class"}},
            hovertemplate="true %{y}, read as %{x}: %{text} images (%{z:.1%})<extra></extra>",
        )
    )
    figure.update_xaxes(title="Answer", type="category", constrain="domain")
    figure.update_yaxes(title="True class", type="category", autorange="reversed")
    return laid_out(figure, height)


def class_bars(accuracy: np.ndarray, labels: Sequence[str], height: int = 460) -> go.Figure:
    """Accuracy of each class."""
    figure = go.Figure(
        go.Bar(
            x=accuracy,
            y=list(labels),
            orientation="h",
            marker_color=TRAINING,
            text=[f"{value:.1%}" for value in accuracy],
            textposition="inside",
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Read right", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="True class", autorange="reversed", type="category")
    return laid_out(figure, height)
