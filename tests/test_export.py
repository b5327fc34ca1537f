"""Files to take home."""

import json
import shutil

import numpy as np
import pytest

from cnn_core import datasets
from cnn_core.__main__ import main
from cnn_core.errors import LabError, UnknownRun
from cnn_core.export import FORMATS, departures, export, export_bytes
from cnn_core.spec import change


def test_the_keras_file_gives_the_same_answers(trained, tmp_path):
    import keras

    target = export(trained.lab, trained.run, tmp_path)
    assert target == tmp_path / f"{trained.run}.keras"
    assert export(trained.lab, "latest", tmp_path / "mine.keras") == tmp_path / "mine.keras"
    answers = keras.saving.load_model(target).predict(datasets.load("mnist-5k").x_test / np.float32(255), verbose=0)
    np.testing.assert_allclose(answers, np.load(trained.folder / "test_answers.npz")["label"], atol=1e-5)


def test_a_run_without_a_keras_file_has_it_made_from_its_weights(trained, lab, tmp_path):
    import keras

    lab.store.add("copy", "copy", trained.spec)
    lab.store.folder("copy").mkdir()
    with pytest.raises(LabError, match="has no weights yet"):
        export(lab, "copy", tmp_path / "made.keras")
    (lab.store.folder("copy") / "model.weights.h5").write_bytes((trained.folder / "model.weights.h5").read_bytes())
    whole = (trained.folder / "model.keras").read_bytes()
    for damaged in (b"x", whole[:-200], whole[:300] + bytes(300) + whole[600:]):
        (lab.store.folder("copy") / "model.keras").write_bytes(damaged)
        keras.saving.load_model(export(lab, "copy", tmp_path / "made.keras"))
    made = keras.saving.load_model(export(lab, "copy", tmp_path / "made.keras"))
    kept = keras.saving.load_model(trained.folder / "model.keras")
    for one, other in zip(made.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_script_and_a_notebook_need_no_weights(lab, trained, tmp_path):
    lab.store.add("untrained", "untrained", trained.spec)
    lab.store.folder("untrained").mkdir()
    script = export(lab, "untrained", tmp_path, "python")
    assert script == tmp_path / "untrained.py" and script.read_text() == export_bytes(lab, "untrained", "python").decode()
    assert "EPOCHS = 2\n" in script.read_text()
    assert json.loads(export(lab, "untrained", tmp_path, "notebook").read_text())["nbformat"] == 4
    with pytest.raises(LabError, match="has no weights yet"):
        export(lab, "untrained", tmp_path, "onnx")


def test_a_script_says_that_its_run_departed_from_the_plan(lab, trained):
    planned = change(trained.spec, {"training.deterministic": True, "training.schedule": "cosine"})
    lab.store.add("odd", "odd", planned)
    assert "same numbers, to the bit" in export_bytes(lab, "odd", "python").decode()
    lab.store.update("odd", status="stopped", epoch=1)
    lab.store.event("odd", 3, "learning rate", "0.001")
    lab.store.event("odd", 9, "trained further", "by 2 epochs")
    words = (
        "The run in the lab departed from its plan (its learning rate was changed on the way; it was trained further than it was first "
        "planned; it ended after 1 of 2 epochs), so its numbers are others."
    )
    for format in ("python", "notebook"):
        text = export_bytes(lab, "odd", format).decode()
        assert words in text and "same numbers, to the bit" not in text
    lab.store.update("odd", status="finished")
    assert "it ended after" not in departures(lab, lab.store.get("odd"))
    lab.store.add("even", "even", change(planned, {"training.schedule": "constant"}))
    lab.store.event("even", 9, "trained further", "by 2 epochs")
    assert departures(lab, lab.store.get("even")) is None


def test_a_conversion_in_a_process_of_its_own(trained, monkeypatch):
    """As the pages ask for it: the file, or one sentence on why there is none."""
    assert b"CNN Lab" in export_bytes(trained.lab, trained.run, "onnx")
    monkeypatch.setattr("cnn_core.export.sys.executable", shutil.which("false"))
    with pytest.raises(LabError, match="The conversion failed: no word on why"):
        export_bytes(trained.lab, trained.run, "litert")


@pytest.mark.parametrize(
    ("format", "words"),
    [
        ("python", "A Python script ends in .py, and 'model.h5' does not. Name it model.py."),
        ("notebook", "A Jupyter notebook ends in .ipynb, and 'model.h5' does not. Name it model.ipynb."),
        ("onnx", "An ONNX file ends in .onnx, and 'model.h5' does not. Name it model.onnx."),
        ("litert", "A LiteRT file ends in .tflite, and 'model.h5' does not. Name it model.tflite."),
    ],
)
def test_a_wrong_ending(trained, tmp_path, capsys, monkeypatch, format, words):
    monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.store.home))
    assert main(["export", trained.run, "--format", format, str(tmp_path / "model.h5")]) == 2
    assert capsys.readouterr() == ("", words + "\n")


def test_the_command_writes_every_format(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.store.home))
    for name, format in FORMATS.items():
        assert main(["export", "latest", "--format", name, str(tmp_path), "--json"]) == 0
        file = tmp_path / f"{trained.run}{format.ending}"
        said = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert said == {"run": trained.run, "file": str(file), "format": name} and file.stat().st_size > 1000


def test_what_cannot_be_written(trained, tmp_path):
    with pytest.raises(LabError, match=r"A Keras file ends in \.keras, and 'model\.h5' does not\. Name it model\.keras\."):
        export(trained.lab, trained.run, tmp_path / "model.h5")
    with pytest.raises(LabError, match="could not be written"):
        export(trained.lab, trained.run, tmp_path / "nowhere" / "model.keras")
    with pytest.raises(UnknownRun):
        export(trained.lab, "nothing", tmp_path)
