"""Codes as people read them: titles, spans of time, counts. `–` is not told or not known, never nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from governance.declaration import Rule
from governance.findings.headline import count as count
from governance.house import rules_in_sight
from governance.tables import Remediation

UNKNOWN: Final = "–"
SIGNS: Final = {"critical": "▲", "high": "◆", "medium": "●", "low": "○", "informational": "·"}
STATUSES: Final = {"open": "Open", "in_remediation": "In remediation", "excluded": "Excluded", "resolved": "Resolved"}
RESOLVED: Final = {
    "inactive": "the account is inactive now",
    "gone": "the account is gone",
    "verified": "closed from here and verified",
    "no_longer_true": "it is no longer so",
}
STATES: Final = {
    "current": "Works here",
    "leave": "On leave",
    "future": "Not started yet",
    "ended": "Leaver",
    "missing": "Missing from the source",
    "unknown": "Unknown",
}
MATCH_KEYS: Final = {
    "pinned": "pinned by a person",
    "external_id": "external id",
    "employee_id": "employee id",
    "email": "e-mail address",
    "alias": "alias",
    "former_email": "former e-mail address",
}
REMEDIATION: Final = {
    "proposed": "Waiting for approval",
    "approved": "Approved, starts within seconds",
    "scheduled": "Scheduled",
    "executing": "Executing",
    "executed": "Executed, not yet proved",
    "verified": "Verified inactive",
    "rejected": "Rejected",
    "expired": "Expired",
    "failed": "Failed",
    "cancelled": "Withdrawn",
    "undone": "Undone",
}


def _rules() -> Mapping[str, Rule]:
    return rules_in_sight()


def rule(name: str) -> Rule | None:
    """The rule of that name; None when it is not there any more."""
    return _rules().get(name)


def rule_title(name: str) -> str:
    """What a rule is called on screen."""
    found = rule(name)
    return found.title if found else name.replace("_", " ").capitalize()


def rule_names() -> list[str]:
    """Every rule, the most severe first."""
    order = list(SIGNS)
    return sorted(_rules(), key=lambda name: (order.index(_rules()[name].severity), name))


def severity(word: str) -> str:
    """A severity as sign and word: colour never stands alone."""
    return f"{SIGNS.get(word, '?')} {word.capitalize()}"


def taken_away(r: Remediation) -> str:
    """Which entitlement goes, after the name of its application: `: Reader`; empty where it is the whole account."""
    return "" if r.entitlement_id is None else f": {(r.evidence or {}).get('entitlement') or r.entitlement_id}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units at most: `19 d`, `2 h 10 min`, `14 min`, `8 s`."""
    seconds = max(0, int(length.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days >= 3:
        return f"{days:,} d"
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def days(length: timedelta) -> str:
    """A length of time in a sentence: `19 days`, `5 hours`."""
    if length >= timedelta(days=1):
        return count(length.days, "day", "days")
    return count(int(length.total_seconds()) // 3600, "hour", "hours")


def day(at: datetime | None, now: datetime) -> str:
    """An instant as a day: `4 Nov`, with the year when it is another one."""
    if at is None:
        return UNKNOWN
    return f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"


def moment(at: datetime | None, now: datetime) -> str:
    """An instant with its time of day, in UTC: `4 Nov, 18:00`."""
    return UNKNOWN if at is None else f"{day(at, now)}, {at:%H:%M}"


def share(part: int, whole: int) -> str:
    """A share with one decimal; unknown when there is nothing to share."""
    return UNKNOWN if whole <= 0 else f"{100 * part / whole:.1f} %"
