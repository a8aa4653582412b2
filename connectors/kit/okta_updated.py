"""Which users, groups and applications of an Okta org changed since the last reading, and what stays of the others.

Confirmed in Okta's specification (management 2026.06): `filter` takes `lastUpdated ge "…"` and then shows deactivated
users too; a group tells `lastMembershipUpdated`; `until` bounds a request of the System Log. Okta's list of event types
has application.user_membership.add and .remove; the others of that name are general knowledge. Deleted users are in no
list: the log names them, and asking for one proves it. General knowledge: signing in (told by the log) and second
factors leave `lastUpdated` as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.kit.contract import Before, MarkRefused
from connectors.kit.holdings import Holders
from connectors.kit.numbered import Ids
from connectors.kit.okta_calls import OktaCalls
from connectors.kit.resource import Reader, Resource
from governance.records import Reading

LATE: Final = timedelta(minutes=15)  # what is written down late, and clocks that differ
MOST_IDS: Final = 20  # of one filter: long ones are refused
_DELETED: Final = "user.lifecycle.delete.completed"
_ASSIGNMENTS: Final = ("add", "remove", "change_username", "provision", "deprovision", "restore", "revoke", "update")
_NAMES: Final = (_DELETED, *(f"application.user_membership.{word}" for word in _ASSIGNMENTS))


class Logged:
    """What the System Log tells beside the lists: deleted users, and applications whose assignments changed."""

    def __init__(self, calls: OktaCalls, reader: Reader, since: datetime, until: datetime, reading: Reading) -> None:
        self.deleted: set[str] = set()
        self.applications: set[str] = set()
        wanted = {
            "since": _text(since),
            "until": _text(until),
            "filter": " or ".join(f'eventType eq "{name}"' for name in _NAMES),
            "sortOrder": "ASCENDING",
            "limit": "1000",
        }
        rows = calls.may_list("logs", wanted, reading, ends_empty=True)
        if rows is None:
            raise MarkRefused(f"{calls.place}: the System Log may not be read, and only it tells of deleted users")
        for row in rows:
            self._take(reader.of(row))

    def _take(self, told: Resource) -> None:
        for target in told.parts("target"):
            kind, one = target.text("type"), target.text("id")
            if one is None:
                continue
            if kind == "User" and told.text("eventType") == _DELETED:
                self.deleted.add(one)
            elif kind == "AppInstance":
                self.applications.add(one)


class Kept:
    """The groups and applications that did not change, with who held them, by their numbers in `ids`."""

    def __init__(self, before: Before, since: datetime, applications: set[str]) -> None:
        self.ids = Ids()
        self._since = since
        self._changed = applications
        self._held = {one: Holders() for one in before.entitlements()}
        for one, accounts, how, since_when in before.grants():
            self._held.setdefault(one, Holders()).add(self.ids.numbers(accounts), how, since_when)

    def members(self, group: Resource) -> Holders | None:
        """Who is in a group; None where that must be read. Told once."""
        at = group.instant("lastMembershipUpdated")
        return None if at is None or at >= self._since else self._held.pop(group.text("id") or "", None)

    def assigned(self, app_id: str) -> Holders | None:
        """Who is assigned to an application; None where that must be read. Told once."""
        return None if app_id in self._changed else self._held.pop(app_id, None)


def updated_since(since: datetime) -> str:
    """A filter for users that changed."""
    return f'lastUpdated ge "{_text(since)}"'


def only(ids: Iterable[str]) -> list[str]:
    """Filters that ask for these users alone."""
    wanted = [f'id eq "{one}"' for one in sorted(ids)]
    return [" or ".join(wanted[n : n + MOST_IDS]) for n in range(0, len(wanted), MOST_IDS)]


def begun(mark: str, place: str) -> datetime:
    """From when on changes are wanted; MarkRefused for a mark that is none of ours."""
    try:
        at = datetime.fromisoformat(mark)
    except ValueError as error:
        raise MarkRefused(f"{place}: the mark is none that can be gone on from") from error
    return at.astimezone(UTC) - LATE


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
