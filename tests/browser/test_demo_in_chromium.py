"""The demo as a visitor lives it, in Chromium: find a ghost, propose, approve as somebody else, see it verified, read the audit."""

from __future__ import annotations

import pytest

from tests.browser.chromium import LONGEST, at_rest, open_page, settled


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """Nothing is there yet: everything is invented, read and judged while the visitor waits."""
    return tmp_path_factory.mktemp("demo") / "home"


def act_as(page, name):
    page.get_by_role("combobox", name="Acting as").click()
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
    at_rest(page)
    assert page.get_by_role("button", name="Approve deactivation").count() == 0, "nobody approves what they proposed"
    act_as(page, "Ingrid Solberg")
    page.get_by_label("Why you agree").fill("she handed over on Monday", timeout=LONGEST)
    page.get_by_role("button", name="Approve deactivation").click()
    page.get_by_text("Verified").first.wait_for(timeout=LONGEST)

    act_as(page, "Iris Chen")
    open_page(page, address, "/audit")
    page.get_by_role("button", name="Verify the chain").click(timeout=LONGEST)
    page.get_by_text("Every entry follows the one before").first.wait_for(timeout=LONGEST)


def test_on_a_phone_the_approval_needs_no_scrolling(browser, address):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    open_page(page, address, "/findings?rule=ghost&application=wiki&as=a.kovac@nwl.example")
    page.get_by_role("button", name="Propose deactivation").click(timeout=LONGEST)
    page.get_by_label("Why it is right to close this account").fill("left on 9 November, HR confirmed")
    page.get_by_role("button", name="Send the proposal").click()
    page.get_by_text("In remediation").first.wait_for(timeout=LONGEST)
    page.get_by_text("Proposed: now somebody else approves").wait_for(timeout=LONGEST)
    open_page(page, address, "/approvals?as=i.solberg@nwl.example")
    approve = page.get_by_role("button", name="Approve deactivation")
    approve.wait_for(timeout=LONGEST)
    at_rest(page)
    settled(page)
    box = approve.bounding_box()
    assert box["y"] + box["height"] <= 844
    context.close()


def test_a_mapping_is_read_from_what_the_provider_is_set_up_to_give(page, address):
    def edit(tab):
        page.get_by_role("button", name="Edit").click(timeout=LONGEST)
        page.get_by_role("tab", name=tab).click(timeout=LONGEST)

    open_page(page, address, "/mapping_lab?as=a.kovac@nwl.example")
    edit("From what people hold")
    page.get_by_role("button", name="Use this proposal").click(timeout=LONGEST)
    page.get_by_text("This draft for Salesforce").wait_for(timeout=LONGEST)
    page.get_by_role("button", name="Drop changes").click()
    page.get_by_text("The mapping of Salesforce covers").wait_for(timeout=LONGEST)
    edit("From what is set up")
    page.get_by_role("button", name="Read it now").click(timeout=LONGEST)
    page.get_by_text("1 thing no line says").wait_for(timeout=LONGEST)
    page.get_by_text("(draft) for Salesforce").wait_for(timeout=LONGEST)
