"""The web server is killed: what trains goes on, what waits leaves, and the next server shows what is true."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Page, expect

from cnn_core import links
from cnn_core.presets import preset
from cnn_core.spec import change
from cnn_core.store import Store
from tests.browser.conftest import Server
from tests.browser.test_journey import run_id

POINTS = """() => (document.querySelector('.st-key-curve_accuracy .js-plotly-plot')?.data ?? [])
    .reduce((sum, line) => sum + line.x.length, 0)"""
NAMES = {"train": ("accuracy", "loss"), "validation": ("accuracy", "loss"), "seconds": ("epoch",)}


def workers(server: Server) -> list[psutil.Process]:
    """The processes of the lab that train or wait to do so, whoever is their parent now."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile, or dead and not yet waited for
            ours = process.environ().get("CNN_LAB_HOME") == str(server.home)
            if ours and any(word.startswith("cnn_core.") for word in process.cmdline()):
                found.append(process)
    return found


@pytest.fixture(autouse=True)
def nothing_left(server) -> Iterator[None]:
    """Kills the orphans of a test that failed."""
    yield
    server.kill()
    for process in workers(server):
        process.kill()


def held(worker: psutil.Process, store: Store) -> bool:
    """Hold a process between two of its writes: one that is held within a write keeps the database to itself."""
    worker.suspend()
    database = sqlite3.connect(store.file, timeout=0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        worker.resume()
        return False
    finally:
        database.close()
    return True


def train(page: Page, server: Server, epochs: int) -> tuple[Store, str]:
    """Press Train for the LeNet-5 preset; the store, and the id of the run."""
    spec = change(preset("lenet5").spec, {"training.epochs": epochs})
    page.goto(f"{server.url}/?spec={links.encode(spec)}")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("run="))
    store, run = Store(server.home), run_id(page)
    assert store.get(run).spec == spec
    return store, run


def assert_whole(store: Store, run: str) -> None:
    """One row an epoch of each phase and name, none of any step twice, and nothing else trained."""
    row, metrics = store.get(run), store.metrics(run)
    assert (row.status, row.epoch, row.step) == ("finished", row.epochs, row.epochs * row.steps_per_epoch), row.message
    keys = [(metric.step, metric.phase, metric.name) for metric in metrics]
    assert len(keys) == len(set(keys))
    for phase, names in NAMES.items():
        for name in names:
            found = [(metric.epoch, metric.step) for metric in metrics if (metric.phase, metric.name) == (phase, name)]
            assert found == [(epoch, epoch * row.steps_per_epoch) for epoch in range(1, row.epochs + 1)], (phase, name)
    assert store.ids() == [run] and 0 < row.test_accuracy <= 1


def test_training_goes_on_without_its_server_and_the_next_one_shows_it(page, server, wait_until):
    store, run = train(page, server, 24)
    wait_until(lambda: store.get(run).epoch >= 1)
    server.kill()
    before = len(store.metrics(run))
    wait_until(lambda: len(store.metrics(run)) > before + 5)
    (worker,) = workers(server)
    wait_until(lambda: held(worker, store))  # on a fast computer it would be done before the page is there
    server.start(wait_until)
    page.reload()
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
    page.wait_for_function(f"({POINTS})() > 0")
    shown = page.evaluate(POINTS)
    assert store.get(run).status == "running" and workers(server) == [worker]
    worker.resume()
    page.wait_for_function(f"({POINTS})() > {shown}")
    wait_until(lambda: store.get(run).is_over)
    expect(page.get_by_text(re.compile("finished$")).first).to_be_visible()
    expect(page.get_by_text("Test accuracy").first).to_be_visible()
    assert store.get(run).resumed == 0
    assert_whole(store, run)


def test_after_a_power_cut_a_run_is_interrupted_and_resume_finishes_it(page, server, wait_until):
    store, run = train(page, server, 8)
    wait_until(lambda: store.get(run).epoch >= 2)
    (worker,) = workers(server)
    server.kill()
    worker.kill()
    wait_until(lambda: not workers(server))
    assert store.get(run).status == "running", "nobody was left to say more"
    server.start(wait_until)
    page.reload()
    expect(page.get_by_text(re.compile("interrupted$")).first).to_be_visible()
    expect(page.get_by_text("its process is gone (the computer was switched off, or the process was killed)")).to_be_visible()
    assert 2 <= store.get(run).epoch < 8
    page.get_by_role("button", name="Resume").click()
    wait_until(lambda: store.get(run).status == "finished")
    expect(page.get_by_text(re.compile("finished$")).first).to_be_visible()
    assert store.get(run).resumed == 1
    assert_whole(store, run)


def test_a_killed_server_leaves_no_waiting_process_behind(page, server, wait_until):
    page.goto(server.url)
    wait_until(lambda: workers(server))
    (spare,) = workers(server)
    assert Store(server.home).ids() == []
    # The hard moment: TensorFlow is loaded, and the spare is busy preparing the run that may come.
    wait_until(lambda: any("libtensorflow" in file.path for file in spare.memory_maps()))
    server.kill()
    wait_until(lambda: not workers(server), seconds=30)
