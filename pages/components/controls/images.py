"""What the network is trained on: the validation part, how much of a series it sees, random changes to images."""

import streamlit as st

from cnn_core import datasets
from cnn_core.spec import AugmentationSpec, DataSpec
from pages.components.controls.base import keyed, slider, synced


def validation(part: DataSpec) -> float | str:
    """The part of the images that training is watched on."""
    on_test = st.toggle(
        "Validate on the test images",
        key=keyed("validate_on_test", part.validation == "test"),
        help="As many course texts do. Choosing settings by this score flatters it; hold out training images instead.",
    )
    if on_test:
        return "test"
    start = 0.1 if part.validation == "test" else part.validation
    help = "Share of the training images kept out of training, to watch for overfitting."
    return st.slider("Validation part", 0.0, 0.5, step=0.05, key=keyed("validation", start), help=help)


def points_seen(part: DataSpec) -> int | None:
    """How many points of a series the network sees; None: all of them."""
    points = datasets.info(part.dataset).input_shape[0]
    options = synced("edit_points_seen", part.points_seen or points, _see_points, points)
    help = f"Of the {points} points, the network sees the first ones; a head can forecast the rest. {points}: it sees all."
    now = st.session_state[options["key"]]
    seen = st.slider("Points the network sees", min(8, now), points, help=help, **options)
    return None if seen == points else seen


def _see_points(points: int, seen: int) -> None:
    """Note it before the page is drawn: layers and heads show what it means to them."""
    draft = st.session_state.draft
    data = draft.data.model_copy(update={"points_seen": None if seen >= points else max(seen, 1)})
    st.session_state.draft = draft.model_copy(update={"data": data})


def augmentation(part: AugmentationSpec, digits: bool) -> AugmentationSpec:
    """Random changes to the training images; `digits`: whether they are digits, which other hands write differently."""
    changes = (
        ("rotation", "Rotation (degrees)", 45.0, 1.0, "Turns each image up to this far, either way."),
        ("shift", "Shift (part of the side)", 0.3, 0.01, "Moves each image up to this far."),
        ("zoom", "Zoom (part of the size)", 0.5, 0.01, "Enlarges or shrinks up to this much."),
        ("shear", "Shear (slant)", 0.5, 0.01, "Slants each image up to this much, either way, as italic letters are."),
        ("stretch", "Stretch (part of the width)", 0.5, 0.01, "Makes each image wider and lower, or narrower and higher."),
        ("stroke", "Pen (pixels)", 1.0, 0.05, "Makes the strokes thicker or thinner by up to this much at each edge."),
        (
            "elastic",
            "Elastic (part of the side)",
            0.2,
            0.01,
            "Lets the parts of an image wander up to this far, each its own way.",
        ),
        (
            "hands",
            "Other hands (part of the images)",
            1.0,
            0.025,
            "Redraws this part of the zeros, ones, sevens and nines: slashed, with flag and foot, crossed, with a looped tail.",
        ),
    )
    values = {}
    columns = st.columns(2)
    for number, (name, label, high, step, help) in enumerate(changes):
        with columns[number % 2]:
            if name == "hands" and not digits:
                values[name] = part.hands
            else:
                values[name] = st.slider(
                    label, 0.0, high, step=step, key=keyed(name, getattr(part, name)), help=help, format="%g"
                )
    help = (
        "After this part of the epochs all changes are half as large and few digits stay redrawn: the network settles. 1: never."
    )
    values["calm_after"] = slider("Calm after (part of the epochs)", 0.0, 1.0, 0.05, "calm_after", part.calm_after, help)
    return AugmentationSpec(**values)
