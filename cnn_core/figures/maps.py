"""What a layer gives for one example, and its kernels."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnn_core.figures.base import TRAINING, laid_out

MAP_SCALE = "Viridis"
SIGNED_SCALE = "RdBu_r"
MAPS_SHOWN = 16


def maps_grid(values: np.ndarray, mode: str, limits: tuple[float, float], shown: int = MAPS_SHOWN) -> go.Figure:
    """The first `shown` feature maps (height, width, channels) of a layer, each titled. mode: "map" scales each on its own, else all by `limits`."""
    count = min(shown, values.shape[2])
    columns = min(8, count)
    rows = ceil(count / columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[f"{number + 1}" for number in range(count)],
        horizontal_spacing=0.008,
        vertical_spacing=0.16 / rows,
    )
    low, high = limits
    for number in range(count):
        one = values[:, :, number]
        scale = {"zmin": float(one.min()), "zmax": max(float(one.max()), float(one.min()) + 1e-9)}
        figure.add_heatmap(
            z=np.round(one, 4),
            colorscale=MAP_SCALE,
            showscale=mode != "map" and number == 0,
            colorbar={"thickness": 10, "len": 1.0, "tickfont": {"size": 10}},
            hovertemplate=f"map {number + 1}, row %{{y}}, column %{{x}}: %{{z}}<extra></extra>",
            row=number // columns + 1,
            col=number % columns + 1,
            **(scale if mode == "map" else {"zmin": low, "zmax": max(high, low + 1e-9)}),
        )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    for number in range(count):
        axis = "" if number == 0 else str(number + 1)
        figure.layout[f"yaxis{axis}"].update(scaleanchor=f"x{axis}")
    figure.update_annotations(font_size=11)
    return laid_out(figure, 40 + rows * 118)


def kernel_grid(pictures: np.ndarray, shown: int = MAPS_SHOWN) -> go.Figure:
    """Kernels (height, width, filters) as pictures: red raises the output, blue lowers it, one scale around zero for all."""
    limit = float(np.abs(pictures).max()) or 1.0
    figure = maps_grid(pictures, "layer", (-limit, limit), shown)
    return figure.update_traces(colorscale=SIGNED_SCALE, hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>")


def value_bars(values: np.ndarray, classes: Sequence[str] = (), height: int = 170) -> go.Figure:
    """The values of a dense layer, one bar a unit, which is named where it stands for a class."""
    figure = go.Figure(
        go.Bar(
            x=list(classes) or list(range(1, len(values) + 1)),
            y=np.round(values, 4),
            marker_color=TRAINING,
            marker_line_width=0,
            hovertemplate=f"{'class' if classes else 'unit'} %{{x}}: %{{y}}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Class" if classes else "Unit", type="category" if classes else "linear")
    figure.update_yaxes(title="Value")
    return laid_out(figure, height, bargap=0.15)


def curves_grid(
    values: np.ndarray, mode: str, limits: tuple[float, float], shown: int = MAPS_SHOWN, titles: Sequence[str] = ()
) -> go.Figure:
    """The first `shown` feature curves (points, channels) of a layer of a series, each titled.

    mode: "map" scales each on its own, else all by `limits`. titles: of the curves; their numbers unless given.
    """
    count = min(shown, values.shape[1])
    columns = min(4, count)
    rows = ceil(count / columns)
    titles = titles or [f"{number + 1}" for number in range(count)]
    figure = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.03, vertical_spacing=0.24 / rows, shared_xaxes=True
    )
    across = list(range(1, len(values) + 1))
    low, high = limits
    for number in range(count):
        figure.add_scatter(
            x=across,
            y=np.round(values[:, number], 4).tolist(),
            mode="lines+markers" if len(across) <= 12 else "lines",
            line={"color": TRAINING, "width": 1.5},
            marker={"size": 4},
            hovertemplate=f"curve {number + 1}, point %{{x}}: %{{y}}<extra></extra>",
            showlegend=False,
            row=number // columns + 1,
            col=number % columns + 1,
        )
    figure.update_xaxes(showticklabels=False, zeroline=False, fixedrange=True)
    figure.update_yaxes(nticks=3, tickfont={"size": 9}, fixedrange=True)
    if mode != "map":
        room = 0.05 * (high - low or 1.0)
        figure.update_yaxes(range=[low - room, high + room])
    figure.update_annotations(font_size=11)
    return laid_out(figure, 40 + rows * 110)
