"""Scripts and notebooks to take home, as text."""

import ast
import json
import subprocess
import sys

import nbformat
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cnn_core.errors import SpecError
from cnn_core.export import obstacle
from cnn_core.export.borrowed import borrow
from cnn_core.export.fusing import fused
from cnn_core.export.notebook import notebook
from cnn_core.export.script import script
from cnn_core.export.training import schedule
from cnn_core.presets import PRESETS, preset
from cnn_core.spec import RunSpec, TrainingSpec, change
from tests.strategies import run_specs


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The script of every preset as it is, and where it repeats to the bit."""
    exact = {f"{name}, exact": change(one.spec, {"training.deterministic": True}) for name, one in PRESETS.items()}
    return {name: script(spec) for name, spec in ({name: one.spec for name, one in PRESETS.items()} | exact).items()}


def insist_on_plain_code(text: str) -> None:
    """Valid Python, of which nothing is the lab's."""
    compile(text, "script.py", "exec")
    assert "cnn_core" not in text and "spec." not in text
    imported = {name for node in ast.walk(ast.parse(text)) for name in modules(node)}
    allowed = {"keras", "tensorflow", "numpy", "mlxtend", "mnist1d", "scipy", "PIL"}
    assert imported - set(sys.stdlib_module_names) <= allowed


def modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [node.module.partition(".")[0]] if isinstance(node, ast.ImportFrom) else []


def test_every_preset_gives_plain_code(scripts):
    for text in scripts.values():
        insist_on_plain_code(text)


def test_scripts_are_clean_and_formatted(scripts, tmp_path):
    for number, text in enumerate(scripts.values()):
        (tmp_path / f"{number}.py").write_text(text)
    for command in (("check", "--select", "E,F,W,I,B", "--ignore", "E501"), ("format", "--check", "--line-length", "130")):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, tmp_path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(run_specs)
def test_any_spec_gives_plain_code_or_its_fault(spec):
    try:
        text = script(spec)
    except SpecError:
        assume(False)
    insist_on_plain_code(text)


def test_a_network_that_does_not_fit_has_no_script():
    spec = change(preset("tiny").spec, {"model.layers.output.units": 9})
    with pytest.raises(SpecError, match="End with a dense layer of 10 units"):
        script(spec)


def test_drawings_of_ones_own_are_not_in_a_script():
    spec = change(preset("tiny").spec, {"data.own_digits": 0.25})
    with pytest.raises(SpecError, match="drawings of your own"):
        script(spec)
    assert "drawings of your own" in obstacle(spec, "notebook") and obstacle(spec, "keras") is None


def test_it_reads_as_a_tutorial(scripts):
    text = scripts["lenet5"]
    assert text.count("\n") < 110
    for line in (
        'layers.Conv2D(6, 5, padding="same", activation="relu"),',
        "layers.MaxPooling2D(2),",
        'layers.Dense(10, activation="softmax"),',
        "optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),",
        "validation_data=in_order(x_test, y_test),",
    ):
        assert f"    {line}\n" in text
    assert "name=" not in text and "Activation(" not in text and "distort" not in text
    heads = scripts["two-heads"]
    assert 'return keras.Model(inputs, {"digit": digit, "parity": parity})' in heads
    assert 'loss_weights={"digit": 1.0, "parity": 0.5},' in heads
    assert "class MinPooling2D(keras.layers.MaxPooling2D):" in scripts["pooling-min"]
    assert "class MinPooling" not in scripts["pooling-max"]


def test_only_what_is_used_is_written_out(scripts):
    assert "bend" not in scripts["lenet5-regularised"] and "redraw" not in scripts["lenet5-regularised"]
    assert "class Page" in scripts["best"] and "CALM = " in scripts["best"] and "bend_images" in scripts["best"]
    text = script(change(preset("best").spec, {"data.dataset": "fashion-mnist"}))
    assert "class Page" not in text and "keras.datasets.fashion_mnist" in text  # clothes have no digits to redraw


def test_what_is_borrowed_is_the_source_of_the_lab():
    with pytest.raises(KeyError):
        borrow(("model", "no_such_function"))
    whole = borrow(("model", "distort")).code
    assert "if changes.stroke:" in whole and "if changes.elastic:" in whole
    without = borrow(("model", "distort"), switches={"stroke": False, "elastic": False}).code
    assert "if changes" not in without and "redraw_strokes" not in without and "ImageProjectiveTransformV3" in without
    bent = borrow(("model", "distort"), switches={"stroke": False, "elastic": True}).code
    assert "    return bend_images(batch, rows, changes, seed)" in bent and "ImageProjectiveTransformV3" not in bent


def build(*layers: dict, heads: tuple[dict, ...] = ()) -> RunSpec:
    end = [
        {"kind": "Flatten", "name": "flatten"},
        {"kind": "Dense", "name": "output", "units": 10},
        {"kind": "Activation", "name": "softmax", "function": "softmax"},
    ]
    return RunSpec.model_validate({"model": {"layers": [*layers, *end], "heads": [{"layer": "softmax"}, *heads]}})


def names(spec: RunSpec, exact: bool = False) -> list[str]:
    return [layer.name for layer, _ in fused(spec.model, exact)]


