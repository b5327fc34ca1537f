"""The commands for one's own drawings and for long work, as a shell calls them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from cnn_core import my_digits, study
from cnn_core.__main__ import main
from cnn_core.jobs import Lab


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CNN_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def answer(capsys, *arguments: object):
    """What a command prints as JSON; it has to end well."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def fault(capsys, *arguments: object) -> str:
    """The one line of a command that ends with 2."""
    try:
        assert main([*map(str, arguments)]) == 2
    except SystemExit as ended:
        assert ended.code == 2
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1
    return said.err


def test_a_collection_is_kept_taken_home_and_brought_back(home, capsys, tmp_path):
    picture, file = np.zeros((200, 200), np.uint8), tmp_path / "one.png"
    picture[20:180, 95:110] = 255
    Image.fromarray(picture).save(file)
    assert answer(capsys, "my-digits", "list") == []
    assert answer(capsys, "my-digits", "add", file, 1) == {"label": 1, "drawings": 1}
    Image.fromarray(picture.T).save(file)
    answer(capsys, "my-digits", "add", file, 7)
    assert answer(capsys, "my-digits", "list") == [{"number": 1, "label": 1}, {"number": 2, "label": 7}]
    assert answer(capsys, "my-digits", "export", tmp_path / "mine.npz")["drawings"] == 2
    assert answer(capsys, "my-digits", "remove", 1) == {"removed": 1, "drawings": 1}
    assert answer(capsys, "my-digits", "import", tmp_path / "mine.npz") == {"added": 1, "drawings": 2}
    assert my_digits.read(home).labels.tolist() == [7, 1]
    assert main(["my-digits", "list"]) == 0 and "7" in capsys.readouterr().out


def test_bad_drawings_are_told_in_one_line(home, capsys, tmp_path):
    empty = tmp_path / "empty.png"
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(empty)
    (tmp_path / "text.png").write_text("hello")
    assert "nothing is drawn" in fault(capsys, "my-digits", "add", empty, 1)
    assert "not a picture" in fault(capsys, "my-digits", "add", tmp_path / "text.png", 1)
    assert "cannot be read" in fault(capsys, "my-digits", "add", tmp_path / "none.png", 1)
    assert "invalid choice" in fault(capsys, "my-digits", "add", empty, 12)
    assert "collection" in fault(capsys, "my-digits", "import", tmp_path / "text.png")
    assert "cannot be written" in fault(capsys, "my-digits", "export", tmp_path / "no" / "such" / "folder.npz")
    assert "no drawing number 5" in fault(capsys, "my-digits", "remove", 5)
    assert "required" in fault(capsys, "my-digits")
    assert len(my_digits.read(home)) == 0


def test_teaching_and_its_faults(home, capsys, trained):
    shutil.copytree(trained.lab.home, home, ignore=shutil.ignore_patterns("*.lock"))
    assert "no drawings of your own" in fault(capsys, "teach", trained.run)
    for label in range(10):
        my_digits.add(home, np.full((28, 28), 20 * label, np.uint8), label)
    assert "own_digits" in fault(capsys, "teach", trained.run, "--share", 5)
    found = answer(capsys, "teach", trained.run, "--epochs", 1, "--share", 0.3)
    assert (found["from"], found["status"], found["epochs"]) == (trained.run, "finished", 1)
    assert found["spec"]["data"]["own_digits"] == 0.3 and found["run"] != trained.run


def test_a_study_is_done_and_cancelled(home, capsys, trained, monkeypatch):
    shutil.copytree(trained.lab.home, home, ignore=shutil.ignore_patterns("*.lock"))
    assert "invalid choice" in fault(capsys, "study", trained.run, "horoscope")
    assert "no run" in fault(capsys, "study", "20000101-000000-aaaa", "map").lower()
    begun = []
    states = iter([study.State("running", 0.5, "Half"), study.State("done", 1.0)])
    results = iter([None, {"few": np.arange(3), "many": np.zeros((50, 50))}])
    monkeypatch.setattr(study, "start", lambda lab, run, kind: begun.append(kind))
    monkeypatch.setattr(study, "state", lambda lab, run, kind: next(states))
    monkeypatch.setattr(study, "result", lambda lab, run, kind: next(results))
    found = answer(capsys, "study", "latest", "robustness")
    assert begun == ["robustness"] and found["status"] == "done"
    assert found["result"] == {"few": [0, 1, 2], "many": "array of (50, 50)"}
    monkeypatch.undo()
    monkeypatch.setenv("CNN_LAB_HOME", str(home))
    study._folder(Lab(home), trained.run, "map").mkdir(parents=True)
    assert answer(capsys, "study", trained.run, "map", "--cancel")["cancelling"] is True
    assert (home / trained.run / "studies" / "map" / study.CANCEL).exists()
