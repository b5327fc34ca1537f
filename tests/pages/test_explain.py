"""Why, as a person uses it, without a browser."""

import numpy as np

from cnn_core import datasets
from cnn_core.inference import TrainedModel
from cnn_core.presets import preset
from tests.networks import finished_run, network
from tests.pages.opened import charts, find, healthy, opened, said

THREE = {"why_grad-cam", "why_saliency", "why_occlusion"}


def test_three_ways_for_the_answer_and_any_other_class(page_lab, trained):
    app = opened("explain", trained.run, route="test")
    assert charts(app) == THREE and said(app).count("Where it misleads") == 3
    classes = app.selectbox(key=f"why_class_{trained.run}_label")
    assert classes.value is None and classes.options[0].startswith("its answer: ") and len(classes.options) == 11
    layers = app.selectbox(key=f"why_layer_{trained.run}")
    assert layers.value == "conv_1" and layers.options == ["conv_1", "activation_1", "pool_1"]
    before = app.get("plotly_chart")[2].proto.spec
    another = next(number for number in range(10) if not classes.options[0].startswith(f"its answer: {number}"))
    classes.set_value(another)
    layers.set_value("pool_1")
    app.run()
    assert charts(healthy(app)) == THREE and app.get("plotly_chart")[2].proto.spec != before


def test_a_series_of_several_heads(page_lab):
    spec = preset("mnist1d-forecast").spec
    run = finished_run(page_lab, spec)
    app = opened("explain", run)
    assert charts(app) == THREE | {"input_series"}  # it forecasts as well, but only classes are explained
    series = datasets.load("mnist-1d").x_test[app.session_state["test_index"]]
    forecast = TrainedModel(spec, page_lab.weights(run)).answers(series[np.newaxis])["next"][0]
    assert f"mean squared error {np.mean((forecast - series[32:, 0]) ** 2):.3f}" in said(app)
    assert not [element for element in app.selectbox if element.label == "Head"]


def test_each_head_that_names_classes_is_explained(page_lab):
    run = finished_run(page_lab, preset("two-heads").spec)
    app = opened("explain", run, route="test")
    app.selectbox(key=f"why_head_{run}").set_value("parity").run()
    assert charts(healthy(app)) == THREE
    assert len(app.selectbox(key=f"why_class_{run}_parity").options) == 3


def test_a_network_without_maps_still_has_two_ways(page_lab):
    run = finished_run(page_lab, network({"kind": "Flatten", "name": "flat"}))
    app = opened("explain", run, route="test")
    assert charts(app) == THREE - {"why_grad-cam"} and "no layer with a map" in said(app)


def test_the_map_shows_the_example_of_a_point_and_the_input_as_a_star(page_lab, trained, monkeypatch):
    app = opened("explain", trained.run, route="test", explain_view="map")
    (chart,) = app.get("plotly_chart")
    assert chart.key == "map_pca" and "the input" in chart.proto.spec and "mistakes" in chart.proto.spec
    assert "Point at a dot" in said(app) and "From layer dense_activation_1" in said(app)
    place, data = np.zeros(2), datasets.load("mnist-5k")
    result = {"places": np.random.default_rng(0).normal(size=(1000, 2)), "features": np.ones((1000, 64)) + place[0]}
    find(page_lab, trained.run, "map", monkeypatch, result)
    app.session_state["map_way"] = "t-sne"
    app.run()
    assert charts(healthy(app)) == {"map_t-sne"} and "mean nothing" in said(app) and len(data.y_test) == 1000


def test_a_map_that_cannot_be(page_lab):
    layers = ({"kind": "Flatten", "name": "flat"}, {"kind": "Dense", "name": "next", "units": 8})
    heads = ({"name": "next", "layer": "next", "target": "forecast", "loss": "mean_squared_error"},)
    run = finished_run(page_lab, network(*layers, heads=heads, data={"dataset": "mnist-1d", "points_seen": 32}))
    assert "names no classes" in said(opened("explain", run, explain_view="map"))
    assert "names no classes" in said(opened("explain", run))
    assert "names no classes" in said(opened("learned", run, learned_view="edit")) or "nothing between" in said(
        opened("learned", run, learned_view="edit")
    )


def test_networks_stay_compiled_from_one_run_of_a_page_to_the_next(page_lab, trained, monkeypatch):
    from tensorflow.python.eager import context

    cleared = []
    app = opened("explain", trained.run, route="test")
    monkeypatch.setattr(context.Context, "clear_kernel_cache", lambda self: cleared.append(self))
    app.run()
    assert charts(healthy(app)) == THREE and not cleared
