"""The list a reviewer decides, for everybody: who cannot see it, works by keys alone or on a phone, and is lied to by a name."""

from __future__ import annotations

import pytest

from tests.browser.axe import serious
from tests.browser.chromium import LONGEST, at_rest, on_screen, open_page, settled
from tests.browser.review_list import said, shown, wait_stored, waiting
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
def test_no_serious_violation(review, page, width, scheme):
    on_screen(page, width, scheme)
    review(pictured())
    for key in "xaj":
        page.keyboard.press(key)
    page.keyboard.press("Shift+J")
    page.keyboard.press("a")  # refused: its words are shown too
    page.keyboard.press("/")
    settled(page)
    assert serious(page) == []
