"""The first start without a provider: a printed link makes the local administrator, in Chromium."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect
from sqlmodel import select

from governance import sessions
from governance.tables import SignIn
from jobs import home
from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest, faded
from tests.screen import rows_of


def test_the_link_makes_the_opener_the_local_administrator_until_they_sign_out(page, browser, tmp_path):
    (tmp_path / "leaverwatch.toml").write_text("")
    house = home.open_house(tmp_path, os.environ, datetime.now(UTC))
    with dashboard_alone(tmp_path) as address:
        page.goto(address)
        page.get_by_text("Read-only").first.wait_for(timeout=LONGEST)
        page.goto(f"{address}/start?token={sessions.make_link(house, datetime.now(UTC))}")
        if shots := os.environ.get("LEAVERWATCH_SHOTS"):
            page.screenshot(path=f"{shots}/start.png")
        page.get_by_role("button", name="Become the local administrator").click()
        page.get_by_role("button", name="Local administrator").click(timeout=LONGEST)
        at_rest(page)
        assert page.get_by_text("Read-only").count() == 0
        stranger = browser.new_context().new_page()
        stranger.goto(address)
        stranger.get_by_text("Read-only").first.wait_for(timeout=LONGEST)
        stranger.context.close()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out").first.wait_for(timeout=LONGEST)
        page.reload()
        page.get_by_text("You are signed out").first.wait_for(timeout=LONGEST)
        assert [row.ended_why for row in rows_of(house, SignIn)] == ["signed out"]
    house.store.close()


def test_a_session_that_ended_says_so_and_what_was_typed_stands_in_its_field_after_the_next_sign_in(page, tmp_path):
    (tmp_path / "leaverwatch.toml").write_text("")
    house = home.open_house(tmp_path, os.environ, datetime.now(UTC))
    home.announce(house, datetime.now(UTC))
    with dashboard_alone(tmp_path) as address:
        become_administrator(page, house, address)
        page.goto(f"{address}/connect?connector=scim")
        page.get_by_label("Base URL").fill("https://wiki.example.com/scim/v2")
        page.locator("[class*=-token-] input[type=password]").first.fill("canary-0123456789")
        with house.store.write() as session:
            row = session.exec(select(SignIn)).one()
            row.seen_at -= timedelta(minutes=16)
            session.add(row)
        page.get_by_role("button", name="Show as TOML").click()
        page.get_by_text("Your session has ended").wait_for(timeout=LONGEST)
        page.get_by_text("leaverwatch sessions link").wait_for(timeout=LONGEST)
        at_rest(page)  # the last words are drawn below that
        faded(page)
        said = page.inner_text("body")
        for words in ("after 15 minutes without use", "did nothing", "leaverwatch sessions link", "is kept for 30 min"):
            assert words in said
        assert "Your roles do not include" not in said
        if shots := os.environ.get("LEAVERWATCH_SHOTS"):
            page.screenshot(path=f"{shots}/ended.png")
        page.get_by_role("button", name="Go on reading only").click()
        page.get_by_text("Your session has ended. Read-only").wait_for(timeout=LONGEST)
        become_administrator(page, house, address)
        page.goto(f"{address}/connect?connector=scim")
        at_rest(page)
        # A field is drawn before the browser is told what stands in it.
        expect(page.get_by_label("Base URL")).to_have_value("https://wiki.example.com/scim/v2", timeout=LONGEST)
        assert page.locator("[class*=-token-] input[type=password]").first.input_value() == "", "a secret is not kept"
    house.store.close()


def become_administrator(page, house, address):
    page.goto(f"{address}/start?token={sessions.make_link(house, datetime.now(UTC))}")
    page.get_by_role("button", name="Become the local administrator").click()
    page.get_by_role("button", name="Local administrator").wait_for(timeout=LONGEST)
