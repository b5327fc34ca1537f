"""How cost grows: training with images, filters and batch size; the pages with runs and metric rows.

    CNN_LAB_DATA=FOLDER python -m benchmarks.scale [train] [store] [memory]

train: seconds of an epoch and the memory of the training process, LeNet-5 preset on FOLDER's images, repeated where more are asked
for. store: 1,000 runs, one of them with 100,000 metric rows: how long the Runs page takes to open, and the live panel to refresh,
both as a session without a browser sees them. memory: of the web process over 20 runs that a viewer follows.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.sides import ROOT, cpu, data_folder
from benchmarks.viewers import Viewer, server

ONE = """
import json, resource, sys, tempfile
from pathlib import Path
import numpy as np
from cnn_core import cores, datasets, worker
from cnn_core.presets import preset
from cnn_core.spec import change

count, filters, batch = map(int, sys.argv[1:])
whole = datasets.load("mnist")
times = -(-count // len(whole.x_train))
datasets.load = lambda *_: datasets.Dataset(
    whole.info, np.tile(whole.x_train, (times, 1, 1, 1))[:count], np.tile(whole.y_train, times)[:count], whole.x_test, whole.y_test, ""
)
names = {f"model.layers.conv_{number}.filters": filters for number in (1, 2, 3)}
spec = change(preset("lenet5").spec, {"data.dataset": "mnist", "training.epochs": 2, "training.batch_size": batch, **names})
seconds = []

folder = Path(tempfile.mkdtemp(prefix="cnn-lab-benchmark-"))

class Sink:
    def append(self, metrics, **values):
        seconds.extend(row.value for row in metrics if row.phase == "seconds")
    def stage(self, text): ...
    def event(self, step, kind, text): ...
    def go_on_from(self, step, epoch): ...
    def stop_requested(self): return False
    def pause_requested(self): return False
    def learning_rate(self): return None
    def path(self, name): return folder / name

cores.share_cores(spec)
worker.train(spec, Sink())
print(json.dumps([min(seconds[1:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def training() -> None:
    """Print seconds and memory against images, filters and batch size."""
    data_folder()
    print("images  filters  batch  s per epoch   images/s  memory MB")
    settings = [(count, 6, 128) for count in (5_000, 15_000, 60_000, 120_000, 240_000)]
    settings += [(60_000, filters, 128) for filters in (4, 8, 16, 32)]
    settings += [(60_000, 6, batch) for batch in (16, 32, 64, 256, 512, 1024)]
    for count, filters, batch in settings:
        command = [sys.executable, "-c", ONE, str(count), str(filters), str(batch)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        seconds, memory = json.loads(done.stdout.splitlines()[-1])
        print(f"{count:>6}  {filters:>7}  {batch:>5}  {seconds:>11.2f}  {count / seconds:>9,.0f}  {memory:>9.0f}", flush=True)


def storing(runs: int = 1000, rows: int = 100_000) -> None:
    """Print how long the Runs page and the live panel take with many runs and many rows."""
    from cnn_core.presets import PRESETS
    from cnn_core.run import Metric
    from cnn_core.spec import change
    from cnn_core.store import Store

    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    store = Store(Path(home))
    specs = [preset.spec for preset in PRESETS.values()]
    for number in range(runs):
        name = f"20260101-{number:06}-bench"
        store.add(name, f"run {number}", change(specs[number % len(specs)], {"training.seed": number}))
        ends = [
            Metric(epoch * 32, epoch, phase, metric, 1 / epoch, 0.0)
            for epoch in range(1, 31)
            for phase in ("train", "validation")
            for metric in ("accuracy", "loss")
        ]
        store.append(name, ends, status="finished", epoch=30, step=960, steps_per_epoch=32, test_accuracy=0.97, seconds=9.0)
    long = name  # the newest, which the Runs page opens
    steps = range(1, rows // 2 + 1)
    store.append(long, [Metric(step, 1, "step", metric, 1 / step, 0.0) for step in steps for metric in ("accuracy", "loss")])
    with server(home) as port:
        opened = []
        for _ in range(6):
            viewer = Viewer(port, "runs")
            asyncio.run(_opened(viewer))
            opened.append(viewer.opened)
    print(f"\n{runs} runs, one with {rows} step rows; {cpu()}, {os.cpu_count()} cores")
    print(
        f"Runs page opens in: first {opened[0]:.2f} s, then median {statistics.median(opened[1:]):.2f} s, worst {max(opened[1:]):.2f} s"
    )
    refreshes = asyncio.run(_growing(home, store, long))
    print(
        f"live panel, {len(refreshes)} refreshes: median {1000 * statistics.median(refreshes):.0f} ms, worst {1000 * max(refreshes):.0f} ms"
    )


async def _opened(viewer: Viewer) -> None:
    task = asyncio.create_task(viewer.watch())
    while viewer.opened is None:
        await asyncio.sleep(0.01)
    await _end(task)


async def _end(task: asyncio.Task) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _growing(home: str, store, run: str) -> list[float]:
    """The seconds of refreshes of a run to which rows are added, while a process holds its lock."""
    from filelock import FileLock

    from cnn_core.run import Metric

    folder = store.folder(run)
    folder.mkdir()
    with FileLock(folder / "worker.lock"), server(home) as port:
        store.update(run, status="running", stage="Training", started=time.time() - 60, seconds_per_step=0.01)
        viewer = Viewer(port)
        task = asyncio.create_task(viewer.watch())
        step = 1_000_000
        while len(viewer.refreshes) < 21:
            step += 1
            store.append(run, [Metric(step, 30, "step", name, 0.5, 0.0) for name in ("accuracy", "loss")], step=step)
            await asyncio.sleep(0.3)
        await _end(task)
    return viewer.refreshes[1:]


def memory(runs: int = 20) -> None:
    """Print the memory of the web process after each of many runs that a session without a browser follows."""
    import psutil

    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    command = [sys.executable, "-m", "cnn_core", "train", "--preset", "tiny", "--json"]
    used = []

    async def follow(port: int) -> None:
        web = next(process for process in psutil.Process().children() if any(str(port) in part for part in process.cmdline()))
        for _ in range(runs):
            training = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env={**os.environ, "CNN_LAB_HOME": home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            await asyncio.sleep(1)
            task = asyncio.create_task(Viewer(port).watch())
            await training.wait()
            await asyncio.sleep(2.5)  # the panel sees the end
            await _end(task)
            used.append(web.memory_info().rss / 2**20)
            print(f"after run {len(used)}: {used[-1]:.0f} MB", flush=True)

    with server(home) as port:
        asyncio.run(follow(port))
    print(f"web process from the 5th to the last run: {used[-1] / used[4] - 1:+.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"train": training, "store": storing, "memory": memory}
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=list(parts))
    for part in parser.parse_args().parts:
        parts[part]()


if __name__ == "__main__":
    main()
