"""How many sessions watch, so that many of them together do not slow training down."""

import time
from zlib import crc32

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

CROWDED = (2.0, 8.0, 16.0)  # seconds between two looks when many share them
GONE = 2 * CROWDED[-1]  # seconds without a look after which a session does not count


@st.cache_resource(show_spinner=False)
def _seen() -> dict[str, float]:
    """When each session looked last."""
    return {}


@st.cache_resource(show_spinner=False)
def _turns() -> list[float]:
    """When a session of the crowd had its turn last."""
    return [float("-inf")]


def has_turn(every: float) -> bool:
    """Whether a session that looks `every` so many seconds does now what one does for all: in a crowd, about four in that time do."""
    now, turns = time.monotonic(), _turns()
    if every > CROWDED[0] and now - turns[0] < every / 4:
        return False
    turns[0] = now
    return True


def stretched(seconds: float, each: float) -> float:
    """An interval between two looks: `seconds`, or about 2, 8 or 16 s where every session could not have `each`.

    The steps are large because a session that changes its interval has to run its whole page once. In a crowd each session's
    differs a little, or those that opened the page together would look together for ever.
    """
    now, seen, me = time.monotonic(), _seen(), get_script_run_ctx().session_id
    seen[me] = now
    for session in [session for session, last in list(seen.items()) if now - last > GONE]:
        seen.pop(session, None)
    wanted = each * len(seen)
    if wanted <= seconds:
        return seconds
    return next((interval for interval in CROWDED if interval >= wanted), CROWDED[-1]) * (1 - crc32(me.encode()) % 100 / 400)
