"""Build: dataset, layers and settings on one side, the live curves and the network on the other."""

from contextlib import suppress

import streamlit as st

from cnn_core import augmentation, blocks, datasets, presets, shapes
from cnn_core.errors import LabError
from cnn_core.spec import DataSpec
from pages.components import controls, pictures, state
from pages.components.live_panel import live_panel
from pages.components.network_view import network_view

state.open_session()
lab = state.lab()
lab.reconcile()


def start_from(key: str) -> None:
    """Fill the controls with the preset, on the images chosen before."""
    spec = presets.preset(st.session_state[key]).spec
    data = spec.data.model_copy(update={"dataset": st.session_state.draft.data.dataset})
    state.set_draft(spec.model_copy(update={"data": data}))


draft = st.session_state.draft
shown = blocks.from_graph(draft.model)
preset_column, images_column, train_column = st.columns([4, 4, 3], vertical_alignment="bottom")
with preset_column:
    st.session_state.setdefault("preset", draft.preset if draft.preset in presets.PRESETS else "tiny")
    about = "A network to start from; every control can be changed afterwards."
    titles = {name: preset.title for name, preset in presets.PRESETS.items()}
    st.selectbox(
        "Start from",
        list(titles),
        format_func=titles.get,
        key="preset",
        help=about,
        on_change=start_from,
        args=("preset",),
        persist_state="session",
    )
with images_column:
    name = controls.dataset_name(draft.data.dataset)
info = datasets.info(name)

left, right = st.container(key="bench").columns([5, 8], gap="medium")
with left, st.container(height=690, border=False, key="controls"):
    st.caption(presets.PRESETS[st.session_state.preset].about)
    layers_tab, weights_tab, training_tab, images_tab = st.tabs(["Layers", "Weights", "Training", "Images"])
    if shown is None:
        layers_tab.info(
            "This network is not made of blocks, so it has no simple controls. Choose a preset above to have them back."
        )
        edited = None
    else:
        with layers_tab:
            edited = controls.layers(shown.model_copy(update={"classes": len(info.labels)}))
        with weights_tab:
            edited = edited.model_copy(update={"weights": controls.weights(shown.weights)})
    with training_tab:
        training = controls.training(draft.training)
        validation = controls.validation(draft.data)
    with images_tab:
        pictures.samples(name)
        st.markdown("**Augmentation**: random changes to each training image, so that none is seen twice.")
        changes = controls.augmentation(draft.data.augmentation, info.has_digits)
        seen = changes if info.has_digits else changes.model_copy(update={"hands": 0.0})
        if (seen.active or seen.hands) and datasets.is_here(name):
            with suppress(LabError):  # a damaged file: said above, where its images would be
                data = state.dataset(name)
                images = augmentation.preview(data.x_train[:20], data.y_train[:20], seen)
                pictures.strip(images, "Training images after random changes")

state.edit_draft(
    draft.model_copy(
        update={
            "model": draft.model if edited is None else blocks.to_graph(edited),
            "training": training,
            "data": DataSpec(dataset=name, validation=validation, augmentation=changes),
        }
    )
)
draft = st.session_state.draft
network = shapes.report(draft.model, draft.data)
with train_column, st.container(horizontal=True, vertical_alignment="center"):
    faulty = bool(network.errors)
    why = (
        "A layer does not fit: see the red line."
        if faulty
        else "Trains this network in a process of its own; closing the page loses nothing."
    )
    if st.button("Train", type="primary", icon=":material/play_arrow:", disabled=faulty, help=why, width="stretch"):
        with right, state.in_sentences():
            state.train(draft)

with right:
    run = state.run_in_view()
    if run is not None:
        live_panel(run)
    else:
        st.info(
            "Press **Train**: accuracy and loss draw themselves here while the network learns.", icon=":material/arrow_upward:"
        )
    network_view(network)
lab.warm(draft)
