"""The list of findings by keys, mouse and touch, in Chromium, on the demo company with a few names nobody should have."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from governance.tables import Remediation
from jobs import home
from tests import seeded
from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest, open_page
from tests.prepared_demo import judged_company

HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>**bold** \u202eevil'
SHOWN = HOSTILE.replace("\u202e", "\ufffd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo company, read and judged, with a hostile name on top of the list."""
    folder = shutil.copytree(judged_company(tmp_path_factory), tmp_path_factory.mktemp("company") / "home")
    now = datetime.now(UTC)
    house = home.open_house(folder, {}, now)
    seeded.put_findings(
        house, now,
        {"identity_name": HOSTILE, "username": HOSTILE, "reason": f"{HOSTILE} left.", "score": 100, "application": "github"},
    )  # fmt: skip
    house.store.close()
    return folder


@pytest.fixture(scope="module")
def dashboard(folder):
    """The dashboard alone, on that company."""
    with dashboard_alone(folder) as address:
        yield address


@pytest.fixture
def findings(page, dashboard):
    """The page of findings, at rest."""
    open_page(page, dashboard, "/findings?as=a.kovac@nwl.example")
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    return page


def remediations(folder):
    house = home.open_house(folder, {}, datetime.now(UTC))
    try:
        with house.store.read() as session:
            return list(session.exec(select(Remediation)))
    finally:
        house.store.close()


def place(page):
    """Which row is current, from 0."""
    return page.locator("tbody tr").evaluate_all("rows => rows.findIndex((row) => row.classList.contains('current'))")


def selected(page):
    return page.locator("tbody tr[aria-selected=true]").count()


def sent_by_enter(page, why):
    """Type a reason where the focus is and send it: a form that has no button yet does not hear Enter."""
    page.keyboard.type(why)
    page.get_by_role("button", name="Propose deactivation of ").wait_for(timeout=LONGEST)
    at_rest(page)
    page.keyboard.press("Enter")


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.className")


def test_it_is_a_grid_to_those_who_cannot_see_it(findings):
    grid = findings.get_by_role("grid", name="Findings, the most severe first")
    rows = grid.locator("tbody").get_by_role("row")
    assert rows.count() == 50
    assert grid.get_attribute("aria-multiselectable") == "true"
    assert int(grid.get_attribute("aria-rowcount")) > 50
    assert rows.first.get_attribute("aria-rowindex") == "2"
    assert [rows.nth(n).get_attribute("aria-selected") for n in range(2)] == ["false", "false"]
    assert findings.locator("tbody tr[tabindex='0']").count() == 1
    assert grid.get_by_role("columnheader", name="Severity").count() == 1
    assert {row["height"] for row in rows.evaluate_all("all => all.map((row) => ({height: row.offsetHeight}))")} == {45}


def test_keys_move_and_select_and_none_is_lost(findings):
    for _ in range(40):
        findings.keyboard.press("j")
    for _ in range(20):
        findings.keyboard.press("k")
    assert place(findings) == 20
    findings.keyboard.press("Shift+J")
    findings.keyboard.press("Shift+ArrowDown")
    assert (place(findings), selected(findings)) == (22, 3)
    findings.keyboard.press("Shift+K")
    assert selected(findings) == 2, "a range shrinks again"
    findings.keyboard.press("x")
    assert selected(findings) == 1
    findings.keyboard.press("Home")
    findings.keyboard.press(" ")
    assert (place(findings), selected(findings)) == (0, 2)
    findings.get_by_text("2 findings selected").wait_for(timeout=LONGEST)
    findings.keyboard.press("u")
    assert selected(findings) == 0
    at_rest(findings)
    findings.keyboard.press("j")
    shown = findings.locator("tbody tr.current").get_attribute("data-id")
    findings.wait_for_url(f"**finding={shown}**", timeout=LONGEST)


def test_mouse_and_ticks(findings):
    rows = findings.locator("tbody tr")
    rows.nth(3).click()
    assert (place(findings), selected(findings)) == (3, 0)
    rows.nth(6).click(modifiers=["Shift"])
    assert selected(findings) == 4
    rows.nth(1).get_by_role("checkbox").click()
    assert (selected(findings), place(findings)) == (5, 6)
    findings.get_by_role("checkbox", name="Select every row").click()
    assert selected(findings) == 50
    findings.get_by_role("button", name="Clear").click()
    assert selected(findings) == 0


def test_a_hostile_name_stays_text(findings):
    cell = findings.locator("tbody tr").first.locator(".c-who .text")
    assert cell.text_content() == SHOWN
    assert findings.locator("tbody img, tbody script").count() == 0
    assert findings.evaluate("window.hurt") is None


