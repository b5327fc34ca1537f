"""What results that are kept for the session of the server belong to."""

from pages.components import state


def mark(run: str) -> tuple[str, int]:
    """A run and its weights: another one when either changes. Raises LabError when it has no weights."""
    return run, state.lab().weights(run).stat().st_mtime_ns
