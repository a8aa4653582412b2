"""The list a reviewer decides, in Chromium: by keys and mouse, one row and several, and what it refuses."""

from __future__ import annotations

import json

import pytest

from tests.browser.chromium import LONGEST, at_rest
from tests.browser.review_list import current, said, shown, wait_stored, waiting
from tests.browser.review_rows import many, pictured

# --- One row ----------------------------------------------------------------------------------------------------------


def test_keys_move_and_a_held_key_decides_one_row(review, server):
    page = review(many(20))
    for key in "jjjk":
        page.keyboard.press(key)
    assert current(page) == 3
    page.keyboard.press("End")
    assert current(page) == 20
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.down("a")  # from the second on it is one that is held
    page.keyboard.up("a")
    wait_stored(page, server, 1)
    assert shown(page) == {1: "keep"}
    page.keyboard.press("k")
    page.keyboard.press("a")
    assert current(page) == 2, "what is so already is not decided again"
    wait_stored(page, server, 1)


def test_the_last_row_leads_back_to_what_is_left(review, server):
    page = review(many(3))
    page.keyboard.press("j")
    page.keyboard.press("End")
    for key in "axa":
        page.keyboard.press(key)
    assert "Everything shown is decided" in said(page)
    wait_stored(page, server, 3)
    assert [one["number"] for one in server.decisions()] == [3, 1, 2]


def test_a_change_says_what_instead_and_not_mine_may_say_whose(review, server):
    page = review(pictured())
    page.keyboard.press("m")
    asked = page.get_by_role("dialog", name="Change: Jonas Weidmann, Finance User in Salesforce")
    asked.wait_for()
    page.keyboard.press("Enter")
    assert asked.is_visible(), "a change without a word is none"
    assert not asked.get_by_text("Recorded as decided in bulk").is_visible()
    page.keyboard.type("Read only, as his peers")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.get_by_role("dialog", name="Not mine").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    assert current(page) == 3, "Escape decides nothing"
    page.keyboard.press("x")
    wait_stored(page, server, 3)
    assert [(one["decision"], one["reason"]) for one in server.decisions()] == [
        *(("change", "Read only, as his peers"), ("not_mine", ""), ("remove", "")),
    ]
    page.keyboard.press("Home")
    assert "Change" in page.locator(".about").inner_text()
    assert "Read only, as his peers" in page.locator(".about").inner_text()


def test_a_row_says_what_has_no_room_in_it(review):
    page = review(pictured())
    for _ in range(3):
        page.keyboard.press("j")
    about = page.get_by_role("region", name="About the current row").inner_text()
    for text in (
        "Aiko Mori",
        "JIT, since 3 Mar 2025",
        "New since the last review",
        "Q2 2026: keep, R. Ortega",
        "employed",
    ):
        assert text in about
    assert "Keep: Used 3 days before the start" in about, "the earlier recommendation is kept"
    row = page.locator("tbody tr.current").inner_text()
    assert "was Keep" in row
    assert page.locator("tbody tr").nth(2).get_by_text("left 31 Oct").is_visible()


def test_the_mouse_decides_and_stays(review, server):
    page = review(pictured())
    page.locator("tbody tr").nth(5).get_by_role("button", name="Keep").click()
    assert current(page) == 6
    page.locator("tbody tr").nth(5).get_by_role("button", name="Remove").click()
    wait_stored(page, server, 2)
    assert shown(page) == {6: "remove"}


def test_undo_takes_back_the_last_one_and_after_a_reload_that_of_the_row(review, server):
    page = review(many(10))
    for key in "axu":
        page.keyboard.press(key)
    assert shown(page) == {1: "keep"}
    assert current(page) == 2
    wait_stored(page, server, 3)
    assert [(one["number"], one["decision"]) for one in server.decisions()][2] == (2, "undo")
    review.again()
    page.keyboard.press("u")
    assert page.locator(".note").inner_text() == "Nothing to take back"
    page.keyboard.press("k")
    page.keyboard.press("u")
    wait_stored(page, server, 4)
    assert shown(page) == {}


# --- Several rows -----------------------------------------------------------------------------------------------------


