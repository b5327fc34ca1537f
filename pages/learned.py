"""What it learned: the run while it learned, what its filters like, and what the network is without some of them."""

import streamlit as st

from pages.components import state
from pages.components.learned.edit import edit
from pages.components.learned.filters import filters
from pages.components.learned.watch import watch
from pages.components.run_picker import run_picker

VIEWS = {"watch": "Watch it learn", "filters": "Filters", "edit": "Edit and see"}

state.open_session()
choose, views = st.columns([3, 2], vertical_alignment="bottom")
with choose:
    run = run_picker(training=True)
if run is None:
    st.stop()
st.session_state.setdefault("learned_view", "watch")
with views:
    view = st.segmented_control(
        "View", list(VIEWS), format_func=VIEWS.get, key="learned_view", required=True, persist_state="session"
    )

if view == "watch":
    watch(run)
elif not run.is_over:
    st.info(
        "This run is still training: its filters can be looked at when it is over. Watch it learn shows them as they are now."
    )
else:
    (filters if view == "filters" else edit)(run)
