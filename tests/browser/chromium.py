"""Chromium, and the ways of a visitor through the pages."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# What a page's scripts do is the same however they are compiled. To compile them once more for long use took a sixth of
# the time of all processors, and no page is open for long.
HOW = ("--no-sandbox", "--js-flags=--no-maglev --no-turbofan")
PAGES = (
    *("Overview", "Findings", "Identities", "Accounts", "Applications", "Jobs", "My reviews", "Campaigns", "Evidence"),
    *("Approvals", "Team access", "Notifications", "Policy", "Mapping lab", "Audit"),
)
_ELSEWHERE = {"Overview": "", "Team access": "team?as=i.solberg@nwl.example"}  # a team is its manager's page
LONGEST = 30_000  # milliseconds until something is on the screen, on a busy machine


def open_page(page, address, path=""):
    page.goto(address + path)
    page.get_by_role("heading", level=1).first.wait_for(timeout=LONGEST)


def on_screen(page, width, scheme, height=1000):
    """Before the page is opened: how large its screen is, and whether its visitor likes things light or dark."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)


def path_of(name):
    """The address of a page by its name in the navigation."""
    return "/" + _ELSEWHERE.get(name, name.lower().replace(" ", "_"))


def at_rest(page):
    """Wait until the script has run to its end."""
    page.wait_for_timeout(300)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=LONGEST)


def faded(page):
    """Wait until nothing that the run before drew fades away any more."""
    page.wait_for_function("!document.querySelector('[data-stale=true]')", timeout=LONGEST)


def settled(page):
    """Wait until nothing on the page has changed for a while, and nothing of the run before fades away any more."""
    faded(page)
    page.evaluate(
        """() => new Promise((done) => {
            const begun = performance.now();
            let changed = begun;
            const seen = new MutationObserver(() => { changed = performance.now(); });
            seen.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
            const look = () => {
                const now = performance.now();
                if (now - changed > 800 || now - begun > 8000) { seen.disconnect(); done(); } else setTimeout(look, 50);
            };
            look();
        })"""
    )
