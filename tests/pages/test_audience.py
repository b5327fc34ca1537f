"""The interval between two looks grows with the number of sessions, and shrinks when they are gone."""

from types import SimpleNamespace

import pytest

from pages.components import audience


@pytest.fixture
def crowd(monkeypatch):
    """`crowd(session, at)`: the interval that a session is given at a time."""
    seen: dict[str, float] = {}
    monkeypatch.setattr(audience, "_seen", lambda: seen)

    def look(session: int, at: float) -> float:
        monkeypatch.setattr(audience, "get_script_run_ctx", lambda: SimpleNamespace(session_id=str(session)))
        monkeypatch.setattr(audience.time, "monotonic", lambda: at)
        return audience.stretched(2, each=0.2)

    return look


def test_a_few_sessions_are_looked_after_as_one(crowd):
    assert [crowd(session, at=0) for session in range(10)] == [2] * 10
    assert crowd(0, at=1) == 2, "a session counts once"


def test_many_sessions_wait_longer_until_they_are_gone(crowd):
    intervals = [crowd(session, at=0) for session in range(200)]
    assert all(6 < interval <= 8 for interval in intervals[10:40])
    assert all(12 < interval <= 16 for interval in intervals[40:])
    assert crowd(0, at=audience.GONE + 1) == 2


def test_the_sessions_of_a_crowd_look_at_different_times_and_each_at_its_own(crowd):
    intervals = [crowd(session, at=0) for session in range(30)]
    assert len(set(intervals[10:])) > 10
    assert crowd(29, at=1) == intervals[29]


def test_in_a_crowd_one_does_what_is_to_be_done_for_all(monkeypatch):
    turns = [float("-inf")]
    monkeypatch.setattr(audience, "_turns", lambda: turns)
    now = [0.0]
    monkeypatch.setattr(audience.time, "monotonic", lambda: now[0])
    had = []
    for look in range(80):
        now[0] = look / 10
        had.append(audience.has_turn(8.0))
    assert had[0] and sum(had) == 4
    assert all(audience.has_turn(every) for every in (0.4, 1, 2)), "who is no part of a crowd does it each time"
