"""Accuracy on test images or series that are changed more and more."""

import numpy as np
from scipy import ndimage

from cnn_core import datasets, targets
from cnn_core.errors import LabError
from cnn_core.run import Run
from cnn_core.study import Context, Result

EXAMPLES = 1000  # of the test part; more would be slower and hardly surer
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
UNITS_OF_SERIES = {  # of the changes that there are for series as well
    "shift": "points, either way",
    "smaller": "part of the length",
    "larger": "part of the length",
    "shear": "height at the ends, either way",
    "noise": "standard deviation",
    "blur": "standard deviation, points",
    "contrast": "part of the height lost",
}


def units(run: Run) -> dict[str, str]:
    """The changes that there are for what a run reads, and what the levels of each are."""
    return UNITS_OF_SERIES if datasets.info(run.spec.data.dataset).is_series else UNITS


def study(context: Context) -> Result:
    """{change: accuracy at each of its LEVELS}, and "examples", how many were read. Raises LabError where no head names classes."""
    from cnn_core.inference import TrainedModel

    spec = context.run.spec
    head = targets.main_head(spec)
    if head is None:
        raise LabError("This network names no classes, so there is no accuracy to follow.")
    model, data = TrainedModel(spec, context.weights), datasets.load(spec.data.dataset)
    examples, labels = data.x_test[:EXAMPLES, ..., 0], data.y_test[:EXAMPLES]
    true = targets.values(head.target, spec.data, examples[..., np.newaxis], labels)
    found, change_all = {}, changed_series if data.info.is_series else changed
    steps = sum(len(LEVELS[change]) for change in units(context.run))
    for change in units(context.run):
        reached = []
        for level in LEVELS[change]:
            context.progress((sum(map(len, found.values())) + len(reached)) / steps, f"{change.capitalize()}: {level:g}")
            said = model.probabilities(change_all(examples, change, level)[..., np.newaxis]).argmax(axis=1)
            reached.append((said == true).mean())
        found[change] = np.array(reached)
    return {**found, "examples": np.array(len(examples))}


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


def changed_series(series: np.ndarray, change: str, level: float, seed: int = 0) -> np.ndarray:
    """Series with a change of this level, each in a direction of its own: float32 (n, points) -> the same shape. 0 changes nothing.

    What comes in from beyond an end is as the end is.
    """
    if not level:
        return series
    generator = np.random.default_rng(seed)
    points = np.arange(series.shape[1])
    middle = points[-1] / 2
    sides = generator.choice((-1.0, 1.0), (len(series), 1))
    if change == "noise":
        found = series + level * generator.normal(size=series.shape)
    elif change == "blur":
        found = ndimage.gaussian_filter1d(series, level, axis=1, mode="nearest")
    elif change == "contrast":
        found = (1 - level) * series
    elif change == "shear":
        found = series + sides * level * (points / middle - 1)
    else:
        scale = {"smaller": 1 - level, "larger": 1 + level}.get(change, 1.0)
        places = middle + (points - middle) / scale - (sides * level if change == "shift" else 0 * sides)
        found = np.stack([np.interp(place, points, one) for place, one in zip(places, series, strict=True)])
    return found.astype(np.float32)


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
