"""The pages of the lab and the menu that leads to them."""

import streamlit as st


def menu():
    """The menu, and the page that the address asks for."""
    return st.navigation(
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
                "pages/compute.py",
                title="How it computes",
                icon=":material/calculate:",
                help="Every layer cell by cell, on your own digit, and what windows do to shapes.",
            ),
            st.Page(
                "pages/learned.py",
                title="What it learned",
                icon=":material/school:",
                help="How it learned, what its filters like, and what it is without them.",
            ),
            st.Page(
                "pages/explain.py",
                title="Why",
                icon=":material/question_mark:",
                help="What speaks for an answer, and where it lies among others.",
            ),
            st.Page(
                "pages/evaluate.py",
                title="Evaluate",
                icon=":material/analytics:",
                help="Test scores, confusion matrix, mistakes.",
            ),
            st.Page(
                "pages/my_digits.py",
                title="My digits",
                icon=":material/signature:",
                help="A test set of your own handwriting, and networks that are taught it.",
            ),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare:", help="Two networks on the same digit."),
            st.Page("pages/runs.py", title="Runs", icon=":material/list:", help="All runs: live, finished, compared."),
        ],
        position="top",
    )


def insist_on_router() -> None:
    """Run the page again through app.py when Streamlit ran it on its own.

    Streamlit does so once, when the first page that a new server is asked for is not the first one of the menu: it takes a
    folder called pages for its older kind of multipage app until `st.navigation` has been called.
    """
    if not st.session_state.pop("routed", False) and not st.session_state.get("router_called"):
        st.session_state.router_called = True
        menu()
        st.rerun()
