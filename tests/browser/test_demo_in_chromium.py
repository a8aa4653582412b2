"""The demo as a visitor lives it, in Chromium: find a ghost, propose, approve as somebody else, see it verified, read the audit."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PAGES = ("Overview", "Findings", "Identities", "Accounts", "Applications", "Jobs", "Approvals", "Audit")
LONGEST = 30_000  # milliseconds until something is on the screen, on a busy machine


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The demo, started as a visitor would, and its address; it ends as with Ctrl-C."""
    folder = tmp_path_factory.mktemp("demo")
    environ = os.environ | {"LEAVERWATCH_HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "leaverwatch", "demo"], cwd=ROOT, env=environ, stdout=out, stderr=out
        )
    try:
        for _ in range(600):
            found = re.search(r"is open on (http://127\.0\.0\.1:\d+)", log.read_text())
            if found:
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        assert found, log.read_text()
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """A page of its own, which fails the test when it asks anything but this machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = context.new_page()
    strangers = []
    opened.on(
        "request",
        lambda r: None if "//127.0.0.1" in r.url or r.url[:4] in ("data", "blob") else strangers.append(r.url),
    )
    yield opened
    context.close()
    assert strangers == [], "a page asks hosts outside"


def open_page(page, address, path=""):
    page.goto(address + path)
    page.get_by_role("heading", level=1).first.wait_for(timeout=LONGEST)


def act_as(page, name):
    page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    page.get_by_role("option", name=name).click()


def test_a_ghost_is_found_approved_by_somebody_else_verified_and_audited(page, address):
    open_page(page, address)
    page.get_by_text("13 people left in the last 30 days; 9 of them still hold 21 active accounts").wait_for(
        timeout=LONGEST
    )

    open_page(page, address, "/findings?rule=ghost&application=wiki")
    page.get_by_role("button", name="Propose deactivation").click(timeout=LONGEST)
    page.get_by_label("Why it is right to close this account").fill("left on 9 November, HR confirmed")
    page.get_by_role("button", name="Send the proposal").click()
    page.get_by_text("In remediation 1").wait_for(timeout=LONGEST)

    open_page(page, address, "/approvals")
    assert page.get_by_role("button", name="Approve deactivation").count() == 0, "nobody approves what they proposed"
    act_as(page, "Ingrid Solberg")
    page.get_by_label("Why you agree").fill("she handed over on Monday", timeout=LONGEST)
    page.get_by_role("button", name="Approve deactivation").click()
    page.get_by_text("Verified").first.wait_for(timeout=LONGEST)

    act_as(page, "Iris Chen")
    open_page(page, address, "/audit")
    page.get_by_role("button", name="Verify the chain").click(timeout=LONGEST)
    page.get_by_text("Every entry follows the one before").first.wait_for(timeout=LONGEST)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_every_page_shows_itself_with_the_age_of_its_data(browser, address, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES:
        open_page(page, address, "/" + ("" if name == "Overview" else name.lower()))
        page.get_by_role("heading", name=name, level=1).wait_for(timeout=LONGEST)
        page.get_by_text("HR file").first.wait_for(timeout=LONGEST)
        page.wait_for_timeout(500)
        assert page.get_by_text("incident").count() == 0, f"{name} failed"
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 1, f"{name} scrolls sideways"
        if shots := os.environ.get("LEAVERWATCH_SHOTS"):
            page.wait_for_timeout(2000)
            page.screenshot(path=f"{shots}/{name.lower()}-{width}-{scheme}.png", full_page=True)
    context.close()
