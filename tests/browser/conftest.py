"""What tests in Chromium share: the demo as a visitor starts it, the browser, and a page that asks nobody outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.up import free_port
from tests.browser.chromium import CHROMIUM, HOW, LONGEST, open_page
from tests.browser.review_rows import pictured
from tests.browser.review_server import ReviewServer
from tests.browser.visitors import Visitors
from tests.prepared_demo import prepared_demo

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"))


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """Where the demo of this file lives: a copy of one that is prepared; test_demo_in_chromium begins with nothing."""
    return prepared_demo(tmp_path_factory).copy(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture(scope="module")
def address(visited):
    """The demo, started as a visitor would, and its address; it ends as with Ctrl-C."""
    environ = os.environ | {"LEAVERWATCH_HOME": str(visited), "PYTHONUNBUFFERED": "1"}
    log = visited.parent / "log"
    # Every worker of the tests has ports of its own: two that start at once would both find the same one free.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    port = free_port(18_600 + 50 * worker)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "leaverwatch", "demo", "--port", str(port)],
            cwd=ROOT,
            env=environ,
            stdout=out,
            stderr=out,
        )
    try:
        for _ in range(1800):  # how long it may take is measured elsewhere, on a machine that does nothing else
            found = re.search(r"is open on (http://127\.0\.0\.1:\d+)", log.read_text())
            if found:
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        assert found, log.read_text()
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        try:
            ended = process.wait(30)
        finally:
            process.kill()  # nothing stays behind, also where it did not end when asked
    assert ended == 0, log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=HOW)
        yield started
        started.close()


@pytest.fixture(scope="module")
def visitors(browser):
    return Visitors(browser)


@pytest.fixture
def page(visitors):
    """A page of somebody new, who fails the test when anything but this machine is asked."""
    with visitors.one() as visitor:
        yield visitor.context.new_page()
        strangers = [url for url in visitor.asked if "//127.0.0.1" not in url and url[:4] not in ("data", "blob")]
    assert strangers == [], "a page asks hosts outside"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A reviewer's list on a page by itself."""
    server = ReviewServer(tmp_path_factory.mktemp("review"))
    server.begin(pictured())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def review(server, page):
    """Open that page on these rows."""

    def opened(rows, *how, path=""):
        server.begin(rows, *how)
        return reopened(path)

    def reopened(path=""):
        open_page(page, server.address, path)
        page.locator("tbody tr.current").wait_for(timeout=LONGEST)
        return page

    opened.again = reopened
    return opened
