"""When the reviewers of an access review are reminded, and when somebody above them is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
CLOSE: Final = timedelta(hours=12)  # two reminders closer than this are one
BEFORE: Final = (3, 1, 0)  # days before the end
ESCALATED: Final = (1, 3)  # days after the end: to who began it, then to who stands in for absent reviewers


def reminders(launched_at: datetime, due_at: datetime, now: datetime) -> list[tuple[str, datetime]]:
    """The reminders whose time has come, each with its name: half time, 3 days before, 1, the day itself, then daily.

    In a short review those that would fall on its beginning or on each other are left out.
    """
    kept: list[tuple[str, datetime]] = []
    for name, at in _planned(launched_at, due_at, now):
        if at - (kept[-1][1] if kept else launched_at) >= CLOSE and at <= now:
            kept.append((name, at))
    return kept


def _planned(launched_at: datetime, due_at: datetime, now: datetime) -> Iterator[tuple[str, datetime]]:
    named = [("half", launched_at + (due_at - launched_at) / 2)]
    named += [(f"-{days}", due_at - days * DAY) for days in BEFORE]
    yield from sorted(named, key=lambda one: one[1])
    for day in range(1, max(0, (now - due_at) // DAY) + 1):
        yield f"+{day}", due_at + day * DAY


def escalations(due_at: datetime, now: datetime) -> list[int]:
    """After how many days somebody above the reviewers is told, of those that have passed."""
    return [days for days in ESCALATED if now >= due_at + days * DAY]
