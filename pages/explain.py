"""Why: what speaks for an answer, drawn over the input, and where the input lies among the test part."""

import streamlit as st

from pages.components import state
from pages.components.explain.plane import plane
from pages.components.explain.why import why
from pages.components.input_picker import input_picker, show_input
from pages.components.overview import answer_line
from pages.components.run_picker import run_picker

VIEWS = {"why": "Over the input", "map": "Map of the test part"}

state.open_session()
choose, views = st.columns([3, 2], vertical_alignment="bottom")
with choose:
    run = run_picker()
if run is None:
    st.stop()
st.session_state.setdefault("explain_view", "why")
with views:
    view = st.segmented_control(
        "View", list(VIEWS), format_func=VIEWS.get, key="explain_view", required=True, persist_state="session"
    )


@st.fragment
@state.in_sentences()
def explain() -> None:
    picture, shown = st.columns([1, 3], gap="medium")
    with picture:
        st.subheader("Input", anchor=False)
        example = input_picker(run.spec.data)
        answer = st.container()
        show_input(run.spec.data, example)
    with shown:
        model = state.model(run.run)
        if example is not None:
            with answer:
                answer_line(run.spec, example, model.activations(example))
        if view == "map":
            plane(run, example)
        elif example is None:
            st.info("Draw a digit, upload one or take a test image: what speaks for its answer appears here.")
        else:
            why(run, example)


explain()
