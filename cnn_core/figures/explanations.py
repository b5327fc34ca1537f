"""What speaks for an answer, drawn over the input."""

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import laid_out

FOR = [[0, "rgba(240,130,0,0)"], [0.5, "rgba(240,130,0,0.55)"], [1, "rgba(255,170,30,0.95)"]]
FOR_AND_AGAINST = [
    [0, "rgba(70,150,255,0.95)"],
    [0.4, "rgba(70,150,255,0.25)"],
    [0.5, "rgba(128,128,128,0)"],
    [0.6, "rgba(255,80,60,0.25)"],
    [1, "rgba(255,80,60,0.95)"],
]


def over_image(image: np.ndarray, heat: np.ndarray, signed: bool = False, height: int = 300) -> go.Figure:
    """A map (height, width) of any size stretched over an image (height, width). signed: values below 0 mean something, in blue."""
    figure = go.Figure(go.Heatmap(z=image, colorscale="Gray", showscale=False, hoverinfo="skip"))
    spans = [image.shape[axis] / heat.shape[axis] for axis in (0, 1)]
    figure.add_heatmap(
        z=heat,
        x0=(spans[1] - 1) / 2,
        dx=spans[1],
        y0=(spans[0] - 1) / 2,
        dy=spans[0],
        hovertemplate="%{z:.3g}<extra></extra>",
        **_scale(heat, signed),
    )
    sides = [[-0.5, side - 0.5] for side in image.shape]
    figure.update_xaxes(visible=False, constrain="domain", range=sides[1])
    figure.update_yaxes(visible=False, constrain="domain", range=sides[0][::-1], scaleanchor="x")
    return laid_out(figure, height).update_layout(margin={"t": 8})


def over_series(points: np.ndarray, heat: np.ndarray, signed: bool = False, height: int = 300) -> go.Figure:
    """Values (m,) as a coloured ground behind a series (points,) of which they cover the part that the network sees, evenly."""
    room = 0.08 * (float(np.ptp(points)) or 1.0)
    low, high = float(points.min()) - room, float(points.max()) + room
    edges = 0.5 + np.arange(len(heat) + 1) * len(points) / len(heat)
    figure = go.Figure(
        go.Heatmap(
            z=[heat],
            x=edges,
            y=[low, high],
            hovertemplate="about point %{x:.0f}: %{z:.3g}<extra></extra>",
            **_scale(heat, signed),
        )
    )
    for colour, width in (("#000000", 5), ("#ffffff", 2)):  # a line that is seen on every ground
        figure.add_scatter(
            x=np.arange(1, len(points) + 1),
            y=np.round(points, 4),
            mode="lines",
            line={"color": colour, "width": width},
            showlegend=False,
            hovertemplate="point %{x}: %{y}<extra></extra>",
        )
    figure.update_xaxes(title="Point", range=[0.5, len(points) + 0.5], zeroline=False, showgrid=False)
    figure.update_yaxes(title="Value", range=[low, high], zeroline=False, showgrid=False)
    return laid_out(figure, height).update_layout(margin={"t": 8})


def _scale(heat: np.ndarray, signed: bool) -> dict:
    limit = float(np.abs(heat).max()) or 1.0
    return {
        "colorscale": FOR_AND_AGAINST if signed else FOR,
        "zmin": -limit if signed else 0.0,
        "zmax": limit,
        "colorbar": {"thickness": 8, "tickfont": {"size": 10}, "nticks": 5, "exponentformat": "power"},
    }
