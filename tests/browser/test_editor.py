"""A network of two branches and two heads, built from nothing in a real browser, trained, and asked for both answers."""

import re
import subprocess
import sys

from playwright.sync_api import Page, expect

from cnn_core import editing, links
from cnn_core.jobs import Lab
from tests.browser.test_journey import draw, go, run_id, settle

# Where the choice of a branch stood in each frame that the browser painted.
PLACES = """() => {
    window.places = new Set();
    const look = () => {
        const menu = document.querySelector('[data-testid=stPopoverBody] [data-testid=stButtonGroup]');
        places.add(menu && menu.getBoundingClientRect().top);
        requestAnimationFrame(look);
    };
    look();
}"""


def press(page: Page, name: str) -> None:
    settle(page)
    page.get_by_role("button", name=name, exact=True).first.click()
    settle(page)


def add(page: Page, *kinds: str) -> None:
    """Add layers one behind the other from the menu, which is open."""
    for kind in kinds:
        before = page.url
        page.get_by_role("button", name=kind, exact=True).first.click()
        page.wait_for_function("before => location.href !== before", arg=before)
        settle(page)


def choose(page: Page, label: str, value: str) -> None:
    """Choose from a list of the editor; the choice has to reach the settings in the address."""
    before = page.url
    page.get_by_role("combobox", name=label, exact=True).first.click()
    page.keyboard.type(value)  # a long list shows its first choices alone
    page.get_by_role("option", name=value, exact=True).click()
    page.wait_for_function("before => location.href !== before", arg=before)
    settle(page)


def close_menu(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Behind")).not_to_be_visible()
    settle(page)


def lower(page: Page, label: str, times: int) -> None:
    """Move a slider of the open layer down by the keyboard."""
    slider = page.locator(".st-key-open_layer_box").get_by_role("slider", name=label)
    for _ in range(times):
        before = page.url
        slider.press("ArrowLeft")
        page.wait_for_function("before => location.href !== before", arg=before)
        settle(page)


def test_two_branches_and_two_heads_from_an_empty_editor(page, server, tmp_path):
    page.goto(server.url)
    expect(page.get_by_role("slider", name="Convolution blocks")).to_be_visible()
    page.locator(".st-key-editor_bar").get_by_text("Layers", exact=True).click()
    expect(page.locator(".st-key-layer_of_conv_1")).to_be_visible()
    press(page, "Empty")
    expect(page.get_by_text("No layers yet.")).to_be_visible()

    press(page, "Add a layer")
    add(page, "Conv2D", "Activation", "MaxPooling2D", "Flatten", "Dense", "Activation")
    close_menu(page)
    choose(page, "Function", "softmax")
    press(page, "Add a head")

    press(page, "Add a layer")
    page.get_by_role("combobox", name="Behind").click()
    page.get_by_role("option", name="flatten_1", exact=True).click()
    settle(page)
    page.get_by_text("New branch", exact=True).click()
    settle(page)
    add(page, "Dense")
    close_menu(page)
    lower(page, "Units", 4)  # from 10 to 1
    press(page, "Add a layer")
    add(page, "Activation")
    close_menu(page)
    choose(page, "Function", "sigmoid")
    press(page, "Add a head")

    # a name is typed, and a click that comes at once is not lost
    page.get_by_role("textbox", name="Name", exact=True).fill("odd_or_even")
    page.locator(".st-key-layer_of_conv2d_1 button").click()
    expect(page.locator(".st-key-layer_of_odd_or_even")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("conv2d_1")

    settle(page)
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("spinbutton", name="Epochs").fill("2")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    settle(page)
    press(page, "Train")
    expect(page).to_have_url(re.compile("run="))
    lab, run = Lab(server.home), run_id(page)
    spec = lab.store.get(run).spec
    assert [(head.name, head.layer, head.loss) for head in spec.model.heads] == [
        ("label", "activation_2", "categorical_crossentropy"),
        ("parity", "odd_or_even", "binary_crossentropy"),
    ]
    assert spec.model.layer("dense_2").inputs == ("flatten_1",)
    assert sorted(editing.loose_ends(spec.model)) == ["activation_2", "odd_or_even"]

    # a curve of each head, and the result
    for head in ("label", "parity"):
        expect(page.locator(f"[class*=st-key-curve_{head}_] .js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Test accuracy").first).to_be_visible()
    assert lab.store.get(run).status == "finished", lab.log(run)

    page.get_by_role("link", name="Draw a digit").click()
    expect(page.get_by_text("There is no digit yet")).to_be_visible()
    draw(page, (140, 50), (140, 230))
    expect(page.get_by_text(re.compile(r"\b(even|odd)\b")).first).to_be_visible()
    expect(page.get_by_text(re.compile("parity")).first).to_be_visible()
    go(page, "Build")
    expect(page.locator(".st-key-layer_of_odd_or_even")).to_be_visible()  # the network is still there

    # taken home, its script does the same without the lab
    go(page, "Runs")
    press(page, "Take home")
    with page.expect_download() as download:
        page.get_by_role("button", name="Python script").click()
    assert re.fullmatch(r"\w+_mnist_5k_\w{4}\.py", download.value.suggested_filename)
    script = tmp_path / "taken_home.py"
    download.value.save_as(script)
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = re.fullmatch(r"Test accuracy: (\d\.\d{4})", done.stdout.strip().splitlines()[-1])
    assert abs(float(said[1]) - lab.store.get(run).test_accuracy) < 0.05


def test_nothing_in_the_menu_of_layers_moves_away_from_a_click(page, server):
    page.goto(server.url)
    expect(page.get_by_role("slider", name="Convolution blocks")).to_be_visible()
    page.locator(".st-key-editor_bar").get_by_text("Layers", exact=True).click()
    expect(page.locator(".st-key-layer_of_conv_1")).to_be_visible()
    press(page, "Add a layer")
    expect(page.get_by_text("New branch", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)  # all that is shown has come
    page.evaluate(PLACES)
    for name in ("conv_1", "flatten"):
        page.get_by_role("combobox", name="Behind").click()
        page.get_by_role("option", name=name, exact=True).click()
        settle(page)
    page.get_by_text("New branch", exact=True).click()
    settle(page)
    add(page, "Dense", "Activation")
    assert page.evaluate("places.size") == 1, page.evaluate("[...places]")
    layers = links.decode(re.search("spec=([^&]+)", page.url)[1]).model.layers
    assert [(layer.kind, layer.inputs) for layer in layers[-2:]] == [("Dense", ("flatten",)), ("Activation", ("dense_2",))]
