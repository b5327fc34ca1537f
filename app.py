"""CNN Lab: build, train, try and look inside convolutional networks. Start it with `streamlit run app.py`."""

# Before any chart: plotly takes what it finds of pandas, which another session may be loading at the moment. This waits for that.
import pandas  # noqa: F401
import streamlit as st

from pages.components.router import menu
from pages.components.state import in_sentences
from pages.components.style import CLOSE_MENU, STYLE

st.set_page_config(page_title="CNN Lab", page_icon=":material/grid_on:", layout="wide")
st.logo("docs/logo.svg", size="large")
st.html(STYLE)
st.html(CLOSE_MENU, unsafe_allow_javascript=True)
page = menu()
st.session_state.routed = True
with in_sentences():
    page.run()
