"""ONNX and LiteRT files give the answers of the lab."""

from pathlib import Path

import numpy as np
import pytest

from cnn_core import datasets, targets
from cnn_core.errors import LabError
from cnn_core.export import conversion, obstacle
from cnn_core.export.conversion import convert
from cnn_core.export.formats import FORMATS
from cnn_core.layer_kinds import KINDS, ActivationName
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import RunSpec, change

RANDOM = np.random.default_rng(0)


def weights_of(spec: RunSpec, folder: Path) -> Path:
    """A file of weights that are all different from those at the start."""
    from cnn_core.model import build_model

    model = build_model(spec)
    model.set_weights([values + RANDOM.uniform(-0.02, 0.02, values.shape) for values in model.get_weights()])
    model.save_weights(folder / "model.weights.h5")
    return folder / "model.weights.h5"


def said_by_onnx(file: Path, inputs: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    assert [(one.name, one.shape[0]) for one in session.get_inputs()] == [("input", "batch")]
    return dict(zip((one.name for one in session.get_outputs()), session.run(None, {"input": inputs}), strict=True))


def said_by_litert(file: Path, inputs: np.ndarray) -> dict[str, np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(str(file)).get_signature_runner("serving_default")(input=inputs)


SAID_BY = {"onnx": said_by_onnx, "litert": said_by_litert}


def insist_on_the_same_answers(spec: RunSpec, folder: Path, formats: tuple[str, ...] = ("onnx", "litert")) -> None:
    from cnn_core.inference import TrainedModel

    weights = weights_of(spec, folder)
    examples = datasets.load(spec.data.dataset).x_test[:100]
    expected = TrainedModel(spec, weights).answers(examples)
    inputs = targets.inputs(spec.data, examples).astype(np.float32)
    if examples.dtype == np.uint8:
        inputs /= 255
    for format in formats:
        assert obstacle(spec, format) is None
        file = folder / f"network{FORMATS[format].ending}"
        convert(spec, weights, format, file)
        said = SAID_BY[format](file, inputs)
        assert said.keys() == expected.keys()
        for head in spec.model.heads:
            np.testing.assert_allclose(targets.readable(head, said[head.name]), expected[head.name], atol=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_gives_the_same_answers(name, tmp_path):
    insist_on_the_same_answers(preset(name).spec, tmp_path)


@pytest.mark.parametrize("dataset", ["mnist-5k", "mnist-1d"])
def test_every_kind_of_layer_gives_the_same_answers(dataset, tmp_path):
    """All kinds that suit the data in one network; where they would hide each other they stand side by side."""
    series = dataset == "mnist-1d"
    other = "2D" if series else "1D"
    kinds = [name for name in KINDS if not name.endswith(other)]
    layers: list[dict] = []

    def add(kind: str, *inputs: str, **settings) -> str:
        layers.append({"kind": kind, "name": f"layer_{len(layers)}", **({"inputs": inputs} if inputs else {}), **settings})
        return layers[-1]["name"]

    start = add("Conv1D" if series else "Conv2D", filters=4)
    rows = []
    for kind in kinds:
        if kind in ("Flatten", "Dense", "Activation", "Add", "Multiply", "Concatenate"):
            continue
        for padding in ({"padding": "valid"}, {"padding": "same"}) if "padding" in KINDS[kind].model_fields else ({},):
            end = add(kind, start, **({} if kind.startswith("Zero") else padding))
            rows.append(end if kind.startswith("Global") else add("Flatten"))
    for function in ActivationName.__args__:
        add("Activation", start, function=function)
        rows.append(add("Flatten"))
    for kind in ("Add", "Multiply", "Concatenate"):
        add(kind, start, start)
        rows.append(add("Flatten"))
    ends = [add("Dense", row, units=3) for row in rows]
    while len(ends) > 1:
        ends = [*ends[8:], add("Concatenate", *ends[:8])]
    add("Dense", units=10)
    end = add("Activation", function="softmax")
    spec = RunSpec.model_validate({"model": {"layers": layers, "heads": [{"layer": end}]}, "data": {"dataset": dataset}})
    assert {layer.kind for layer in spec.model.layers} == set(kinds)
    insist_on_the_same_answers(spec, tmp_path)


def test_what_stands_in_the_way_is_known_before(monkeypatch):
    spec = preset("tiny").spec
    assert all(obstacle(one.spec, format) is None for one in PRESETS.values() for format in FORMATS)
    assert "End with a dense layer of 10 units" in obstacle(change(spec, {"model.layers.output.units": 9}), "python")
    monkeypatch.setattr(conversion, "find_spec", lambda name: None)
    assert obstacle(spec, "onnx") == "The package onnx is not installed. Run `pip install -r requirements.txt`."
    assert obstacle(spec, "litert") is obstacle(spec, "keras") is None


def test_an_onnx_file_says_what_its_heads_mean(tmp_path):
    import onnx

    spec = preset("two-heads").spec
    convert(spec, weights_of(spec, tmp_path), "onnx", tmp_path / "network.onnx")
    said = {one.key: one.value for one in onnx.load(tmp_path / "network.onnx").metadata_props}
    assert (
        said["input"] == "float32, batch x 28 x 28 x 1" and said["parity"] == "even, odd" and said["digit"].startswith("0, 1, 2")
    )


def test_damaged_weights(tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(b"nothing")
    with pytest.raises(LabError, match="the file is damaged"):
        convert(preset("tiny").spec, tmp_path / "model.weights.h5", "onnx", tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()
