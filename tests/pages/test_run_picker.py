"""The network that was chosen stays chosen from page to page."""

import pytest

from cnn_core.presets import preset
from tests.networks import finished_run
from tests.pages.opened import healthy, opened

PAGES = ("look_inside", "evaluate", "explain", "compute", "my_digits", "learned", "draw", "compare")


@pytest.mark.parametrize("follows_the_address", [True, False])
def test_it_stays_chosen_on_every_page(page_lab, trained, follows_the_address):
    newest = finished_run(page_lab, preset("two-heads").spec, "20990101-000000-aaaa")
    app = opened("draw", trained.run if follows_the_address else newest, route="test")
    if not follows_the_address:
        assert app.selectbox(key="picked").value == newest
        app.selectbox(key="picked").set_value(trained.run).run()
    for page in PAGES:
        app = healthy(app.switch_page(f"pages/{page}.py").run())
        assert app.selectbox(key="picked").value == trained.run == app.session_state["run"], page
