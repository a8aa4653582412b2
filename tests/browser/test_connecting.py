"""Connecting an application in Chromium, on the running demo: choose, fill in, be corrected, check, pull, see it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from governance.tables import DetectRun, Pull
from jobs import home
from tests.browser.axe import serious
from tests.browser.chromium import LONGEST, at_rest, on_screen, open_page

ADMIN = "as=t.hale@nwl.example"
ACCOUNTS = """account_id,username,email,status,entitlements
L1,marta.lindqvist,m.lindqvist@nwl.example,active,Bookkeeper
L2,leaver,nobody@nwl.example,active,Ledger Admin!
L3,old,old@nwl.example,inactive,
"""


def shot(page, name):
    if shots := os.environ.get("LEAVERWATCH_SHOTS"):
        page.wait_for_timeout(800)
        page.screenshot(path=f"{shots}/connect-{name}.png", full_page=True)


@pytest.fixture
def ledger(tmp_path):
    """A file of accounts that an application drops every night."""
    file = tmp_path / "ledger.csv"
    file.write_text(ACCOUNTS)
    return file


def wait_judged(folder, feed):
    """Until a run of the rules that began after the last pull of this feed has ended."""
    house = home.open_house(folder, {}, datetime.now(UTC))
    until = time.monotonic() + LONGEST / 1000
    try:
        while True:
            with house.store.read() as session:
                newest = select(Pull).where(Pull.feed == feed, Pull.status == "ok").order_by(col(Pull.id).desc())
                pulled = session.exec(newest).first()
                assert pulled is not None
                ended = select(DetectRun.id).where(col(DetectRun.finished_at).is_not(None))
                if session.exec(ended.where(DetectRun.started_at >= pulled.finished_at)).first():
                    return
            assert time.monotonic() < until, f"what was read of {feed} is not judged"
            time.sleep(0.2)
    finally:
        house.store.close()


def test_an_application_is_connected_checked_pulled_and_seen(page, address, visited, ledger):
    open_page(page, address, f"/applications?{ADMIN}")
    page.get_by_role("button", name="Add application").click(timeout=LONGEST)
    page.get_by_role("heading", name="Identity providers").wait_for(timeout=LONGEST)
    at_rest(page)
    page.get_by_role("button", name="Connect Account file (CSV)").click()
    page.get_by_role("heading", name="Connect Account file (CSV)", level=1).wait_for(timeout=LONGEST)
    at_rest(page)

    page.get_by_role("button", name="Connect Account file (CSV)").click()
    page.get_by_text("2 things to correct: Name, Path").wait_for(timeout=LONGEST)
    at_rest(page)
    shot(page, "corrected")
    page.get_by_label("Title", exact=True).fill("General ledger")
    page.get_by_label("Name *").fill("ledger")
    page.get_by_label("Path *").fill(str(ledger))
    page.get_by_label("Delimiter").fill("two signs")
    page.keyboard.press("Enter")  # as the button does
    page.get_by_text("Nothing was changed").first.wait_for(timeout=LONGEST)
    page.get_by_text("expected one character").first.wait_for(timeout=LONGEST)
    shot(page, "refused")

    page.get_by_role("button", name="Correct it").click()
    page.get_by_label("Delimiter").fill("", timeout=LONGEST)
    assert page.get_by_label("Title", exact=True).input_value() == "General ledger", "what was filled in stays"
    at_rest(page)
    page.get_by_role("button", name="Connect Account file (CSV)").click()
    page.get_by_text("Written into leaverwatch.toml").wait_for(timeout=LONGEST)
    page.get_by_text("3 rows read").wait_for(timeout=LONGEST)  # a new feed is due at once
    at_rest(page)
    shot(page, "written")
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("Answers to its credential").wait_for(timeout=LONGEST)
    at_rest(page)
    ledger.write_text(ACCOUNTS + "L4,new,new@nwl.example,active,\n")
    page.get_by_role("button", name="Pull now").click()
    page.get_by_text("4 rows read").wait_for(timeout=LONGEST)
    shot(page, "pulled")

    page.get_by_role("link", name="See it among the applications").click()
    page.get_by_role("heading", name="General ledger", level=1).wait_for(timeout=LONGEST)
    wait_judged(visited, "ledger")
    open_page(page, address, f"/applications?{ADMIN}&feed=ledger")
    page.get_by_text("4 accounts").first.wait_for(timeout=LONGEST)
    shot(page, "seen")
    open_page(page, address, f"/accounts?{ADMIN}&application=ledger")
    page.get_by_text("General ledger").first.wait_for(timeout=LONGEST, state="attached")  # drawn on a canvas

    open_page(page, address, f"/audit?{ADMIN}")
    page.get_by_role("heading", name="Audit", level=1).wait_for(timeout=LONGEST)


def test_a_typed_secret_is_in_no_page_afterwards(page, address):
    canary = "canary-7f3a-secret"
    open_page(page, address, f"/connect?{ADMIN}&connector=scim")
    page.get_by_label("Base URL *").fill("http://127.0.0.1:9/", timeout=LONGEST)
    page.get_by_label("Name *").fill("Wrong Name")
    page.get_by_label("Token *", exact=True).fill(canary)
    at_rest(page)
    page.get_by_role("button", name="Connect SCIM 2.0").click()
    page.get_by_text("1 thing to correct: Name").wait_for(timeout=LONGEST)
    at_rest(page)
    assert page.get_by_label("Token *", exact=True).input_value() == ""
    assert page.get_by_label("Base URL *").input_value() == "http://127.0.0.1:9/"
    assert canary not in page.content()
    page.get_by_label("Name *").fill("bench")
    page.get_by_label("Token *", exact=True).fill(canary)
    page.get_by_role("button", name="Show as TOML").click()
    page.get_by_text("BENCH_TOKEN").first.wait_for(timeout=LONGEST)
    assert canary not in page.content()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("path", ["", "&connector=rest", "&connector=okta", "&feed=crm"])
def test_nothing_scrolls_sideways_and_nothing_is_unreadable(page, address, width, scheme, path):
    on_screen(page, width, scheme)
    open_page(page, address, f"/connect?{ADMIN}{path}")
    page.get_by_text("HR file").first.wait_for(timeout=LONGEST)
    at_rest(page)
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    assert serious(page) == []
