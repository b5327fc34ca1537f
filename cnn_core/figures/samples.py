"""Time series, small and many."""

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import RIGHT, TRAINING, laid_out

COLUMNS = 5
ROOM = 1.25  # from one curve to the next, in lengths and heights of a curve


def sample_curves(series: np.ndarray, titles: list[str], seen: int) -> go.Figure:
    """Series (n, points) as small curves, five in a row, each under its title; the points behind the first `seen` are dotted.

    One plot for all, in which each curve is moved to its own place: a plot a curve takes ten times as long to draw.
    """
    points = series.shape[1]
    height = float(np.abs(series).max()) * 2 or 1.0
    lines: dict[str, tuple[list, list]] = {"seen": ([], []), "not seen": ([], [])}
    figure = go.Figure()
    for number, (curve, title) in enumerate(zip(series, titles, strict=True)):
        left, base = number % COLUMNS * points * ROOM, -(number // COLUMNS) * height * ROOM
        x, y = (np.arange(points) + left).tolist(), np.round(curve + base, 3).tolist()
        for name, part in (("seen", slice(0, seen)), ("not seen", slice(max(seen - 1, 0), points))):
            lines[name][0].extend([*x[part], None])
            lines[name][1].extend([*y[part], None])
        figure.add_annotation(x=left, y=base + height / 2, text=title, showarrow=False, xanchor="left", yanchor="middle")
    for (name, (x, y)), colour, dash in zip(lines.items(), (TRAINING, RIGHT), ("solid", "dot"), strict=True):
        if name == "seen" or seen < points:
            figure.add_scatter(
                x=x, y=y, name=name, mode="lines", line={"color": colour, "width": 1.5, "dash": dash}, hoverinfo="skip"
            )
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    rows = -(-len(series) // COLUMNS)
    return laid_out(
        figure, 100 * rows + 20, showlegend=seen < points, legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    )
