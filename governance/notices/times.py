"""When somebody wants to be told: quiet hours, and the digest in the morning, by the clock on their own wall."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from governance.notices.preferences import Preference

MORNING: Final = time(8)
MINUTE: Final = timedelta(minutes=1)


def is_quiet(at: datetime, wishes: Preference) -> bool:
    """Whether the clock on the wall stands within the quiet hours; they may reach over midnight."""
    if wishes.quiet_from is None or wishes.quiet_until is None:
        return False
    begin, end = time.fromisoformat(wishes.quiet_from), time.fromisoformat(wishes.quiet_until)
    wall = at.astimezone(ZoneInfo(wishes.time_zone)).time()
    return begin <= wall < end if begin < end else wall >= begin or wall < end


def out_of_quiet(at: datetime, wishes: Preference) -> datetime:
    """The first instant from `at` on that lies in no quiet hours."""
    if not is_quiet(at, wishes):
        return at
    end = time.fromisoformat(str(wishes.quiet_until))
    free = min(one for one in _instants(end, at, wishes.time_zone) if one > at and not is_quiet(one, wishes))
    # Where the clock jumps over the end of the quiet hours they are over with the jump, up to an hour or so before.
    while free - MINUTE > at and not is_quiet(free - MINUTE, wishes):
        free -= MINUTE
    return free


def next_morning(at: datetime, wishes: Preference) -> datetime:
    """The next 08:00 on the wall."""
    return min(one for one in _instants(MORNING, at, wishes.time_zone) if one >= at)


def due_at(now: datetime, wishes: Preference, *, can_wait: bool) -> datetime:
    """When somebody is told what came up now."""
    digest = can_wait and wishes.digest == "daily"
    return out_of_quiet(next_morning(now, wishes) if digest else now, wishes)


def _instants(wall: time, near: datetime, zone: str) -> Iterator[datetime]:
    """Every instant around `near` at which the wall shows this time: twice on a day on which the clock is set back."""
    there = ZoneInfo(zone)
    day = near.astimezone(there).date()
    for days in range(-1, 4):
        for fold in (0, 1):
            yield datetime.combine(day + timedelta(days=days), wall, there).replace(fold=fold).astimezone(UTC)
