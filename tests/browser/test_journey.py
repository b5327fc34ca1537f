"""The whole lab as a person uses it, in a real browser."""

import os
import re
import signal

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cnn_core.jobs import Lab

PATHS = {
    "Build": "",
    "Draw": "draw",
    "Look inside": "look_inside",
    "How it computes": "compute",
    "What it learned": "learned",
    "Why": "explain",
    "Evaluate": "evaluate",
    "My digits": "my_digits",
    "Compare": "compare",
    "Runs": "runs",
}
WITHOUT_CHARTS = ("How it computes", "My digits", "Compare")  # of one run for which nothing is drawn yet
# Rules that Streamlit's own elements break, each with the element: none is left with this version.
STREAMLITS_OWN: dict[str, str] = {}
POINTS = """name => (document.querySelector(`.st-key-curve_${name} .js-plotly-plot`)?.data ?? [])
    .reduce((sum, line) => sum + line.x.length, 0)"""

ON_THE_SCREEN = """() => [...document.querySelectorAll('[role=tablist], [class*=st-key-curve_] .js-plotly-plot')].slice(0, 3)
    .every(part => { const box = part.getBoundingClientRect(); return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight; })"""


def move(page: Page, label: str, *keys: str) -> None:
    """Move a slider by the keyboard, one step after the other; each has to reach the settings in the address."""
    slider = page.get_by_role("slider", name=label).first
    for key in keys:
        settle(page)
        before = page.url
        slider.press(key)
        page.wait_for_function("before => location.href !== before", arg=before)
    settle(page)


def go(page: Page, name: str) -> None:
    """Follow a link of the menu, once the page before is drawn to its end."""
    settle(page)
    page.get_by_role("link", name=name).first.click()
    page.wait_for_url(re.compile(f"/{PATHS[name]}"))


def draw(page: Page, *points: tuple[int, int]) -> None:
    """One stroke on the canvas."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    (x, y), *rest = points
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()


def settle(page: Page) -> None:
    """Wait until the page is drawn to its end: what is drawn anew is faded meanwhile."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_function("!document.querySelector('[data-stale=true]')")


def run_id(page: Page) -> str:
    return re.search(r"run=([\w-]+)", page.url).group(1)


def start(page: Page, server, epochs: int) -> str:
    """Train the fast preset for some epochs; the id of the run."""
    page.goto(server.url)
    page.get_by_role("tab", name="Training").click()
    field = page.get_by_role("spinbutton", name="Epochs")
    field.fill(str(epochs))
    field.press("Enter")
    expect(page).to_have_url(re.compile("spec="))
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("run="))
    return run_id(page)


