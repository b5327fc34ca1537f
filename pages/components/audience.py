"""How many sessions watch, so that many of them together do not slow training down."""

import time
from math import ceil, log2

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LONGEST = 16.0  # seconds between two looks
GONE = 2 * LONGEST  # seconds without a look after which a session does not count


@st.cache_resource(show_spinner=False)
def _seen() -> dict[str, float]:
    """When each session looked last."""
    return {}


def stretched(seconds: float, each: float) -> float:
    """An interval between two looks: `seconds`, or `each` times the number of sessions, rounded up to 1, 2, 4, 8 or 16 s."""
    now, seen = time.monotonic(), _seen()
    seen[get_script_run_ctx().session_id] = now
    for session in [session for session, last in list(seen.items()) if now - last > GONE]:
        seen.pop(session, None)
    wanted = each * len(seen)
    return seconds if wanted <= seconds else min(LONGEST, 2.0 ** ceil(log2(wanted)))
