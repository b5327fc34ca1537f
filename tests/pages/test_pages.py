"""Every page as a person uses it, without a browser."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnn_core import links, presets
from cnn_core.jobs import Lab
from cnn_core.spec import change
from pages.components import state

APP = Path(__file__).parents[2] / "app.py"
PAGES = ("build", "draw", "look_inside", "compute", "learned", "explain", "evaluate", "my_digits", "compare", "runs")


def open_page(page: str = "build", **address: str) -> AppTest:
    """The app at one of its pages."""
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    if page != "build":
        app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def errors(app: AppTest) -> str:
    return " ".join(element.value for element in app.error)


def widget(app: AppTest, kind: str, label: str):
    """The first widget of a kind with a label."""
    return next(element for element in app.get(kind) if element.label == label)


def draft(app: AppTest):
    return app.session_state["draft"]


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_home_opens_every_page(home, page):
    app = open_page(page)
    assert not app.error
    assert app.info  # each says what to do first


def test_controls_change_the_draft_and_its_link(home):
    app = open_page()
    widget(app, "select_slider", "Filters").set_value(16).run()
    widget(app, "slider", "Kernel size").set_value(3).run()
    widget(app, "slider", "Dropout").set_value(0.25).run()
    widget(app, "select_slider", "L2 (weight decay)").set_value(0.001).run()
    app.session_state["edit_conv1_padding"] = "valid"
    app.session_state["edit_conv1_pooling"] = "min"
    app.run()
    assert not app.exception
    conv = draft(app).model.layer("conv_1")
    assert (conv.filters, conv.kernel_size, conv.padding, conv.kernel_l2) == (16, 3, "valid", 0.001)
    assert draft(app).model.layer("pool_1").kind == "MinPooling2D"
    assert draft(app).model.layer("dropout_1").rate == 0.25
    assert links.decode(app.query_params["spec"]) == draft(app)


def test_a_preset_fills_the_controls(home):
    app = open_page()
    widget(app, "selectbox", "Start from").set_value("lenet5-regularised").run()
    assert not app.exception
    assert draft(app).model == presets.preset("lenet5-regularised").spec.model
    assert widget(app, "slider", "Convolution blocks").value == 3
    assert widget(app, "slider", "Rotation (degrees)").value == 10
    widget(app, "selectbox", "Start from").set_value("dense-l2-l1").run()
    assert widget(app, "slider", "Convolution blocks").value == 0
    assert draft(app).model == presets.preset("dense-l2-l1").spec.model


def test_a_preset_says_which_dataset_its_figures_are_of(home):
    app = open_page()
    for name, said in (("fast99", True), ("lenet5", False), ("best", True)):
        widget(app, "selectbox", "Start from").set_value(name).run()
        assert any("MNIST (60,000 digits)" in info.value for info in app.info) == said, name
    widget(app, "selectbox", "Learn from").set_value("mnist").run()
    widget(app, "selectbox", "Start from").set_value("fast99").run()
    assert draft(app).data.dataset == "mnist" and not any("Learn from" in info.value for info in app.info)


def test_blocks_can_be_added_and_taken_away(home):
    app = open_page()
    widget(app, "slider", "Convolution blocks").set_value(5).run()
    assert [layer.name for layer in draft(app).model.layers if layer.kind == "Conv2D"] == [f"conv_{n}" for n in range(1, 6)]
    assert "pool_5" in errors(app)  # 28 halved five times is nothing: named at the layer, and Train is off
    assert widget(app, "button", "Train").disabled
    widget(app, "slider", "Convolution blocks").set_value(0).run()
    widget(app, "slider", "Dense blocks").set_value(3).run()
    assert not app.error
    assert [layer.kind for layer in draft(app).model.layers].count("Dense") == 4


def test_a_kernel_larger_than_the_map_is_named_and_train_is_off(home):
    app = open_page()
    widget(app, "slider", "Convolution blocks").set_value(3).run()
    for number in (1, 2):
        app.session_state[f"edit_conv{number}_padding"] = "valid"
        app.session_state[f"edit_conv{number}_kernel"] = 11
    app.run()
    assert "Layer conv_2: Kernel 11x11 does not fit the 9x9 map that reaches it." in errors(app)
    assert widget(app, "button", "Train").disabled


def test_the_address_brings_the_settings_back(home):
    spec = change(presets.preset("lenet5").spec, {"training.epochs": 7, "data.dataset": "mnist-5k"})
    app = open_page(spec=links.encode(spec))
    assert draft(app) == spec
    assert widget(app, "number_input", "Epochs").value == 7


@pytest.mark.parametrize("link", ["nonsense", "", "eNpLBAAAYgBi", links.encode(presets.preset("tiny").spec)[:-20]])
def test_a_broken_link_gives_the_labs_own_settings_and_says_so(home, link):
    app = open_page(spec=link)
    assert draft(app) == presets.preset("tiny").spec
    assert any("link" in element.value.lower() for element in app.warning)


def test_an_unknown_run_in_the_address_says_so(home):
    app = open_page(run="20260101-000000-ffff")
    assert any("There is no run" in element.value for element in app.warning)


def test_a_home_that_is_a_file_gets_a_sentence(home, monkeypatch):
    home.write_text("not a folder")
    app = open_page()
    assert "CNN_LAB_HOME" in errors(app)


def test_a_database_that_is_not_one_gets_a_sentence(home):
    home.mkdir()
    (home / "lab.sqlite3").write_bytes(b"this is not a database" * 100)
    app = open_page()
    assert "not a database" in errors(app)
    assert (home / "lab.sqlite3").read_bytes().startswith(b"this is not")


def test_augmentation_shows_a_preview(home):
    app = open_page()
    before = len(app.get("image"))
    widget(app, "slider", "Rotation (degrees)").set_value(20.0).run()
    assert len(app.get("image")) == before + 1


def test_other_hands_are_offered_for_digits_alone_and_kept_for_them(home, tmp_path, monkeypatch):
    app = open_page(spec=links.encode(presets.preset("best").spec))
    label = "Other hands (part of the images)"
    assert widget(app, "slider", label).value == 0.3
    widget(app, "selectbox", "Learn from").set_value("fashion-mnist").run()
    assert not app.exception and label not in [slider.label for slider in app.slider]
    widget(app, "selectbox", "Learn from").set_value("mnist-5k").run()
    assert widget(app, "slider", label).value == 0.3 and draft(app).data.augmentation.hands == 0.3


class TestWithARun:
    """Pages over the finished run of the session."""

    @pytest.fixture(autouse=True)
    def _home(self, trained, monkeypatch):
        monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.home))
        monkeypatch.setenv("CNN_LAB_SPARE", "0")
        self.lab, self.run = trained.lab, trained.run

    def test_build_shows_the_result_and_where_to_go(self):
        app = open_page(run=self.run)
        text = " ".join(element.value for element in app.markdown)
        assert "Test accuracy" in text
        assert {chart.key for chart in app.get("plotly_chart")} == {"planned_rate", "curve_accuracy", "curve_loss", "network"}

    def test_draw_asks_for_a_digit_and_reads_an_upload(self):
        app = open_page("draw")
        assert any("no digit yet" in element.value for element in app.info)
        app.session_state["route"] = "upload"
        app.run()
        picture = np.zeros((280, 280), np.uint8)
        picture[40:240, 130:150] = 255
        app.file_uploader[0].upload("one.png", png(picture), "image/png").run()
        assert not app.exception and not app.error
        assert any(element.value.startswith("### 1") for element in app.markdown)

    def test_draw_says_how_its_network_was_trained(self):
        app = open_page("draw")
        said = " ".join(element.value for element in app.caption)
        assert "epochs on MNIST 5k" in said and "learning rate" in said and presets.preset("tiny").about in said

    def test_draw_refuses_a_text_file_with_a_sentence(self):
        app = open_page("draw")
        app.session_state["route"] = "upload"
        app.run()
        app.file_uploader[0].upload("digit.png", b"hello", "image/png").run()
        assert "not a picture" in errors(app)

    def test_draw_reads_a_test_image(self):
        app = open_page("draw")
        app.session_state["route"] = "test"
        app.run()
        assert len(app.get("plotly_chart")) == 1

    def test_look_inside_shows_every_layer(self):
        app = open_page("look_inside")
        app.session_state["route"] = "test"
        app.run()
        assert not app.exception
        overview = app.get("html")[0].proto.body
        shown = ["conv_1", "activation_1", "pool_1", "dense_1", "dense_activation_1", "output", "softmax"]
        places = [overview.index(f">{name}: ") for name in shown]
        assert places == sorted(places) and overview.count("<img") == overview.count(" alt=") == len(shown)
        assert {chart.key for chart in app.get("plotly_chart")} == {"maps_conv_1", "kernels_conv_1"}
        app.selectbox(key="large").set_value("dense_1").run()
        assert {chart.key for chart in app.get("plotly_chart")} == {"bars_dense_1"}

    @pytest.mark.parametrize(("mode", "words"), [("map", "own scale"), ("layer", "this layer"), ("all", "all maps")])
    def test_look_inside_says_how_far_a_colour_scale_reaches(self, mode, words):
        app = open_page("look_inside")
        app.session_state["route"] = "test"
        app.session_state["scale"] = mode
        app.run()
        assert sum(words in element.value for element in app.caption) == 1

    def test_runs_lists_and_renames(self):
        name = self.lab.store.get(self.run).name
        app = open_page("runs")
        row = app.dataframe[0].value.iloc[0]
        assert row["Status"] == "finished"
        widget(app, "text_input", "New name").set_value("my first").run()
        widget(app, "button", "Save the name").click().run()
        assert self.lab.store.get(self.run).name == "my first"
        assert app.dataframe[0].value.iloc[0]["Name"] == "my first"
        widget(app, "text_input", "New name").set_value("  ").run()
        widget(app, "button", "Save the name").click().run()
        assert "at least one character" in errors(app)
        widget(app, "text_input", "New name").set_value(name).run()  # other tests read this run too
        widget(app, "button", "Save the name").click().run()
        assert self.lab.store.get(self.run).name == name


def test_a_run_that_cannot_be_read_is_named(home):
    store = Lab(home).store
    store.add("20200101-000000-abcd", "strange", presets.preset("tiny").spec)
    store.update("20200101-000000-abcd", spec="{}", status="finished")
    app = open_page("runs")
    assert "Not shown: 20200101-000000-abcd" in app.warning[0].value


def test_train_starts_a_run_and_a_second_one_waits(home, wait_until):
    app = open_page()
    widget(app, "number_input", "Epochs").set_value(2).run()
    widget(app, "button", "Train").click().run()
    widget(app, "number_input", "Epochs").set_value(3).run()
    widget(app, "button", "Train").click().run()
    assert not app.exception
    lab = Lab(home)
    second, first = lab.store.runs()
    assert second.name == f"{first.name} (2)"
    assert app.query_params["run"] == second.run
    assert first.status in ("running", "finished") and second.status in ("queued", "running")
    wait_until(lambda: lab.store.get(second.run).is_over)
    assert [run.status for run in lab.store.runs()] == ["finished", "finished"]


def test_a_double_click_trains_once(home, monkeypatch):
    app = open_page().run()
    for seconds, runs in ((1000.0, 1), (1000.0, 1), (0.0, 2)):
        monkeypatch.setattr(state, "DOUBLE_CLICK", seconds)
        widget(app, "button", "Train").click().run()
        assert not app.exception and len(Lab(home).store.ids()) == runs


def test_the_plan_of_the_learning_rate_and_early_stopping(home):
    app = open_page()
    assert not [element for element in app.number_input if element.label in ("Every (epochs)", "Patience (epochs)")]
    widget(app, "selectbox", "Learning rate over time").set_value("step").run()
    widget(app, "number_input", "Every (epochs)").set_value(2).run()
    widget(app, "slider", "Factor").set_value(0.25).run()
    widget(app, "selectbox", "Stop early").set_value("accuracy").run()
    widget(app, "number_input", "Patience (epochs)").set_value(3).run()
    training = draft(app).training
    assert (training.schedule, training.period, training.decay) == ("step", 2, 0.25)
    assert (training.early_stopping, training.patience) == ("accuracy", 3)
    assert "planned_rate" in {chart.key for chart in app.get("plotly_chart")}
    for schedule in ("warm-up", "cosine", "one-cycle", "exponential", "plateau", "constant"):
        widget(app, "selectbox", "Learning rate over time").set_value(schedule).run()
        assert not app.exception and draft(app).training.schedule == schedule


def test_a_decay_below_the_slider_can_be_opened(home):
    spec = change(presets.preset("tiny").spec, {"training.schedule": "step", "training.decay": 0.01})
    app = open_page(spec=links.encode(spec))
    assert not app.error and draft(app) == spec


def test_the_queue_is_ordered_shared_and_emptied(home, wait_until):
    lab = Lab(home)
    endless = change(presets.preset("tiny").spec, {"training.epochs": 1000})
    first, second, third = [lab.submit(endless) for _ in range(3)]
    app = open_page("runs")
    app.button(key=f"queue_Later_{second}").click().run()
    assert [run.run for run in lab.store.queue()] == [third, second]
    app.button(key=f"queue_Earlier_{second}").click().run()
    assert [run.run for run in lab.store.queue()] == [second, third]
    app.button(key=f"queue_Take out of the queue_{third}").click().run()
    assert lab.store.get(third).status == "stopped"
    app.number_input(key="queue_at_once").set_value(2).run()
    assert lab.at_once == 2 and lab.store.get(second).status == "running"
    for run in (first, second):
        app.run()
        app.button(key=f"queue_Stop and keep_{run}").click().run()
    wait_until(lambda: not lab.store.runs(("running", "queued")))
    assert not app.exception


def test_which_weights_answer_is_chosen_under_the_result(home, trained):
    shutil.copytree(trained.lab.home, home)
    lab = Lab(home)
    lab.store.update(trained.run, best_epoch=1, best_test_accuracy=0.5, best_test_loss=2.0)
    app = open_page(run=trained.run)
    widget(app, "button_group", "Weights that answer").set_value("best").run()
    assert lab.store.get(trained.run).uses == "best"
    assert any("Test accuracy 50.00%" in element.value for element in app.markdown)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_build_page_needs_no_tensorflow(home):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(APP)!r}, default_timeout=60).run()\n"
        "assert not app.exception and any(button.label == 'Train' for button in app.button)\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=APP.parent, capture_output=True).returncode == 0


def test_settings_beyond_the_sliders_can_be_opened_and_kept(home):
    settings = {
        "training.optimizer": "sgd",
        "training.momentum": 0.995,
        "model.layers.conv_1.max_norm": 40,
        "model.layers.dense_1.max_norm": 40,
        "model.layers.dense_dropout_1.rate": 0.95,
    }
    spec = change(presets.preset("lenet5-regularised").spec, settings)
    spec = change(spec, {f"model.layers.conv_{number}.max_norm": 40 for number in (2, 3)})
    app = open_page(spec=links.encode(spec))
    assert not app.error and draft(app) == spec
    assert widget(app, "selectbox", "Start from").value == "lenet5-regularised"


def test_a_run_that_is_asked_to_stop_says_so_at_once(home):
    lab = Lab(home)
    run = lab.submit(change(presets.preset("tiny").spec, {"training.epochs": 1000}))
    app = open_page(run=run)
    app.button(key=f"stop_{run}").click().run()
    button = app.button(key=f"stop_{run}")
    assert (button.label, button.disabled) == ("Stopping…", True) or lab.store.get(run).is_over


def test_a_tab_that_found_a_live_run_by_itself_keeps_its_result(home, wait_until):
    lab = Lab(home)
    run = lab.submit(change(presets.preset("tiny").spec, {"training.epochs": 2}))
    app = open_page()
    assert app.session_state["run"] == run
    wait_until(lambda: lab.store.get(run).is_over)
    app.run()
    assert any("Test accuracy" in element.value for element in app.markdown)


def test_a_run_is_steered_by_its_buttons(home, wait_until):
    lab = Lab(home)
    run = lab.submit(change(presets.preset("tiny").spec, {"training.epochs": 1000}))
    wait_until(lambda: lab.store.get(run).epoch > 0)
    app = open_page(run=run)
    app.number_input(key=f"rate_{run}").set_value(0.004)  # typed, and clicked at once
    app.button(key=f"use_rate_{run}").click().run()
    wait_until(lambda: lab.store.events(run))
    assert lab.store.events(run)[0]["text"] == "0.004"
    app.button(key=f"pause_{run}").click().run()
    wait_until(lambda: lab.store.get(run).is_over)
    app.run()
    assert any(element.value.startswith("Paused after") for element in app.info)
    app.button(key=f"resume_{run}").click().run()
    assert lab.store.get(run).status == "running"
    lab.stop(run)
    wait_until(lambda: lab.store.get(run).is_over)


def test_a_finished_run_is_trained_further(home, wait_until):
    lab = Lab(home)
    run = lab.submit(change(presets.preset("tiny").spec, {"training.epochs": 1}))
    wait_until(lambda: lab.store.get(run).is_over)
    app = open_page(run=run)
    app.number_input(key=f"more_{run}").set_value(2)
    app.button(key=f"further_{run}").click().run()
    wait_until(lambda: lab.store.get(run).is_over)
    assert (lab.store.get(run).status, lab.store.get(run).epoch) == ("finished", 3)
