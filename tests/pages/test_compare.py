"""Compare as a person uses it, without a browser."""

import json
import shutil

import pytest

from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.run import Metric
from cnn_core.spec import change
from tests.pages.test_pages import errors, open_page, widget


@pytest.fixture
def pair(home, trained):
    """A home folder with the run of the session, one of other settings with the same weights, and one of series."""
    shutil.copytree(trained.lab.home, home, ignore=shutil.ignore_patterns("*.lock"))
    lab = Lab(home)
    others = {
        "20200101-000000-eeee": change(trained.spec, {"training.optimizer": "sgd"}),
        "20200101-000000-ffff": preset("mnist1d").spec,
    }
    for run, spec in others.items():
        lab.store.add(run, run[-4:], spec)
        lab.store.folder(run).mkdir()
        shutil.copy(trained.lab.weights(trained.run), lab.store.folder(run))
        lab.store.update(run, status="finished")
    return tuple(others)


def test_one_network_alone(trained, monkeypatch, tmp_path):
    shutil.copytree(trained.lab.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock"))
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CNN_LAB_SPARE", "0")
    assert any("only one trained network" in info.value for info in open_page("compare").info)


def scales(app) -> list[tuple[float, float]]:
    """Of the maps of both networks: the values that the lowest and the highest colour stand for."""
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart") if chart.key.startswith("compare_maps")]
    return [(figure["data"][0]["zmin"], figure["data"][0]["zmax"]) for figure in figures]


def test_two_on_the_same_digit(pair, trained):
    app = open_page("compare", run=trained.run)
    widget(app, "selectbox", "With").set_value(pair[0]).run()
    app.session_state["route"] = "test"
    app.run()
    assert not app.exception and not app.error
    keys = {chart.key for chart in app.get("plotly_chart")}
    assert keys == {"answer_0_label", "answer_1_label", "compare_maps_0", "compare_maps_1"}
    said = [element.value for element in app.markdown if element.value.startswith("### ")]
    assert len(said) == 2 and said[0] == said[1]  # the same weights
    app.selectbox(key=f"compare_layer_1_{pair[0]}").set_value("pool_1").run()
    apart, together = scales(app), scales(widget(app, "toggle", "One scale for both").set_value(True).run())
    assert apart[0] != apart[1] and together[0] == together[1]
    assert together[0] == (min(low for low, _ in apart), max(high for _, high in apart))
    app.selectbox(key=f"compare_layer_1_{pair[0]}").set_value("dense_1").run()
    assert not app.exception and any("The values of its" in caption.value for caption in app.caption)


def test_curves_and_settings(pair, trained):
    app = open_page("compare", run=trained.run)
    widget(app, "selectbox", "With").set_value(pair[0]).run()
    view = next(group for group in app.get("button_group") if "Settings" in group.options)
    view.set_value("Curves").run()
    assert {chart.key for chart in app.get("plotly_chart")} == {"compare_accuracy", "compare_loss"}
    next(group for group in app.get("button_group") if "Settings" in group.options).set_value("Settings").run()
    assert not app.exception
    table = app.dataframe[1].value
    assert table.iloc[:, 0].tolist() == ["training.optimizer"] and table.iloc[0, 1:].tolist() == ["adam", "sgd"]


def test_images_and_series_have_no_common_example(pair, trained):
    app = open_page("compare", run=trained.run)
    widget(app, "selectbox", "With").set_value(pair[1]).run()
    assert not app.error and any("nothing that both can be asked" in info.value for info in app.info)


def test_a_damaged_one_is_named_beside_the_other(pair, trained, home):
    (home / pair[0] / "model.weights.h5").write_bytes(b"damaged")
    app = open_page("compare", run=trained.run)
    widget(app, "selectbox", "With").set_value(pair[0]).run()
    app.session_state["route"] = "test"
    app.run()
    assert "damaged" in errors(app) and "answer_0_label" in {chart.key for chart in app.get("plotly_chart")}


def test_curves_of_each_head(pair, trained, home):
    lab, run = Lab(home), "20200101-000000-dddd"
    lab.store.add(run, "two heads", preset("two-heads").spec)
    lab.store.folder(run).mkdir()
    shutil.copy(trained.lab.weights(trained.run), lab.store.folder(run))
    lab.store.update(run, status="finished")
    rows = [Metric(9, 1, "train", name, value, 0.0) for name, value in (("parity_accuracy", 0.75), ("parity_loss", 0.5))]
    lab.store.append(run, rows)
    app = open_page("compare", run=trained.run)
    widget(app, "selectbox", "With").set_value(run).run()
    widget(app, "button_group", "View").set_value("Curves").run()
    widget(app, "button_group", "Curves of").set_value("parity").run()
    accuracy, loss = app.get("plotly_chart")
    assert not app.exception and (accuracy.key, loss.key) == ("compare_parity_accuracy", "compare_parity_loss")
    assert accuracy.proto.alt.startswith("parity: accuracy of 2 networks")
    assert json.loads(loss.proto.spec)["layout"]["yaxis"]["title"]["text"] == "parity: loss"
    assert [json.loads(chart.proto.spec)["data"][2]["y"] for chart in (accuracy, loss)] == [[0.75], [0.5]]
