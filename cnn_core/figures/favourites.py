"""What each filter likes: an input made for it, and its favourite examples with the part that it sees marked."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cnn_core.figures.base import TRAINING, VALIDATION, laid_out
from cnn_core.figures.painted import painted

TIMES, GAP, LINE = 3, 8, 2  # of an image's pixels; pixels between two and of a frame's line
FRAME = (255, 140, 0, 255)
SERIES = 4  # favourites of a filter of series


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
    """A row for each filter: the series made (filters, points), then its favourites (filters, n, points) with the part that it sees,
    (filters, n, 2, 1) first and last point, marked."""
    columns = 1 + min(SERIES, series.shape[1])
    names = [text for title in titles for text in (title, *[""] * (columns - 1))]
    rows = len(titles)
    figure = make_subplots(rows, columns, subplot_titles=names, horizontal_spacing=0.02, vertical_spacing=0.3 / rows)
    across = list(range(1, series.shape[-1] + 1))
    for row in range(rows):
        for column in range(columns):
            points = made[row] if column == 0 else series[row, column - 1]
            place = {"row": row + 1, "col": column + 1}
            line = {"color": VALIDATION if column == 0 else TRAINING, "width": 1.5}
            figure.add_scatter(
                x=across,
                y=np.round(points, 3),
                mode="lines",
                line=line,
                showlegend=False,
                hovertemplate="point %{x}: %{y}<extra></extra>",
                **place,
            )
            if column:
                first, last = rectangles[row, column - 1, :, 0]
                if first <= last:
                    figure.add_vrect(first + 0.5, last + 1.5, fillcolor=VALIDATION, opacity=0.25, line_width=0, **place)
    figure.update_xaxes(showticklabels=False, zeroline=False)
    figure.update_yaxes(nticks=3, tickfont={"size": 9}, zeroline=False)
    figure.update_annotations(font_size=11, xanchor="left")
    return laid_out(figure, 40 + 105 * rows)
