"""Compare: any two runs on the same drawing, by their curves, and by what differs in their settings."""

import streamlit as st

from pages.components import comparing, state
from pages.components.run_picker import run_picker, titles

VIEWS = {"On the same digit": comparing.on_the_same, "Curves": comparing.curves, "Settings": comparing.settings}

state.open_session()
left, right = st.columns(2)
with left:
    one = run_picker()
if one is None:
    st.stop()
others = {run.run: run for run in state.lab().answering() if run.run != one.run}
with right:
    if not others:
        st.info("There is only one trained network. Train another, perhaps with one setting changed, to compare the two.")
        st.page_link("pages/build.py", label="Build", icon=":material/construction:")
        st.stop()
    if st.session_state.get("compared") not in others:
        st.session_state.compared = next(iter(others))
    other = others[
        st.selectbox(
            "With",
            list(others),
            format_func=titles({name: f"{run.name} · {name[9:11]}:{name[11:13]}" for name, run in others.items()}).get,
            key="compared",
            help="The other network.",
            persist_state="session",
        )
    ]
st.session_state.setdefault("compare_view", next(iter(VIEWS)))
view = st.segmented_control(
    "View", list(VIEWS), key="compare_view", required=True, persist_state="session", label_visibility="collapsed"
)
VIEWS[view]((one, other))
