"""Addresses of pages: none of a page there is says that it does not exist, whoever asks, and any other one does."""

from __future__ import annotations

import pytest

from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest, settled


@pytest.fixture(scope="module")
def address(visited):
    with dashboard_alone(visited) as found:
        yield found


def begins_with(page, title):
    page.get_by_role("heading", name=title, level=1).wait_for(timeout=LONGEST)
    at_rest(page)
    settled(page)
    assert page.get_by_role("dialog").all_inner_texts() == []


def test_the_first_page_has_its_own_name_too(page, address):
    page.goto(f"{address}/overview")
    begins_with(page, "Overview")


def test_who_cannot_open_a_page_is_told_so_on_their_first_one(page, address):
    page.goto(f"{address}/jobs?as=t.hale@nwl.example")
    begins_with(page, "Jobs")
    page.get_by_role("combobox", name="Acting as").click()
    page.get_by_role("option", name="Ingrid Solberg").click()
    page.get_by_text("The page Jobs is not among yours").wait_for(timeout=LONGEST)
    begins_with(page, "Overview")


def test_an_address_with_filters_leads_there_where_it_is_the_first_page(page, address):
    page.goto(f"{address}/findings?as=l.roth@nwl.example&rule=stale")
    begins_with(page, "Findings")
    page.get_by_role("combobox", name="Rule").wait_for(timeout=LONGEST)
    assert "rule=stale" in page.url


@pytest.mark.parametrize("path", ["nowhere", "no/where", "findings/9"])
def test_an_address_that_no_page_has_says_so_and_leads_to_the_first_one(page, address, path):
    page.goto(f"{address}/{path}")
    begins_with(page, "No such page")
    page.get_by_role("link", name="To the first page").click()
    begins_with(page, "Overview")


def test_the_address_of_a_page_with_a_blank_behind_it_is_none_and_breaks_nothing(page, address):
    page.goto(f"{address}/findings%20")
    page.get_by_role("dialog").get_by_text("Page not found").wait_for(timeout=LONGEST)
    page.get_by_role("heading", name="Overview", level=1).wait_for(timeout=LONGEST)
