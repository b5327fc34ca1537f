"""Networks stay compiled from one run of a page to the next."""


def stay_compiled() -> None:
    """Keep Streamlit from forgetting what TensorFlow has compiled.

    At the end of each run of a page or fragment it calls `keras.backend.clear_session`, which empties the cache of compiled
    kernels of the whole process: every stroke then paid about 60 ms of the processor for compiling the network anew.
    (Streamlit 1.67, streamlit/runtime/scriptrunner/script_runner.py, `_clean_problem_modules`.)
    """
    import keras

    keras.backend.clear_session = lambda *arguments, **options: None
