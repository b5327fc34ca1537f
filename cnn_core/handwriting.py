"""The same digits in other hands: slashed zeros, ones with a flag and a foot, crossed sevens, nines with a closed or looped tail.

MNIST was written in the United States and has few of them. A part of the training images is redrawn so: strokes of the pen's own
thickness are added to the real digit, and the result is fitted and centred as every drawing is.
"""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from cnn_core import drawing

TIMES = 6  # the digit is enlarged this much to draw on it
INK = 0.4  # what counts as ink when the digit is measured


class Page:
    """A digit, enlarged, on which a pen of its own thickness draws. Lengths are parts of the digit's height."""

    def __init__(self, pixels: np.ndarray, random: np.random.Generator) -> None:
        side = TIMES * drawing.SIDE
        self.image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
        self.ink = np.asarray(self.image) > 255 * INK
        self.random = random
        rows = np.flatnonzero(self.ink.any(axis=1))
        columns = np.flatnonzero(self.ink.any(axis=0))
        self.top, self.bottom, self.left, self.right = rows[0], rows[-1], columns[0], columns[-1]
        self.height = self.bottom - self.top
        # A strip of width w lies w / 4 from its edge on average.
        self.pen = 4 * ndimage.distance_transform_edt(self.ink)[self.ink].mean() * random.uniform(0.75, 1.15)

    def between(self, low: float, high: float) -> float:
        """A random length."""
        return self.random.uniform(low, high) * self.height

    def stem(self, row: float) -> float:
        """The middle of the ink in a row, in pixels."""
        row = int(np.clip(row, self.top, self.bottom))
        return float(np.flatnonzero(self.ink[row]).mean()) if self.ink[row].any() else (self.left + self.right) / 2

    def stroke(self, *points: tuple[float, float]) -> None:
        """Draw along a Bezier curve with these control points (x, y)."""
        t = np.linspace(0, 1, 24)[:, None]
        curve = [np.array(point, float) + t * 0 for point in points]
        while len(curve) > 1:
            curve = [(1 - t) * one + t * two for one, two in pairwise(curve)]
        draw, radius = ImageDraw.Draw(self.image), self.pen / 2
        for x, y in curve[0]:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    def pixels(self) -> np.ndarray:
        """The drawing, fitted and centred, uint8 (28, 28)."""
        return drawing.normalise(np.asarray(self.image, np.float32) / 255)


def _slashed_zero(page: Page) -> None:
    """A stroke through the zero, mostly from below left to above right, often beyond the zero on either side."""
    over, slant = page.between(-0.1, 0.2), page.between(-0.15, 0.15)
    left, right = page.left - over * 0.7, page.right + over * 0.7
    low, high = page.bottom + over * 0.5 + slant, page.top - over * 0.5 - slant
    if page.random.random() < 0.15:
        low, high = high, low
    page.stroke((left, low), ((left + right) / 2 + page.between(-0.05, 0.05), (low + high) / 2), (right, high))


def _flagged_one(page: Page) -> None:
    """A flag at the top, a foot at the base, or both."""
    which = page.random.choice(["flag", "foot", "both"], p=[0.35, 0.15, 0.5])
    if which != "foot":
        length, angle = page.between(0.18, 0.6), np.radians(page.random.uniform(22, 68))
        x, y = page.stem(page.top + 2), page.top + page.pen / 2
        end = (x - length * np.sin(angle), y + length * np.cos(angle))
        page.stroke((x, y), ((x + end[0]) / 2, (y + end[1]) / 2 - page.between(0, 0.06)), end)
    if which != "flag":
        x, y = page.stem(page.bottom - 2), page.bottom - page.pen / 2
        tilt = page.between(-0.06, 0.06)
        page.stroke((x - page.between(0.1, 0.38), y + tilt), (x + page.between(0.1, 0.38), y - tilt))


def _crossed_seven(page: Page) -> None:
    """A short bar through the stem, and now and then a tick where the seven begins."""
    y = page.top + page.between(0.38, 0.66)
    x, tilt = page.stem(y), page.between(-0.09, 0.09)
    page.stroke((x - page.between(0.14, 0.36), y + tilt), (x + page.between(0.12, 0.36), y - tilt))
    if page.random.random() < 0.3:
        start = page.top + page.pen
        x = page.left + page.pen / 2
        page.stroke((x, start), (x - page.between(-0.03, 0.08), start + page.between(0.1, 0.25)))


def _tailed_nine(page: Page) -> None:
    """A tail that bends to the left: open as in g, closed to a loop against the stem, or a flat base."""
    x, y = page.stem(page.bottom - 2), page.bottom - page.pen / 2
    wide, up = page.between(0.25, 0.6), page.between(0.08, 0.3)
    which = page.random.choice(["open", "closed", "flat"], p=[0.4, 0.35, 0.25])
    if which == "flat":
        page.stroke((x + page.between(0, 0.2), y), (x - wide, y + page.between(-0.05, 0.08)))
    elif which == "open":
        page.stroke((x, y), (x - wide * 0.5, y + page.between(0, 0.2)), (x - wide, y - up * page.random.uniform(0.2, 1)))
    else:
        joint = y - page.between(0.18, 0.38)
        end = (page.stem(joint) if joint > page.top else x, joint)
        below, beside = (x - wide * 0.6, y + page.between(0.05, 0.25)), (x - 1.6 * wide, y - up * 0.7)
        page.stroke((x, y), below, beside, (end[0] - wide * 0.4, joint), end)


HANDS = {0: _slashed_zero, 1: _flagged_one, 7: _crossed_seven, 9: _tailed_nine}


def vary(images: np.ndarray, labels: np.ndarray, part: float, seed: int = 0) -> np.ndarray:
    """Copies of digits, uint8 (n, 28, 28, 1), in which about `part` (0 to 1) of the zeros, ones, sevens and nines are redrawn."""
    random = np.random.default_rng(seed)
    varied = images.copy()
    for row in np.flatnonzero(np.isin(labels, list(HANDS)) & (random.random(len(labels)) < part)):
        page = Page(images[row, ..., 0], random)
        HANDS[int(labels[row])](page)
        varied[row, ..., 0] = page.pixels()
    return varied


def fewer(varied: np.ndarray, images: np.ndarray, one_in: int = 10) -> np.ndarray:
    """Copies of `varied` in which one in so many of the redrawn digits stays so; the others are as in `images`."""
    redrawn = np.flatnonzero((varied != images).any(axis=(1, 2, 3)))[::one_in]
    rest = images.copy()
    rest[redrawn] = varied[redrawn]
    return rest
