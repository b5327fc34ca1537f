"""A home on a disk that cannot be written, and one from which a folder goes: told in a sentence, and the other runs stay."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change
from cnn_core.store import Store

ROOT = Path(__file__).parent.parent
SPEC = change(preset("tiny").spec, {"training.epochs": 1000, "training.batch_size": 128})


def files(home: Path) -> dict[Path, bytes]:
    """The files of all runs."""
    return {file: file.read_bytes() for file in home.glob("*/**/*") if file.is_file()}


IN_ANOTHER_PROCESS = """
import os, sys
from pathlib import Path
from cnn_core.errors import StoreError
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.store import Store
home = Path(sys.argv[1])
if sys.argv[2] == "bound by modes" and os.geteuid() == 0:
    os.setuid(65534)
acts = [lambda: Lab(home).submit(preset("tiny").spec)]
acts += [lambda name=name: getattr(Lab(home), name)("a") for name in ("resume", "stop", "pause", "delete")]
acts += [lambda: Lab(home).rename("a", "b"), lambda: Store(home).event("a", 1, "note", "text")]
for act in acts:
    try:
        print("It could be written:", act())
    except StoreError as error:
        print(error)
"""


def test_on_a_read_only_disk_every_action_is_refused_in_a_sentence(small_disk):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = (small_disk or Path(folder)) / "home"
        Store(home).add("a", "a", SPEC)
        Store(home).update("a", status="stopped")
        (home / "a").mkdir()
        (home / "a" / "model.weights.h5").write_bytes(b"weights")
        row = Store(home).get("a")
        lock = ["mount", "-o", "remount,ro", small_disk] if small_disk else ["chmod", "a-w", home]
        subprocess.run(lock, check=True)
        command = [sys.executable, "-c", IN_ANOTHER_PROCESS, home, "a read-only disk" if small_disk else "bound by modes"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        subprocess.run(["mount", "-o", "remount,rw", small_disk] if small_disk else ["chmod", "u+w", home], check=True)
        said = done.stdout.splitlines()
        assert done.returncode == 0 and len(said) == 7, done.stderr
        assert all("cannot be written" in line and "write permission" in line for line in said), done.stdout
        assert Store(home).get("a") == row and files(home) == {home / "a" / "model.weights.h5": b"weights"}


def test_a_run_whose_folder_is_deleted_while_nobody_looks_ends_and_the_next_begins(trained, tmp_path, wait_until):
    home = tmp_path / "home"
    shutil.copytree(trained.lab.home, home)
    lab, kept = Lab(home), files(home)
    first = lab.submit(SPEC)
    wait_until(lambda: lab.store.get(first).epoch >= 1)
    second = lab.submit(SPEC)
    # Moved away, since the process writes into it and would fill it again while it is emptied.
    lab.store.folder(first).rename(tmp_path / "thrown away")
    # Nothing but the rows is looked at: the process that trains has to notice by itself.
    wait_until(lambda: lab.store.get(second).status == "running")
    row = lab.store.get(first)
    assert row.status == "failed" and row.message.endswith("."), row.message
    lab.stop(second)
    wait_until(lambda: lab.store.get(second).is_over)
    assert lab.store.get(trained.run) == trained.row and files(home).items() >= kept.items()
    lab.delete(first)
    assert lab.store.ids() == [second, trained.run] and not lab.store.folder(first).exists()
