"""The app at one of its pages, and what the tests of several pages ask of it."""

from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from cnn_core import study
from cnn_core.jobs import Lab

APP = Path(__file__).parents[2] / "app.py"


def opened(page: str, run: str | None = None, **selected) -> AppTest:
    """A page of the app with a run in view. selected: values of its widgets by their keys."""
    app = AppTest.from_file(APP, default_timeout=90)
    if run:
        app.query_params["run"] = run
    for key, value in selected.items():
        app.session_state[key] = value
    return healthy(app.switch_page(f"pages/{page}.py").run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def charts(app: AppTest) -> set[str]:
    """The keys of all charts. Each chart and image has an alternative text."""
    found = app.get("plotly_chart")
    assert all(chart.proto.alt for chart in found)
    return {chart.key for chart in found}


def rows(app: AppTest) -> str:
    """The rows of pictures on the page, as HTML."""
    html = "".join(element.proto.body for element in app.get("html") if "<img" in element.proto.body)
    assert html.count("<img") == html.count(" alt=")
    return html


def said(app: AppTest) -> str:
    """All sentences of a page."""
    return " ".join(element.value for kind in (app.info, app.warning, app.error, app.caption, app.markdown) for element in kind)


def find(lab: Lab, run: str, kind: str, monkeypatch, result: dict[str, np.ndarray]) -> None:
    """Make `result` what a study of a run has found."""
    monkeypatch.setattr(study.subprocess, "Popen", lambda *arguments, **options: None)
    study.start(lab, run, kind)
    study.keep(lab, run, kind, result)