def test_the_grid_is_not_mounted_anew(findings):
    findings.locator("table[role=grid]").evaluate("table => { table.dataset.mark = 'same' }")
    findings.locator("tbody tr").nth(2).evaluate("row => { row.dataset.mark = 'same' }")
    findings.keyboard.press("j")
    at_rest(findings)
    assert findings.locator("tbody tr[data-mark=same]").count() == 1, "no row is drawn again for a move"
    findings.get_by_role("button", name="Next").click()
    findings.get_by_text("51 to").wait_for(timeout=LONGEST)
    at_rest(findings)
    assert place(findings) == 0
    assert findings.locator("table[data-mark=same]").count() == 1


def test_search_help_and_evidence_by_key(findings):
    findings.keyboard.press("/")
    assert focused(findings) == "Search"
    findings.keyboard.type("jkx")
    assert (place(findings), selected(findings)) == (0, 0), "keys are letters while somebody types"
    for _ in "jkx":
        findings.keyboard.press("Backspace")
    findings.keyboard.press("Escape")
    findings.keyboard.press("j")
    assert place(findings) == 1
    findings.keyboard.press("i")
    assert "st-key-evidence" in focused(findings)
    findings.keyboard.press("Escape")
    findings.keyboard.press("?")
    assert findings.get_by_role("dialog", name="Keys of this list").is_visible()
    findings.get_by_label("Single keys act on this page").uncheck()
    findings.keyboard.press("Escape")
    findings.locator("body").evaluate("() => document.activeElement.blur()")
    findings.keyboard.press("j")
    assert place(findings) == 1, "switched off"


def test_an_address_opens_its_finding(page, dashboard, findings):
    wanted = findings.locator("tbody tr").nth(7).get_attribute("data-id")
    open_page(page, dashboard, f"/findings?finding={wanted}")
    page.locator(f"tbody tr.current[data-id='{wanted}']").wait_for(timeout=LONGEST)


def test_three_are_proposed_and_one_approved_by_keyboard_alone(findings, dashboard, folder):
    findings.goto(f"{dashboard}/findings?rule=ghost&application=salesforce&as=a.kovac@nwl.example")
    findings.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(findings)
    wanted = findings.locator("tbody tr").evaluate_all("rows => rows.slice(0, 3).map((row) => row.dataset.id)")
    for key in ("x", "Shift+J", "Shift+J", "d"):
        findings.keyboard.press(key)
    findings.wait_for_function("document.activeElement.getAttribute('aria-label')?.startsWith('Why it is right')")
    sent_by_enter(findings, "they left, HR confirmed")
    findings.get_by_text("3 proposed: now somebody else approves").wait_for(timeout=LONGEST)
    made = remediations(folder)
    assert {r.finding for r in made} == set(wanted)
    assert {(r.status, r.reason) for r in made} == {("proposed", "they left, HR confirmed")}

    findings.goto(f"{dashboard}/findings?status=in_remediation&as=i.solberg@nwl.example")
    findings.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(findings)
    findings.keyboard.press("a")
    findings.wait_for_function("document.activeElement.textContent?.startsWith('Approve')")
    findings.keyboard.press("Enter")
    findings.get_by_text("Approved: ").first.wait_for(timeout=LONGEST)
    at_rest(findings)
    assert sorted(str(r.approved_by) for r in remediations(folder)) == ["None", "None", "i.solberg@nwl.example"]


def test_what_was_proposed_is_taken_back_with_one_key(findings, dashboard, folder):
    before = {r.id for r in remediations(folder)}
    findings.goto(f"{dashboard}/findings?rule=ghost&application=github&as=a.kovac@nwl.example")
    findings.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(findings)
    for key in ("j", "x", "d"):
        findings.keyboard.press(key)
    findings.wait_for_function("document.activeElement.getAttribute('aria-label')?.startsWith('Why it is right')")
    wanted = findings.locator("tbody tr[aria-selected=true]").get_attribute("data-id")
    sent_by_enter(findings, "too early")
    findings.get_by_text("1 proposed").wait_for(timeout=LONGEST)
    # Until the list without it is drawn, which is after the script has ended, `u` would only select nothing.
    findings.locator(f"tbody tr[data-id='{wanted}']").wait_for(state="detached", timeout=LONGEST)
    at_rest(findings)
    assert selected(findings) == 0
    findings.keyboard.press("u")
    findings.get_by_text("1 proposal taken back").wait_for(timeout=LONGEST)
    assert [r.status for r in remediations(folder) if r.id not in before] == ["cancelled"]


def test_by_touch_on_a_phone(browser, dashboard):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_page(page, dashboard, "/findings?as=a.kovac@nwl.example")
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    at_rest(page)
    for number in (1, 2):
        page.locator("tbody tr").nth(number).get_by_role("checkbox").tap()
    assert selected(page) == 2
    page.get_by_role("group", name="What to do with the selected rows").get_by_role("button", name="Exclude").tap()
    page.get_by_label("Why these may stay as they are").wait_for(timeout=LONGEST)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    context.close()
