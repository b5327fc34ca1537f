"""Explanations against a case computed by hand, finite differences and brute force."""

import numpy as np
import pytest

from cnn_core import explanations
from cnn_core.errors import LabError
from cnn_core.presets import preset
from tests.networks import network, with_weights

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
MEAN = ({"kind": "Conv2D", "name": "conv_1", "filters": 2, "kernel_size": 1}, {"kind": "GlobalAveragePooling2D", "name": "mean"})
SMOOTH = (
    {"kind": "Conv2D", "name": "conv_1", "filters": 3, "kernel_size": 5, "strides": 2},
    {"kind": "Activation", "name": "tanh", "function": "tanh"},
    {"kind": "Flatten", "name": "flat"},
)


def main_head(model):
    return model.spec.model.heads[0]


@pytest.fixture(scope="module")
def smooth(tmp_path_factory):
    """A network without corners in its functions."""
    return with_weights(network(*SMOOTH), tmp_path_factory.mktemp("smooth"))


def test_grad_cam_of_a_case_computed_by_hand(tmp_path):
    """Two 1x1 filters give x and 2x - 1; their means times the weights are the scores. So a map's slope is its weight / 784 at each place."""
    weights = np.zeros((2, 10))
    weights[:, 3], weights[:, 5] = (3.0, -1.0), (-2.0, 1.0)
    layers = {"conv_1": [np.array([1.0, 2.0]).reshape(1, 1, 1, 2), [0.0, -1.0]], "scores": [weights, np.zeros(10)]}
    model, x = with_weights(network(*MEAN), tmp_path, **layers), IMAGE / 255
    for target, by_hand in ((3, 3 * x - (2 * x - 1)), (5, -2 * x + (2 * x - 1))):
        found = explanations.grad_cam(model, IMAGE, main_head(model), target, "conv_1")
        np.testing.assert_allclose(found, np.maximum(0, by_hand) / 784, rtol=1e-4, atol=1e-9)
    assert not found.any()  # -1 everywhere: nothing speaks for 5
    assert explanations.map_layers(model) == ["conv_1"]
    assert explanations.score_layer(model, main_head(model)) == "scores"


def test_grad_cam_of_a_layer_that_the_head_does_not_see(tmp_path):
    layers = (
        {"kind": "Conv2D", "name": "left", "filters": 1, "inputs": ["input"]},
        {"kind": "Conv2D", "name": "right", "filters": 1, "inputs": ["input"]},
        *({"kind": "Flatten", "name": f"flat_{side}", "inputs": [side]} for side in ("left", "right")),
        *({"kind": "Dense", "name": f"scores_{side}", "units": 10, "inputs": [f"flat_{side}"]} for side in ("left", "right")),
        *(
            {"kind": "Activation", "name": f"end_{s}", "function": "softmax", "inputs": [f"scores_{s}"]}
            for s in ("left", "right")
        ),
    )
    heads = tuple({"name": side, "layer": f"end_{side}"} for side in ("left", "right"))
    model = with_weights(network(*layers, heads=heads), tmp_path)
    with pytest.raises(LabError, match="Head left does not depend on layer right"):
        explanations.grad_cam(model, IMAGE, main_head(model), 0, "right")


def test_saliency_agrees_with_finite_differences(smooth):
    fed, head, target = smooth.fed(IMAGE[None]).numpy(), main_head(smooth), 4
    found = explanations.saliency(smooth, IMAGE, head, target)
    assert found.shape == (28, 28) and (found >= 0).all()
    width = 0.01
    for row, column in np.random.default_rng(1).integers(0, 28, (15, 2)):
        step = np.zeros_like(fed)
        step[0, row, column, 0] = width
        above, below = (smooth.tensors(fed + sign * step)["scores"].numpy()[0, target] for sign in (1, -1))
        assert abs(above - below) / (2 * width) == pytest.approx(found[row, column], rel=0.02, abs=1e-4)


def test_occlusion_agrees_with_brute_force(smooth):
    head, target, size = main_head(smooth), 7, 6
    found = explanations.occlusion(smooth, IMAGE, head, target)
    before = smooth.answers(IMAGE[None])["label"][0, target]
    falls = {}
    for top in range(0, 23, 2):
        for left in range(0, 23, 2):
            covered = IMAGE.copy()
            covered[top : top + size, left : left + size] = 0
            falls[top, left] = before - smooth.answers(covered[None])["label"][0, target]
    for row, column in ((0, 0), (5, 9), (14, 14), (27, 27), (3, 22)):
        touching = [fall for (top, left), fall in falls.items() if top <= row < top + size and left <= column < left + size]
        assert found[row, column] == pytest.approx(np.mean(touching), abs=1e-6)


def test_the_two_classes_of_one_sigmoid_are_opposites(tmp_path):
    layers = (*SMOOTH, {"kind": "Dense", "name": "one", "units": 1}, {"kind": "Activation", "name": "end", "function": "sigmoid"})
    head = {"name": "parity", "layer": "end", "target": "parity", "loss": "binary_crossentropy"}
    model = with_weights(network(*layers, heads=(head,)), tmp_path)
    even, odd = (explanations.occlusion(model, IMAGE, main_head(model), target) for target in (0, 1))
    np.testing.assert_allclose(even, -odd, atol=1e-6)
    even, odd = (explanations.saliency(model, IMAGE, main_head(model), target) for target in (0, 1))
    np.testing.assert_allclose(even, odd, rtol=1e-5)


def test_series_are_explained_point_by_point(tmp_path):
    model = with_weights(preset("mnist1d-forecast").spec, tmp_path)
    series = np.random.default_rng(0).normal(size=(40, 1)).astype(np.float32)
    head = main_head(model)
    assert explanations.saliency(model, series, head, 3).shape == (32,)
    assert explanations.occlusion(model, series, head, 3).shape == (32,)
    assert explanations.grad_cam(model, series, head, 3, "conv_2").shape == (16,)
