"""A reviewer decides on the real page, in Chromium, and the store holds exactly what was pressed."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from governance import campaigns
from governance.access import find_actor
from governance.tables import ReviewDecision, ReviewItem
from jobs import home
from tests.browser.alone import dashboard_alone
from tests.browser.axe import serious
from tests.browser.chromium import LONGEST, at_rest, on_screen, open_page, settled
from tests.prepared_demo import judged_company

REVIEWER = "i.solberg@nwl.example"
PATH = f"/my_reviews?as={REVIEWER}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo company with a review of Finance, begun some days ago."""
    folder = shutil.copytree(judged_company(tmp_path_factory), tmp_path_factory.mktemp("company") / "home")
    now = datetime.now(UTC)
    house = home.open_house(folder, {}, now)
    ana = find_actor(house.settings, "a.kovac@nwl.example", lambda: home.identities(house))
    plan = {"levels": [[REVIEWER]], "fallback": ana.email, "days": 22}
    begun = now - timedelta(days=8)
    made = campaigns.create(house, ana, begun, "Q4 2026: Finance applications", {"departments": ["Finance"]}, plan)
    campaigns.launch(house, ana, begun, made.id)
    house.store.close()
    return folder


@pytest.fixture(scope="module")
def dashboard(folder):
    """The dashboard alone, on that company."""
    with dashboard_alone(folder) as address:
        yield address


def stored(folder):
    """Every decision as it was made, and the items as they are."""
    house = home.open_house(folder, {}, datetime.now(UTC))
    try:
        with house.store.read() as session:
            made = session.exec(select(ReviewDecision).order_by(col(ReviewDecision.at), col(ReviewDecision.number)))
            items = session.exec(select(ReviewItem).order_by(col(ReviewItem.number)))
            return list(made), {item.number: item.decision for item in items}
    finally:
        house.store.close()


def test_presses_on_the_page_are_decisions_in_the_store(page, dashboard, folder):
    open_page(page, dashboard, PATH)
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    numbers = page.locator("tbody tr").evaluate_all("rows => rows.slice(0, 40).map((row) => +row.dataset.number)")
    for place in range(40):
        page.keyboard.press("ax"[place % 2])
    page.wait_for_function("document.body.innerText.includes('40 of ')", timeout=LONGEST)
    at_rest(page)
    made, items = stored(folder)
    assert sorted(one.number for one in made) == sorted(numbers)
    assert [items[number] for number in numbers] == ["keep", "remove"] * 20
    assert {one.by for one in made} == {REVIEWER}
    assert all(one.seconds is not None and not one.bulk for one in made)
    page.keyboard.press("u")
    page.wait_for_function("document.body.innerText.includes('39 of ')", timeout=LONGEST)
    page.reload()
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    assert page.locator(".pick[aria-pressed=true]").count() == 39
    assert len(stored(folder)[0]) == 41
    assert page.locator("tbody tr.current").get_attribute("data-number") == str(numbers[-1])


def test_the_filter_of_what_is_open_follows_the_presses(page, dashboard, folder):
    open_page(page, dashboard, f"{PATH}&show=to_decide")
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    before = len([word for word in stored(folder)[1].values() if word])
    numbers = page.locator("tbody tr").evaluate_all("rows => rows.slice(0, 12).map((row) => +row.dataset.number)")
    for _ in range(12):  # rows leave the list while the keys go on
        page.keyboard.press("a")
        page.wait_for_timeout(60)
    page.wait_for_function(f"document.body.innerText.includes('{before + 12} of ')", timeout=LONGEST)
    at_rest(page)
    items = stored(folder)[1]
    assert [items[number] for number in numbers] == ["keep"] * 12
    assert len([word for word in items.values() if word]) == before + 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_has_no_serious_violation_and_fits(page, dashboard, width, scheme):
    on_screen(page, width, scheme)
    open_page(page, dashboard, PATH)
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    settled(page)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
