"""Maps, curves, values and kernels as pictures of pixels: a whole network's at once, many times faster than figures.

A picture is uint8 (height, width, 4): red, green, blue and how opaque it is. Gaps between maps let the page show through.
"""

from functools import cache

import numpy as np
from plotly import colors

from cnn_core.figures.maps import MAP_SCALE, SIGNED_SCALE

SHADES = 256
TILE, GAP = 44, 3  # sides of a map and of what is left between two, about, in pixels
SHOWN = 12  # maps in a strip
UNITS = 128  # values in a strip
HUGE = 1e30  # what is further from 0, or infinite, is painted like this
WIDE, LINE = 528, 5  # pixels of a strip of curves, and of each line in it


def painted(values: np.ndarray, limits: tuple[float, float], scale: str = MAP_SCALE) -> np.ndarray:
    """Values (...) in colours (..., 4), of which the ends of the scale stand for the limits.

    >>> painted(np.array([[0.0, 1.0]]), (0.0, 1.0)).tolist()
    [[[68, 1, 84, 255], [253, 231, 37, 255]]]
    """
    low, high = np.clip(np.nan_to_num(limits), -HUGE, HUGE)
    parts = (np.clip(np.nan_to_num(values.astype(np.float64)), -HUGE, HUGE) - low) / max(high - low, 1e-9)
    return _shades(scale)[(np.clip(parts, 0, 1) * (SHADES - 1)).round().astype(int)]


def strip(values: np.ndarray, limits: tuple[float, float] | None = None, shown: int = SHOWN, tile: int = TILE) -> np.ndarray:
    """What a layer gives for one example, as one picture: its first `shown` maps (height, width, channels) side by side, its curves
    (points, channels) as lines of colour one below the other, or its values (units,) in a row.

    limits: of the colours; None scales each map or curve on its own.
    """
    if values.ndim == 3:
        return row([painted(one, limits or _reach(one)) for one in np.moveaxis(values[..., :shown], -1, 0)], tile)
    if values.ndim == 2:
        lines = [painted(line[np.newaxis], limits or _reach(line)) for line in values.T[:shown]]
        return _larger(np.concatenate(lines), LINE, max(1, WIDE // len(values)))
    return _larger(painted(values[np.newaxis, :UNITS], limits or _reach(values)), TILE // 2, max(3, min(12, WIDE // len(values))))


def kernel_strip(pictures: np.ndarray, limit: float, shown: int = SHOWN, tile: int = TILE) -> np.ndarray:
    """Kernels (height, width, filters) side by side: red raises the output, blue lowers it, `limit` is the end of both."""
    return row([painted(one, (-limit, limit), SIGNED_SCALE) for one in np.moveaxis(pictures[..., :shown], -1, 0)], tile)


def row(images: list[np.ndarray], tile: int = TILE) -> np.ndarray:
    """Pictures of the same size side by side, each pixel as a square, about `tile` pixels high each."""
    times = max(1, round(tile / max(images[0].shape[:2])))
    larger = [np.pad(_larger(image, times, times), ((0, 0), (0, GAP), (0, 0))) for image in images]
    return np.concatenate(larger, axis=1)[:, :-GAP]


def _larger(image: np.ndarray, down: int, across: int) -> np.ndarray:
    return image.repeat(down, axis=0).repeat(across, axis=1)


def _reach(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


@cache
def _shades(scale: str) -> np.ndarray:
    """The colours of a scale of Plotly's: (SHADES, 4)."""
    found = colors.sample_colorscale(scale, SHADES, colortype="tuple")
    return np.column_stack([np.round(np.array(found) * 255), np.full(SHADES, 255)]).astype(np.uint8)
