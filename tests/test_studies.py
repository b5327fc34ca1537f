"""What the kinds of study find, against brute force."""

from dataclasses import replace

import numpy as np
import pytest

from cnn_core import datasets, switching
from cnn_core.errors import LabError
from cnn_core.inference import TrainedModel
from cnn_core.model import build_model
from cnn_core.presets import preset
from cnn_core.studies import favourites, importance
from cnn_core.studies import map as tsne
from cnn_core.study import Context
from tests.networks import finished_run, network, with_weights


@pytest.fixture
def said():
    """What a study says of its progress."""
    return []


def few(monkeypatch, count):
    """Let the test part have no more examples than so many."""
    whole = datasets.load
    shortened = lambda data: replace(data, x_test=data.x_test[:count], y_test=data.y_test[:count])  # noqa: E731
    monkeypatch.setattr(datasets, "load", lambda name: shortened(whole(name)))


def context(lab, run, said, weights=None):
    return Context(lab.store.get(run), weights or lab.weights(run), {}, lambda part, words: said.append((part, words)))


def is_progress(said):
    parts = [part for part, _ in said]
    return parts == sorted(parts) and parts[0] >= 0 and parts[-1] <= 1 and all(words for _, words in said)


def test_importance_is_what_is_lost_with_weights_of_zero(trained, said, monkeypatch, tmp_path):
    monkeypatch.setattr(switching, "EXAMPLES", 100)
    found = importance.study(context(trained.lab, trained.run, said))
    assert {name: values.shape for name, values in found.items()} == {
        "conv_1/lost": (8,),
        "dense_1/lost": (64,),
        "accuracy": (),
        "examples": (),
    }
    assert is_progress(said) and len(said) == 72 and found["examples"] == 100
    data, model = datasets.load("mnist-5k"), TrainedModel(trained.spec, trained.lab.weights(trained.run))
    right = lambda: (model.probabilities(data.x_test[:100]).argmax(axis=1) == data.y_test[:100]).mean()  # noqa: E731
    assert found["accuracy"] == pytest.approx(right())
    for layer, number in (
        ("conv_1", int(found["conv_1/lost"].argmax())),
        ("dense_1", int(found["dense_1/lost"].argmax())),
        ("conv_1", 0),
    ):
        before = model.model.get_layer(layer).get_weights()
        kernel, bias = (values.copy() for values in before)
        kernel[..., number], bias[number] = 0, 0  # ReLU of 0 is 0
        model.model.get_layer(layer).set_weights([kernel, bias])
        assert found["accuracy"] - found[f"{layer}/lost"][number] == pytest.approx(right())
        model.model.get_layer(layer).set_weights(before)


def test_favourites_are_those_of_brute_force_and_a_dead_filter_has_none(trained, said, monkeypatch, tmp_path):
    few(monkeypatch, 40)
    monkeypatch.setattr(favourites, "BATCH", 16)
    monkeypatch.setattr(favourites, "TOGETHER", 5)
    built = build_model(trained.spec)
    built.load_weights(trained.lab.weights(trained.run))
    kernel, bias = built.get_layer("conv_1").get_weights()
    bias[2] = -100
    built.get_layer("conv_1").set_weights([kernel, bias])
    built.save_weights(tmp_path / "model.weights.h5")
    found = favourites.study(context(trained.lab, trained.run, said, tmp_path / "model.weights.h5"))
    assert is_progress(said) and found["examples"] == 40
    model, data = TrainedModel(trained.spec, tmp_path / "model.weights.h5"), datasets.load("mnist-5k")
    maps = np.stack([model.activations(data.x_test[number, ..., 0])["activation_1"] for number in range(40)])
    for number in range(8):
        peaks = maps[..., number].max(axis=(1, 2))
        np.testing.assert_allclose(found["conv_1/values"][number], np.sort(peaks)[::-1][: favourites.KEPT], rtol=1e-5)
        for example, place, value in zip(
            found["conv_1/best"][number], found["conv_1/places"][number], found["conv_1/values"][number], strict=True
        ):
            assert maps[(example, *place, number)] == pytest.approx(value, rel=1e-5)
        assert found["conv_1/active"][number] == pytest.approx((peaks > 0).mean())
    assert found["conv_1/active"][2] == 0 and found["conv_1/active"].max() > 0

    made = found["conv_1/made"]
    assert made.shape == (8, 28, 28) and made.min() >= 0 and made.max() <= 1
    middles = lambda image: model.activations(image)["conv_1"][14, 14]  # noqa: E731
    images = np.array([middles(data.x_test[row, ..., 0]) for row in range(20)])
    for number in range(8):
        assert middles(np.round(255 * made[number]).astype(np.uint8))[number] > images[:, number].max()


