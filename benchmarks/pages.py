"""How soon each page shows something useful, in Chromium: just after the server's start, and again.

    python -m benchmarks.pages [--preset tiny] [--rounds 3]

Trains two runs of the preset for one epoch on the embedded digits. For each page a server is started anew, the Build page opened, and
the page asked for by its entry in the menu: the first time and once more from the Build page. Prints the median and the worst seconds
from the click until the page's own content (named below) is on the screen, and until the page has nothing left to do.
"""

import argparse
import os
import statistics
import tempfile
import time

from playwright.sync_api import Page, sync_playwright

from benchmarks.strokes import trained
from benchmarks.viewers import server
from tests.browser.find_browser import installed

CONTENT = {  # what makes a page useful
    "Draw": "canvas.upper-canvas",
    "Look inside": "canvas.upper-canvas",
    "How it computes": "canvas.upper-canvas",
    "What it learned": ".st-key-watched_layer",
    "Why": "canvas.upper-canvas",
    "Evaluate": "[data-testid=stMetric]",
    "My digits": "canvas.upper-canvas",
    "Compare": "canvas.upper-canvas",
    "Runs": "[data-testid=stDataFrame]",
}

RESTS = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def visible(page: Page, what: str) -> bool:
    """Whether it is on the screen, in the page or in a frame of it."""
    return any(frame.locator(what).first.is_visible() for frame in page.frames)


def opened(page: Page, name: str) -> tuple[float, float]:
    """Click on a page's entry in the menu; seconds until its content is there, and until it rests."""
    page.get_by_role("link", name=name, exact=True).click()
    start = time.perf_counter()
    while not visible(page, CONTENT[name]):
        page.wait_for_timeout(20)
    useful = time.perf_counter() - start
    page.wait_for_function(RESTS)
    return useful, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds on the Build page before the first click")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        trained(home, asked.preset)
        trained(home, asked.preset)
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        print(f"{asked.preset}, {asked.rounds} servers for each page, {os.cpu_count()} cores; seconds: median, worst")
        print(f"{'':16} {'first: useful':>16} {'at rest':>12} {'again: useful':>16} {'at rest':>12}")
        for name in CONTENT:
            times = []
            for _ in range(asked.rounds):
                with server(home) as port:
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    page.goto(f"http://127.0.0.1:{port}/")
                    page.get_by_role("button", name="Train", exact=True).wait_for()
                    page.wait_for_function(RESTS)
                    page.wait_for_timeout(1000 * asked.wait)
                    first = opened(page, name)
                    page.get_by_role("link", name="Build", exact=True).click()
                    page.get_by_role("button", name="Train", exact=True).wait_for()
                    page.wait_for_function(RESTS)
                    times.append((*first, *opened(page, name)))
                    page.close()
            columns = [f"{statistics.median(column):.2f} {max(column):.2f}" for column in zip(*times, strict=True)]
            print(f"{name:16} {columns[0]:>16} {columns[1]:>12} {columns[2]:>16} {columns[3]:>12}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
