"""Time series."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnn_core.figures.base import RIGHT, TRAINING, VALIDATION, laid_out


def series(points: np.ndarray, seen: int, forecast: np.ndarray | None = None, height: int = 230) -> go.Figure:
    """A series (points,), of which the network sees the first `seen`, and what it forecasts of the rest."""
    figure = go.Figure()
    _draw(figure, points, seen, forecast)
    figure.update_xaxes(title="Point", zeroline=False)
    figure.update_yaxes(title="Value", zeroline=False)
    return laid_out(figure, height, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}})


def forecasts(points: np.ndarray, seen: int, said: np.ndarray, titles: list[str], columns: int = 4) -> go.Figure:
    """Several series (n, points) beside what the network forecasts of each, (n, points - seen)."""
    columns = min(columns, len(points))
    rows = -(-len(points) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.03, vertical_spacing=0.25 / rows, shared_xaxes=True
    )
    for number, (whole, forecast) in enumerate(zip(points, said, strict=True)):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        _draw(figure, whole, seen, forecast, showlegend=number == 0, **place)
    figure.update_xaxes(showticklabels=False, zeroline=False)
    figure.update_yaxes(nticks=4, tickfont={"size": 9}, zeroline=False)
    figure.update_annotations(font_size=11)
    legend = {"orientation": "h", "x": 0, "y": 1 + 0.28 / rows, "yanchor": "bottom"}
    figure = laid_out(figure, 60 + 150 * rows, legend=legend)
    return figure.update_layout(margin={"t": 60})


def _draw(figure: go.Figure, points: np.ndarray, seen: int, forecast: np.ndarray | None, **place) -> None:
    across = np.arange(1, len(points) + 1)
    lines = [("seen", across[:seen], points[:seen], TRAINING, "solid", "circle")]
    if seen < len(points):
        lines.append(("true", across[seen:], points[seen:], RIGHT, "solid", "circle"))
    if forecast is not None:
        lines.append(("forecast", across[seen:], forecast, VALIDATION, "dot", "diamond"))
    for name, x, y, colour, dash, symbol in lines:
        figure.add_scatter(
            x=x.tolist(),
            y=np.round(y, 4).tolist(),
            name=name,
            legendgroup=name,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 4, "symbol": symbol},
            hovertemplate=f"{name}, point %{{x}}: %{{y}}<extra></extra>",
            **place,
        )
