"""On a phone what was opened far down the page is on the screen, and the keyboard goes on from there."""

from __future__ import annotations

import pytest

from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest, open_page, settled

MANAGER = "as=i.solberg@nwl.example"
TOP = "it => [it.getBoundingClientRect().top, it === document.activeElement]"


@pytest.fixture(scope="module")
def address(visited):
    with dashboard_alone(visited) as found:
        yield found


@pytest.fixture
def phone(visitors):
    with visitors.one(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True) as visitor:
        yield visitor.context.new_page()


@pytest.mark.parametrize(
    ("path", "last", "then"),
    [
        (f"/team?{MANAGER}", "[class*=st-key-person-] button", "All of my team"),
        ("/applications", "[class*=st-key-feed-] button", "All applications"),
    ],
)
def test_what_is_opened_from_the_end_of_a_long_page_begins_at_its_title(phone, address, path, last, then):
    open_page(phone, address, path)
    at_rest(phone)
    settled(phone)
    phone.locator(last).last.tap()
    phone.get_by_role("button", name=then).wait_for(timeout=LONGEST)
    at_rest(phone)
    settled(phone)
    top, focused = phone.get_by_role("heading", level=1).evaluate(TOP)
    assert 0 <= top <= 200, "the title is on the screen"
    assert focused, "whoever goes on by keys begins there"


def test_tools_do_not_lie_over_the_words_above_a_table_where_nothing_hovers(phone, address):
    open_page(phone, address, "/accounts")
    at_rest(phone)
    settled(phone)
    phone.get_by_test_id("stDataFrame").first.wait_for(timeout=LONGEST)
    assert [tool.is_visible() for tool in phone.get_by_test_id("stElementToolbar").all()].count(True) == 0


def test_what_a_lifecycle_says_of_each_account_is_not_cut(phone, address):
    open_page(phone, address, "/identities?id=hr:10482")
    phone.locator(".annotation-text").first.wait_for(timeout=LONGEST)
    at_rest(phone)
    settled(phone)
    said = phone.locator(".js-plotly-plot").evaluate(
        """plot => [...plot.querySelectorAll('.annotation-text')].map(it => [it.textContent,
            it.getBoundingClientRect().right <= plot.getBoundingClientRect().right + 0.5])"""
    )
    assert any("not used since" in text or "used after leaving" in text for text, _ in said)
    assert [text for text, whole in said if not whole] == []