def test_which_activations_are_fused():
    conv, relu = {"kind": "Conv2D", "name": "conv"}, {"kind": "Activation", "name": "relu"}
    norm = {"kind": "BatchNormalization", "name": "norm"}
    rest = ["flatten", "output"]
    assert names(build(conv, relu)) == ["conv", *rest]
    assert names(build(conv, norm, relu)) == ["conv", "norm", "relu", *rest]
    assert names(build(norm, relu)) == ["norm", "relu", *rest]
    assert names(build(conv, relu, {**relu, "name": "again"})) == ["conv", "again", *rest]
    assert names(build({**conv, "activity_l1": 0.1}, relu)) == ["conv", *rest]
    assert names(build({**conv, "activity_l1": 0.1}, {**relu, "activity_l2": 0.1})) == ["conv", "relu", *rest]
    both = {"kind": "Add", "name": "both", "inputs": ["conv", "relu"]}
    assert names(build(conv, relu, both)) == ["conv", "relu", "both", *rest]
    penalty = script(build(conv, {**relu, "activity_l1": 0.1}))
    assert 'activation="relu", activity_regularizer=regularizers.L1(0.1)' in penalty


def test_activations_stay_where_penalties_would_be_added_in_another_order():
    """Three convolutions beside each other, one of them with a second one before it: fused, they are at other distances from the end."""
    l2 = {"kernel_l2": 0.01, "padding": "same"}
    layers = [
        {"kind": "Conv2D", "name": "a", "inputs": ["input"], **l2},
        {"kind": "Activation", "name": "a_relu"},
        {"kind": "Conv2D", "name": "b", **l2},
        {"kind": "Activation", "name": "b_relu"},
        {"kind": "Conv2D", "name": "c", "inputs": ["input"], **l2},
        {"kind": "MaxPooling2D", "name": "pool", "strides": 1, "padding": "same"},
        {"kind": "MaxPooling2D", "name": "again", "strides": 1, "padding": "same"},
        {"kind": "Add", "name": "both", "inputs": ["b_relu", "again"]},
    ]
    assert {"a_relu", "b_relu"}.isdisjoint(names(build(*layers)))
    assert {"a_relu", "b_relu"} & set(names(build(*layers), exact=True))
    for name in PRESETS:
        assert names(preset(name).spec) == names(preset(name).spec, exact=True)


def test_layers_whose_names_mean_something_in_python():
    layers = [
        {"kind": "Conv2D", "name": "lambda", "inputs": ["input"]},
        {"kind": "Conv2D", "name": "keras", "inputs": ["input"]},
        {"kind": "Conv2D", "name": "keras_", "inputs": ["input"]},
        {"kind": "Add", "name": "inputs", "inputs": ["lambda", "keras", "keras_"]},
    ]
    text = script(build(*layers))
    insist_on_plain_code(text)
    assert "inputs_ = layers.Add()([lambda_, keras_, keras__])" in text


@pytest.mark.parametrize("name", ["warm-up", "cosine", "one-cycle", "step", "exponential"])
def test_the_plan_of_the_learning_rate_is_that_of_the_lab(name):
    import keras

    from cnn_core.model import _schedule

    for epochs in (1, 7):
        training = TrainingSpec(schedule=name, epochs=epochs, period=2, decay=0.3, learning_rate=0.003)
        for data, steps in (("mnist-5k", 29), ("mnist", 422)):
            spec = change(preset("tiny").spec, {"training": training.model_dump(), "data.dataset": data})
            given = {"keras": keras, "EPOCHS": epochs, "STEPS": steps, "LEARNING_RATE": 0.003}
            assert eval(schedule(spec), given).get_config() == _schedule(training, steps).get_config()


def test_callbacks_mean_what_the_lab_means():
    spec = preset("two-heads").spec
    changes = {
        "training.schedule": "plateau",
        "training.period": 3,
        "training.early_stopping": "accuracy",
        "training.patience": 4,
    }
    text = script(change(spec, changes))
    assert 'keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=3, min_delta=0.0001),' in text
    assert 'keras.callbacks.EarlyStopping("val_digit_accuracy", patience=4, mode="max"),' in text
    text = script(change(preset("tiny").spec, {"training.early_stopping": "loss", "data.validation": 0}))
    assert 'keras.callbacks.EarlyStopping("loss", patience=5),' in text and "validation" not in text.partition("import os")[
        2
    ].replace("Batches for validation and test", "")


@pytest.mark.parametrize("name", PRESETS)
def test_the_notebook_holds_the_code_of_the_script(name):
    spec = preset(name).spec
    made = nbformat.reads(notebook(spec), as_version=4)
    nbformat.validate(made)
    cells = [cell.source for cell in made.cells if cell.cell_type == "code"]
    assert len(cells) >= 6 and all(cells)
    assert ast.dump(ast.parse("\n".join(cells))) == ast.dump(ast.Module(ast.parse(script(spec)).body[1:], []))
    assert all(cell.source.startswith("#") for cell in made.cells if cell.cell_type == "markdown")
    assert notebook(spec) == notebook(spec) and json.loads(notebook(spec))["metadata"]["kernelspec"]["name"] == "python3"


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(PRESETS)), st.integers(0, 2**31 - 1))
def test_a_script_follows_from_its_spec_alone(name, seed):
    spec = change(preset(name).spec, {"training.seed": seed})
    assert script(spec) == script(RunSpec.model_validate_json(spec.model_dump_json()))
    assert f"\nSEED = {seed}\n" in script(spec)
