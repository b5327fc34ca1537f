"""Files that are whole or not there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Write to the path given to the block; afterwards it is `file`. Where writing fails, the old file stays and nothing else.

    Two threads may write the same file: each has a path of its own, and the last whole one stays.
    """
    new = file.with_name(f"new-{threading.get_ident()}-{file.name}")
    try:
        yield new
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
