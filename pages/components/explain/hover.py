"""The example under the pointer, on a chart of many."""

from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from pages.components import pixels

FOLDER = Path(__file__).parent
COLUMNS = 40
SERIES = (80, 40)  # width and height of a small curve, in pixels

_hover = st.components.v2.component(
    "cnn_lab_hover",
    html='<div class="under-the-pointer" hidden><div></div></div>',
    css=(FOLDER / "hover.css").read_text(encoding="utf-8"),
    js=(FOLDER / "hover.js").read_text(encoding="utf-8"),
)


def under_the_pointer(chart: str, of: str, examples: np.ndarray) -> None:
    """Show the example of the point under the pointer beside it.

    chart: the key of a Plotly chart whose points have the number of their example first in their customdata. of: the name of the
    examples, which are images, uint8 (n, 28, 28, 1), or series, (n, points, 1).
    """
    sheet, sides = _sheet(of, examples)
    data = {"chart": chart, "picture": sheet, "columns": COLUMNS, "sides": sides, "times": 3 if sides[0] == sides[1] else 2}
    _hover(data=data, key=f"{chart}_hover")


@st.cache_data(show_spinner=False, max_entries=4)
def _sheet(of: str, _examples: np.ndarray) -> tuple[str, tuple[int, int]]:
    """All examples as one picture, COLUMNS in a row, as an address; and the width and height of each."""
    tiles = _examples[..., 0] if _examples.ndim == 4 else np.stack([_curve(series[:, 0]) for series in _examples])
    rows = -(-len(tiles) // COLUMNS)
    tiles = np.concatenate([tiles, np.zeros((rows * COLUMNS - len(tiles), *tiles.shape[1:]), np.uint8)])
    high, wide = tiles.shape[1:]
    sheet = tiles.reshape(rows, COLUMNS, high, wide).swapaxes(1, 2).reshape(rows * high, COLUMNS * wide)
    return pixels.address(sheet), (wide, high)


def _curve(values: np.ndarray) -> np.ndarray:
    """A small picture of a series, white on black."""
    picture = Image.new("L", SERIES)
    wide, high = SERIES
    across = np.linspace(1, wide - 2, len(values))
    down = (high - 3) * (1 - (values - values.min()) / max(float(np.ptp(values)), 1e-9)) + 1
    ImageDraw.Draw(picture).line(list(zip(across.tolist(), down.tolist(), strict=True)), fill=255)
    return np.asarray(picture)
