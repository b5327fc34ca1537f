"""Build: dataset, layers and settings on one side, the live curves and the network on the other."""

from contextlib import suppress

import streamlit as st

from cnn_core import augmentation, blocks, datasets, presets, shapes
from cnn_core.errors import LabError
from cnn_core.spec import AugmentationSpec, DataSpec
from pages.components import controls, history, pictures, state
from pages.components.head_editor import head_editor
from pages.components.layer_editor import layer_editor
from pages.components.live_panel import live_panel
from pages.components.network_view import network_view
from pages.components.share import share
from pages.components.starting import dataset_menu, preset_menu

state.open_session()
lab = state.lab()
lab.reconcile()
controls.catch_up()

draft = st.session_state.draft
shown = blocks.from_graph(draft.model)
info = datasets.info(draft.data.dataset)
preset_column, images_column, train_column = st.columns(3, vertical_alignment="bottom")
with preset_column:
    preset_menu(draft)
with images_column:
    dataset_menu(draft)

left, right = st.container(key="bench").columns([5, 8], gap="medium")
with left, st.container(height=690, border=False, key="controls"):
    preset = presets.PRESETS.get(draft.preset)
    about = preset.about if preset else "It comes from none of the networks in the menu."
    st.caption(f"**Changed by you.** It was: {about}" if preset and presets.origin(draft) != draft.preset else about)
    layers_tab, weights_tab, training_tab, images_tab = st.tabs(
        ["Layers", "Weights", "Training", "Series" if info.is_series else "Images"]
    )
    with layers_tab:
        simple = history.toolbar(shown is not None)
        if not simple:
            network = shapes.report(draft.model, draft.data)
            layer_editor(network, made_of_blocks=shown is not None)
            head_editor(network)
            edited = None
        else:
            edited = controls.layers(shown.model_copy(update={"classes": len(info.labels)}))
    with weights_tab:
        if not simple:
            st.info("In the layer editor each layer has penalties of its own: open it and see **Regularisation**.")
        else:
            edited = edited.model_copy(update={"weights": controls.weights(shown.weights)})
    with training_tab:
        training = controls.training(draft.training)
        validation = controls.validation(draft.data)
    with images_tab:
        points = controls.points_seen(draft.data) if info.is_series else None
        pictures.samples(info.name, points)
        changes = AugmentationSpec()
        if not info.is_series:
            st.markdown("**Augmentation**: random changes to each training image, so that none is seen twice.")
            changes = controls.augmentation(draft.data.augmentation, info.has_digits)
            seen = changes if info.has_digits else changes.model_copy(update={"hands": 0.0})
            if (seen.active or seen.hands) and datasets.is_here(info.name):
                with suppress(LabError):  # a damaged file: said above, where its images would be
                    data = state.dataset(info.name)
                    images = augmentation.preview(data.x_train[:20], data.y_train[:20], seen)
                    pictures.strip(images, "Training images after random changes")

if edited is not None and (model := blocks.to_graph(edited)) != draft.model:
    draft = history.remember_change(draft, model, history.control_of(shown, edited))
data = DataSpec(dataset=info.name, points_seen=points, validation=validation, augmentation=changes)
state.edit_draft(draft.model_copy(update={"training": training, "data": data}))
draft = st.session_state.draft
network = shapes.report(draft.model, draft.data)
with train_column, st.container(horizontal=True, vertical_alignment="center"):
    faulty = bool(network.errors)
    why = network.errors[0] if faulty else "Trains this network in a process of its own; closing the page loses nothing."
    # Streamlit's primary button is white on white when it is off.
    kind = "secondary" if faulty else "primary"
    if st.button("Train", key="train", type=kind, icon=":material/play_arrow:", disabled=faulty, help=why, width="stretch"):
        with right, state.in_sentences():
            state.train(draft)
    share(draft)

with right:
    for fault in network.errors:
        st.error(fault, icon=":material/error:")
    run = state.run_in_view()
    if run is not None:
        if run.is_over and run.spec != draft:
            st.caption(":material/info: This run had other settings than those shown. **Train** trains these as a new run.")
        live_panel(run)
    else:
        st.info(
            "Press **Train**: accuracy and loss draw themselves here while the network learns.", icon=":material/arrow_upward:"
        )
    network_view(network)
lab.warm(draft)
