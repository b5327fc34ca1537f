"""CNN Lab: build, train, try and look inside convolutional networks. Start it with `streamlit run app.py`."""

import streamlit as st

from pages.components.router import menu
from pages.components.state import in_sentences
from pages.components.style import STYLE
from pages.components.warm import import_early

st.set_page_config(page_title="CNN Lab", page_icon=":material/grid_on:", layout="wide")
st.logo("docs/logo.svg", size="large")
st.html(STYLE)
page = menu()
st.session_state.routed = True
import_early()
with in_sentences():
    page.run()
