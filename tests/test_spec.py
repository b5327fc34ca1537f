"""Specs: the same after a round trip, filled in where they may be, and refused in one line where they may not."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from cnn_core.errors import SpecError
from cnn_core.presets import PRESETS, preset
from cnn_core.shapes import report
from cnn_core.spec import RunSpec, change, from_json, read
from tests import strategies


def lenet(**changes) -> dict:
    """LeNet as plain data, with top-level parts replaced."""
    return json.loads(preset("lenet5").spec.model_dump_json()) | changes


def refusal(data: object) -> str:
    """The one line with which a spec is refused."""
    text = data if isinstance(data, (str, bytes)) else json.dumps(data)
    with pytest.raises(SpecError) as caught:
        from_json(text)
    line = str(caught.value)
    assert len(line.splitlines()) == 1 and line.startswith("The spec is not valid: ")
    return line


@settings(deadline=None, max_examples=150)
@given(strategies.run_specs)
def test_a_round_trip_through_json_is_the_identity(spec):
    text = spec.model_dump_json()
    again = from_json(text)
    assert again == spec and again.model_dump_json() == text
    assert RunSpec.model_validate(json.loads(text)) == spec


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_the_round_trip_too(name):
    assert from_json(PRESETS[name].spec.model_dump_json()) == PRESETS[name].spec


def test_inputs_that_are_left_out_are_the_layer_before():
    data = lenet()
    for layer in data["model"]["layers"]:
        del layer["inputs"]
    spec = from_json(json.dumps(data))
    assert spec == preset("lenet5").spec
    assert spec.model.layers[0].inputs == ("input",) and spec.model.layers[1].inputs == (spec.model.layers[0].name,)


def test_a_spec_cannot_be_changed_in_place():
    spec = preset("tiny").spec
    with pytest.raises(ValueError, match="frozen"):
        spec.training.epochs = 3


def test_unknown_and_missing_fields():
    assert "colour: Extra inputs are not permitted" in refusal(lenet(colour="red"))
    assert "training.speed: Extra inputs" in refusal(lenet(training={"speed": 3}))
    data = lenet()
    del data["model"]
    assert "model: Field required" in refusal(data)
    assert "model.heads: Field required" in refusal({"model": {"layers": lenet()["model"]["layers"]}})
    assert refusal(lenet(**{"two\nlines": 1}))


def test_wrong_types_and_values():
    assert "training.epochs: Input should be a valid integer" in refusal(lenet(training={"epochs": "many"}))
    assert "training.optimizer: Input should be 'sgd', 'adam'" in refusal(lenet(training={"optimizer": "lion"}))
    assert "data.dataset" in refusal(lenet(data={"dataset": "imagenet"}))
    assert "data.validation" in refusal(lenet(data={"validation": 0.9}))
    assert "momentum" in refusal(lenet(training={"momentum": 1}))
    assert "rotation" in refusal(lenet(data={"augmentation": {"rotation": 90}}))
    assert refusal([1, 2]) and refusal("null") and refusal("{") and refusal("") and refusal(b"\xff\xfe\x00")


def test_many_faults_are_counted():
    line = refusal(lenet(training={"epochs": 0, "batch_size": 0, "learning_rate": 0, "seed": -1, "momentum": 2}))
    assert line.endswith("; and 2 more.") and "training.learning_rate: Input should be greater than 0; " in line


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("filters", 0),
        ("filters", 257),
        ("kernel_size", 0),
        ("kernel_size", 12),
        ("strides", 0),
        ("padding", "full"),
        ("kernel_l2", -0.1),
        ("kernel_l2", float("nan")),
        ("max_norm", float("inf")),
    ],
)
def test_limits_of_a_convolution(path, value):
    with pytest.raises(SpecError, match=path):
        change(preset("lenet5").spec, {f"model.layers.conv_1.{path}": value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.layers.dense_1.units", 1025),
        ("model.layers.dense_1.units", 0),
        ("model.layers.pool_1.pool_size", 9),
        ("training.learning_rate", float("nan")),
        ("training.learning_rate", float("inf")),
        ("training.learning_rate", 0),
        ("training.learning_rate", 10.1),
        ("training.seed", 2**31),
        ("training.batch_size", 4097),
    ],
)
def test_other_limits(path, value):
    with pytest.raises(SpecError, match=path.rpartition(".")[2]):
        change(preset("lenet5").spec, {path: value})


@pytest.mark.parametrize("value", [1, 256])
def test_the_ends_of_a_range_are_allowed(value):
    assert change(preset("lenet5").spec, {"model.layers.conv_1.filters": value}).model.layer("conv_1").filters == value


def test_faults_of_the_graph():
    layers = lenet()["model"]["layers"]
    heads = [{"layer": "softmax"}]
    assert "two layers are called 'conv_1'" in refusal({"model": {"layers": [layers[0], *layers], "heads": heads}})
    named_input = [{**layers[0], "name": "input"}, *layers[1:]]
    assert "two layers are called 'input'" in refusal({"model": {"layers": named_input, "heads": heads}})
    astray = [layers[0], {**layers[1], "inputs": ["nowhere"]}, *layers[2:]]
    assert "is fed by 'nowhere', which is not a layer before it" in refusal({"model": {"layers": astray, "heads": heads}})
    backwards = [{**layers[0], "inputs": ["softmax"]}, *layers[1:]]
    assert "is fed by 'softmax', which is not" in refusal({"model": {"layers": backwards, "heads": heads}})
    for inputs in ([], ["conv_1"] * 9):
        crowded = [layers[0], {**layers[1], "inputs": inputs}, *layers[2:]]
        assert "inputs: " in refusal({"model": {"layers": crowded, "heads": heads}})
    assert "reads layer 'nowhere', which does not exist" in refusal(
        {"model": {"layers": layers, "heads": [{"layer": "nowhere"}]}}
    )
    assert "does not exist" in refusal({"model": {"layers": layers, "heads": [{"layer": "input"}]}})
    assert "two heads are called 'label'" in refusal({"model": {"layers": layers, "heads": heads * 2}})
    assert "begins with 'val_'" in refusal({"model": {"layers": layers, "heads": [{"layer": "softmax", "name": "val_label"}]}})
    assert "reads layer 'softmax', which does not exist" in refusal({"model": {"layers": [], "heads": heads}})
    many = [{"layer": "softmax", "name": f"head_{number}"} for number in range(9)]
    assert "model.heads: " in refusal({"model": {"layers": layers, "heads": many}})
    assert "kind" in refusal({"model": {"layers": [{**layers[0], "kind": "Conv9D"}], "heads": [{"layer": "conv_1"}]}})
    assert "name" in refusal({"model": {"layers": [{**layers[0], "name": "Conv 1"}], "heads": [{"layer": "Conv 1"}]}})


def test_a_network_may_be_unfinished():
    """It is edited step by step; what is wrong with it `shapes.report` says."""
    layers = lenet()["model"]["layers"]
    branch = {"kind": "Conv2D", "name": "branch", "inputs": ["input"]}
    double = {"kind": "Flatten", "name": "double", "inputs": ["input", "branch"]}
    for unfinished in (
        {"layers": [branch, double, *layers], "heads": [{"layer": "softmax"}]},
        {"layers": layers, "heads": []},
        {"layers": [], "heads": []},
    ):
        spec = from_json(json.dumps({"model": unfinished}))
        assert len(spec.model.layers) == len(unfinished["layers"]) and report(spec.model, spec.data).errors


def test_targets_losses_and_weights_of_a_head():
    def head(**changes) -> dict:
        return lenet(model=lenet()["model"] | {"heads": [{"layer": "softmax", **changes}]})

    assert (
        from_json(json.dumps(head(target="parity", loss="binary_crossentropy", loss_weight=1000))).model.heads[0].loss_weight
        == 1000
    )
    assert "target: Input should be 'label', 'parity' or 'forecast'" in refusal(head(target="colour"))
    assert "loss: Input should be" in refusal(head(loss="hinge"))
    assert "loss_weight" in refusal(head(loss_weight=0)) and "loss_weight" in refusal(head(loss_weight=1001))
    assert "points_seen" in refusal(lenet(data={"points_seen": 0})) and "name" in refusal(head(name="Digit"))


def test_change_by_path_and_by_layer_name():
    spec = preset("lenet5").spec
    changed = change(
        spec, {"training.epochs": 3, "model.layers.conv_2.filters": 16, "data.augmentation.rotation": 5, "data.validation": 0.2}
    )
    assert changed.training.epochs == 3 and changed.model.layer("conv_2").filters == 16
    assert changed.data.augmentation.rotation == 5 and changed.data.validation == 0.2
    assert spec == preset("lenet5").spec, "the spec it came from stays"
    assert change(spec, {}) == spec
    assert changed.model.layer("conv_1") == spec.model.layer("conv_1")


@pytest.mark.parametrize(
    "path", ["training.speed", "training", "training.epochs.more", "model.layers.conv_9.filters", "model.layers.conv_1", "", "."]
)
def test_change_of_what_is_not_there(path):
    with pytest.raises(SpecError) as caught:
        change(preset("lenet5").spec, {path: 1})
    assert len(str(caught.value).splitlines()) == 1


def test_spec_files(tmp_path: Path):
    file = tmp_path / "spec.json"
    with pytest.raises(SpecError, match=r"The spec file .*spec\.json cannot be read \(No such file or directory\)"):
        read(file)
    with pytest.raises(SpecError, match="cannot be read"):
        read(tmp_path)
    file.write_bytes(b"\x00\x01\x02")
    with pytest.raises(SpecError, match=r"The spec file .*spec\.json is not valid: "):
        read(file)
    file.write_text(preset("tiny").spec.model_dump_json(indent=2))
    assert read(file) == preset("tiny").spec


def test_a_layer_is_found_by_its_name():
    model = preset("lenet5").spec.model
    assert model.layer("conv_2") is model.layers[3]
    with pytest.raises(KeyError):
        model.layer("conv_9")