def test_a_filter_below_zero_is_active_where_nothing_cuts_it_off(lab, said, monkeypatch):
    few(monkeypatch, 10)
    monkeypatch.setattr(favourites, "STEPS", 1)
    layers = (
        {"kind": "Conv2D", "name": "conv_1", "filters": 1, "kernel_size": 1},
        {"kind": "Activation", "name": "tanh", "function": "tanh"},
        {"kind": "GlobalAveragePooling2D", "name": "mean"},
    )
    run = finished_run(lab, network(*layers))
    with_weights(network(*layers), lab.store.folder(run), conv_1=[np.full((1, 1, 1, 1), -1), [-1]])
    assert favourites.study(context(lab, run, said))["conv_1/active"].tolist() == [1.0]


def test_favourites_of_series(lab, said, monkeypatch):
    few(monkeypatch, 20)
    monkeypatch.setattr(favourites, "STEPS", 2)
    run = finished_run(lab, preset("mnist1d-forecast").spec)
    found = favourites.study(context(lab, run, said))
    assert found["conv_2/made"].shape == (64, 32) and found["conv_2/places"].shape == (64, favourites.KEPT, 1)


def test_a_small_t_sne(trained, said, monkeypatch):
    monkeypatch.setattr(tsne, "EXAMPLES", 60)
    monkeypatch.setattr(tsne, "ITERATIONS", 300)
    found = tsne.study(context(trained.lab, trained.run, said))
    assert found["places"].shape == (60, 2) and np.isfinite(found["places"]).all() and found["features"].shape == (60, 64)
    assert is_progress(said) and any("round 300 of 300" in words for _, words in said)
    true = datasets.load("mnist-5k").y_test[:60]
    gaps = np.linalg.norm(found["places"][:, None] - found["places"], axis=-1)
    same = true[:, None] == true
    assert gaps[same].mean() < gaps[~same].mean()


@pytest.mark.parametrize("value", [0.0, np.float32(3e38)])
def test_a_layer_that_gives_nothing_has_no_t_sne(lab, said, monkeypatch, value):
    few(monkeypatch, 40)
    layers = ({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "hidden", "units": 4})
    run = finished_run(lab, network(*layers))
    with_weights(network(*layers), lab.store.folder(run), hidden=[np.full((784, 4), value), np.zeros(4)])
    with pytest.raises(LabError, match="hidden gives the same for every test example, or no finite numbers"):
        tsne.study(context(lab, run, said))


def test_a_layer_of_one_unit_has_a_t_sne(lab, said, monkeypatch):
    few(monkeypatch, 40)
    monkeypatch.setattr(tsne, "ITERATIONS", 300)
    run = finished_run(lab, network({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "hidden", "units": 1}))
    assert tsne.study(context(lab, run, said))["places"].shape == (40, 2)


def test_networks_that_name_no_classes(lab, said):
    layers = ({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "next", "units": 8})
    heads = ({"name": "next", "layer": "next", "target": "forecast", "loss": "mean_squared_error"},)
    run = finished_run(lab, network(*layers, heads=heads, data={"dataset": "mnist-1d", "points_seen": 32}))
    for kind in (importance, tsne):
        with pytest.raises(LabError, match="names no classes"):
            kind.study(context(lab, run, said))
    assert set(favourites.study(context(lab, run, said))) == {"examples"}
