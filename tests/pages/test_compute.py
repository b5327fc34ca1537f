"""The page that plays how a layer computes, without a browser."""

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from cnn_core import presets
from cnn_core.spec import change
from tests.pages.test_pages import errors, open_page, widget


def played(app: AppTest, key: str = "player") -> dict:
    """The document that a player is sent."""
    found = [element for element in app.get("bidi_component") if element.proto.component_name == "cnn_lab_player"]
    return json.loads(found[0 if key == "player" else -1].proto.json)


@pytest.fixture
def trained_home(trained, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.store.home))
    monkeypatch.setenv("CNN_LAB_SPARE", "0")


def with_test_image(trained) -> AppTest:
    app = open_page("compute", run=trained.run)
    return widget(app, "button", "Take a test image").click().run()


def test_without_a_run_it_shows_the_way_and_the_shapes(home):
    app = open_page("compute")
    assert not app.error and "no trained network yet" in app.info[0].value
    app.session_state["compute_view"] = "shapes"
    app.run()
    assert not app.exception and not app.error
    assert played(app)["kind"] == "shape" and played(app)["dropped"] == [10]
    assert any("**11 × 11** cells become **4 × 4**." in element.value for element in app.markdown)


def test_a_kernel_that_does_not_fit_is_said_in_a_sentence(home):
    app = open_page("compute")
    app.session_state["compute_view"] = "shapes"
    app.run()
    widget(app, "slider", "Input size").set_value(3).run()
    assert "does not fit the side of 3 cells" in errors(app) and not app.exception
    app.session_state["bench_padding"] = "same"
    app.session_state["bench_pooling_behind_it"] = "valid"
    app.run()
    assert not app.error and not app.exception
    assert played(app, "last")["name"] == "pooling window"


def test_an_input_that_is_not_drawn_yet_says_what_to_do(trained, trained_home):
    app = open_page("compute", run=trained.run)
    assert "Draw a digit" in app.info[0].value and not app.get("bidi_component")[1:]
    app = widget(app, "button", "Take a test image").click().run()
    assert not app.exception and not app.error
    steps = played(app)
    assert (steps["name"], steps["kind"], steps["reference"]) == ("conv_1", "convolution", "Keras")


def test_every_layer_and_every_filter_is_played(trained, trained_home):
    app = with_test_image(trained)
    for layer in trained.spec.model.layers:
        widget(app, "selectbox", "Layer").set_value(layer.name).run()
        assert not app.exception and not app.error
        assert played(app)["name"] == layer.name
    widget(app, "selectbox", "Layer").set_value("conv_1").run()
    filters = next(slider for slider in app.slider if re.fullmatch(r"Filter \(of \d+\)", slider.label))
    first = played(app)["kernel"]
    filters.set_value(2).run()
    assert played(app)["kernel"] != first and played(app)["output"]["title"] == "conv_1, map 2"


def test_a_network_that_still_trains_has_nothing_to_play(home, lab):
    run = lab.submit(change(presets.preset("tiny").spec, {"training.epochs": 500}))
    app = open_page("compute", run=run)
    assert not app.exception and "being trained" in app.info[0].value
    lab.stop(run)
