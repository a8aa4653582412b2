"""What a reviewer's list in Chromium shows, says, and keeps until it is stored."""

from __future__ import annotations

import json

from tests.browser.chromium import LONGEST, at_rest


def current(page):
    """The number of the current row."""
    return int(page.locator("tbody tr.current").get_attribute("data-number"))


def shown(page):
    """The decisions as they are shown, by number."""
    pressed = page.locator(".pick[aria-pressed=true]")
    told = pressed.evaluate_all("all => all.map((pick) => [pick.closest('tr').dataset.number, pick.dataset.decision])")
    return {int(number): decision for number, decision in told}


def said(page):
    """What those hear who do not see the page."""
    return page.locator(".told").text_content()


def wait_stored(page, server, number):
    """Until so many decisions are stored and the browser knows."""
    for _ in range(LONGEST // 100):
        if len(server.decisions()) >= number and waiting(page) == []:
            break
        page.wait_for_timeout(100)
    at_rest(page)
    assert len(server.decisions()) == number, server.decisions()
    assert waiting(page) == []


def waiting(page):
    """What lies in the browser's storage, in the order it was decided."""
    kept = page.evaluate(
        "Object.entries(localStorage).filter(([key]) => key.startsWith('leaverwatch decisions q4 ana '))"
    )
    return [entry for _, entry in sorted((json.loads(value) for _, value in kept), key=lambda pair: pair[0])]
