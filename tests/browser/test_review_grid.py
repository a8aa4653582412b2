"""The list a reviewer decides, in Chromium: by keys, mouse and touch, by whoever cannot see it, and what it refuses."""

from __future__ import annotations

import json

import pytest

from tests.browser.axe import serious
from tests.browser.chromium import LONGEST, at_rest, open_page, settled
from tests.browser.review_list import current, said, shown, wait_stored, waiting
from tests.browser.review_rows import many, pictured

HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>**bold**'


def said_of(row):
    """What stands in a row, with what styles put between its parts."""
    return row.locator(".c-what small").evaluate(
        """line => [...line.children].map((part) => {
            const before = getComputedStyle(part, '::before').content;
            return (before === 'none' ? '' : before.slice(1, -1)) + part.textContent;
        }).join('')"""
    )


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


# --- Everybody --------------------------------------------------------------------------------------------------------


def test_it_is_a_grid_to_those_who_cannot_see_it(review):
    page = review(pictured())
    grid = page.get_by_role("grid", name="Q4 2026: Finance applications")
    rows = grid.locator("tbody").get_by_role("row")
    assert rows.count() == 14
    assert grid.get_attribute("aria-multiselectable") == "true"
    assert grid.get_attribute("aria-rowcount") == "15"
    assert rows.first.get_attribute("aria-rowindex") == "2"
    assert page.locator("tbody tr[tabindex='0']").count() == 1
    assert grid.get_by_role("columnheader", name="Recommendation, and why").count() == 1
    assert "Rafael Ortega" in rows.nth(5).inner_text(), "a name that is not shown again is read"
    assert {n["height"] for n in rows.evaluate_all("all => all.map((row) => ({height: row.offsetHeight}))")} == {47}
    page.keyboard.press("x")
    assert rows.first.get_by_text("Decided: Remove").count() == 1
    assert said(page) == "Remove: Jonas Weidmann, Finance User in Salesforce"


def test_help_and_the_switch_of_single_keys(review):
    page = review(many(10))
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys of this review").is_visible()
    page.get_by_label("Single keys act on this page").uncheck()
    page.keyboard.press("Escape")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("a")
    assert shown(page) == {}, "switched off"
    page.locator("tbody tr.current").focus()
    page.keyboard.press("a")
    assert shown(page) == {1: "keep"}, "in the list they act all the same"


def test_the_facts_that_stand_in_a_row_are_chosen_by_keys_and_kept(review, server):
    page = review(pictured())
    aiko = page.locator("tbody tr").nth(3)
    before = aiko.get_by_text("Q3 2026: keep, R. Ortega (and 2 before)")
    assert (before.is_visible(), aiko.get_by_text("employed").is_visible()) == (False, False)
    assert "New since the last review · JIT, since 3 Mar 2025" in said_of(aiko)
    page.keyboard.press("v")
    dialog = page.get_by_role("dialog", name="Facts in each row")
    boxes = {name: dialog.get_by_role("checkbox", name=name) for name in ("Employment", "Last use", "Decided before")}
    assert {name: box.is_checked() for name, box in boxes.items()} == {
        "Employment": False, "Last use": True, "Decided before": False,
    }  # fmt: skip
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("x")  # a letter in a dialog decides nothing
    page.keyboard.press("Escape")
    chosen = "Employment, How it came, Share of peers, What changed since the last review, Decided before"
    assert said(page) == f"In each row: {chosen}"
    for _ in range(2):
        assert before.is_visible()
        assert aiko.get_by_text("employed").is_visible()
        assert page.get_by_role("columnheader", name="Last use").count() == 0
        assert page.get_by_role("columnheader", name="Peers").count() == 1
        review.again()
    assert "Last use\n2 d" in page.locator(".about").inner_text(), "what is not in the row stands below"
    page.keyboard.press("v")
    page.get_by_role("button", name="As usual").click()
    page.keyboard.press("Escape")
    assert (before.is_visible(), page.get_by_role("columnheader", name="Last use").count()) == (False, 1)
    assert server.decisions() == []


def test_a_preview_takes_no_decision(review, server):
    page = review(pictured(), "preview")
    for key in "axu":
        page.keyboard.press(key)
        assert said(page) == f"Only a preview: nothing is {'taken back' if key == 'u' else 'decided'} here"
    assert page.locator("tbody tr.current .pick:enabled").count() == 0
    assert page.locator(".saved").inner_text() == "Preview: nothing is decided"
    assert page.locator(".hints").is_hidden()
    at_rest(page)
    assert (shown(page), waiting(page), server.decisions()) == ({}, [], [])


