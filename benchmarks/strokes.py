"""From the pen's lifting to every layer's maps on the screen: strokes in Chromium on the page Look inside, with a warm network.

    python -m benchmarks.strokes [--preset lenet5] [--strokes 30]

Trains the preset for one epoch on the embedded digits, draws, and prints the median and the 95th percentile of milliseconds: the whole
(pen up until the overview is another one and was painted) and its parts: what the canvas waits before it sends, the way to the server
and back until its first word (which it says when it begins), the server's work until the overview has come, and the browser's until it
is painted; and apart from these all that follows, which is the layer in large. The load of the machine is printed too: others' work on
it is measured as well.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.viewers import server
from cnn_core.jobs import Lab
from cnn_core.presets import preset
from cnn_core.spec import change
from tests.browser.find_browser import installed

# Notes when the pen is lifted, when the browser asks the server and is answered, and when the overview was painted anew.
SPY = """
window.times = {};
addEventListener('pointerup', () => { window.times = {lifted: performance.now(), answers: []}; }, true);
addEventListener('mouseup', () => { if (!window.times.lifted) window.times = {lifted: performance.now(), answers: []}; }, true);
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
    if (window.times.lifted && !window.times.asked) window.times.asked = performance.now();
    if (!this.spied) {
        this.spied = true;
        this.addEventListener('message', event => {
            if (window.times.asked) window.times.answers.push([performance.now(), event.data.byteLength ?? event.data.size]);
        });
    }
    return send.call(this, data);
};
new MutationObserver(() => {
    const now = [...document.querySelectorAll('[data-testid=stHtml] img')].map(image => image.src).join();
    if (now && now !== window.overview) {
        window.overview = now;
        if (window.times.lifted && !window.times.painted) requestAnimationFrame(() => setTimeout(() => {
            window.times.painted ??= performance.now();
        }));
    }
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
"""


def trained(home: str, name: str) -> str:
    """A run of the preset after one epoch."""
    lab = Lab(Path(home))
    run = lab.submit(change(preset(name).spec, {"training.epochs": 1, "data.dataset": "mnist-5k"}))
    while not lab.store.get(run).is_over:
        lab._workers[run].wait()
        lab.reconcile()
    return run


def stroke(page: Page, generator: np.random.Generator) -> dict[str, float]:
    """Draw one, and give the milliseconds of its parts."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    points = generator.uniform(30, 250, (3, 2)) + np.array((box["x"], box["y"]))
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    page.wait_for_function("window.times.painted")
    page.wait_for_timeout(1200)  # the large layer behind it as well
    times = page.evaluate("window.times")
    lifted, asked, painted = times["lifted"], times["asked"], times["painted"]
    before = [(when, size) for when, size in times["answers"] if when <= painted]
    overview = max(before, key=lambda answer: answer[1])[0]  # the largest message until then
    return {
        "the whole": painted - lifted,
        "canvas waits": asked - lifted,
        "to its first word": before[0][0] - asked,
        "server": overview - before[0][0],
        "browser draws": painted - overview,
        "all that follows": max((when for when, _ in times["answers"]), default=painted) - lifted,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="lenet5")
    parser.add_argument("--strokes", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        run = trained(home, asked.preset)
        with server(home) as port:
            browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.add_init_script(SPY)
            page.goto(f"http://127.0.0.1:{port}/look_inside?run={run}")
            page.locator("canvas.upper-canvas").wait_for()
            page.wait_for_timeout(3000)
            generator, found = np.random.default_rng(0), []
            for number in range(asked.strokes + 3):  # the first ones warm up
                if number % 6 == 5:
                    page.get_by_role("button", name="Clear").click()
                    page.wait_for_timeout(1500)
                times = stroke(page, generator)
                if number >= 3:
                    found.append(times)
            browser.close()
    print(f"{asked.preset}, {len(found)} strokes, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; milliseconds")
    for part in found[0]:
        values = [times[part] for times in found]
        print(f"{part:>20}: median {np.median(values):5.0f}   p95 {np.percentile(values, 95):5.0f}")


if __name__ == "__main__":
    main()
