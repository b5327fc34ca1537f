"""What makes a page quick: modules that are imported before they are needed, networks that stay compiled."""

import importlib
import threading

import streamlit as st

AFTER = 2.0  # seconds: the page that is asked for comes first


@st.cache_resource(show_spinner=False)
def import_early() -> threading.Timer | None:
    """Import what scores need, once, in the background: scikit-learn takes seconds. None where no server runs."""
    if not st.runtime.exists():
        return None
    timer = threading.Timer(AFTER, importlib.import_module, ("cnn_core.evaluation",))
    timer.daemon = True
    timer.start()
    return timer


def stay_compiled() -> None:
    """Keep Streamlit from forgetting what TensorFlow has compiled.

    At the end of each run of a page or fragment it calls `keras.backend.clear_session`, which empties the cache of compiled
    kernels of the whole process: every stroke then paid about 60 ms of the processor for compiling the network anew.
    (Streamlit 1.67, streamlit/runtime/scriptrunner/script_runner.py, `_clean_problem_modules`.)
    """
    import keras

    keras.backend.clear_session = lambda *arguments, **options: None
