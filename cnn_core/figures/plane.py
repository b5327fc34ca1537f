"""The test part on a plane."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnn_core.figures.base import PALETTE, WRONG, laid_out

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon", "hexagram", "x", "hourglass")


def plane(
    places: np.ndarray,
    true: np.ndarray,
    said: np.ndarray,
    labels: Sequence[str],
    star: np.ndarray | None = None,
    axes: tuple[str, str] | None = None,
    height: int = 560,
) -> go.Figure:
    """Places (n, 2) of examples of the classes `true` (n,), read as `said` (n,): a colour and a symbol for each class, a ring around each
    mistake, and a star at the place of a newcomer. axes: their titles, None where they mean nothing. The customdata of a point begin
    with the number of its example."""
    figure = go.Figure()
    for number, label in enumerate(labels):
        of_class = np.flatnonzero(true == number)
        figure.add_scattergl(
            name=label,
            customdata=[[int(index), label, labels[said[index]]] for index in of_class],
            marker={
                "color": PALETTE[number % len(PALETTE)],
                "symbol": SYMBOLS[number % len(SYMBOLS)],
                "size": 7,
                "opacity": 0.75,
            },
            **_points(places[of_class]),
        )
    wrong = np.flatnonzero(true != said)
    figure.add_scattergl(
        name="mistakes",
        customdata=[[int(index), labels[true[index]], labels[said[index]]] for index in wrong],
        marker={"color": WRONG, "symbol": "circle-open", "size": 13, "line": {"width": 1.5}},
        **_points(places[wrong]),
    )
    if star is not None:
        figure.add_scatter(
            name="the input",
            x=[float(star[0])],
            y=[float(star[1])],
            mode="markers",
            marker={"color": "#ffd21f", "symbol": "star", "size": 22, "line": {"color": "#000000", "width": 1.5}},
            hovertemplate="the input<extra></extra>",
            unselected={"marker": {"opacity": 1}},
        )
    for update, title in ((figure.update_xaxes, 0), (figure.update_yaxes, 1)):
        update(title=axes[title] if axes else None, showticklabels=axes is not None, showgrid=axes is not None, zeroline=False)
    legend = {"itemsizing": "constant", "font": {"size": 11}}
    return laid_out(figure, height, legend=legend, dragmode="pan", clickmode="event+select")


def _points(places: np.ndarray) -> dict:
    words = "test example %{customdata[0]}: %{customdata[1]}, read as %{customdata[2]}<extra></extra>"
    return {
        "x": np.round(places[:, 0], 3),
        "y": np.round(places[:, 1], 3),
        "mode": "markers",
        "hovertemplate": words,
        "selected": {"marker": {"size": 16, "opacity": 1}},
        "unselected": {"marker": {"opacity": 0.6}},  # by itself Plotly makes the others nearly invisible
    }
