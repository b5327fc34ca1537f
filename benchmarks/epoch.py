"""Seconds per epoch: the lab beside the plain Keras script, alternating in one run.

    CNN_LAB_DATA=FOLDER python -m benchmarks.epoch [--rounds 3] [--epochs 4] [--pytorch] [--browser]

FOLDER holds mnist.npz. Each round trains every side once; the first epoch of each training, which compiles, is left out.
The sides: the plain script with TensorFlow's defaults, the same with oneDNN switched off (what the defaults are on many CPUs),
with --pytorch the same training in PyTorch (which benchmarks/requirements.txt installs), the lab with nobody watching and, with
--browser, the lab with its Build page open in Chromium on the same cores.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


def answer(command: list[str], **environment: str | None) -> list[float]:
    """Run a training and give its seconds per epoch without the first."""
    variables = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])["seconds_per_epoch"][1:]


@contextmanager
def watched(home: str):
    """The Build page in Chromium for as long as the block runs."""
    from playwright.sync_api import sync_playwright

    from tests.browser.find_browser import installed

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, "CNN_LAB_HOME": home, "CNN_LAB_SPARE": "0"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health")
                break
            except OSError:
                time.sleep(0.1)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})

            def look() -> None:
                page.goto(f"http://127.0.0.1:{port}")
                page.get_by_role("button", name="Stop and keep").wait_for(timeout=60_000)

            yield look
            browser.close()
    finally:
        server.kill()
        server.wait()


def with_browser(train: list[str], home: str) -> list[float]:
    """The seconds of a training that a browser watches from its first second on."""
    with watched(home) as look:
        process = subprocess.Popen(
            train,
            cwd=ROOT,
            env={**os.environ, "CNN_LAB_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        time.sleep(1)  # until the run is in the store
        look()
        output, _ = process.communicate()
    return json.loads(output)["seconds_per_epoch"][1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="epochs of each training; the first is not counted")
    parser.add_argument("--pytorch", action="store_true", help="measure PyTorch as well")
    parser.add_argument("--browser", action="store_true", help="measure with the page open as well")
    options = parser.parse_args()
    data = Path(os.environ.get("CNN_LAB_DATA", "")) / "mnist.npz"
    if not data.is_file():
        sys.exit("Set CNN_LAB_DATA to a folder that holds mnist.npz.")
    os.environ["CNN_LAB_DATA"] = str(data.parent.absolute())
    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    script = [sys.executable, "benchmarks/plain_script.py", str(options.epochs), str(data.absolute())]
    train = [sys.executable, "-m", "cnn_core", "train", "--preset", "lenet5", "--dataset", "mnist"]
    train += ["--epochs", str(options.epochs), "--json"]
    sides = {
        "plain script, defaults": lambda: answer(script, TF_ENABLE_ONEDNN_OPTS=None),
        "plain script, oneDNN off": lambda: answer(script, TF_ENABLE_ONEDNN_OPTS="0"),
        "lab, nobody watching": lambda: answer(train, CNN_LAB_HOME=home),
    }
    if options.pytorch:
        torch = [sys.executable, "benchmarks/pytorch_script.py", *script[2:]]
        sides["PyTorch, eager"] = lambda: answer(torch)
    if options.browser:
        sides["lab, page open in Chromium"] = lambda: with_browser(train, home)
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(options.rounds):
        for side, measure in sides.items():
            seconds[side] += measure()
            print(f"round {number + 1}, {side}: {[round(value, 2) for value in seconds[side][1 - options.epochs :]]}", flush=True)
    lab = statistics.median(seconds["lab, nobody watching"])
    print(f"\nLeNet-5 preset, 60,000 images, validation on 10,000; {cpu()}, {os.cpu_count()} cores")
    for side, values in seconds.items():
        middle = statistics.median(values)
        print(f"{side:<28} median {middle:6.2f} s  ({min(values):.2f} to {max(values):.2f})  {middle / lab:5.2f} x the lab")


def cpu() -> str:
    """The model of this computer's CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown CPU"


if __name__ == "__main__":
    main()
