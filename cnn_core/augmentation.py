"""Random rotation, shift and zoom of images: one affine map an image, the same in training (TensorFlow) and preview (Pillow).

No TensorFlow here: `transforms` works on numpy arrays and on tensors alike, and `preview` draws with Pillow.
"""

from math import pi

import numpy as np
from PIL import Image

from cnn_core.spec import AugmentationSpec


def transforms(uniform, cos, sin, spec: AugmentationSpec, side: int) -> list:
    """The six numbers (a, b, c, d, e, f) of each image's map from output to input: x' = a·x + b·y + c, y' = d·x + e·y + f.

    uniform: four arrays or tensors of shape (n,), drawn evenly from -1 to 1. cos, sin: the functions for their type.
    side: of the image in pixels. The map turns and zooms about the centre of the image.
    """
    angle = uniform[0] * (spec.rotation * pi / 180)
    scale = 1 / (1 + uniform[1] * spec.zoom)
    a, b = cos(angle) * scale, -sin(angle) * scale
    centre = (side - 1) / 2
    shift_x, shift_y = uniform[2] * (spec.shift * side), uniform[3] * (spec.shift * side)
    return [a, b, centre - a * centre - b * centre - shift_x, -b, a, centre + b * centre - a * centre - shift_y]


def preview(images: np.ndarray, spec: AugmentationSpec, seed: int = 0) -> np.ndarray:
    """Augmented copies of `images`, uint8 of shape (n, side, side, 1)."""
    side = images.shape[1]
    uniform = np.random.default_rng(seed).uniform(-1, 1, (4, len(images)))
    rows = np.stack(transforms(uniform, np.cos, np.sin, spec, side), axis=1)
    augmented = []
    for image, (a, b, c, d, e, f) in zip(images[..., 0], rows, strict=True):
        # Pillow counts from the corner of a pixel, the map above from its centre.
        corner = (a, b, c + 0.5 - 0.5 * (a + b), d, e, f + 0.5 - 0.5 * (d + e))
        augmented.append(
            Image.fromarray(image).transform((side, side), Image.Transform.AFFINE, corner, Image.Resampling.BILINEAR)
        )
    return np.stack([np.asarray(image) for image in augmented])[..., np.newaxis]
