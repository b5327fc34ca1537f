"""The player of how a layer computes, in a real browser: its numbers are the network's, and it needs no server to play."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from cnn_core import datasets
from cnn_core.computation import FUNCTIONS
from cnn_core.inference import TrainedModel
from cnn_core.layer_kinds import KINDS, Pooling
from pages.components.player import FOLDER, SCRIPTS
from tests.browser.conftest import Server
from tests.browser.test_journey import settle
from tests.test_computation import every_number, made, maps

AGREES = re.compile(r"^✓ All ")


@pytest.fixture(scope="module")
def server(trained, wait_until) -> Iterator[Server]:
    """A server on the home folder of the finished run; nothing here changes it."""
    served = Server(trained.lab.store.home)
    served.start(wait_until)
    yield served
    served.kill()


def open_player(page: Page, server, run: str) -> int:
    """The page with a test image; its number."""
    page.goto(f"{server.url}/compute?run={run}")
    page.get_by_role("button", name="Take a test image").click()
    expect(page.locator(".player .check")).to_have_text(AGREES)
    settle(page)
    return int(re.search(r"Test image ([\d,]+) of", page.locator("body").inner_text()).group(1).replace(",", "")) - 1


def shown(page: Page, part: str = "value") -> float:
    return float(page.locator(f".player [data-is={part}] b").inner_text().replace("−", "-"))


def layer(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Layer").click()
    page.get_by_role("option", name=re.compile(f"^{name}:")).click()
    expect(page.get_by_role("region", name=f"Player: how {name} computes")).to_be_visible()
    expect(page.locator(".player .check")).to_have_text(AGREES)


def test_its_numbers_are_the_feature_maps(page, server, trained):
    index = open_player(page, server, trained.run)
    spec = trained.spec
    maps = TrainedModel(spec, trained.lab.weights(trained.run)).activations(
        datasets.load(spec.data.dataset).x_test[index, ..., 0]
    )
    output = page.get_by_role("slider", name=re.compile("^Output of conv_1"))

    # the keyboard moves in two directions
    output.press("Home")
    assert shown(page) == pytest.approx(maps["conv_1"][0, 0, 0], abs=1e-4)
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        output.press(key)
    assert shown(page) == pytest.approx(maps["conv_1"][2, 3, 0], abs=1e-4)
    expect(output).to_have_attribute("aria-valuetext", re.compile("row 3, column 4"))
    # a click jumps to any cell, the slider and the buttons too
    box = output.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 14.5 / 28, box["y"] + box["height"] * 9.5 / 28)
    expect(page.locator(".player output")).to_have_text("Row 10, column 15 (267 of 784)")
    assert shown(page) == pytest.approx(maps["conv_1"][9, 14, 0], abs=1e-4)
    assert shown(page, "after") == pytest.approx(maps["activation_1"][9, 14, 0], abs=1e-4)
    page.get_by_role("button", name="One cell on").click()
    assert shown(page) == pytest.approx(maps["conv_1"][9, 15, 0], abs=1e-4)
    page.get_by_role("slider", name="Cell", exact=True).fill("783")
    assert shown(page) == pytest.approx(maps["conv_1"][27, 27, 0], abs=1e-4)
    # another filter keeps the cell
    page.get_by_role("slider", name=re.compile("^Filter")).press("ArrowRight")
    expect(page.get_by_text("conv_1, map 2").first).to_be_visible()
    settle(page)
    assert shown(page) == pytest.approx(maps["conv_1"][27, 27, 1], abs=1e-4)
    # the receptive field of a corner is cut off
    expect(page.get_by_role("img", name=re.compile(r"Receptive field on the input: 3 × 3 pixels, rows 26 to 28"))).to_be_visible()

    for kind in ("pool_1", "flatten", "dense_1", "softmax"):
        layer(page, kind)
    best = int(maps["softmax"].argmax())
    layer(page, "output")  # opens at the unit of the class that is answered
    expect(page.locator(".player output")).to_have_text(f"Unit {best + 1}, class {best} ({best + 1} of 10)")
    layer(page, "softmax")
    assert shown(page) == pytest.approx(maps["softmax"][best], abs=1e-4)


def test_it_plays_without_the_server(page, server, trained):
    sent: list = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    open_player(page, server, trained.run)
    page.get_by_role("button", name="First cell").click()
    page.get_by_role("slider", name="Speed").fill("5")
    settle(page)
    sent.clear()
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".player output")).to_have_text(re.compile(r"Row 2, "))
    page.get_by_role("button", name="Pause").click()
    where = page.locator(".player output").inner_text()
    page.wait_for_timeout(300)
    assert page.locator(".player output").inner_text() == where
    assert not sent, "a frame asked the server"


LAYERS = [
    *(("Conv2D", {"filters": 2, "padding": padding, "strides": strides}) for padding in ("same", "valid") for strides in (1, 3)),
    ("Conv1D", {"filters": 2}),
    ("DepthwiseConv2D", {"depth_multiplier": 2}),
    ("SeparableConv2D", {"filters": 2}),
    *((f"{what}Pooling{axes}D", {"padding": "same"}) for what in ("Max", "Average", "Min") for axes in (1, 2)),
    *(
        (kind, {})
        for kind in KINDS
        if kind not in ("Dense", "Activation") and "Conv" not in kind and not issubclass(KINDS[kind], Pooling)
    ),
    ("Dense", {"units": 5}),
    *(("Activation", {"function": function}) for function in (*FUNCTIONS, "softmax")),
]


DRAW = """async data => {
    show({ data, parentElement: document.body });
    document.querySelector("[data-do=first]").click();
    while (!document.querySelector(".check").textContent) await new Promise(done => setTimeout(done, 5));
    return [document.querySelector(".check").textContent, document.querySelector(".player").innerText];
}"""


def test_every_kind_of_layer_is_drawn_and_agrees(page):
    scripts = "\n".join((FOLDER / script).read_text() for script in SCRIPTS).replace("export default function", "return function")
    page.set_content(f"<style>{(FOLDER / 'player.css').read_text()}</style>{(FOLDER / 'player.html').read_text()}")
    page.evaluate("scripts => { window.show = new Function(scripts)() }", scripts)
    seen = set()
    for kind, settings in LAYERS:
        for values in (maps(7, 7, 3), maps(9, 3), maps(8)):
            axes = getattr(KINDS[kind], "axes", values.ndim - 1)
            if axes != values.ndim - 1 or (kind == "Dense" and values.ndim != 1):
                continue
            for choice, steps in every_number(*made(kind, values, "gelu", **settings), most=2):
                said, drawn = page.evaluate(DRAW, {**steps, "anchor": str(choice)})
                assert said.startswith("✓ All" if steps["reference"] else "Keras does not show"), (kind, settings, said)
                assert "✗" not in drawn and "NaN" not in drawn and "undefined" not in drawn, (kind, settings, drawn)
                seen.add(steps["kind"])
    assert len(seen) == 15


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(browser, server, trained, scheme):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    page.set_default_timeout(60_000)
    open_player(page, server, trained.run)
    output = page.get_by_role("slider", name=re.compile("^Output of conv_1"))
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 56, box["y"] + box["height"] / 56)
    expect(page.locator(".player output")).to_have_text("Row 1, column 1 (1 of 784)")
    check(page)
    page.get_by_role("radio", name="Shapes").or_(page.get_by_role("button", name="Shapes")).first.click()
    expect(page.get_by_text("cells become")).to_be_visible()
    check(page)
    page.close()


def check(page: Page) -> None:
    """Nothing scrolls sideways, and axe finds no serious fault, within the player's shadow root too."""
    settle(page)
    for part in ("document.documentElement", "document.querySelector('.stMain')"):
        assert page.evaluate(f"{part}.scrollWidth - {part}.clientWidth") == 0
    found = Axe().run(page).response["violations"]
    assert not {
        rule["id"]: [node["html"] for node in rule["nodes"]] for rule in found if rule["impact"] in ("serious", "critical")
    }
