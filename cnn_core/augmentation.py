"""Random changes of images: an affine map, an elastic bend and the thickness of the pen, the same in training and preview.

No TensorFlow here: `transforms` and `bend` work on numpy arrays and on tensors alike, and `preview` draws with scipy. The bend is
that of Simard, Steinkraus and Platt (Best Practices for Convolutional Neural Networks, 2003), with a coarse field instead of a
blurred fine one.
"""

from math import pi

import numpy as np
from scipy import ndimage

from cnn_core import handwriting
from cnn_core.spec import AugmentationSpec

DRAWS = 7  # random numbers that an image needs beside its field
FIELD = 4  # side of the coarse field of an elastic bend
CROSS = ndimage.generate_binary_structure(2, 1)  # a pixel and its four neighbours


def transforms(uniform, cos, sin, spec: AugmentationSpec, side: int) -> list:
    """The six numbers (a, b, c, d, e, f) of each image's map from output to input: x' = a·x + b·y + c, y' = d·x + e·y + f.

    uniform: DRAWS arrays or tensors of shape (n,), drawn evenly from -1 to 1. cos, sin: the functions for their type.
    side: of the image in pixels. The map turns, zooms, shears and stretches about the centre of the image.
    """
    angle = uniform[0] * (spec.rotation * pi / 180)
    scale = 1 / (1 + uniform[1] * spec.zoom)
    shear = uniform[4] * spec.shear
    wide = 1 + uniform[5] * spec.stretch
    across, down = scale / wide, scale * wide
    a, d = across * cos(angle), across * sin(angle)
    b, e = across * shear * cos(angle) - down * sin(angle), across * shear * sin(angle) + down * cos(angle)
    centre = (side - 1) / 2
    shift_x, shift_y = uniform[2] * (spec.shift * side), uniform[3] * (spec.shift * side)
    return [a, b, centre - a * centre - b * centre - shift_x, d, e, centre - d * centre - e * centre - shift_y]


def bend(side: int) -> np.ndarray:
    """The smooth weights (side, FIELD) by which each row or column of pixels follows the points of the coarse field."""
    pixels, points = np.arange(side)[:, None], np.linspace(0, side - 1, FIELD)[None]
    weights = np.exp(-(((pixels - points) / (side / FIELD)) ** 2))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def preview(images: np.ndarray, labels: np.ndarray, spec: AugmentationSpec, seed: int = 0) -> np.ndarray:
    """Augmented copies of `images`, uint8 of shape (n, side, side, 1), whose digits are `labels` (n,)."""
    images = handwriting.vary(images, labels, spec.hands, seed)
    count, side = images.shape[:2]
    random = np.random.default_rng(seed)
    uniform = random.uniform(-1, 1, (DRAWS, count))
    field = random.uniform(-1, 1, (count, 2, FIELD, FIELD)) * (spec.elastic * side)
    moves = bend(side) @ field @ bend(side).T
    y, x = np.mgrid[0:side, 0:side]
    rows = np.stack(transforms(uniform, np.cos, np.sin, spec, side), axis=1)
    augmented = []
    for image, stroke, (a, b, c, d, e, f), (right, down) in zip(images[..., 0], uniform[6], rows, moves, strict=True):
        image = _redrawn(image / 255, stroke * spec.stroke)
        places = [d * x + e * y + f + down, a * x + b * y + c + right]
        augmented.append(ndimage.map_coordinates(image, places, order=1))
    return np.round(np.stack(augmented) * 255).astype(np.uint8)[..., np.newaxis]


def _redrawn(image: np.ndarray, stroke: float) -> np.ndarray:
    """The image with a pen that is thicker by up to a pixel on each side, or thinner, and with the ink as bright as before."""
    other = ndimage.grey_dilation(image, footprint=CROSS) if stroke > 0 else ndimage.grey_erosion(image, footprint=CROSS)
    mixed = image + abs(stroke) * (other - image)
    return mixed * min(4, image.max() / max(mixed.max(), 1e-6))
