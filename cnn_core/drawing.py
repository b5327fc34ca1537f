"""Any drawn or photographed digit becomes what MNIST looks like.

MNIST was made so (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/): the digit is fitted into 20x20 pixels keeping its
aspect ratio, with anti-aliasing, then moved so that its centre of mass sits at the centre of 28x28. White ink on black.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

from cnn_core.errors import ImageError

SIDE, BOX = 28, 20
MOST_BYTES = 20_000_000  # photos of telephones have 2 to 12 MB
MOST_PIXELS = 25_000_000
WORKING_SIDE = 560  # larger pictures are first shrunk to this
LEAST_CONTRAST = 0.15  # of ink against paper, from 0 to 1
EDGE = 0.25  # ink fainter than this does not count towards the box around the digit
SPECK = 0.02  # a piece with less than this part of the largest piece's ink is dirt


@dataclass(frozen=True)
class Digit:
    """pixels: uint8 (28, 28), 0 black to 255 white ink. empty: nothing was drawn, and pixels are all 0."""

    pixels: np.ndarray
    empty: bool


def read_image(data: bytes) -> Image.Image:
    """Decode an uploaded PNG or JPEG (the first frame of an animated one). Raises ImageError with a sentence."""
    if len(data) > MOST_BYTES:
        raise ImageError(
            f"The file has {len(data) / 1e6:.1f} MB, at most {MOST_BYTES / 1e6:.0f} MB are read. Save it smaller and try again."
        )
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG"])
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise ImageError(
                f"The picture has {width:,} x {height:,} pixels, at most {MOST_PIXELS // 1_000_000} million are read. "
                "Make it smaller and try again."
            )
        image.load()
        return ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise ImageError("This file is not a picture that can be read. Choose a PNG or JPG of one digit.") from None
    except Image.DecompressionBombError:
        raise ImageError(
            f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller and try again."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(f"The picture is damaged ({error}). Save it again as PNG or JPG and try again.") from None


def prepare(picture: Image.Image | np.ndarray) -> Digit:
    """The 28x28 that the network sees, from a picture or an array (height, width[, 3 or 4]) of uint8.

    Ink may be dark on light or light on dark, anywhere and of any size; transparent parts are paper.
    """
    image = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    if max(image.size) > WORKING_SIDE:
        image = image.copy()
        image.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    ink = _clean(_ink(_gray(image)))
    if ink is None:
        return Digit(np.zeros((SIDE, SIDE), np.uint8), True)
    return Digit(_centre(_fit(ink)), False)


def normalise(ink: np.ndarray) -> np.ndarray:
    """Ink on no paper, 0 to 1 of any shape (height, width), fitted and centred: uint8 (28, 28)."""
    return _centre(_fit(_cut(ink)))


def _gray(image: Image.Image) -> np.ndarray:
    """Brightness from 0 to 1; transparent parts get the colour that the ink is not."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        colours = np.asarray(image.convert("RGBA"), np.float32) / 255
        gray, alpha = colours[..., :3] @ np.float32([0.299, 0.587, 0.114]), colours[..., 3]
        paper = 0.0 if alpha.sum() == 0 or (gray * alpha).sum() / alpha.sum() > 0.5 else 1.0
        # A picture without a transparent pixel keeps its own paper.
        return gray * alpha + paper * (1 - alpha)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float32)
        return values / max(values.max(), 1)
    return np.asarray(image.convert("L"), np.float32) / 255


def _ink(gray: np.ndarray) -> np.ndarray:
    """How much each pixel differs from the paper, towards the ink's side. The paper is a plane through the border, which
    follows light that falls from one side."""
    height, width = gray.shape
    y, x = np.mgrid[0:height, 0:width]
    band = max(1, min(height, width) // 25)
    border = np.ones(gray.shape, bool)
    border[band:-band, band:-band] = False
    middle = np.median(gray[border])
    paper = border & (np.abs(gray - middle) < 0.25)  # not the ink that touches the border
    terms = np.stack([np.ones(paper.sum()), x[paper] / width, y[paper] / height], axis=1)
    flat, across, down = np.linalg.lstsq(terms, gray[paper], rcond=None)[0]
    difference = gray - (flat + across * x / width + down * y / height)
    if -difference.min() > difference.max():
        difference = -difference
    noise = 3 * np.median(np.abs(difference[paper])) if paper.any() else 0.0
    return np.clip(difference - noise, 0, None)


def _clean(ink: np.ndarray) -> np.ndarray | None:
    """Ink from 0 to 1, cut to the box around the digit and without specks, or None when there is none."""
    peak = ink.max()
    if peak < LEAST_CONTRAST:
        return None
    ink = np.minimum(ink / peak, 1)
    pieces, count = ndimage.label(ink > EDGE, structure=np.ones((3, 3)))
    weights = ndimage.sum_labels(ink, pieces, np.arange(1, count + 1))
    dirt = np.isin(pieces, 1 + np.flatnonzero(weights < SPECK * weights.max()))
    return _cut(np.where(dirt, 0, ink))


def _cut(ink: np.ndarray) -> np.ndarray:
    """The box around the ink."""
    rows, columns = np.flatnonzero((ink > EDGE).any(axis=1)), np.flatnonzero((ink > EDGE).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fit(ink: np.ndarray) -> np.ndarray:
    """The digit scaled so that its longer side is 20 pixels."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fitted = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    return np.clip(fitted / max(fitted.max(), 1e-6), 0, 1)


def _centre(digit: np.ndarray) -> np.ndarray:
    """The digit on 28x28, moved by whole pixels so that its centre of mass is at pixel (14, 14), and never over the edge.

    Measured: the centre of mass of every one of MNIST's test digits rounds to (14, 14).
    """
    height, width = digit.shape
    down, across = ndimage.center_of_mass(digit)
    top = int(np.clip(round(SIDE / 2 - down), 0, SIDE - height))
    left = int(np.clip(round(SIDE / 2 - across), 0, SIDE - width))
    canvas = np.zeros((SIDE, SIDE), np.float32)
    canvas[top : top + height, left : left + width] = digit
    return np.round(canvas * 255).astype(np.uint8)
