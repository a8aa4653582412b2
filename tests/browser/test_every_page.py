"""Every page of the demo at both widths, light and dark: it shows itself, fits, and axe-core finds nothing serious in it."""

from __future__ import annotations

import os
import tomllib

import pytest

from tests.browser.alone import dashboard_alone
from tests.browser.axe import serious
from tests.browser.chromium import LONGEST, PAGES, at_rest, on_screen, open_page, path_of, settled

# What could be pressed where it lies right of the screen's edge. Grids of our own are drawn as tables.
BEYOND = """() => [...document.querySelectorAll('[data-testid=stMain] :is(button, a, input)')]
    .filter((it) => it.getClientRects().length && !it.closest('table'))
    .filter((it) => it.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((it) => it.innerText || it.ariaLabel)"""
FOCUSED = """() => {
    const it = document.activeElement, style = getComputedStyle(it);
    return [it.dataset.testid ?? "", `${style.outlineStyle} ${style.outlineWidth}`];
}"""
# What would have the focus and neither does nor leads anywhere: links to headings, lines that can be scrolled.
STOPS = """(panel) => [...panel.querySelectorAll('[aria-label="Link to heading"], [data-testid=stHorizontalBlock]')]
    .filter((it) => it.getClientRects().length && (it.tagName === 'A' || getComputedStyle(it).overflowX === 'auto'))
    .map((it) => it.innerText)"""
# Tables that are wider than what shows of them, each with whether a line below says so.
WIDE = """() => [...document.querySelectorAll('[data-testid=stDataFrame]')]
    .filter((it) => [...it.querySelectorAll('.dvn-stack')].some((all) => all.offsetWidth > it.clientWidth + 1))
    .map((it) => {
        const next = it.closest('[data-testid=stElementContainer]')?.nextElementSibling;
        return [it.ariaLabel ?? '', next?.innerText.includes('swipe it sideways') ?? false];
    })"""


@pytest.fixture(scope="module")
def address(visited):
    """The pages of the demo, as the last visitor left it."""
    with dashboard_alone(visited) as found:
        yield found


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_shows_itself_fits_and_has_no_serious_violation(page, address, width):
    """In light and dark: the page that is open takes on the other one, and the next is opened in that."""
    violations, schemes = {}, ["light", "dark"]
    for name in PAGES:
        on_screen(page, width, schemes[0])
        open_page(page, address, path_of(name))
        for scheme in schemes:
            on_screen(page, width, scheme)
            shows_itself_with_the_age_of_its_data(page, name)
            settled(page)  # charts and tables are drawn after the script has ended
            is_drawn_for(page, scheme)
            fits(page, name)
            if shots := os.environ.get("LEAVERWATCH_SHOTS"):
                page.wait_for_timeout(2000)
                page.screenshot(path=f"{shots}/{name.lower()}-{width}-{scheme}.png", full_page=True)
            if name == "Findings":
                select_one(page)
            if found := serious(page):
                violations[name, scheme] = found
            if name == "Findings":
                select_none(page)
        schemes.reverse()
    assert violations == {}


@pytest.mark.parametrize(
    ("who", "links"), [("a.kovac@nwl.example", "stSidebarNavLink"), ("i.solberg@nwl.example", "stTopNavLink")]
)
def test_who_goes_through_a_page_by_keys_sees_which_link_has_the_focus(page, address, who, links):
    open_page(page, address, f"/?as={who}")
    at_rest(page)
    settled(page)
    seen = {}
    for _ in range(60):
        page.keyboard.press("Tab")
        kind, ring = page.evaluate(FOCUSED)
        if kind in (links, "stPageLink-NavLink"):
            seen.setdefault(kind, set()).add(ring)
    assert seen == {links: {"solid 2px"}, "stPageLink-NavLink": {"solid 2px"}}


def test_who_goes_by_keys_meets_nothing_beside_the_evidence_that_does_nothing(page, address):
    open_page(page, address, "/findings?rule=ghost")
    page.get_by_text("What would change").wait_for(timeout=LONGEST)
    at_rest(page)
    settled(page)
    stops = page.locator(".st-key-evidence").evaluate(STOPS)
    assert stops == []


def test_every_application_and_source_shows_itself(page, address, visited):
    settings = tomllib.loads((visited / "leaverwatch.toml").read_text())
    failed = []
    for feed in (*settings["source"], *settings["application"]):
        open_page(page, address, f"/applications?feed={feed['name']}")
        page.get_by_role("heading", name="Last pull").or_(page.get_by_text("Incident")).first.wait_for(timeout=LONGEST)
        at_rest(page)
        failed += [feed["name"]] if page.get_by_text("Incident").count() else []
    assert failed == []


def is_drawn_for(page, scheme):
    """Its ground has the colour that .streamlit/config.toml gives this scheme."""
    ground = page.get_by_test_id("stApp").evaluate("it => getComputedStyle(it).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 18, 24)"}[scheme]


def select_one(page):
    page.locator("tbody tr.current").wait_for(timeout=LONGEST)
    page.keyboard.press("x")
    page.get_by_text("1 finding selected").wait_for(timeout=LONGEST)
    at_rest(page)


def select_none(page):
    page.keyboard.press("u")
    page.get_by_text("1 finding selected").wait_for(state="hidden", timeout=LONGEST)
    at_rest(page)


def shows_itself_with_the_age_of_its_data(page, name):
    page.get_by_role("heading", name=name, level=1).wait_for(timeout=LONGEST)
    page.get_by_text("HR file").first.wait_for(timeout=LONGEST)
    at_rest(page)
    assert page.get_by_text("incident").count() == 0, f"{name} failed"


def fits(page, name):
    who, menu = page.locator(".st-key-visitor"), page.get_by_test_id("stExpandSidebarButton")
    if menu.count():
        here, there = who.bounding_box(), menu.bounding_box()
        assert here["x"] >= there["x"] + there["width"], f"{name}: who acts covers the way to the other pages"
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 1, f"{name} scrolls sideways"
    assert page.evaluate(BEYOND) == [], f"{name}: this cannot be pressed, as it lies beyond the screen"
    wide = [key for key, hint in page.evaluate(WIDE) if page.viewport_size["width"] > 640 or not hint]
    assert wide == [], f"{name}: a table goes on to the right, and nothing says so"
