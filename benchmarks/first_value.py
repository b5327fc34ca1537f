"""From a click on Train to the first training value in the chart, in Chromium.

    python -m benchmarks.first_value [--clicks 10] [--preset lenet5]

Each click comes from a newly opened Build page, when the spare worker has done all that it can do before. The preset trains on the
images that come with the lab.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.sides import cpu
from benchmarks.viewers import server
from cnn_core import links, presets
from cnn_core.run import ACTIVE
from cnn_core.store import Store
from tests.browser.find_browser import installed

# Looks at every frame whether the chart of the accuracy holds a point, and notes when it was drawn.
WATCH = """
() => {
    const look = () => {
        const chart = document.querySelector('.st-key-curve_accuracy .js-plotly-plot');
        const found = chart && chart._fullData && chart.data.some(line => line.x && line.x.length > 0);
        found ? requestAnimationFrame(() => { window.seen = Date.now(); }) : requestAnimationFrame(look);
    };
    document.addEventListener('click', () => { window.clicked ??= Date.now(); }, true);
    look();
}
"""


def spare_is_idle() -> bool:
    """Whether a spare worker is there and has computed next to nothing for a second."""
    spares = [process for process in psutil.process_iter(["cmdline"]) if "cnn_core.stand_by" in (process.info["cmdline"] or ())]
    return len(spares) == 1 and spares[0].cpu_percent(interval=1) < 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=10)
    parser.add_argument("--preset", default="lenet5", choices=list(presets.PRESETS))
    options = parser.parse_args()
    spec = links.encode(presets.preset(options.preset).spec)
    home = tempfile.mkdtemp(prefix="cnn-lab-benchmark-")
    store, seconds = Store(Path(home)), []
    with server(home, spare=True) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        for _ in range(options.clicks):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/?spec={spec}")
            button = page.get_by_role("button", name="Train", exact=True)
            button.wait_for()
            while not spare_is_idle():
                time.sleep(0.5)
            page.evaluate(WATCH)
            button.click()
            page.wait_for_function("() => window.seen", timeout=60_000)
            seconds.append(page.evaluate("() => (window.seen - window.clicked) / 1000"))
            print(f"{seconds[-1]:.2f} s", flush=True)
            page.get_by_role("button", name="Stop and keep").click()
            while store.runs(ACTIVE):
                time.sleep(0.2)
            page.close()
        browser.close()
    print(f"\n{options.preset} on the embedded images; {cpu()}, {os.cpu_count()} cores")
    print(f"click to first value, {len(seconds)} clicks: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
