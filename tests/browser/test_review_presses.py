"""The list a reviewer decides, in Chromium: no press is lost or counted twice, whatever happens to page, line and server."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.browser.chromium import LONGEST, open_page
from tests.browser.review_list import current, shown, wait_stored, waiting
from tests.browser.review_rows import many, pictured


def test_sixty_fast_presses_are_sixty_decisions_in_order_and_once(review, server):
    page = review(many(70))
    for number in range(60):
        page.keyboard.press("ax"[number % 2])
    assert current(page) == 61, "each goes on to the next undecided row, whatever the server does"
    wait_stored(page, server, 60)
    stored = server.decisions()
    assert [one["number"] for one in stored] == list(range(1, 61))
    assert [one["decision"] for one in stored] == ["keep", "remove"] * 30
    assert len({one["nonce"] for one in stored}) == 60
    assert all(0 <= one["seconds"] < 600 and not one["bulk"] for one in stored)
    page.get_by_text("Saved").wait_for(timeout=LONGEST)
    assert page.locator(".banner").is_hidden()


def test_presses_while_the_script_runs_are_not_lost(review, server):
    page = review(many(30), "slow")
    for number in range(20):
        page.keyboard.press("a")
        if number % 5 == 0:
            page.wait_for_timeout(300)
    wait_stored(page, server, 20)
    assert [one["number"] for one in server.decisions()] == list(range(1, 21))


@pytest.mark.parametrize("slower", [1, 6])
def test_no_press_is_lost_or_doubled_while_the_list_is_drawn_again_and_again(review, server, slower):
    page = review(many(70), "restless")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})  # 6: an old phone
    for number in range(60):
        page.keyboard.press("ax"[number % 2])
        if number % 10 == 0:
            page.wait_for_timeout(100)
    assert current(page) == 61, "the list hears keys at every moment, also while Streamlit gives it something new"
    server.behave_no_more("restless")
    wait_stored(page, server, 60)
    page.locator("tbody tr").nth(64).get_by_role("button", name="Keep").click()
    wait_stored(page, server, 61)  # two lists in one place would both hear a click
    page.keyboard.press("u")
    wait_stored(page, server, 62)
    assert [one["number"] for one in server.decisions()] == [*range(1, 61), 65, 65]


def test_where_nothing_is_heard_any_more_the_page_offers_to_be_loaded_again(review, server):
    page = review(many(20), "mute")
    page.keyboard.press("a")
    page.locator(".banner").get_by_text("No answer yet").wait_for(timeout=LONGEST)
    again = page.get_by_role("button", name="Load the page again")
    assert again.is_hidden(), "one answer that is late is no reason"
    again.wait_for(timeout=LONGEST)
    page.evaluate("window.before = true")
    again.click()  # while nothing is heard: an answer that came by itself would take the button away
    page.wait_for_function("!window.before && document.querySelector('h1')", timeout=LONGEST)
    server.behave_no_more("mute")
    wait_stored(page, server, 1)
    assert again.is_hidden()


def test_a_reload_with_decisions_that_are_not_stored_loses_none(review, server):
    page = review(many(20), "mute")
    for key in "axaxa":
        page.keyboard.press(key)
    assert len(waiting(page)) == 5
    review.again()
    assert server.decisions() == []
    assert shown(page) == {1: "keep", 2: "remove", 3: "keep", 4: "remove", 5: "keep"}
    assert current(page) == 6
    page.locator(".banner").get_by_text("No answer yet: 5 decisions are kept in this browser").wait_for(timeout=LONGEST)
    server.behave_no_more("mute")
    wait_stored(page, server, 5)
    assert [one["number"] for one in server.decisions()] == [1, 2, 3, 4, 5]
    review.again()
    assert len(server.decisions()) == 5
    assert shown(page) == {1: "keep", 2: "remove", 3: "keep", 4: "remove", 5: "keep"}


def test_a_page_closed_at_once_loses_none(review, server, browser):
    page = review(many(20), "mute")
    for key in "axa":
        page.keyboard.press(key)
    state = page.context.storage_state()
    page.goto("about:blank")
    server.behave_no_more("mute")
    context = browser.new_context(storage_state=state)
    later = context.new_page()
    open_page(later, server.address)
    wait_stored(later, server, 3)
    context.close()


def test_a_killed_server_is_outlived_and_each_is_stored_once(review, server):
    page = review(many(20))
    page.keyboard.press("a")
    wait_stored(page, server, 1)
    server.kill()
    page.locator(".banner").get_by_text("Offline").wait_for(timeout=LONGEST)
    for key in "xax":
        page.keyboard.press(key)
    page.locator(".banner").get_by_text("Offline: 3 decisions are kept in this browser").wait_for(timeout=LONGEST)
    assert len(waiting(page)) == 3
    dialog = page.get_by_role("dialog").filter(has_text="Connection error")  # Streamlit's own, a few seconds later
    dialog.wait_for(timeout=LONGEST)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.keyboard.press("a")
    assert len(waiting(page)) == 4, "keys go on once it is closed"
    server.start()
    wait_stored(page, server, 5)
    assert [(one["number"], one["decision"]) for one in server.decisions()] == [
        *((1, "keep"), (2, "remove"), (3, "keep"), (4, "remove"), (5, "keep")),
    ]
    assert page.locator(".banner").is_hidden()


def test_a_line_that_is_down_keeps_the_decisions_and_sends_them_later(review, server):
    page = review(many(20))
    page.context.set_offline(True)
    page.locator(".banner").get_by_text("Offline").wait_for(timeout=LONGEST)
    assert page.locator(".saved").inner_text() == "Offline", "nothing waits yet"
    for key in "ax":
        page.keyboard.press(key)
    page.locator(".banner").get_by_text("Offline: 2 decisions are kept in this browser").wait_for(timeout=LONGEST)
    page.wait_for_timeout(1500)
    assert server.decisions() == []
    page.context.set_offline(False)
    wait_stored(page, server, 2)
    assert page.locator(".banner").is_hidden()


def test_what_is_told_again_without_an_answer_is_stored_once(review, server):
    page = review(many(5), "mute")
    page.keyboard.press("a")
    page.locator(".banner").get_by_text("No answer yet: 1 decision is kept in this browser").wait_for(timeout=LONGEST)
    page.keyboard.press("x")
    server.behave_no_more("mute")
    wait_stored(page, server, 2)
    assert Counter(one["nonce"] for one in server.decisions()).most_common(1)[0][1] == 1


def test_a_reload_keeps_several_that_were_decided_at_once(review, server):
    page = review(pictured(), "mute")
    for key in ("j", "j", "j", "j", "j", "Shift+J", "a"):
        page.keyboard.press(key)
    page.get_by_role("dialog", name="Keep: 2 rows").wait_for(timeout=LONGEST)
    page.keyboard.type("Role mapping grants both")
    page.keyboard.press("Enter")
    assert len(waiting(page)) == 2
    review.again()
    assert shown(page) == {6: "keep", 7: "keep"}
    server.behave_no_more("mute")
    wait_stored(page, server, 2)
    assert [one["number"] for one in server.decisions()] == [6, 7]


def test_decisions_of_another_page_of_the_list_are_stored_too(review, server):
    page = review(many(20), path="/?size=5")
    for key in "axa":
        page.keyboard.press(key)
    review.again("/?size=5&page=2")
    wait_stored(page, server, 3)
    assert current(page) == 6


def test_two_tabs_do_not_take_from_each_other(review, server):
    page = review(many(10), "mute")
    other = page.context.new_page()
    open_page(other, server.address)
    other.locator("tbody tr.current").wait_for(timeout=LONGEST)
    page.keyboard.press("a")
    other.keyboard.press("j")
    other.keyboard.press("x")
    assert {one["number"] for one in waiting(page)} == {1, 2}
    server.behave_no_more("mute")
    wait_stored(other, server, 2)
    assert sorted((one["number"], one["decision"]) for one in server.decisions()) == [(1, "keep"), (2, "remove")]
