"""What the tests of the read models share: an actor of the settings, and a walk over every page of a list."""

from __future__ import annotations

from governance import audit
from governance.access import find_actor
from governance.views.paging import Cursor


def actor(house, email="sec@example.com"):
    return find_actor(house.settings, email)


def walk(turn, types):
    """Every page of a list, forward, and the cursors between."""
    pages, at = [], None
    while True:
        page = turn(at)
        pages.append(page)
        if page.next is None:
            return pages
        at = Cursor.decode(page.next, types)


def audit_something(house, now):
    with house.store.write() as session:
        audit.append(session, now=now, actor="test", verb="note", object="x/1")
