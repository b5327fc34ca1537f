"""CNN Lab: build, train, try and look inside convolutional networks. Start it with `streamlit run app.py`."""

import streamlit as st

from pages.components.state import in_sentences
from pages.components.style import STYLE

st.set_page_config(page_title="CNN Lab", page_icon=":material/grid_on:", layout="wide")
st.logo("docs/logo.svg", size="large")
st.html(STYLE)
page = st.navigation(
    [
        st.Page(
            "pages/build.py",
            title="Build",
            icon=":material/construction:",
            default=True,
            help="Choose layers and settings, train, watch.",
        ),
        st.Page("pages/draw.py", title="Draw", icon=":material/draw:", help="Draw a digit and have it read."),
        st.Page(
            "pages/look_inside.py",
            title="Look inside",
            icon=":material/visibility:",
            help="Feature maps and kernels of every layer.",
        ),
        st.Page(
            "pages/evaluate.py", title="Evaluate", icon=":material/analytics:", help="Test scores, confusion matrix, mistakes."
        ),
        st.Page("pages/runs.py", title="Runs", icon=":material/list:", help="All runs: live, finished, compared."),
    ],
    position="top",
)
with in_sentences():
    page.run()
