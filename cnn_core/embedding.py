"""The test part as a network's last hidden layer sees it, drawn on a plane."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from cnn_core.layer_kinds import Dense
from cnn_core.layer_kinds.convolutions import Sliding
from cnn_core.spec import INPUT, RunSpec
from cnn_core.targets import main_head

EXAMPLES = 1500  # of the test part: more hide each other, and t-SNE takes long
NEIGHBOURS = 5  # among which a newcomer is put on a t-SNE map


@dataclass(frozen=True)
class Plane:
    """places: (n, 2) of examples whose features are (n, size). explained: part of the variance that the two axes hold, 0 where
    axes mean nothing."""

    places: np.ndarray
    features: np.ndarray
    explained: float = 0.0


def hidden_layer(spec: RunSpec) -> str | None:
    """The layer whose values the last weights of the main head see; None where they see the input itself or there is no such head.

    >>> from cnn_core.presets import preset
    >>> hidden_layer(preset("tiny").spec)
    'dense_activation_1'
    """
    head = main_head(spec)
    if head is None:
        return None
    layer = spec.model.layer(head.layer)
    while not isinstance(layer, (Sliding, Dense)) and len(layer.inputs) == 1 and layer.inputs[0] != INPUT:
        layer = spec.model.layer(layer.inputs[0])
    source = layer.inputs[0]
    return None if source == INPUT else source


def no_map(spec: RunSpec) -> str:
    """Why `hidden_layer` is None for a spec, in words."""
    if main_head(spec) is None:
        return "This network names no classes, so there is no map of them. Choose one that does."
    return "This network has no hidden layer before its classes, so there is nothing to draw a map of. Choose another network."


def principal(features: np.ndarray) -> tuple[Plane, PCA]:
    """The plane on which features (n, size) spread most, and what puts a newcomer there. One feature alone has no second axis."""
    rows = two(features)
    with np.errstate(invalid="ignore"):  # all alike, they have no variance
        found = PCA(2, random_state=0).fit(rows)
    return Plane(found.transform(rows), features, float(np.nan_to_num(found.explained_variance_ratio_).sum())), found


def project(found: PCA, newcomer: np.ndarray) -> np.ndarray:
    """Where features (size,) lie on the plane of `principal`, (2,)."""
    return found.transform(two(newcomer[np.newaxis]))[0]


def two(features: np.ndarray) -> np.ndarray:
    """Features (n, size), at least two of them."""
    return np.pad(features, ((0, 0), (0, max(0, 2 - features.shape[1]))))


def put(plane: Plane, newcomer: np.ndarray) -> np.ndarray:
    """Where features (size,) belong on a map that has no axes: amid the places of their nearest neighbours, (2,)."""
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(plane.features))).fit(plane.features)
    return plane.places[near.kneighbors(newcomer[np.newaxis], return_distance=False)[0]].mean(axis=0)
