"""What a network gets wrong, in a real browser: a cell of the confusion matrix opens, the map of the test part shows the image under
the pointer, a drawn digit is kept and scored."""

import io
import re
import shutil

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from cnn_core import evaluation, my_digits
from cnn_core.datasets import load
from tests.browser.conftest import Server
from tests.browser.test_journey import draw, settle

# The point of the map that lies furthest to the right, where no other hides it: its place on the screen and its example.
FURTHEST = """
() => {
    const chart = document.querySelector('.st-key-map_pca .js-plotly-plot');
    const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
    const points = chart._fullData.flatMap(({ x, y, customdata }) => customdata ? [...x].map((at, n) => [at, y[n], customdata[n][0]]) : []);
    const [x, y, example] = points.reduce((one, other) => (other[0] > one[0] ? other : one));
    return [box.left + xaxis._offset + xaxis.l2p(x), box.top + yaxis._offset + yaxis.l2p(y), example];
}
"""

# Whether the frame of the confusion matrix, as it is drawn, is around a cell.
FRAMED = """
([row, column]) => {
    const { _fullLayout } = document.querySelector('[class*=st-key-confusion] .js-plotly-plot'), frame = _fullLayout.shapes[0];
    return Math.round((frame.x0 + frame.x1) / 2) === column && Math.round((frame.y0 + frame.y1) / 2) === row;
}
"""


@pytest.fixture
def served(tmp_path, trained, wait_until):
    """A server whose home folder has the run of the session."""
    shutil.copytree(trained.lab.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock"))
    server = Server(tmp_path / "home")
    server.start(wait_until)
    yield server
    server.kill()


def accessible(page: Page) -> None:
    expect(page.get_by_test_id("stToast")).to_have_count(0)  # Streamlit gives it no name, and it goes by itself
    settle(page)
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert not [(rule["id"], node["html"]) for rule in serious for node in rule["nodes"]]


def test_a_click_opens_the_images_of_a_cell(page, served, trained, wait_until):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{served.url}/?run={trained.run}")
    settle(page)
    page.goto(f"{served.url}/evaluate?run={trained.run}")
    found = evaluation.score(evaluation.read_answers(trained.lab, trained.run)["label"], load("mnist-5k").y_test)
    area = page.locator(".js-plotly-plot .nsewdrag").first
    expect(area).to_be_visible()
    for true, answer in ((7, 7), tuple(map(int, divmod((found.confusion * (1 - 2 * (found.confusion == 0))).argmin(), 10)))):
        settle(page)
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        x, y = box["x"] + box["width"] * (answer + 0.5) / 10, box["y"] + box["height"] * (true + 0.5) / 10
        label = page.locator(".hoverlayer").filter(has_text=f"true {true}, read as {answer}")

        def at_the_cell(x=x, y=y, label=label) -> bool:
            page.mouse.move(x - 4, y - 4)
            page.mouse.move(x, y)
            return label.count() > 0

        wait_until(at_the_cell)
        page.mouse.click(x, y)
        page.wait_for_function(FRAMED, arg=[true, answer])
        count = int(found.confusion[true, answer])
        if count:
            expect(page.get_by_text(re.compile(rf"{true} read as {answer}: {count} of 100"))).to_be_visible()
            expect(page.get_by_role("img", name=re.compile(r"^Test image \d+: "))).to_have_count(min(20, count))
        else:
            expect(page.get_by_text("None of the test images")).to_be_visible()
    accessible(page)
    page.get_by_role("radio", name="Confidence").or_(page.get_by_role("button", name="Confidence", exact=True)).first.click()
    expect(page.get_by_text("Expected calibration error")).to_be_visible()
    accessible(page)


def test_the_map_shows_the_image_under_the_pointer(page, served, trained):
    page.goto(f"{served.url}/explain?run={trained.run}")
    settle(page)
    page.get_by_role("radio", name="Map of the test part").or_(
        page.get_by_role("button", name="Map of the test part")
    ).first.click()
    expect(page.locator(".st-key-map_pca .nsewdrag")).to_be_visible()
    settle(page)
    page.locator(".st-key-map_pca").scroll_into_view_if_needed()
    x, y, example = page.evaluate(FURTHEST)
    page.mouse.move(x - 60, y - 60)
    page.mouse.move(x, y, steps=5)
    card = page.locator(".under-the-pointer")
    expect(card).to_be_visible()
    expect(card).to_have_attribute("data-example", str(example))
    shown = np.asarray(Image.open(io.BytesIO(card.locator("div").screenshot())).convert("L")).astype(int)
    image = np.kron(load("mnist-5k").x_test[example, ..., 0], np.ones((3, 3), int))
    assert shown.shape == image.shape and np.abs(shown - image).mean() < 2
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()


def test_a_drawn_digit_is_kept_and_scored(page, served, trained):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{served.url}/?run={trained.run}")
    settle(page)
    page.goto(f"{served.url}/my_digits?run={trained.run}")
    expect(page.get_by_text("There are none yet")).to_be_visible()
    draw(page, (140, 50), (140, 230))
    expect(page.get_by_text("The network reads 1")).to_be_visible()
    page.get_by_role("button", name="1", exact=True).click()
    expect(page.get_by_role("heading", name="My digits: 1")).to_be_visible()
    expect(page.get_by_text("100.0%").first).to_be_visible()
    expect(page.get_by_role("img", name="Drawing 1: ✓ 1")).to_be_visible()
    expect(page.get_by_text("Draw a digit as you always write it")).to_be_visible()  # the square is empty again
    accessible(page)
    assert my_digits.read(served.home).labels.tolist() == [1]
    page.locator(".st-key-own_correct_0").get_by_role("button").click()
    page.get_by_text("It is a 7", exact=True).click()
    expect(page.get_by_role("img", name="Drawing 1: ✗ 7, read as 1")).to_be_visible()
    assert my_digits.read(served.home).labels.tolist() == [7]
    page.locator(".st-key-own_delete_0").get_by_role("button").click()
    expect(page.get_by_role("heading", name="My digits: 0")).to_be_visible()
    assert len(my_digits.read(served.home)) == 0


def test_the_square_waits_on_the_next_page_too(page, served, trained):
    page.goto(f"{served.url}/draw?run={trained.run}")
    for name in (None, "Look inside", "Why", "Draw"):
        if name:
            page.get_by_role("link", name=name).click()
            expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
            settle(page)
        expect(page.locator(".st-key-route [aria-checked=true]")).to_have_text("Draw")
        expect(page.locator("canvas").first).to_be_visible()
        expect(page.get_by_test_id("stSlider")).to_contain_text("20")
