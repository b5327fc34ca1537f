"""The layer editor, the heads, undo and sharing, as a person uses them, without a browser."""

from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1 import AppTest

from cnn_core import blocks, editing, links, presets, shapes
from cnn_core.layer_kinds import KINDS
from cnn_core.spec import ModelSpec, change
from pages.components import history
from pages.components.controls import base

APP = Path(__file__).parents[2] / "app.py"


pytestmark = pytest.mark.usefixtures("home")


def open_build(spec=None, editor: bool = True) -> AppTest:
    """The Build page with its layer editor."""
    app = AppTest.from_file(APP, default_timeout=60)
    if spec is not None:
        app.query_params["spec"] = links.encode(spec)
    if editor:
        app.session_state["way"] = "Layers"
    return healthy(app.run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def model(app: AppTest) -> ModelSpec:
    return app.session_state["draft"].model


def names(app: AppTest) -> list[str]:
    return [layer.name for layer in model(app).layers]


def press(app: AppTest, label: str) -> None:
    healthy(next(button for button in app.button if button.label == label).click().run())


def add(app: AppTest, kind: str) -> None:
    healthy(app.button(key=f"add_{kind}").click().run())


def open_row(app: AppTest, name: str) -> None:
    healthy(app.button(key=f"layer_of_{name}").click().run())


def setting(app: AppTest, layer: str, name: str, value) -> None:
    """Let a control of the open layer say something."""
    key = f"edit_layer_{layer}_{name}"
    control = next(element for element in (*app.main, *app.get("button_group")) if getattr(element, "key", None) == key)
    healthy(control.set_value(value).run())


def of_head(app: AppTest, kind: str, head: str, name: str, value) -> None:
    healthy(getattr(app, kind)(key=f"edit_head_{head}_{name}").set_value(value).run())


def said(app: AppTest) -> str:
    return " ".join(element.value for element in (*app.markdown, *app.error, *app.info, *app.toast, *app.caption))


class TestLayers:
    def test_blocks_come_first_and_layers_show_the_same_network(self):
        app = open_build(editor=False)
        assert "Convolution blocks" in [slider.label for slider in app.slider]
        app.session_state["way"] = "Layers"
        healthy(app.run())
        rows = [button.label for button in app.button if (button.key or "").startswith("layer_of_")]
        assert rows[0] == "1 **conv_1** · Conv2D · 28 × 28 × 8 · 208 parameters" and len(rows) == len(names(app))
        assert model(app) == presets.preset("tiny").spec.model

    def test_the_editor_stays_while_the_network_happens_to_be_made_of_blocks(self):
        app = open_build(presets.preset("two-heads").spec, editor=False)
        press(app, "Empty")
        for kind in ("Flatten", "Dense", "Activation"):
            add(app, kind)
        for old, new, function in (
            ("flatten_1", "flatten", ""),
            ("dense_1", "output", ""),
            ("activation_1", "softmax", "softmax"),
        ):
            if "open_layer" not in app.session_state or app.session_state["open_layer"] != old:
                open_row(app, old)
            if function:
                setting(app, old, "function", function)
            setting(app, old, "name", new)
        press(app, "Add a head")
        assert blocks.from_graph(model(app)) is not None
        assert "layer_of_softmax" in {button.key for button in app.button}

    def test_one_layer_is_open_at_a_time(self):
        app = open_build()
        open_row(app, "conv_1")
        assert app.text_input(key="edit_layer_conv_1_name").value == "conv_1"
        open_row(app, "output")
        assert [field.value for field in app.text_input if field.label == "Name"] == ["output"]
        open_row(app, "output")
        assert not [field for field in app.text_input if field.label == "Name"]

    def test_settings_change_the_draft_and_the_link(self):
        app = open_build()
        open_row(app, "conv_1")
        for name, value in (("filters", 16), ("kernel_size", 3), ("padding", "valid"), ("kernel_l2", 0.001), ("max_norm", 2.0)):
            setting(app, "conv_1", name, value)
        conv = model(app).layer("conv_1")
        assert (conv.filters, conv.kernel_size, conv.padding, conv.kernel_l2, conv.max_norm) == (16, 3, "valid", 0.001, 2.0)
        assert links.decode(app.query_params["spec"]).model == model(app)
        assert blocks.from_graph(model(app)) is None  # one layer alone has a penalty
        assert "Blocks is off" in said(app)

    def test_a_layer_becomes_another_kind_in_its_place(self):
        app = open_build(presets.preset("inception").spec)
        add(app, "MaxPooling2D")
        assert "Concatenate" not in app.selectbox(key="edit_layer_max_pooling2d_1_kind").options
        setting(app, "max_pooling2d_1", "padding", "same")
        healthy(app.selectbox(key="edit_layer_max_pooling2d_1_kind").set_value("MinPooling2D").run())
        assert names(app)[-1] == "min_pooling2d_1" and model(app).layers[-1].padding == "same"
        assert app.session_state["open_layer"] == "min_pooling2d_1"
        press(app, "Undo")
        assert names(app)[-1] == "max_pooling2d_1"

    @pytest.mark.parametrize("data", ["mnist-5k", "mnist-1d"])
    def test_every_kind_has_its_settings(self, data):
        network = editing.EMPTY
        for kind in KINDS:
            network = editing.add(network, kind)
        spec = presets.preset("tiny" if data == "mnist-5k" else "mnist1d").spec.model_copy(update={"model": network})
        app = open_build(spec)
        for layer in network.layers:
            open_row(app, layer.name)
            shown = {str(widget.key).removeprefix(f"edit_layer_{layer.name}_") for widget in app.main if hasattr(widget, "key")}
            shown |= {str(widget.key).removeprefix(f"edit_layer_{layer.name}_") for widget in app.get("button_group")}
            assert {"kind", "name", "inputs", *editing.settings_of(layer)} <= shown
        assert model(app) == network

    def test_a_fault_is_told_at_its_layer(self):
        app = open_build()
        open_row(app, "flatten")
        press(app, "Remove")
        assert any(element.value.startswith(":red[") and "Put Flatten before it" in element.value for element in app.markdown)
        assert next(button for button in app.button if button.label == "Train").disabled

    def test_names_and_inputs(self):
        app = open_build()
        open_row(app, "conv_1")
        setting(app, "conv_1", "name", "edges")
        assert names(app)[0] == "edges" and model(app).layer("activation_1").inputs == ("edges",)
        assert app.text_input(key="edit_layer_edges_name").value == "edges"  # it is still open
        setting(app, "edges", "name", "Not a name")
        assert "lower-case letters" in said(app) and names(app)[0] == "edges"
        assert app.text_input(key="edit_layer_edges_name").value == "edges"
        open_row(app, "activation_1")
        assert app.selectbox(key="edit_layer_activation_1_inputs").options == ["input", "edges"]
        setting(app, "activation_1", "inputs", "input")
        assert model(app).layer("activation_1").inputs == ("input",)
        assert "it feeds no other layer and no head" in said(app)

    def test_a_merge_names_its_inputs_in_order(self):
        app = open_build(presets.preset("residual").spec)
        open_row(app, "block_1_sum")
        setting(app, "block_1_sum", "inputs", ["conv_1_relu", "block_1_norm_2"])
        assert model(app).layer("block_1_sum").inputs == ("conv_1_relu", "block_1_norm_2")
        setting(app, "block_1_sum", "inputs", [])
        assert "at least one input" in said(app)
        assert model(app).layer("block_1_sum").inputs == ("conv_1_relu", "block_1_norm_2")

    def test_moved_copied_removed_and_taken_back(self):
        app = open_build()
        before = model(app)
        open_row(app, "pool_1")
        press(app, "Move up")
        assert names(app)[:3] == ["conv_1", "pool_1", "activation_1"]
        press(app, "Duplicate")
        assert names(app)[1:3] == ["pool_1", "pool_2"]
        press(app, "Move down")
        press(app, "Remove")
        assert "pool_2" not in names(app)
        for _ in range(4):
            press(app, "Undo")
        assert model(app) == before
        press(app, "Redo")
        assert names(app)[:3] == ["conv_1", "pool_1", "activation_1"]

    def test_undo_keeps_the_settings_of_training(self):
        app = open_build()
        open_row(app, "pool_1")
        press(app, "Remove")
        app.number_input(key="edit_epochs").set_value(7).run()
        press(app, "Undo")
        assert "pool_1" in names(app) and app.session_state["draft"].training.epochs == 7

    def test_undo_of_the_simple_controls(self):
        app = open_build(editor=False)
        app.slider(key="edit_conv_count").set_value(3).run()
        app.select_slider(key="edit_conv1_filters").set_value(32).run()
        press(app, "Undo")
        press(app, "Undo")
        assert model(app) == presets.preset("tiny").spec.model and app.slider(key="edit_conv_count").value == 1

    @pytest.mark.parametrize(
        ("kind", "key", "values"),
        [
            ("select_slider", "edit_kernel_l2", (0.0001, 0.001, 0.01)),  # on every layer with weights
            ("slider", "edit_conv_count", (2, 3)),
            ("slider", "edit_conv1_dropout", (0.1, 0.2, 0.3)),  # a layer more, and then another rate
        ],
    )
    def test_a_simple_control_that_is_dragged_is_one_step(self, monkeypatch, kind, key, values):
        monkeypatch.setattr(history, "DRAG", 1000)
        app = open_build(editor=False)
        before = model(app)
        for value in values:
            healthy(getattr(app, kind)(key=key).set_value(value).run())
        healthy(app.select_slider(key="edit_conv1_filters").set_value(32).run())
        assert len(app.session_state["undo"]) == 2
        press(app, "Undo")
        press(app, "Undo")
        assert model(app) == before

    def test_two_moves_are_two_steps(self, monkeypatch):
        monkeypatch.setattr(history, "DRAG", 1000)
        app = open_build(presets.preset("inception").spec)
        seen = [names(app)]
        for _ in range(2):  # of branches that do not feed each other: only the order of the list changes
            if "open_layer" not in app.session_state:
                open_row(app, "module_1_1x1_relu")
            press(app, "Move down")
            seen.append(names(app))
        press(app, "Undo")
        assert names(app) == seen[1] != seen[0]
        press(app, "Empty")
        add(app, "Conv2D")
        press(app, "Empty")
        press(app, "Undo")
        assert names(app) == ["conv2d_1"]

    @pytest.mark.parametrize("editor", [True, False])
    def test_a_slider_that_is_dragged_is_one_step(self, monkeypatch, editor):
        monkeypatch.setattr(history, "DRAG", 1000)
        app = open_build(editor=editor)
        if editor:
            open_row(app, "conv_1")
        before = model(app)
        key = "edit_layer_conv_1_filters" if editor else "edit_conv1_filters"
        for filters in (12, 16, 32):
            healthy(app.select_slider(key=key).set_value(filters).run())
        assert model(app).layer("conv_1").filters == 32 and len(app.session_state["undo"]) == 1
        monkeypatch.setattr(history, "DRAG", -1)
        healthy(app.select_slider(key=key).set_value(64).run())
        press(app, "Undo")
        assert model(app).layer("conv_1").filters == 32
        press(app, "Undo")
        assert model(app) == before
        press(app, "Redo")
        assert model(app).layer("conv_1").filters == 32

    def test_layers_are_added_in_between_and_as_a_branch(self):
        app = open_build()
        open_row(app, "conv_1")
        add(app, "BatchNormalization")
        assert names(app)[:3] == ["conv_1", "batch_normalization_1", "activation_1"]
        next(box for box in app.selectbox if box.label == "Behind").set_value("flatten").run()
        next(group for group in app.get("button_group") if group.label == "How").set_value("New branch").run()
        add(app, "Dense")
        assert names(app)[-1] == "dense_2" and model(app).layer("dense_2").inputs == ("flatten",)
        assert model(app).layer("dense_1").inputs == ("flatten",)

    def test_kinds_of_the_other_dimension_are_hidden(self):
        keys = {button.key for button in open_build().button}
        assert "add_Conv2D" in keys and "add_Conv1D" not in keys
        keys = {button.key for button in open_build(presets.preset("mnist1d").spec).button}
        assert "add_Conv1D" in keys and "add_Conv2D" not in keys and "add_Dense" in keys


def test_from_nothing_to_two_branches_and_two_heads():
    app = open_build()
    press(app, "Empty")
    assert model(app) == editing.EMPTY and "No layers yet" in said(app)
    for kind in ("Conv2D", "Activation", "MaxPooling2D", "Flatten", "Dense", "Activation"):
        add(app, kind)
    setting(app, "activation_2", "function", "softmax")
    press(app, "Add a head")
    next(box for box in app.selectbox if box.label == "Behind").set_value("flatten_1").run()
    next(group for group in app.get("button_group") if group.label == "How").set_value("New branch").run()
    add(app, "Dense")
    setting(app, "dense_2", "units", 1)
    add(app, "Activation")
    setting(app, "activation_3", "function", "sigmoid")
    press(app, "Add a head")
    spec = app.session_state["draft"]
    assert [(head.name, head.layer, head.loss) for head in spec.model.heads] == [
        ("label", "activation_2", "categorical_crossentropy"),
        ("parity", "activation_3", "binary_crossentropy"),
    ]
    assert spec.preset is None and not shapes.report(spec.model, spec.data).errors
    assert not next(button for button in app.button if button.label == "Train").disabled


class TestHeads:
    def test_a_head_is_changed_and_follows_names(self):
        app = open_build(presets.preset("two-heads").spec)
        of_head(app, "select_slider", "parity", "loss_weight", 2.0)
        of_head(app, "text_input", "parity", "name", "odd")
        of_head(app, "selectbox", "odd", "target", "label")
        head = model(app).heads[1]
        assert (head.name, head.loss_weight, head.target, head.loss) == ("odd", 2.0, "label", "categorical_crossentropy")
        assert any(
            element.value.startswith(":red[") and "End with a dense layer of 10" in element.value for element in app.markdown
        )
        of_head(app, "selectbox", "odd", "layer", "digit_softmax")
        assert model(app).heads[1].layer == "digit_softmax"
        healthy(app.button(key="remove_head_digit").click().run())
        assert [head.name for head in model(app).heads] == ["odd"]
        press(app, "Undo")
        assert len(model(app).heads) == 2

    def test_a_name_that_is_taken_is_refused(self):
        app = open_build(presets.preset("two-heads").spec)
        of_head(app, "text_input", "parity", "name", "digit")
        assert "another head" in said(app) and model(app).heads[1].name == "parity"


class TestData:
    def test_series_bring_a_network_for_series_and_undo_takes_it_back(self):
        spec = change(presets.preset("lenet5").spec, {"data.augmentation.rotation": 10})
        app = open_build(spec)
        healthy(app.selectbox(key="dataset_menu").set_value("mnist-1d").run())
        draft = app.session_state["draft"]
        assert (draft.preset, draft.data.dataset) == ("mnist1d", "mnist-1d") and not draft.data.augmentation.active
        assert "needs a network for series" in said(app)
        assert "Rotation (degrees)" not in [slider.label for slider in app.slider] and not app.get("image")
        assert "samples" in {chart.key for chart in app.get("plotly_chart")}
        press(app, "Undo")
        assert app.session_state["draft"] == spec

    def test_a_preset_brings_its_kind_of_data(self):
        app = open_build()
        healthy(app.selectbox(key="preset").set_value("mnist1d-forecast").run())
        assert app.session_state["draft"] == presets.preset("mnist1d-forecast").spec
        healthy(app.selectbox(key="preset").set_value("two-heads").run())
        assert app.session_state["draft"].data.dataset == "mnist-5k"

    def test_points_that_the_network_sees(self):
        app = open_build(presets.preset("mnist1d-forecast").spec)
        healthy(app.slider(key="edit_points_seen").set_value(30).run())
        assert app.session_state["draft"].data.points_seen == 30
        assert "the last 10 points are 10 numbers" in said(app)
        healthy(app.slider(key="edit_points_seen").set_value(40).run())
        assert app.session_state["draft"].data.points_seen is None
        assert "nothing to forecast" in said(app)


class TestShare:
    def upload(self, app: AppTest, content: bytes) -> None:
        healthy(app.file_uploader[0].upload("mine.json", content, "application/json").run())

    def test_a_file_brings_everything_back(self):
        spec = change(presets.preset("two-heads").spec, {"training.epochs": 3})
        app = open_build()
        self.upload(app, spec.model_dump_json().encode())
        assert app.session_state["draft"] == spec and not app.error
        app.run()
        assert app.session_state["draft"] == spec
        press(app, "Undo")
        assert app.session_state["draft"] == presets.preset("tiny").spec

    @pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"\xff\xfe\x00", b'{"model": 3}', b"[" * 100_000, b" " * 300_000])
    def test_a_bad_file_gets_a_sentence_and_nothing_is_lost(self, content):
        app = open_build()
        self.upload(app, content)
        assert len(app.error) == 1 and "mine.json" in app.error[0].value and "Nothing was changed" in app.error[0].value
        assert app.session_state["draft"] == presets.preset("tiny").spec

    def test_the_link_holds_the_settings(self):
        app = open_build()
        assert any(links.encode(app.session_state["draft"]) in code.value for code in app.code)


