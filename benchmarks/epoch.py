"""Seconds per epoch: the lab beside the plain Keras script, alternating in one run.

    CNN_LAB_DATA=FOLDER python -m benchmarks.epoch [--rounds 3] [--epochs 4] [--pytorch] [--browser] [--augmentation]

FOLDER holds mnist.npz. Each round trains every side once; the first epoch of each training, which compiles, is left out.
The sides: the plain script with TensorFlow's defaults, the same with oneDNN switched off (what the defaults are on many CPUs) and
on, the lab with nobody watching, the lab with one viewer that draws nothing and, with --pytorch, the same training in PyTorch
(which benchmarks/requirements.txt installs), with --browser the lab with its Build page open in Chromium on the same cores, with
--augmentation the regularised preset with its augmented images and with the images as they are.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.sides import ROOT, TRAIN, cpu, data_folder
from benchmarks.viewers import server, watched

AUGMENTED, PLAIN = "lab, regularised preset", "the same, images as they are"


def answer(command: list[str], **environment: str | None) -> list[float]:
    """Run a training and give its seconds per epoch without the first."""
    variables = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])["seconds_per_epoch"][1:]


def with_browser(train: list[str], home: str) -> list[float]:
    """The seconds of a training that a browser watches from its first second on."""
    from playwright.sync_api import sync_playwright

    from tests.browser.find_browser import installed

    with server(home) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        environment = {**os.environ, "CNN_LAB_HOME": home}
        process = subprocess.Popen(train, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(1)  # until the run is in the store
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_role("button", name="Stop and keep").wait_for(timeout=60_000)
        output, _ = process.communicate()
        browser.close()
    return json.loads(output)["seconds_per_epoch"][1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="epochs of each training; the first is not counted")
    parser.add_argument("--pytorch", action="store_true", help="measure PyTorch as well")
    parser.add_argument("--browser", action="store_true", help="measure with the page open as well")
    parser.add_argument("--augmentation", action="store_true", help="measure what augmented images cost as well")
    options = parser.parse_args()
    data = data_folder() / "mnist.npz"
    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    script = [sys.executable, "benchmarks/plain_script.py", str(options.epochs), str(data)]
    train = [*TRAIN, "--epochs", str(options.epochs)]
    sides = {
        "plain script, defaults": lambda: answer(script, TF_ENABLE_ONEDNN_OPTS=None),
        "plain script, oneDNN off": lambda: answer(script, TF_ENABLE_ONEDNN_OPTS="0"),
        "plain script, oneDNN on": lambda: answer(script, TF_ENABLE_ONEDNN_OPTS="1"),
        "lab, nobody watching": lambda: answer(train, CNN_LAB_HOME=home),
        "lab, one viewer": lambda: watched(1, options.epochs, home).every_epoch,
    }
    if options.pytorch:
        torch = [sys.executable, "benchmarks/pytorch_script.py", *script[2:]]
        sides["PyTorch, eager"] = lambda: answer(torch)
    if options.browser:
        sides["lab, page open in Chromium"] = lambda: with_browser(train, home)
    if options.augmentation:
        augmented = [*train, "--preset", "lenet5-regularised"]
        plain = [f"--set=data.augmentation.{change}=0" for change in ("rotation", "shift", "zoom")]
        sides[AUGMENTED] = lambda: answer(augmented, CNN_LAB_HOME=home)
        sides[PLAIN] = lambda: answer([*augmented, *plain], CNN_LAB_HOME=home)
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
    if options.augmentation:
        whole, rest = (statistics.median(seconds[side]) for side in (AUGMENTED, PLAIN))
        print(
            f"augmentation takes {(whole - rest) / whole:.0%} of an epoch, which is {(whole - rest) / rest:+.0%} on one without it"
        )


if __name__ == "__main__":
    main()
