"""What it learned, as a person uses it, without a browser."""

import shutil

import numpy as np
import pytest

from cnn_core import datasets, snapshots, study
from cnn_core.presets import preset
from cnn_core.spec import change
from tests.networks import finished_run
from tests.pages.opened import charts, find, healthy, opened, rows, said


def test_it_is_watched_while_it_learned(page_lab, trained):
    files = snapshots.files(page_lab.store.folder(trained.run) / snapshots.FOLDER)
    app = opened("learned", trained.run)
    slider = app.select_slider[0]
    assert slider.value == len(files) - 1 and len(slider.options) == len(files) >= 2
    assert charts(app) == {"spread_weights", "norms_weights", "spread_gradients", "norms_gradients"}
    assert "Kernels of conv_1, at step" in said(app) and "The first test example: " in said(app)
    assert len(app.get("image")) == 3  # kernels, the example, its maps
    app.selectbox(key="watched_layer").set_value("dense_1").run()
    assert not app.get("image") and "Weights of dense_1" in app.get("plotly_chart")[0].proto.alt
    app.select_slider[0].set_value(0).run()
    assert healthy(app).select_slider[0].value == 0
    for view in ("filters", "watch"):  # and back
        app.session_state["learned_view"] = view
        app.run()
    assert healthy(app).select_slider[0].value == 0


def test_it_is_played_to_its_end(page_lab, trained):
    app = opened("learned", trained.run)
    last = app.select_slider[0].value
    app.button(key="play").click().run()
    for place in range(last + 1):
        assert app.select_slider[0].value == place
        assert app.button(key="play").label == ("Play" if place == last else "Pause")
        app.run()  # what its timer does
    assert healthy(app).select_slider[0].value == last


def test_damaged_snapshots_are_named_and_none_at_all_are_explained(page_lab, trained):
    folder = page_lab.store.folder(trained.run) / snapshots.FOLDER
    files = snapshots.files(folder)
    files[0].write_bytes(b"nonsense")
    app = opened("learned", trained.run)
    assert f"1 of its {len(files)} snapshots are damaged" in said(app)
    assert (len(app.select_slider) == 1) == (len(files) > 2)
    shutil.rmtree(folder)
    app = opened("learned", trained.run)
    assert "has no snapshots of how it learned" in said(app) and "Train its settings again" in said(app)
    app.button[0].click().run()
    assert healthy(app).session_state["draft"] == trained.spec


def test_a_run_in_training_is_watched_and_its_filters_have_to_wait(page_lab, wait_until):
    run = page_lab.submit(change(preset("tiny").spec, {"training.epochs": 1000}))
    folder = page_lab.store.folder(run) / snapshots.FOLDER
    wait_until(lambda: page_lab.store.get(run).status == "running")
    app = opened("learned", run)
    assert "in training" in app.selectbox(key="picked").options[0] and app.selectbox(key="picked").value == run
    wait_until(lambda: len(snapshots.files(folder)) > 1)
    app.run()
    assert len(healthy(app).select_slider) == 1
    app.session_state["learned_view"] = "filters"
    app.run()
    page_lab.stop(run)
    assert "still training" in said(healthy(app))
    wait_until(lambda: page_lab.store.get(run).is_over)


def favourites(filters: int, shape: tuple[int, ...], axes: int) -> dict[str, np.ndarray]:
    """As the study finds them; the second filter is dead."""
    best = np.arange(filters * 6).reshape(filters, 6)
    active = np.linspace(0.1, 1, filters)
    active[1] = 0
    found = {"best": best, "values": best * 0.1, "places": np.full((filters, 6, axes), 3), "active": active}
    return {"examples": np.array(200), **{f"conv_1/{name}": values for name, values in found.items()}} | {
        "conv_1/made": np.full((filters, *shape), 0.5)
    }