def test_a_range_of_one_recommendation_is_decided_at_once_with_a_reason(review, server):
    page = review(pictured())
    for _ in range(5):
        page.keyboard.press("j")
    page.keyboard.press("Shift+J")
    assert page.locator("tbody tr[aria-selected=true]").count() == 2
    assert said(page) == "2 rows"
    page.keyboard.press("a")
    asked = page.get_by_role("dialog", name="Keep: 2 rows")
    page.keyboard.press("Enter")
    assert asked.is_visible(), "several at once need a reason"
    assert asked.get_by_text("Recorded as decided in bulk").is_visible()
    page.keyboard.type("Role mapping grants both")
    page.keyboard.press("Enter")
    wait_stored(page, server, 2)
    stored = server.decisions()
    assert [(one["number"], one["decision"], one["bulk"]) for one in stored] == [(6, "keep", True), (7, "keep", True)]
    assert {one["reason"] for one in stored} == {"Role mapping grants both"}
    assert len({one["nonce"].partition(".")[0] for one in stored}) == 1
    assert current(page) == 8
    page.keyboard.press("u")
    wait_stored(page, server, 4)
    assert shown(page) == {}


def test_a_range_of_different_recommendations_is_refused_and_says_why(review, server):
    page = review(pictured())
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("a")
    assert page.get_by_role("dialog").count() == 0
    why = "Several at once need one recommendation, these have 1 Remove, 1 Keep"
    assert said(page) == why
    assert page.locator(".note").inner_text() == why
    page.keyboard.press("Escape")
    assert page.locator("tbody tr[aria-selected=true]").count() == 0
    assert server.decisions() == []


@pytest.mark.parametrize("key", list("axmn"))
def test_what_is_critical_is_never_decided_in_bulk(review, server, key):
    page = review(pictured())
    page.locator("tbody tr").nth(2).locator(".c-where").click()
    page.locator("tbody tr").nth(4).locator(".c-where").click(modifiers=["Shift"])
    assert page.locator("tbody tr[aria-selected=true]").count() == 3
    page.keyboard.press(key)
    assert said(page) == "Critical rows are decided one by one: Aiko Mori, System Administrator in Salesforce"
    assert page.get_by_role("dialog").count() == 0
    page.locator("tbody tr").nth(3).get_by_role("button", name="Remove").click()
    assert page.get_by_role("dialog").count() == 0
    at_rest(page)
    assert server.decisions() == []


def test_a_filter_narrows_the_rows_and_what_is_hidden_is_in_no_range(review, server):
    page = review(pictured())
    page.keyboard.press("/")
    page.keyboard.type("jira finance")
    assert shown(page) == {}, "keys are letters while somebody types"
    assert page.locator("tbody tr:visible").count() == 2
    assert said(page) == "2 of 14 rows"
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    assert current(page) == 3
    page.keyboard.press("j")
    assert current(page) == 11
    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("remove")
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+J")  # Jonas Weidmann and Leila Nasser: what stands between them is not shown
    page.keyboard.press("x")
    page.keyboard.type("They left or moved")
    page.keyboard.press("Enter")
    wait_stored(page, server, 2)
    assert shown(page) == {1: "remove", 3: "remove"}
    page.keyboard.press("Escape")
    assert page.locator("tbody tr:visible").count() == 14


# --- What Python says -------------------------------------------------------------------------------------------------


def test_what_is_refused_is_shown_as_before_and_says_why(review, server):
    page = review(many(5), "mute")
    page.keyboard.press("a")
    assert shown(page) == {1: "keep"}
    [entry] = waiting(page)
    server.behave("refused.json", json.dumps({entry["nonce"]: "it is your own access"}))
    page.get_by_text("Not stored: it is your own access").first.wait_for(timeout=LONGEST)
    assert shown(page) == {}
    assert waiting(page) == []


def test_in_a_closed_campaign_nothing_is_decided(review, server):
    page = review(many(5), "closed")
    page.keyboard.press("a")
    assert said(page) == "This review is closed: nothing is decided any more"
    assert page.locator("tbody tr").first.get_by_role("button", name="Keep").is_disabled()
    page.keyboard.press("u")
    assert waiting(page) == []


def test_no_row_is_drawn_again_for_a_decision(review, server):
    page = review(many(20))
    page.locator("tbody tr").evaluate_all("rows => rows.forEach((row) => { row.dataset.mark = 'same' })")
    for key in "axa":
        page.keyboard.press(key)
    wait_stored(page, server, 3)
    assert page.locator("tbody tr[data-mark=same]").count() == 20
    assert page.evaluate("document.activeElement.shadowRoot?.activeElement.dataset.number") in (None, "4")
