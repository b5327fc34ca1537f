"""The player in the browser: the steps of `cnn_core.computation`, or the windows of `cnn_core.workbench`, cell by cell."""

from pathlib import Path

import streamlit as st

from cnn_core.computation import Steps
from cnn_core.workbench import Slide

FOLDER = Path(__file__).parent
SCRIPTS = ("arithmetic.js", "pictures.js", "panels.js", "player.js")  # one module, in this order

_player = st.components.v2.component(
    "cnn_lab_player",
    html=(FOLDER / "player.html").read_text(encoding="utf-8"),
    css=(FOLDER / "player.css").read_text(encoding="utf-8"),
    js="\n".join((FOLDER / script).read_text(encoding="utf-8") for script in SCRIPTS),
)


def player(steps: Steps, anchor: str, key: str) -> None:
    """Play the steps of a layer. The chosen cell stays for as long as the `anchor`, the example and the layer's name, does."""
    _player(data={**steps, "anchor": anchor}, key=key)


def shape_player(slide: Slide, key: str) -> None:
    """Play the window of a slide over a square map without numbers."""
    side, out = slide.side, slide.output
    padding = f", {slide.before} padding cells before and {slide.after} behind each row and column" * bool(
        slide.before + slide.after
    )
    dropped = f"; the last {len(slide.dropped)} rows and columns are dropped" * bool(slide.dropped)
    words = f"Input of {side} × {side} cells{padding}{dropped}; the {slide.what} stands over what the chosen output cell reads"
    data = {
        "kind": "shape",
        "name": slide.what,
        "anchor": "",
        "axes": 2,
        "input": [side, side],
        "size": [slide.size] * 2,
        "strides": [slide.stride] * 2,
        "before": [slide.before] * 2,
        "after": [slide.after] * 2,
        "dilation": slide.dilation,
        "dropped": slide.dropped,
        "skipped": slide.skipped,
        "inputs": [],
        "output": {"values": None},
        "sides": [out, out],
        "input_name": words,
        "strip_name": f"One side of the input, and the {out} windows over it, one below the other{dropped}",
    }
    _player(data=data, key=key)
