"""The first start without a provider: a printed link makes the local administrator, in Chromium."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from governance import sessions
from governance.tables import SignIn
from jobs import home
from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest
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
