"""What each filter likes: an input made for it, and its favourite examples with the part that it sees marked."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnn_core.figures.base import TRAINING, VALIDATION, laid_out
from cnn_core.figures.painted import painted

TIMES, GAP, LINE = 3, 8, 2  # of an image's pixels; pixels between two and of a frame's line
FRAME = (255, 140, 0, 255)
SERIES, SPACE = 4, 6  # favourites of a filter of series, and points between two
SEEN = "rgba(224,123,31,0.3)"


def favourites_row(made: np.ndarray, images: np.ndarray, rectangles: np.ndarray) -> np.ndarray:
    """One picture, uint8 (height, width, 4): the input made, from 0 to 1, then images (n, height, width), each with a frame around its
    rectangle, (n, 2, 2) first and last row and column."""
    drawn = [_enlarged(made * 255.0)]
    for image, rectangle in zip(images, rectangles, strict=True):
        picture = _enlarged(image)
        (top, left), (bottom, right) = np.clip(rectangle, 0, np.array(image.shape) - 1) * TIMES
        framed = picture[top : bottom + TIMES, left : right + TIMES]
        inner = framed[LINE:-LINE, LINE:-LINE].copy()
        framed[:] = FRAME
        framed[LINE:-LINE, LINE:-LINE] = inner
        drawn.append(picture)
    return np.concatenate([np.pad(picture, ((0, 0), (0, GAP), (0, 0))) for picture in drawn], axis=1)[:, :-GAP]


def _enlarged(image: np.ndarray) -> np.ndarray:
    return painted(image, (0, 255), "Greys_r").repeat(TIMES, axis=0).repeat(TIMES, axis=1)


def favourites_series(made: np.ndarray, series: np.ndarray, rectangles: np.ndarray, titles: Sequence[str]) -> go.Figure:
    """A row for each filter, all in one frame: the series made (filters, points), then its favourites (filters, n, points) with the part
    that it sees, (filters, n, 2, 1) first and last point, marked."""
    rows, points = len(titles), made.shape[1]
    figure = make_subplots(rows, 1, subplot_titles=titles, vertical_spacing=0.3 / rows)
    across, apart = np.arange(1, points + 1), points + SPACE
    for row in range(rows):
        shown = [made[row], *series[row, :SERIES]]
        low, high = min(map(np.min, shown)), max(map(np.max, shown))
        marks = [mark for mark in enumerate(rectangles[row, :SERIES, :, 0], 1) if mark[1][0] <= mark[1][1]]
        sides = [(number * apart + first + 0.5, number * apart + last + 1.5) for number, (first, last) in marks]
        figure.add_scatter(
            x=[place for left, right in sides for place in (left, left, right, right, None)],
            y=[low, high, high, low, None] * len(sides),
            mode="none",
            fill="toself",
            fillcolor=SEEN,
            hoverinfo="skip",
            row=row + 1,
            col=1,
        )
        for number, one in enumerate(shown):
            figure.add_scatter(
                x=across + number * apart,
                y=np.round(one, 3),
                customdata=across,
                mode="lines",
                line={"color": TRAINING if number else VALIDATION, "width": 1.5},
                hovertemplate="point %{customdata}: %{y}<extra></extra>",
                row=row + 1,
                col=1,
            )
    figure.update_xaxes(showticklabels=False, zeroline=False, showgrid=False)
    figure.update_yaxes(nticks=3, tickfont={"size": 9}, zeroline=False)
    figure.update_annotations(font_size=11, x=0, xanchor="left")
    return laid_out(figure, 40 + 105 * rows, showlegend=False)
