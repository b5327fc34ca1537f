"""What a network starts from: a preset, and the images or series it learns."""

import streamlit as st

from cnn_core import datasets, presets
from cnn_core.spec import RunSpec
from pages.components import history
from pages.components.controls import synced

OWN = ""  # what the menu says of a network that comes from none of those in it
FITTING = {False: "tiny", True: "mnist1d"}  # a network for images, for series


def preset_menu(draft: RunSpec) -> None:
    """The choice of a preset."""
    preset = draft.preset if draft.preset in presets.PRESETS else OWN
    titles = {name: preset.title for name, preset in presets.PRESETS.items()}
    st.selectbox(
        "Start from",
        [*([] if preset else [OWN]), *titles],
        format_func=lambda name: titles.get(name, "A network of your own"),
        help="A network to start from; every control can be changed afterwards.",
        **synced("preset", preset, _start_from),
    )


def dataset_menu(draft: RunSpec) -> None:
    """The choice of the dataset."""
    st.selectbox(
        "Learn from",
        list(datasets.DATASETS),
        format_func=lambda name: datasets.DATASETS[name].title,
        help="What the network learns to read.",
        **synced("dataset_menu", draft.data.dataset, _learn),
    )


def _is_series(dataset: str) -> bool:
    return datasets.info(dataset).is_series


def _start_from(name: str) -> None:
    """Fill the controls with the preset, on the dataset chosen before where the preset is for such."""
    dataset = st.session_state.draft.data.dataset
    if name not in presets.PRESETS:
        return
    chosen = presets.preset(name)
    spec, meant = chosen.spec, datasets.info(chosen.meant_for)
    if _is_series(spec.data.dataset) == _is_series(dataset):
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"dataset": dataset})})
        if meant.name not in (chosen.spec.data.dataset, dataset):
            history.say(f"What is said above is so with **{meant.title}**. Choose it under **Learn from** to get there.")
    else:
        history.say(f"This network is for {datasets.info(spec.data.dataset).title}, which is chosen now too.")
    history.replace(spec)


def _learn(dataset: str) -> None:
    """Take the dataset, and with it a network that fits when it is of another kind than the one before."""
    draft = st.session_state.draft
    if dataset not in datasets.DATASETS:
        return
    if _is_series(dataset) == _is_series(draft.data.dataset):
        data = draft.data.model_copy(update={"dataset": dataset})
        st.session_state.draft = draft.model_copy(update={"data": data})
        return
    preset = presets.preset(FITTING[_is_series(dataset)])
    data = preset.spec.data.model_copy(update={"dataset": dataset})
    kind = "series" if _is_series(dataset) else "images"
    history.say(
        f"{datasets.info(dataset).title} needs a network for {kind}: {preset.title!r} is loaded. Undo brings the one before back."
    )
    history.replace(preset.spec.model_copy(update={"data": data}))
