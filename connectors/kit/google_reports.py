"""What Google's Reports API tells happened: sign-ins, sign-ins to other applications, what administrators did.

Confirmed in developers.google.com/admin-sdk/reports: activities of the last 180 days, `startTime` and `eventName`,
login_success and its login_type (login). Names of the other events are as general knowledge and other projects have
them, not seen in Google's own pages: one that is never written costs nothing, one that is missing below is counted in
the notes. Entries arrive minutes to hours late, so every read begins some hours before the last entry seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.google_calls import REPORTS, GoogleCalls
from connectors.kit.pagination import read_pages
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed
from governance.records import Event, Reading

LATE: Final = timedelta(hours=6)
KEPT: Final = timedelta(days=180)
NOBODY: Final = "105250506097979753968"  # the profile id that stands for none (discovery document, Activity.actor)
# application -> event name -> our kind, whether it is about an account other than the actor, parameter of the target
_Meaning = tuple[str, bool, str | None]
KNOWN: Final[Mapping[str, Mapping[str, _Meaning]]] = {
    "login": {
        "login_success": ("sign_in", False, None),
        "login_failure": ("sign_in_failed", False, None),
        "account_disabled_password_leak": ("deactivated", False, None),
    },
    "saml": {
        "login_success": ("sso", False, "application_name"),
        "login_failure": ("sso", False, "application_name"),
    },
    "token": {"authorize": ("granted", False, "app_name"), "revoke": ("revoked", False, "app_name")},
    "admin": {
        "CREATE_USER": ("created", True, None),
        "DELETE_USER": ("deleted", True, None),
        "UNDELETE_USER": ("reactivated", True, None),
        "SUSPEND_USER": ("deactivated", True, None),
        "UNSUSPEND_USER": ("reactivated", True, None),
        "ARCHIVE_USER": ("deactivated", True, None),
        "UNARCHIVE_USER": ("reactivated", True, None),
        "ASSIGN_ROLE": ("granted", True, "ROLE_NAME"),
        "UNASSIGN_ROLE": ("revoked", True, "ROLE_NAME"),
        "ADD_GROUP_MEMBER": ("granted", True, "GROUP_EMAIL"),
        "REMOVE_GROUP_MEMBER": ("revoked", True, "GROUP_EMAIL"),
    },
}
_ONLY: Final = {"token": ("authorize", "revoke")}  # this one also lists every call of every program


class Reports:
    """Reads what happened and remembers how far."""

    def __init__(self, calls: GoogleCalls, application: str) -> None:
        self._calls = calls
        self._application = application
        self.mark: str | None = None

    def events(
        self, since: datetime, mark: str | None, account_of: Callable[[str, datetime], str | None], reading: Reading
    ) -> Iterator[Event]:
        """Everything since the mark; what came late may come twice."""
        now = self._calls.http.deadline.now
        marks = _marks(mark)
        reader = Reader(self._application, now)
        for report in KNOWN:
            newest = marks.get(report)
            before = newest
            start = max(since if newest is None else newest - LATE, now - KEPT)
            try:
                for name in _ONLY.get(report, (None,)):
                    for event in self._report(report, name, start, reader, account_of, reading):
                        newest = max(newest or event.at, event.at)
                        yield event
            except AuthenticationFailed:
                reading.notes.append(f"what happened ({report}) is not told: the scope for reports is not delegated")
                newest = before  # the newest come first: where it broke off, older ones are still to be read
            if newest is not None:
                marks[report] = newest
        reader.note(reading)
        self.mark = json.dumps({report: at.isoformat() for report, at in sorted(marks.items())})

    def _report(
        self,
        report: str,
        name: str | None,
        start: datetime,
        reader: Reader,
        account_of: Callable[[str, datetime], str | None],
        reading: Reading,
    ) -> Iterator[Event]:
        params = {"startTime": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "maxResults": "1000"}
        if name:
            params["eventName"] = name
        fetch = self._calls.pages(f"{REPORTS}/activity/users/all/applications/{report}", "items", params)
        place = f"{self._application}: {report}"
        for _, item in read_pages(fetch, _entry_id, reading, place, counted=False):
            entry = reader.of(item)
            at = entry.instant("id.time")
            if at is None:
                continue
            for number, told in enumerate(entry.parts("events")):
                found = self._event(report, entry, told, f"{_entry_id(item)}:{number}", at, reader, account_of)
                if found is not None:
                    yield found

    def _event(
        self,
        report: str,
        entry: Resource,
        told: Resource,
        event_id: str,
        at: datetime,
        reader: Reader,
        account_of: Callable[[str, datetime], str | None],
    ) -> Event | None:
        name = told.text("name") or ""
        meaning = KNOWN[report].get(name)
        if meaning is None:
            reader.skipped[f"event {report}/{name[:60]}"] += 1
            return None
        kind, other, target = meaning
        parameters = {p.text("name"): p.text("value") for p in told.parts("parameters") if p.tells("value")}
        email = parameters.get("USER_EMAIL") if other else None
        account_id = account_of(email, at) if email else None
        if not other:
            profile = entry.text("actor.profileId")
            # An address may have been given to somebody else since; the profile id stays.
            account_id = profile if profile not in (None, NOBODY) else account_of(entry.text("actor.email") or "", at)
        return Event(
            application=self._application,
            event_id=f"{report}:{event_id}",
            at=at,
            kind=kind,
            account_id=account_id,
            actor=entry.text("actor.email") or entry.text("actor.key"),
            success=not name.endswith("_failure"),
            target=parameters.get(target) if target else None,
        )


def _entry_id(item: Any) -> str | None:
    told = item.get("id") if isinstance(item, dict) else None
    if not isinstance(told, dict) or not told.get("time"):
        return None
    return f"{told.get('time')}:{told.get('uniqueQualifier', '')}"


def _marks(mark: str | None) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    with suppress(ValueError, AttributeError, TypeError):  # a mark that cannot be read is none
        for report, at in json.loads(mark or "{}").items():
            instant = datetime.fromisoformat(at)
            if report in KNOWN and instant.tzinfo is not None:
                found[report] = instant
    return found
