"""What differs between two specs."""

import pytest

from cnn_core.differences import ABSENT, Difference, differences
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import change

TINY = preset("tiny").spec


@pytest.mark.parametrize("name", PRESETS)
def test_a_spec_does_not_differ_from_itself(name):
    assert differences(preset(name).spec, preset(name).spec) == []


def test_paths_are_those_that_change_takes():
    settings = {
        "model.layers.conv_1.filters": 3,
        "data.augmentation.rotation": 5.0,
        "training.optimizer": "sgd",
        "model.heads.label.loss_weight": 2.0,
    }
    other = change(TINY, settings)
    found = differences(TINY, other)
    assert {one.path: one.other for one in found} == settings
    assert change(TINY, {one.path: one.other for one in found}) == other
    assert change(other, {one.path: one.one for one in found}) == TINY


def test_a_layer_or_head_of_one_alone_is_one_line():
    lenet, found = preset("two-heads").spec, {}
    for one in differences(TINY, lenet):
        found[one.path] = (one.one, one.other)
    extra = {layer.name: layer.kind for layer in lenet.model.layers} | {
        f"{head.name} head": head.target for head in lenet.model.heads
    }
    missing = {path.split(".")[2] for path, values in found.items() if values[0] == ABSENT}
    assert missing and missing <= set(extra)
    for path, (_, other) in found.items():
        if path.split(".")[2:] and path.split(".")[2] in missing:
            assert path.count(".") == 2 and other in extra.values()


def test_the_other_way_round():
    there, back = differences(TINY, preset("lenet5").spec), differences(preset("lenet5").spec, TINY)
    assert {(one.path, str(one.one), str(one.other)) for one in there} == {
        (one.path, str(one.other), str(one.one)) for one in back
    }


def test_layers_of_one_name_and_two_kinds():
    spec = TINY.model_dump(mode="json")
    (pool,) = (layer for layer in spec["model"]["layers"] if layer["name"] == "pool_1")
    pool["kind"] = "MinPooling2D"
    found = differences(TINY, type(TINY).model_validate(spec))
    assert found == [Difference("model.layers.pool_1", TINY.model.layer("pool_1").kind, "MinPooling2D")]