def test_the_filters_and_the_dead_one(page_lab, trained, monkeypatch):
    app = opened("learned", trained.run, learned_view="filters")
    assert app.button(key=f"study_favourites_{trained.run}").label == "Find what each filter likes"
    find(page_lab, trained.run, "favourites", monkeypatch, favourites(8, (28, 28), 2))
    app.run()
    assert "Filter 2 is dead: zero for all of the 200 test examples. Its bias or its inputs keep it below 0" in said(app)
    assert rows(app).count("<img") == 8 and "Filter 8: active for 100%" in rows(app)


def test_many_filters_of_a_series(page_lab, monkeypatch):
    run = finished_run(page_lab, preset("mnist1d").spec)
    find(page_lab, run, "favourites", monkeypatch, favourites(32, (40,), 1))
    app = opened("learned", run, learned_view="filters")
    assert charts(app) == {"favourites_conv_1"} and "Filter 2 is dead" in said(app)
    app.selectbox(key=f"filters_from_{run}_conv_1").set_value(24).run()
    assert "25" in str(healthy(app).get("plotly_chart")[0].proto.spec) and charts(app) == {"favourites_conv_1"}


def test_a_study_under_way_can_be_ended(page_lab, trained, monkeypatch):
    monkeypatch.setattr(study.subprocess, "Popen", lambda *arguments, **options: None)
    app = opened("learned", trained.run, learned_view="filters")
    app.button(key=f"study_favourites_{trained.run}").click().run()
    healthy(app).button(key=f"cancel_favourites_{trained.run}").click().run()
    assert (page_lab.store.folder(trained.run) / "studies" / "favourites" / study.CANCEL).exists()


def test_filters_are_switched_off_and_on_again(page_lab, trained, monkeypatch):
    find(
        page_lab,
        trained.run,
        "importance",
        monkeypatch,
        {"conv_1/lost": np.arange(8) / 100, "dense_1/lost": np.zeros(64), "examples": np.array(9)},
    )
    app = opened("learned", trained.run, learned_view="edit", route="test")
    whole = f"{page_lab.store.get(trained.run).test_accuracy:.1%}"
    assert [metric.value for metric in app.metric] == [whole, whole] and not app.metric[0].delta
    before = rows(app)
    app.session_state[f"off_{trained.run}_conv_1"] = list(range(8))
    app.run()
    assert healthy(app).metric[0].value != whole and "points" in app.metric[0].delta and rows(app) != before
    assert "Every value" not in said(app) and charts(app) >= {"carried_conv_1", "answer_label"}
    assert "Without any one of 1 of 8" in said(app)
    next(button for button in app.button if button.label == "All on again").click().run()
    assert [metric.value for metric in healthy(app).metric] == [whole, whole] and rows(app) == before


def test_nothing_is_downloaded_that_was_not_asked_for(page_lab, monkeypatch):
    run = finished_run(page_lab, change(preset("tiny").spec, {"data.dataset": "fashion-mnist"}))
    monkeypatch.setattr(datasets, "is_here", lambda name: False)
    monkeypatch.setattr(datasets, "_download", lambda *asked: pytest.fail("downloaded"))
    for page, view in (("learned", {"learned_view": "edit"}), ("explain", {"explain_view": "map"})):
        assert "Download them on the Build page" in said(opened(page, run, **view))


def test_units_of_a_series_are_switched_off(page_lab):
    run = finished_run(page_lab, preset("mnist1d").spec)
    app = opened("learned", run, learned_view="edit")
    app.selectbox(key=f"edit_layer_of_{run}").set_value("conv_3").run()  # of 96 filters: a list, not buttons
    app.multiselect(key=f"off_{run}_conv_3").set_value([0, 95]).run()
    assert len(healthy(app).metric) == 2 and "Measure each" in [button.label for button in app.button]


def test_a_damaged_network_gets_a_sentence(page_lab, trained):
    page_lab.weights(trained.run).write_bytes(b"nonsense")
    for page in ("look_inside", "explain"):
        assert "the file is damaged, missing or of another network. Train the run again" in said(opened(page, trained.run))
    assert "the file is damaged, missing or of another network. Train the run again" in said(
        opened("learned", trained.run, learned_view="edit")
    )
    assert charts(opened("learned", trained.run, learned_view="watch"))  # which needs no weights
