"""What watching costs: sessions without a browser that follow a run on the Build page, as Streamlit's own client does.

    CNN_LAB_DATA=FOLDER python -m benchmarks.viewers [--viewers 30] [--epochs 5]

Trains the LeNet-5 preset on FOLDER's 60,000 images with nobody and with the viewers, alternating, and prints the seconds per epoch and,
once all viewers have opened their page (one every half second), how long a refresh took from its request to its last message and
how often they came.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sides import ROOT, TRAIN, cpu, data_folder
from cnn_core.store import Store

ARRIVING = 0.5  # seconds from one viewer's arrival to the next


@contextmanager
def server(home: str, spare: bool = False):
    """The app on a free port for as long as the block runs, with a spare worker or without; gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, "CNN_LAB_HOME": home, "CNN_LAB_SPARE": str(int(spare))}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health")
                break
            time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


class Viewer:
    """A session on a page: opens it, and asks for every refresh that the server has planned, until it is cancelled."""

    def __init__(self, port: int, page: str = "") -> None:
        self.port, self.page = port, page
        self.refreshes: list[float] = []  # seconds from a request to its last message
        self.intervals: list[float] = []
        self.opened: float | None = None  # seconds until the page was there

    async def watch(self) -> None:
        """Follow the page for ever."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
        from websockets.asyncio.client import connect

        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        async with connect(address, subprotocols=["streamlit"], max_size=None) as stream:
            timers: dict[str, float] = {}
            due: dict[str, float] = {}

            async def ask(fragment: str = "") -> float:
                message = BackMsg()
                message.rerun_script.page_name = self.page
                if fragment:
                    message.rerun_script.fragment_id = fragment
                    message.rerun_script.is_auto_rerun = True
                await stream.send(message.SerializeToString())
                return time.monotonic()

            asked, busy = await ask(), True
            while True:
                wait = None if busy or not due else max(0.0, min(due.values()) - time.monotonic())
                try:
                    data = await asyncio.wait_for(stream.recv(), wait)
                except TimeoutError:
                    fragment = min(due, key=due.get)
                    due[fragment] = time.monotonic() + timers[fragment]
                    asked, busy = await ask(fragment), True
                    continue
                message = ForwardMsg.FromString(data)
                kind = message.WhichOneof("type")
                if kind == "new_session" and not message.metadata.run.fragment_ids:
                    timers.clear()
                    due.clear()
                elif kind == "auto_rerun":
                    timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
                    due[message.auto_rerun.fragment_id] = time.monotonic() + message.auto_rerun.interval
                elif kind == "script_finished":
                    taken, busy = time.monotonic() - asked, False
                    if self.opened is None:
                        self.opened = taken
                    else:
                        self.refreshes.append(taken)
                        self.intervals += list(timers.values())


@dataclass
class Watched:
    """What a crowd saw of one training. Times in seconds."""

    opening: float  # from the first request of a page to the last page shown
    refreshes: list[float]  # each from its request to its last message, when all pages were there
    intervals: list[float]  # between them
    epochs: list[float]  # that began when all pages were there, without the first of the training
    early: list[float]  # the epochs before them

    @property
    def every_epoch(self) -> list[float]:
        return self.early + self.epochs


def follow(port: int, count: int, answers: multiprocessing.Queue, over) -> None:
    """`count` viewers in a process of their own, until `over` is set; puts (opening, when all were there, refreshes, intervals)
    into `answers`."""

    async def crowd() -> None:
        began = time.time()
        viewers = [Viewer(port) for _ in range(count)]
        tasks = []
        for viewer in viewers:
            tasks.append(asyncio.create_task(viewer.watch()))
            await asyncio.sleep(ARRIVING)
        while not over.is_set() and any(viewer.opened is None for viewer in viewers):
            await asyncio.sleep(0.1)
        there = time.time()
        early = [(len(viewer.refreshes), len(viewer.intervals)) for viewer in viewers]
        while not over.is_set():
            await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        failed = [error for error in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(error, Exception)]
        if failed:
            print(f"{len(failed)} viewers failed, the first with {failed[0]!r}", file=sys.stderr)
        refreshes = [seconds for viewer, (known, _) in zip(viewers, early, strict=True) for seconds in viewer.refreshes[known:]]
        intervals = [seconds for viewer, (_, known) in zip(viewers, early, strict=True) for seconds in viewer.intervals[known:]]
        answers.put((there - began, there, refreshes, intervals))

    asyncio.run(crowd())


def watched(count: int, epochs: int, home: str) -> Watched:
    """A training of the LeNet-5 preset that `count` viewers follow from its first second on."""
    with server(home) as port:
        answers, over = multiprocessing.Queue(), multiprocessing.Event()
        process = subprocess.Popen(
            [*TRAIN, "--epochs", str(epochs)],
            cwd=ROOT,
            env={**os.environ, "CNN_LAB_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        store, deadline = Store(Path(home)), time.monotonic() + 60
        while not store.runs(("running",)) and time.monotonic() < deadline:
            time.sleep(0.1)
        crowd = multiprocessing.Process(target=follow, args=(port, count, answers, over))
        crowd.start()
        output, _ = process.communicate()
        over.set()
        opening, there, refreshes, intervals = answers.get(timeout=30)
        crowd.join()
    rows = store.metrics(json.loads(output)["run"], ("seconds",))[1:]
    began = [row.time - row.value >= there for row in rows]
    late = [row.value for row, after in zip(rows, began, strict=True) if after]
    return Watched(opening, refreshes, intervals, late, [row.value for row, after in zip(rows, began, strict=True) if not after])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    data_folder()
    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    alone, crowds = [], []
    for number in range(options.rounds):
        done = subprocess.run(
            [*TRAIN, "--epochs", str(options.epochs)],
            cwd=ROOT,
            env={**os.environ, "CNN_LAB_HOME": home},
            capture_output=True,
            text=True,
            check=True,
        )
        alone += json.loads(done.stdout)["seconds_per_epoch"][1:]
        crowds.append(watched(options.viewers, options.epochs, home))
        print(f"round {number + 1}: all pages there after {crowds[-1].opening:.1f} s", flush=True)
    refreshes, intervals, busy, early = (
        [value for crowd in crowds for value in getattr(crowd, name)] for name in ("refreshes", "intervals", "epochs", "early")
    )
    if not refreshes or not busy:
        sys.exit("The training was over before all viewers had opened the page: ask for more epochs or fewer viewers.")
    quiet, slowed = statistics.median(alone), statistics.median(busy)
    print(f"\nLeNet-5 preset, 60,000 images; {cpu()}, {os.cpu_count()} cores; viewers: {options.viewers}")
    print(f"nobody:              {quiet:.2f} s per epoch ({min(alone):.2f} to {max(alone):.2f}, {len(alone)} epochs)")
    if early:
        opening = statistics.median(early)
        print(f"while pages open:    {opening:.2f} s per epoch ({len(early)} epochs), {opening / quiet - 1:+.1%}")
    print(
        f"all watch:           {slowed:.2f} s per epoch ({min(busy):.2f} to {max(busy):.2f}, {len(busy)}), {slowed / quiet - 1:+.1%}"
    )
    middle, last = statistics.median(refreshes), sorted(refreshes)[int(0.95 * len(refreshes))]
    print(f"a refresh: median {1000 * middle:.0f} ms, p95 {1000 * last:.0f} ms, of {len(refreshes)}")
    print(f"seconds between refreshes: median {statistics.median(intervals):.1f}, longest {max(intervals):.1f}")


if __name__ == "__main__":
    main()
