"""The plane of the last hidden layer, against numpy."""

import numpy as np
import pytest

from cnn_core import embedding
from cnn_core.embedding import Plane
from cnn_core.presets import preset
from tests.networks import network

FEATURES = np.random.default_rng(0).normal(size=(60, 7)) * np.arange(7, 0, -1)


def test_the_plane_is_that_of_the_singular_value_decomposition():
    plane, found = embedding.principal(FEATURES)
    centred = FEATURES - FEATURES.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.places), np.abs(left[:, :2] * lengths[:2]), atol=1e-8)
    assert plane.explained == pytest.approx((lengths[:2] ** 2).sum() / (lengths**2).sum())
    for row in (0, 17):
        np.testing.assert_allclose(embedding.project(found, FEATURES[row]), plane.places[row], atol=1e-8)


def test_one_feature_lies_on_a_line_and_equal_ones_on_a_point():
    plane, found = embedding.principal(FEATURES[:, :1])
    assert plane.places.shape == (60, 2) and np.ptp(plane.places[:, 1]) < 1e-9 and plane.explained == pytest.approx(1)
    assert embedding.project(found, FEATURES[3, :1]).shape == (2,)
    plane, _ = embedding.principal(np.ones((5, 3)))
    assert not plane.places.any() and plane.explained == 0


def test_a_newcomer_is_put_amid_its_neighbours():
    plane = Plane(np.random.default_rng(1).normal(size=(60, 2)), FEATURES)
    newcomer = FEATURES[8] + 0.01
    near = np.argsort(np.linalg.norm(FEATURES - newcomer, axis=1))[: embedding.NEIGHBOURS]
    assert near[0] == 8
    np.testing.assert_allclose(embedding.put(plane, newcomer), plane.places[near].mean(axis=0))
    few = Plane(plane.places[:2], FEATURES[:2])
    np.testing.assert_allclose(embedding.put(few, newcomer), few.places.mean(axis=0))


def test_the_hidden_layer():
    assert embedding.hidden_layer(preset("mnist1d-forecast").spec) == "digit_relu"
    assert embedding.hidden_layer(network({"kind": "Flatten", "name": "flat"})) == "flat"
    assert embedding.hidden_layer(preset("all-convolutional").spec) == "conv_5_relu"
    heads = ({"name": "next", "layer": "next", "target": "forecast", "loss": "mean_squared_error"},)
    layers = ({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "next", "units": 8})
    assert embedding.hidden_layer(network(*layers, heads=heads, data={"dataset": "mnist-1d", "points_seen": 32})) is None
