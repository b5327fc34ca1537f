"""Evaluate as a person uses it, without a browser."""

import numpy as np
import pytest

from cnn_core import confidence, datasets, evaluation, study, targets
from cnn_core.jobs import Lab
from cnn_core.model import build_model
from cnn_core.presets import preset
from cnn_core.studies import robustness
from cnn_core.studies.robustness import LEVELS
from tests.pages.test_pages import errors, open_page, widget


@pytest.fixture
def answers(trained, monkeypatch):
    """The run of the session in the app: its probabilities and the true labels."""
    monkeypatch.setenv("CNN_LAB_HOME", str(trained.lab.home))
    monkeypatch.setenv("CNN_LAB_SPARE", "0")
    return evaluation.read_answers(trained.lab, trained.run)["label"], datasets.load("mnist-5k").y_test


def look(view: str, run: str):
    app = open_page("evaluate", run=run)
    widget(app, "button_group", "View").set_value(view).run()
    assert not app.exception and not app.error
    return app


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_scores_with_their_interval_and_the_images_of_a_cell(trained, answers):
    app = open_page("evaluate", run=trained.run)
    found = evaluation.score(*answers)
    shown = metrics(app)
    assert shown["Test accuracy"] == f"{trained.row.test_accuracy:.2%}"
    assert shown["95 % confidence interval"] == f"{found.interval[0]:.1%} – {found.interval[1]:.1%}"
    assert shown["Mistakes"] == f"{len(found.mistakes)} of 1,000"
    np.testing.assert_allclose(app.dataframe[0].value["F1"], 100 * found.f1)
    off = found.confusion - np.diag(np.diag(found.confusion))
    assert len(app.get("image")) == min(20, off.max())  # the most frequent mistake is open
    widget(app, "selectbox", "True class").set_value(3).run()
    widget(app, "selectbox", "Read as").set_value(3).run()
    assert not app.exception and len(app.get("image")) == 20
    assert any(f"{found.confusion[3, 3]} of 100, the least sure first" in caption.value for caption in app.caption)
    empty = tuple(np.argwhere(found.confusion == 0)[0])
    widget(app, "selectbox", "True class").set_value(int(empty[0])).run()
    widget(app, "selectbox", "Read as").set_value(int(empty[1])).run()
    assert not app.get("image") and "None of the test images" in app.info[0].value


def test_mistakes(trained, answers):
    app = look("Mistakes", trained.run)
    assert len(app.get("image")) == min(20, len(evaluation.score(*answers).mistakes))


def test_a_threshold_says_i_do_not_know(trained, answers):
    app = look("Confidence", trained.run)
    assert metrics(app)["Expected calibration error"] == f"{confidence.calibration(*answers).error:.2%}"
    assert {chart.key for chart in app.get("plotly_chart")} == {"reliability", "accuracy_coverage", "confidence_histogram"}
    app.slider(key="confidence_threshold").set_value(0.9).run()
    coverage, accuracy = confidence.at(*answers, 0.9)
    assert metrics(app)["Coverage"] == f"{coverage:.1%}" and metrics(app)["Of these, right"] == f"{accuracy:.2%}"
    app.slider(key="confidence_threshold").set_value(1.0).run()
    assert not app.exception


def test_robustness_beside_another_run(trained, answers, monkeypatch):
    app = look("Robustness", trained.run)
    assert widget(app, "button", "Try changed images") and len(app.get("image")) == len(LEVELS)
    found = {change: np.linspace(0.97, 0.2, len(levels)) for change, levels in LEVELS.items()}
    monkeypatch.setattr(study, "state", lambda lab, run, kind: study.State("done", 1.0))
    monkeypatch.setattr(study, "result", lambda lab, run, kind: found)
    app.run()
    assert not app.exception and len(app.get("plotly_chart")) == len(LEVELS)
    table = app.dataframe[0].value
    assert table["Change"].tolist() == list(LEVELS)
    place = np.interp(0.9, [found["rotation"][1], 0.97], [10, 0])
    assert table[trained.row.name][0] == f"{place:.3g}"


def test_a_run_without_weights_and_a_damaged_one(home, trained):
    lab = Lab(home)
    for run, weights in (("20200101-000000-aaaa", None), ("20200101-000000-bbbb", b"damaged")):
        lab.store.add(run, run[-4:], trained.spec)
        lab.store.folder(run).mkdir()
        lab.store.update(run, status="finished")
        if weights:
            (lab.store.folder(run) / "model.weights.h5").write_bytes(weights)
    app = open_page("evaluate", run=run)
    assert "damaged" in errors(app) and widget(app, "selectbox", "Network").options


@pytest.mark.parametrize("name", ["two-heads", "mnist1d-forecast"])
def test_every_head(home, name):
    lab, spec, run = Lab(home), preset(name).spec, "20200101-000000-cccc"
    lab.store.add(run, name, spec)
    lab.store.folder(run).mkdir()
    build_model(spec).save_weights(lab.store.folder(run) / "model.weights.h5")  # it has learned nothing, which no page minds
    lab.store.update(run, status="finished")
    app = open_page("evaluate", run=run)
    for head in spec.model.heads:
        if len(spec.model.heads) > 1:
            widget(app, "button_group", "Head").set_value(head.name).run()
        assert not app.exception and not app.error and app.get("plotly_chart")
        if targets.labels(spec, head):
            for view in ("Confidence", "Mistakes", "Robustness", "Scores"):
                widget(app, "button_group", "View").set_value(view).run()
                assert not app.exception and not app.error
                if view == "Robustness":
                    what = "series" if name == "mnist1d-forecast" else "images"
                    assert widget(app, "button", f"Try changed {what}")
                    assert len(app.get("plotly_chart" if what == "series" else "image")) == len(
                        robustness.units(lab.store.get(run))
                    )