def test_build_train_draw_look_inside(page, server, wait_until):
    page.goto(server.url)
    for title, blocks in (("LeNet-5 style", "3"), ("Tiny (a few seconds)", "1")):
        page.get_by_role("combobox", name="Start from").click()
        page.get_by_role("option", name=title, exact=True).click()
        expect(page.get_by_role("slider", name="Convolution blocks")).to_have_value(blocks)

    move(page, "Filters", "ArrowRight")
    move(page, "Kernel size", "ArrowLeft", "ArrowLeft")
    page.get_by_role("radio", name="valid").or_(page.get_by_role("button", name="valid")).first.click()
    page.get_by_role("radio", name="average").or_(page.get_by_role("button", name="average")).first.click()
    move(page, "Dropout", "ArrowRight")
    page.get_by_role("tab", name="Weights").click()
    move(page, "L2 (weight decay)", "ArrowRight")
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("spinbutton", name="Epochs").fill("400")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("run="))

    # both curves gain points while it trains
    for chart in ("'accuracy'", "'loss'"):
        page.wait_for_function(f"({POINTS})({chart}) > 0")
        before = page.evaluate(f"({POINTS})({chart})")
        page.wait_for_function(f"({POINTS})({chart}) > {before}")
    # the controls and the curves are on the screen together
    page.wait_for_function(ON_THE_SCREEN)  # a chart that is drawn anew is there twice for a moment

    # a reload during training finds the run and the settings again
    run = run_id(page)
    page.reload()
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
    assert run_id(page) == run
    lab = Lab(server.home)
    spec = lab.store.get(run).spec
    conv = spec.model.layer("conv_1")
    assert (conv.filters, conv.kernel_size, conv.padding, conv.kernel_l2) == (10, 3, "valid", 0.00001)
    assert spec.model.layer("pool_1").kind == "AveragePooling2D"
    assert spec.model.layer("dropout_1").rate == 0.05
    expect(page.get_by_role("slider", name="Kernel size").first).to_have_value("3")

    page.get_by_role("button", name="Stop and keep").click()
    expect(page.get_by_text("Test accuracy").first).to_be_visible()
    assert lab.store.get(run).status == "stopped"

    page.get_by_role("link", name="Draw a digit").click()
    expect(page.get_by_text("There is no digit yet")).to_be_visible()
    draw(page, (140, 50), (140, 230))
    expect(page.get_by_role("heading", name=re.compile(r"^1 .*%$"))).to_be_visible()
    seen = page.get_by_role("img", name="The digit as the network sees it")
    one = seen.get_attribute("src")
    draw(page, (60, 60), (220, 60))
    expect(seen).not_to_have_attribute("src", one)
    page.get_by_role("button", name="Undo").first.click()
    expect(seen).to_have_attribute("src", one)
    expect(page.get_by_role("heading", name=re.compile(r"^1 .*%$"))).to_be_visible()

    go(page, "Look inside")
    for layer in spec.model.layers:
        if layer.kind not in ("Flatten", "Dropout"):
            expect(page.get_by_text(re.compile(rf"^{layer.name}: ")).first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^The first .* feature maps of conv_1$"))).to_be_visible()
    expect(page.locator(".st-key-maps_conv_1 .js-plotly-plot")).to_be_visible()

    go(page, "Evaluate")
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_visible()
    go(page, "Runs")
    expect(page.get_by_role("button", name="Open its settings")).to_be_visible()


def test_a_run_outlives_its_tab_and_the_server(page, browser, server, wait_until):
    run = start(page, server, 400)
    page.wait_for_function(f"({POINTS})('accuracy') > 0")
    second = browser.new_page()
    second.goto(server.url)
    expect(second.get_by_role("button", name="Stop and keep")).to_be_visible()  # another tab shows what trains
    second.close()
    server.kill()
    server.start(wait_until)
    page.goto(f"{server.url}/?run={run}")
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
    before = Lab(server.home).store.get(run).step
    wait_until(lambda: Lab(server.home).store.get(run).step > before)
    page.get_by_role("button", name="Stop and keep").click()
    expect(page.get_by_text(re.compile(r"stopped$")).first).to_be_visible()


def test_a_killed_worker_is_shown_as_failed(page, server):
    run = start(page, server, 400)
    page.wait_for_function(f"({POINTS})('accuracy') > 0")
    children = psutil.Process(server.process.pid).children()
    folder = str(server.home / run)
    open_lock = [child for child in children if any(file.path.startswith(folder) for file in child.open_files())]
    assert len(open_lock) == 1
    os.kill(open_lock[0].pid, signal.SIGKILL)
    expect(page.get_by_text(re.compile("Training ended before it was done"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"failed$")).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(browser, server, wait_until, scheme):
    lab = Lab(server.home)
    from cnn_core.presets import preset
    from cnn_core.spec import change

    run = lab.submit(change(preset("tiny").spec, {"training.epochs": 1}))
    wait_until(lambda: lab.store.get(run).is_over)
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    for name, path in PATHS.items():
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{server.url}/{path}?run={run}")
        if name in ("Draw", "Look inside", "Why"):
            page.get_by_role("radio", name="Test image").or_(page.get_by_role("button", name="Test image")).first.click()
        shown = ".stMain [data-testid=stElementContainer]" if name in WITHOUT_CHARTS else ".js-plotly-plot .main-svg"
        page.locator(f"{shown} >> visible=true").last.wait_for()
        settle(page)
        for part in ("document.documentElement", "document.querySelector('.stMain')"):
            assert page.evaluate(f"{part}.scrollWidth - {part}.clientWidth") == 0, f"{name} scrolls sideways"
        page.set_viewport_size({"width": 1440, "height": 900})
        settle(page)
        found = Axe().run(page).response["violations"]
        serious = {rule["id"]: rule["nodes"] for rule in found if rule["impact"] in ("serious", "critical")}
        assert not set(serious) - set(STREAMLITS_OWN), f"{name}: {serious}"
    page.close()
