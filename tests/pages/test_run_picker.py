"""The network that was chosen stays chosen from page to page."""

import pytest

from cnn_core.presets import preset
from tests.networks import finished_run
from tests.pages.opened import healthy, opened, said

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


def test_a_run_that_cannot_answer_is_named_with_the_one_that_does(page_lab, trained):
    unknown, training, waiting, empty, damaged = (f"20990101-000000-000{number}" for number in range(5))
    for run, status in ((training, "running"), (waiting, "queued"), (empty, "failed"), (damaged, "finished")):
        page_lab.store.add(run, f"run {status}", trained.spec)
        page_lab.store.update(run, status=status)
    page_lab.store.update(damaged, spec="{")
    for run, words in (
        (unknown, f"There is no run {unknown}: it was deleted"),
        (training, "'run running' is in training; it can be asked here when it is done."),
        (waiting, "'run queued' waits for its turn;"),
        (empty, "'run failed' has no weights."),
        (damaged, f"The stored spec of run {damaged}"),
    ):
        assert words in said(app := opened("evaluate", run)), words
        assert f"This is **{trained.row.name}**." in said(app)