class Interruption:
    """Ends the next callback at one of its uses of the session, as Streamlit does when a newer event waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module=base, name: str = "_deal_with"):
        self.after, self.came = 0, False
        self._left = None  # uses until then; None: not in a callback, or over
        for use in ("__getitem__", "__setitem__", "__contains__", "__delitem__"):
            monkeypatch.setattr(SafeSessionState, use, self._counted(getattr(SafeSessionState, use)))
        own = getattr(module, name)

        def callback(*arguments: str) -> None:
            self._left, self.after = self.after, None
            try:
                own(*arguments)
            finally:
                self._left = None

        monkeypatch.setattr(module, name, callback)

    def _counted(self, use):
        def counted(*arguments):
            if self._left == 0:
                self._left, self.came = None, True
                raise StopException
            if self._left:
                self._left -= 1
            return use(*arguments)

        return counted


def test_a_name_survives_a_click_that_comes_with_it(monkeypatch):
    interruption = Interruption(monkeypatch)
    app = open_build()
    old = "conv_1"
    for uses in range(100):
        if "open_layer" not in app.session_state or app.session_state["open_layer"] != old:
            open_row(app, old)
        interruption.after, interruption.came = uses, False
        new = f"name_{uses}"
        app.text_input(key=f"edit_layer_{old}_name").set_value(new).run()
        healthy(app.run())
        assert new in names(app)
        assert old not in names(app)
        assert len(app.session_state["undo"]) == uses + 1
        if not interruption.came:
            break
        old = new
    assert 5 < uses < 99


def test_a_click_that_comes_with_a_new_name_finds_the_layer(monkeypatch):
    interruption = Interruption(monkeypatch)
    for uses in range(100):
        app = open_build()
        open_row(app, "conv_1")
        shown = app._tree
        app.text_input(key="edit_layer_conv_1_name").set_value("typed")
        interruption.after, interruption.came = uses, False
        app.run()
        if not interruption.came:
            break
        app._tree = shown  # the click is on what the browser shows still
        press(app, "Duplicate")
        assert names(app)[:2] in (["typed", "typed_1"], ["typed", "conv_2"]) and not app.error
    assert 5 < uses < 99


@pytest.mark.parametrize(("key", "value", "preset"), [("preset", "lenet5", "lenet5"), ("dataset_menu", "mnist-1d", "mnist1d")])
def test_another_network_is_one_step_also_when_a_click_comes_with_it(monkeypatch, key, value, preset):
    interruption, wanted = Interruption(monkeypatch), presets.preset(preset).spec
    for uses in range(0, 100, 3):
        app = open_build(editor=False)
        before = app.session_state["draft"]
        interruption.after, interruption.came = uses, False
        app.selectbox(key=key).set_value(value).run()
        healthy(app.run())
        assert app.session_state["draft"] == wanted
        press(app, "Undo")
        assert app.session_state["draft"] == before and not app.session_state["undo"]
        if not interruption.came:
            break
    assert 5 < uses < 99


def test_undo_loses_no_step_when_a_click_comes_with_it(monkeypatch):
    interruption = Interruption(monkeypatch, history, "_step")
    interruption.after = None
    for uses in range(100):
        app = open_build()
        networks = [model(app)]
        for kind in ("Dropout", "GaussianNoise"):
            add(app, kind)
            networks.append(model(app))
        interruption.after, interruption.came = uses, False
        next(button for button in app.button if button.label == "Undo").click().run()
        interruption.after = None
        healthy(app.run())
        steps = [spec.model for spec, _ in (*app.session_state["undo"], *reversed(app.session_state["redo"]))]
        place = networks.index(model(app))
        assert steps == networks[:place] + networks[place + 1 :]
        if not interruption.came:
            break
    assert 5 < uses < 99
