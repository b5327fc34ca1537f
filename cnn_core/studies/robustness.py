"""Accuracy on test images that are changed more and more."""

import numpy as np
from scipy import ndimage

from cnn_core import datasets, targets
from cnn_core.errors import LabError
from cnn_core.study import Context, Result

IMAGES = 1000  # of the test part; more would be slower and hardly surer
LEVELS = {  # of each change, from none to hardly legible
    "rotation": (0, 10, 20, 30, 40, 50, 60),
    "shift": (0, 1, 2, 3, 4, 5, 6),
    "smaller": (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    "larger": (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
    "shear": (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    "noise": (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
    "blur": (0, 0.5, 1, 1.5, 2, 2.5, 3),
    "contrast": (0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9),
    "thicker": (0, 0.25, 0.5, 0.75, 1, 1.5, 2),
    "thinner": (0, 0.2, 0.4, 0.6, 0.8, 0.9, 1),
}
UNITS = {
    "rotation": "degrees, either way",
    "shift": "pixels, any way",
    "smaller": "part of the size",
    "larger": "part of the size",
    "shear": "slant, either way",
    "noise": "standard deviation, of white",
    "blur": "standard deviation, pixels",
    "contrast": "part of the contrast lost",
    "thicker": "pixels at each edge",
    "thinner": "of a pixel at each edge",
}


def study(context: Context) -> Result:
    """{change: accuracy at each of its LEVELS}, and "images", how many were read. Raises LabError for a network of series."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    if datasets.info(spec.data.dataset).is_series:
        raise LabError("Only networks that read images can be tried on changed images, and this one reads series.")
    head = targets.main_head(spec)
    if head is None:
        raise LabError("This network names no classes, so there is no accuracy to follow.")
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    images, labels = data.x_test[:IMAGES, ..., 0], data.y_test[:IMAGES]
    true = targets.values(head.target, spec.data, images, labels)
    found, steps = {}, sum(map(len, LEVELS.values()))
    for change, levels in LEVELS.items():
        reached = []
        for level in levels:
            context.progress((sum(map(len, found.values())) + len(reached)) / steps, f"{change.capitalize()}: {level:g}")
            reached.append((model.probabilities(changed(images, change, level)).argmax(axis=1) == true).mean())
        found[change] = np.array(reached)
    return {**found, "images": np.array(len(images))}


def changed(images: np.ndarray, change: str, level: float, seed: int = 0) -> np.ndarray:
    """Images with a change of this level, each in a direction of its own: uint8 (n, 28, 28) -> the same shape. 0 changes nothing."""
    if not level:
        return images
    generator = np.random.default_rng(seed)
    sides = generator.choice((-1.0, 1.0), len(images))
    pictures = images.astype(np.float32)
    if change == "noise":
        found = pictures + 255 * level * generator.normal(size=images.shape)
    elif change == "blur":
        found = ndimage.gaussian_filter(pictures, (0, level, level))
    elif change == "contrast":
        found = 127.5 + (1 - level) * (pictures - 127.5)
    elif change in ("thicker", "thinner"):
        found = _pen(pictures, change, level)
    else:
        angles = generator.uniform(0, 2 * np.pi, len(images))
        found = np.stack(
            [_moved(one, change, level, side, angle) for one, side, angle in zip(pictures, sides, angles, strict=True)]
        )
    return np.clip(np.round(found), 0, 255).astype(np.uint8)


def falls_under(levels: np.ndarray, accuracy: np.ndarray, wanted: float = 0.9) -> float | None:
    """The level at which an accuracy, linear between the levels, falls under what is wanted for the first time; None where it never does.

    >>> round(falls_under(np.array([0, 10, 20]), np.array([1.0, 0.95, 0.75])), 6)
    12.5
    """
    under = np.flatnonzero(np.asarray(accuracy) < wanted)
    if not len(under):
        return None
    end = int(under[0])
    if end == 0:
        return float(levels[0])
    return float(np.interp(wanted, accuracy[end - 1 : end + 1][::-1], levels[end - 1 : end + 1][::-1]))


def _pen(pictures: np.ndarray, change: str, level: float) -> np.ndarray:
    """Strokes thicker or thinner by `level` pixels at each edge: whole pixels by the neighbours, the rest by mixing."""
    cross = ndimage.generate_binary_structure(2, 1)[np.newaxis]
    grown = ndimage.grey_dilation if change == "thicker" else ndimage.grey_erosion
    while level > 0:
        part = min(1.0, level)
        pictures = (1 - part) * pictures + part * grown(pictures, footprint=cross)
        level -= part
    return pictures


def _moved(image: np.ndarray, change: str, level: float, side: float, angle: float) -> np.ndarray:
    """One image turned, moved, scaled or slanted about its centre."""
    matrix, offset, middle = np.eye(2), np.zeros(2), (np.array(image.shape) - 1) / 2
    if change == "rotation":
        turn = np.deg2rad(side * level)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    elif change == "shift":
        offset = level * np.array([np.sin(angle), np.cos(angle)])
    elif change in ("smaller", "larger"):
        matrix = np.eye(2) / (1 - level if change == "smaller" else 1 + level)
    elif change == "shear":
        matrix = np.array([[1.0, 0.0], [side * level, 1.0]])
    return ndimage.affine_transform(image, matrix, middle - matrix @ middle - offset, order=1)
