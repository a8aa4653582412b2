"""Chromium, and the ways of a visitor through the pages."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PAGES = ("Overview", "Findings", "Identities", "Accounts", "Applications", "Jobs", "Approvals", "Audit")
LONGEST = 30_000  # milliseconds until something is on the screen, on a busy machine


def open_page(page, address, path=""):
    page.goto(address + path)
    page.get_by_role("heading", level=1).first.wait_for(timeout=LONGEST)


def path_of(name):
    """The address of a page by its name in the navigation."""
    return "/" + ("" if name == "Overview" else name.lower())


def at_rest(page):
    """Wait until the script has run to its end."""
    page.wait_for_timeout(300)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=LONGEST)
