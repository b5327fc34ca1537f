"""Long work on a run, from a page: a button that begins it, how far it is, a button that ends it, and its result."""

import streamlit as st

from cnn_core import study
from pages.components import state

LOOKS = 1.0  # seconds between two looks at a study that is under way


def study_panel(run: str, kind: str, label: str, about: str, **options) -> study.Result | None:
    """The result of a study of a run; where there is none, the way to it, and None.

    label: of the button. about: one sentence on what is computed and how long it takes. options: the study's own.
    """
    now = study.state(state.lab(), run, kind)
    if now.status == "done" and (found := study.result(state.lab(), run, kind)) is not None:
        return found
    if now.status == "running":
        st.fragment(_progress, run_every=LOOKS)(run, kind, label)
        return None
    if now.status == "failed":
        st.error(now.message, icon=":material/error:")
    elif now.status == "cancelled":
        st.caption(now.message)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(label, icon=":material/experiment:", key=f"study_{kind}_{run}")
        st.caption(about, width="stretch")
    if pressed:
        with state.in_sentences():
            study.start(state.lab(), run, kind, **options)
            st.rerun()
    return None


@state.in_sentences()
def _progress(run: str, kind: str, label: str) -> None:
    now = study.state(state.lab(), run, kind)
    if now.status != "running":
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(now.part, text=f"{label}: {now.message}", width="stretch")
        if st.button("Cancel", icon=":material/close:", key=f"cancel_{kind}_{run}", help="Ends it; nothing of it is kept."):
            study.cancel(state.lab(), run, kind)