def test_a_hostile_name_stays_text(review):
    rows = many(3)
    for key in ("who", "who_below", "application", "entitlement", "because", "changed", "how", "last_use", "peers"):
        rows[0][key] = HOSTILE
    rows[0]["earlier_decisions"] = [HOSTILE]
    page = review(rows)
    assert page.locator("tbody tr").first.locator(".c-who .text").text_content() == HOSTILE
    assert page.locator("tbody img, tbody script, .about img, .about script").count() == 0
    assert page.evaluate("window.hurt") is None


def test_by_touch_on_a_phone(server, browser):
    server.begin(pictured())
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_page(page, server.address)
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    picks = page.locator("tbody tr").first.locator(".pick")
    assert picks.count() == 4
    assert all(box["height"] >= 44 and box["width"] >= 64 for box in (picks.nth(n).bounding_box() for n in range(4)))
    page.locator("tbody tr").nth(1).get_by_role("button", name="Keep").tap()
    page.locator("tbody tr").nth(2).get_by_role("button", name="Change").tap()
    box = page.locator("dialog.reason").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390, "what is asked fits the screen"
    page.get_by_label("What it should be instead").fill("jira-viewers")
    page.get_by_role("dialog").get_by_role("button", name="Change").tap()
    wait_stored(page, server, 2)
    assert page.locator("tbody tr").first.get_by_text("4 %").is_visible()
    page.get_by_role("button", name="Facts").tap()
    page.get_by_role("checkbox", name="Share of peers").tap()
    page.get_by_role("checkbox", name="Decided before").tap()
    box = page.locator("dialog.choice").bounding_box()
    assert (box["x"] >= 0, box["x"] + box["width"] <= 390) == (True, True)
    page.locator("dialog.choice").get_by_role("button", name="Close").tap()
    assert page.locator("tbody tr").first.get_by_text("4 %").is_hidden()
    assert page.get_by_text("Q3 2026: keep, R. Ortega (and 2 before)").is_visible()
    page.get_by_role("button", name="Undo").tap()
    wait_stored(page, server, 3)
    assert shown(page) == {2: "keep"}
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    context.close()


def test_a_phone_decides_as_recommended_with_a_reason_and_never_a_critical_row(server, browser):
    server.begin(pictured())
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_page(page, server.address)
    groups = page.get_by_role("group", name="Decide as recommended")
    keep, remove = groups.get_by_role("button", name="Keep all 6"), groups.get_by_role("button", name="Remove all 4")
    assert min(box["height"] for box in (keep.bounding_box(), remove.bounding_box())) >= 44
    remove.tap()
    asked = page.get_by_role("dialog", name="Remove: 4 rows")
    assert asked.get_by_text("Jonas Weidmann, Leila Nasser, Rafael Ortega and 1 more").is_visible()
    asked.get_by_role("button", name="Remove").tap()
    assert asked.is_visible(), "several at once need a reason"
    assert asked.get_by_text("Recorded as decided in bulk").is_visible()
    asked.get_by_role("button", name="As recommended").tap()
    box = asked.bounding_box()
    assert (box["x"] >= 0, box["x"] + box["width"] <= 390) == (True, True)
    asked.get_by_role("button", name="Remove").tap()
    wait_stored(page, server, 4)
    assert shown(page) == dict.fromkeys((1, 3, 5, 9), "remove"), "the critical fourth row is decided by itself"
    assert {(one["reason"], one["bulk"]) for one in server.decisions()} == {("As recommended", True)}
    assert (remove.count(), keep.is_visible()) == (0, True), "nothing is left to remove together"
    page.get_by_role("button", name="Undo").tap()
    wait_stored(page, server, 8)
    assert (shown(page), remove.is_visible()) == ({}, True)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert groups.is_hidden(), "beside a keyboard a range says which"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_serious_violation(server, browser, width, scheme):
    server.begin(pictured())
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    page = context.new_page()
    open_page(page, server.address)
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    for key in "xaj":
        page.keyboard.press(key)
    page.keyboard.press("Shift+J")
    page.keyboard.press("a")  # refused: its words are shown too
    page.keyboard.press("/")
    settled(page)
    found = serious(page)
    context.close()
    assert found == []
