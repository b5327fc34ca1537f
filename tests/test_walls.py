"""Which module may import what, seen in fresh processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "cnn_core"
MODULES = sorted(".".join(path.relative_to(CORE).with_suffix("").parts) for path in CORE.rglob("*.py") if path.stem != "__init__")
WITH_TENSORFLOW = {"layers", "model", "halves", "fast_layers", "callbacks", "inference", "explanations"}


def imported_by(modules: list[str]) -> set[str]:
    """The packages in memory after a fresh process has imported `modules`."""
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module('cnn_core.' + name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def without_tensorflow() -> set[str]:
    return imported_by([name for name in MODULES if name not in WITH_TENSORFLOW])


def test_most_modules_import_no_tensorflow(without_tensorflow):
    assert not {"tensorflow", "keras", "torch", "jax"} & without_tensorflow
    assert {"cnn_core", "pydantic", "plotly", "numpy"} <= without_tensorflow


def test_no_module_imports_streamlit(without_tensorflow):
    everything = imported_by(MODULES)
    assert "streamlit" not in everything | without_tensorflow
    assert {"tensorflow", "keras"} <= everything


def test_no_source_of_the_core_names_streamlit():
    for name in MODULES:
        assert "import streamlit" not in (CORE / f"{name.replace('.', '/')}.py").read_text(), name


def test_pandas_is_loaded_before_a_chart_can_look_at_it(tmp_path):
    """Two sessions that open a fresh server at once: plotly would take the half of pandas that the other one has loaded."""
    code = (
        "import os, sys\n"
        "first = []\n"
        "class Watch:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        first.extend([name] if name in ('pandas', 'cnn_core') else [])\n"
        "sys.meta_path.insert(0, Watch)\n"
        "from streamlit.testing.v1 import AppTest\n"
        "first.clear(), sys.modules.pop('pandas', None)\n"
        "app = AppTest.from_file('app.py', default_timeout=100).run()\n"
        "print(first[0], len(app.exception))\n"
    )
    environment = {**os.environ, "CNN_LAB_HOME": str(tmp_path), "CNN_LAB_SPARE": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["pandas", "0"], done.stderr
