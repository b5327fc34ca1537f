"""The command line, as a person or a script calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnn_core import datasets
from cnn_core.__main__ import main
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change

ROOT = Path(__file__).parent.parent


def call(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cnn_core", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "CNN_LAB_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def answer(done: subprocess.CompletedProcess[str]) -> object:
    """The JSON that a command printed, and it alone."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def training(home: Path) -> subprocess.CompletedProcess[str]:
    """One short run, trained by a command."""
    settings = ("--set", "training.batch_size=128", "--set", "model.layers.conv_1.filters=4", "--set", "data.validation=0.25")
    return call(home, "train", "--preset", "tiny", "--epochs", 2, "--seed", 3, *settings, "--name", "from a script", "--json")


@pytest.fixture(scope="module")
def result(training) -> dict:
    return answer(training)


@pytest.fixture
def quick(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The same command line without a process: (exit code, stdout, stderr)."""
    monkeypatch.setenv("CNN_LAB_HOME", str(home))

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return run


def test_train_answers_with_one_document(training, result):
    assert training.stdout.count("\n") == 1, "nothing else is printed there"
    assert f"[{result['run']}] epoch " in training.stderr and "Traceback" not in training.stderr
    assert result["status"] == "finished" and result["epochs"] == 2 and result["name"] == "from a script"
    assert result["parameters"] == 104 + (14 * 14 * 4 + 1) * 64 + 650
    assert len(result["seconds_per_epoch"]) == 2 and 0 < sum(result["seconds_per_epoch"]) < result["seconds"]
    assert 0.5 < result["test_accuracy"] < 1 and result["test_loss"] > 0
    assert {name: len(values) for name, values in result["history"].items()} == {
        "accuracy": 2,
        "loss": 2,
        "val_accuracy": 2,
        "val_loss": 2,
    }
    spec = result["spec"]
    assert (spec["training"]["seed"], spec["training"]["batch_size"], spec["data"]["validation"]) == (3, 128, 0.25)


def test_runs_and_show(quick, result):
    code, out, _ = quick("runs", "--json")
    (listed,) = json.loads(out)
    assert code == 0 and listed["run"] == result["run"] and listed["status"] == "finished"
    assert {"name", "dataset", "preset", "epoch", "epochs", "test_accuracy", "started"} <= set(listed)
    assert (listed["preset"], listed["epoch"], listed["epochs"]) == ("tiny", 2, 2)
    assert result["run"] in quick("runs")[1]
    code, out, _ = quick("show", "latest", "--json")
    shown = json.loads(out)
    assert code == 0 and shown["history"] == result["history"] and shown["epochs_planned"] == 2


def test_rename(quick, result):
    assert quick("rename", "latest", " another name ")[0] == 0
    assert json.loads(quick("show", result["run"], "--json")[1])["name"] == "another name"


def test_evaluate(quick, result):
    code, out, _ = quick("evaluate", result["run"], "--json")
    scores = json.loads(out)
    assert code == 0 and scores["test_accuracy"] == pytest.approx(result["test_accuracy"], abs=1e-6)
    assert np.array(scores["confusion"]).sum() == 1000 and set(scores["class_accuracy"]) == set("0123456789")
    low, high = scores["interval"]
    assert low < scores["test_accuracy"] < high
    confusion = np.array(scores["confusion"])
    for name, total in (("class_accuracy", confusion.sum(axis=1)), ("precision", confusion.sum(axis=0))):
        np.testing.assert_allclose(list(scores[name].values()), confusion.diagonal() / np.maximum(total, 1))
    f1 = 2 * confusion.diagonal() / (confusion.sum(axis=0) + confusion.sum(axis=1))
    np.testing.assert_allclose(list(scores["f1"].values()), f1)
    assert quick("evaluate", "latest")[1].startswith(f"Test accuracy: {result['test_accuracy']:.4f}\n95 % confidence interval: ")


def test_benchmark_presets(quick):
    code, out, _ = quick("benchmark-presets", "tiny", "--seeds", "1", "--dataset", "mnist-5k", "--json")
    (row,) = json.loads(out)
    assert code == 0 and (row["preset"], row["dataset"], row["failed"]) == ("tiny", "mnist-5k", 0)
    assert len(row["test_accuracy"]) == 1 and row["test_accuracy"][0] > 0.9 and row["parameters"] == 101_274
    code, out, fault = quick("benchmark-presets", "mnist1d", "--dataset", "mnist-5k")
    assert code == 2 and not out and fault.count("\n") == 1


def test_classify(home, result, tmp_path):
    data = datasets.load("mnist-5k")
    files, labels = [], []
    for digit in (1, 0):
        image = data.x_test[data.y_test == digit][0, ..., 0]
        files.append(tmp_path / f"{digit}.png")
        Image.fromarray(255 - image).resize((200, 200)).save(files[-1])
        labels.append(str(digit))
    blank = tmp_path / "blank.jpg"
    Image.new("RGB", (100, 100), "white").save(blank)
    answers = answer(call(home, "classify", "latest", files[0], blank, files[1], "--json"))
    assert [each["file"] for each in answers] == [str(files[0]), str(blank), str(files[1])]
    assert answers[1]["empty"] is True and answers[1]["label"] is None
    for each, label in zip((answers[0], answers[2]), labels, strict=True):
        assert each["label"] == label and not each.get("empty")
        assert len(each["probabilities"]) == 10 and sum(each["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert each["confidence"] == max(each["probabilities"]) == each["probabilities"][int(label)]


def test_export(home, result, tmp_path):
    import keras

    done = answer(call(home, "export", result["run"], "--format", "keras", tmp_path / "mine.keras", "--json"))
    assert done == {"run": result["run"], "file": str(tmp_path / "mine.keras"), "format": "keras"}
    answers = keras.saving.load_model(tmp_path / "mine.keras").predict(
        datasets.load("mnist-5k").x_test / np.float32(255), verbose=0
    )
    np.testing.assert_allclose(answers, np.load(home / result["run"] / "test_answers.npz")["label"], atol=1e-5)


def test_shapes(quick, tmp_path):
    code, out, _ = quick("shapes", "--preset", "lenet5", "--json")
    shapes = json.loads(out)
    assert code == 0 and shapes["parameters"] == 27_598 and shapes["errors"] == []
    assert shapes["layers"][0] == {
        "name": "conv_1",
        "kind": "Conv2D",
        "inputs": ["input"],
        "output_shape": [28, 28, 6],
        "parameters": 156,
        "multiply_adds": 117_600,
        "receptive_field": 5,
        "error": None,
    }
    assert "27,598" in quick("shapes", "--preset", "lenet5")[1]
    file = tmp_path / "spec.json"
    file.write_text(preset("tiny").spec.model_dump_json())
    assert json.loads(quick("shapes", "--spec", file, "--json")[1])["parameters"] == 101_274


def test_delete(quick, home, result, tmp_path):
    """On a copy of the home, so that the other tests keep their run."""
    import shutil

    shutil.copytree(home, tmp_path / "copy")
    done = call(tmp_path / "copy", "delete", "latest", "--json")
    assert answer(done) == {"run": result["run"], "deleted": True}
    assert not (tmp_path / "copy" / result["run"]).exists()
    assert answer(call(tmp_path / "copy", "runs", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--preset", "vgg"], "There is no preset 'vgg'. Expected one of: tiny, lenet5"),
        (["train", "--preset", "tiny", "--dataset", "cats"], "There is no dataset 'cats'. Expected one of: mnist-5k"),
        (["train", "--preset", "tiny", "--epochs", "0"], "training.epochs"),
        (["train", "--preset", "tiny", "--epochs", "many"], "invalid int value: 'many'"),
        (["train", "--preset", "tiny", "--set", "training.batch_size"], "--set expects PATH=VALUE"),
        (["train", "--preset", "tiny", "--set", "training.speed=3"], "There is no setting 'training.speed'"),
        (["train", "--preset", "tiny", "--set", "training.batch_size=many"], "training.batch_size"),
        (["train", "--preset", "tiny", "--set", "training.learning_rate=NaN"], "training.learning_rate"),
        (
            ["train", "--preset", "tiny", "--set", "model.layers.conv_1.strides=4", "--set", "model.layers.pool_1.pool_size=8"],
            "Layer pool_1: Pool 8x8 does not fit the 7x7 map that reaches it.",
        ),
        (["train", "--spec", "missing.json"], "The spec file missing.json cannot be read"),
        (["train"], "one of the arguments --preset --spec --resume is required"),
        (["shapes", "--preset", "vgg"], "There is no preset 'vgg'"),
        (["show", "nothing"], "There is no run 'nothing'."),
        (["evaluate", "nothing"], "There is no run 'nothing'."),
        (["delete", "nothing"], "There is no run 'nothing'."),
        (["stop", "latest"], "is finished already"),
        (["rename", "latest", " "], "at least one character"),
        (["classify", "nothing", "a.png"], "There is no run 'nothing'."),
        (["classify", "latest", "missing.png"], "missing.png cannot be read"),
        (["classify", "latest", ROOT / "pyproject.toml"], "pyproject.toml: This file is not a picture that can be read."),
        (["export", "latest", "--format", "tape", "out"], "invalid choice: 'tape'"),
        (["export", "latest", "--format", "keras", "out.h5"], "A Keras file ends in .keras"),
        (["juggle"], "invalid choice: 'juggle'"),
        ([], "the following arguments are required: COMMAND"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_one_line(quick, result, arguments, words):
    code, out, error = quick(*arguments)
    assert code == 2 and out == "" and len(error.splitlines()) == 1 and words in error, error


def test_errors_of_a_real_process(home, tmp_path):
    spec = json.loads(preset("tiny").spec.model_dump_json())
    (tmp_path / "spec.json").write_text(json.dumps(spec | {"colour": "red"}))
    done = call(home, "train", "--spec", tmp_path / "spec.json", "--json")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "colour: Extra inputs are not permitted" in done.stderr


def test_an_impossible_network_is_shown_with_its_fault(quick, tmp_path):
    spec = json.loads(preset("tiny").spec.model_dump_json())
    spec["model"]["layers"][0] |= {"padding": "valid", "strides": 4}
    spec["model"]["layers"][2] |= {"pool_size": 8}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    code, out, error = quick("shapes", "--spec", tmp_path / "spec.json", "--json")
    assert code == 2 and "Layer pool_1: Pool 8x8 does not fit the 6x6 map" in error
    assert [layer["name"] for layer in json.loads(out)["layers"] if layer["error"]] == ["pool_1"]


def test_a_run_that_fails_is_exit_code_one(tmp_path):
    settings = ("--set", "training.optimizer=sgd", "--set", "training.learning_rate=10", "--epochs", 50)
    done = call(tmp_path, "train", "--preset", "dense-l2-l1", *settings, "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["status"] == "failed"
    assert "learning rate is usually too high" in done.stderr.splitlines()[-1]


def test_a_run_is_steered_by_commands(tmp_path, monkeypatch, capsys, wait_until):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    lab = Lab(tmp_path)
    run = lab.submit(change(preset("tiny").spec, {"training.epochs": 1000}))
    waiting = lab.submit(change(preset("tiny").spec, {"training.epochs": 1}))

    def said(*arguments: object) -> object:
        assert main([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    assert [(row["run"], row["status"]) for row in said("queue")] == [(run, "running"), (waiting, "queued")]
    said("stop", waiting)
    wait_until(lambda: lab.store.get(run).epoch > 0)
    assert said("set-learning-rate", run, 0.003) == {"run": run, "learning_rate": 0.003}
    wait_until(lambda: lab.store.events(run))
    assert said("pause", run) == {"run": run, "pausing": True}
    wait_until(lambda: lab.store.get(run).is_over)
    assert said("show", run)["status"] == "paused" and said("queue") == []
    assert main(["set-learning-rate", run, "0.003"]) == main(["pause", run]) == 2
    assert capsys.readouterr().err.splitlines()[0].endswith("only of a run that trains can the learning rate be changed.")
    assert said("resume", run) == {"run": run, "status": "running", "epochs": 1000}
    assert main(["resume", run]) == 2
    said("stop", run)
    wait_until(lambda: lab.store.get(run).is_over)


def test_train_goes_on_with_a_run_and_answers_as_for_a_new_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    quickly = ["--set", "training.batch_size=128", "--json"]
    assert main(["train", "--preset", "tiny", "--epochs", "1", *quickly]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["train", "--resume", "latest", "--epochs", "2", "--json"]) == 0
    further = json.loads(capsys.readouterr().out)
    assert (further["run"], further["epochs"], first["epochs"]) == (first["run"], 3, 1)
    assert further["history"]["loss"][0] == first["history"]["loss"][0] > further["history"]["loss"][-1]
    for wrong in (["--resume", "latest"], ["--resume", "latest", "--epochs", "-1"], ["--resume", "latest", "--seed", "1"]):
        assert main(["train", *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_queue_is_changed_by_commands(tmp_path, monkeypatch, capsys, wait_until):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path))
    lab = Lab(tmp_path)
    first, second, third = [lab.submit(change(preset("tiny").spec, {"training.epochs": 1000})) for _ in range(3)]

    def queue(*arguments: object) -> list[tuple[str, str]]:
        assert main(["queue", *map(str, arguments), "--json"]) == 0, capsys.readouterr().err
        return [(row["run"], row["status"]) for row in json.loads(capsys.readouterr().out)]

    assert queue("--earlier", third) == [(first, "running"), (third, "queued"), (second, "queued")]
    assert queue("--later", third) == [(first, "running"), (second, "queued"), (third, "queued")]
    assert main(["queue", "--earlier", first]) == main(["queue", "--at-once", "0"]) == main(["queue", "--threads", "999"]) == 2
    assert all(line.endswith(("place in the queue.", "were asked for.")) for line in capsys.readouterr().err.splitlines())
    assert queue("--at-once", 2, "--threads", 1) == [(first, "running"), (second, "running"), (third, "queued")]
    assert (lab.at_once, lab.threads) == (2, 1)
    for run in (third, second, first):
        assert main(["stop", run]) == 0
    wait_until(lambda: not lab.store.runs(("running", "queued")))
    capsys.readouterr()
    assert main(["queue"]) == 0
    assert capsys.readouterr().out == "Nothing trains, and nothing waits (2 at once, threads for each: 1).\n"


def test_the_weights_that_answer_are_chosen_by_a_command(trained, monkeypatch, capsys):
    monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.home))
    for epoch in ("best", "last"):
        assert main(["use", "latest", epoch, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"run": trained.run, "uses": epoch, "best_epoch": trained.row.best_epoch}
        assert trained.row.uses == epoch
    with pytest.raises(SystemExit, match="2"):
        main(["use", "latest", "third"])
