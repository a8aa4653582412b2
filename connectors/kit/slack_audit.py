"""What Slack's Audit Logs API tells happened: sign-ins, accounts made and switched off, changes of role.

Confirmed in docs.slack.dev/reference/audit-logs-api/methods-actions-reference and in what others read from it: `oldest`
inclusive in seconds since 1970, `limit` up to 9999, cursors, nothing before March 2018, the actions below but
guest_expired; a user token of an organisation's owner with auditlogs:read; Enterprise plans only; 50 requests a minute
for the whole organisation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.http import Http
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource
from governance.errors import UnexpectedAnswer
from governance.records import Event, Reading

BACK: Final = timedelta(minutes=10)  # entries of one second may be written in two goes
FIRST_DAY: Final = datetime(2018, 3, 1, tzinfo=UTC)  # older entries are not kept
# action -> our kind, and the role that is the target
KNOWN: Final[Mapping[str, tuple[str, str | None]]] = {
    "user_login": ("sign_in", None),
    "user_login_failed": ("sign_in_failed", None),
    "user_created": ("created", None),
    "guest_created": ("created", None),
    "user_deactivated": ("deactivated", None),
    "guest_deactivated": ("deactivated", None),
    "guest_expired": ("deactivated", None),
    "user_reactivated": ("reactivated", None),
    "guest_reactivated": ("reactivated", None),
    "role_change_to_owner": ("granted", "role:owner"),
    "role_change_to_admin": ("granted", "role:admin"),
    "role_change_to_user": ("granted", "role:member"),
    "role_change_to_guest": ("granted", "role:multi_channel_guest"),
    "owner_transferred": ("granted", "role:primary_owner"),
}
_BY_THEMSELVES: Final = frozenset({"user_login", "user_login_failed"})


class AuditLog:
    """Reads the log and remembers how far."""

    def __init__(self, http: Http, application: str, size: int = 1000) -> None:
        self._http = http
        self._application = application
        self._size = size
        self.mark: str | None = None
        self.digest = hashlib.sha256()

    def probe(self) -> None:
        """Ask for one entry."""
        self._page({"limit": "1"}, None)

    def events(self, since: datetime, mark: str | None, reading: Reading) -> Iterator[Event]:
        """Everything from the mark on, newest first."""
        newest = int(mark) if mark is not None and mark.isdigit() else None
        start = since if newest is None else datetime.fromtimestamp(newest, UTC) - BACK
        reader = Reader(self._application, self._http.deadline.now)
        params = {
            "oldest": str(int(max(start, FIRST_DAY).timestamp())),
            "limit": str(self._size),
            "action": ",".join(KNOWN),
        }
        place = f"{self._application}: audit log"
        for _, item in read_pages(lambda c: self._page(params, c), _entry_id, reading, place, counted=False):
            entry = reader.of(item)
            event = self._event(entry, reader)
            if event is not None:
                newest = max(newest or 0, int(event.at.timestamp()))
                yield event
        reader.note(reading)
        self.mark = mark if newest is None else str(newest)

    def _event(self, entry: Resource, reader: Reader) -> Event | None:
        action = entry.text("action") or ""
        event_id, at = entry.text("id"), entry.instant("date_create")
        if action not in KNOWN or event_id is None or at is None:
            reader.skipped[f"audit entry {action[:60]}"] += 1
            return None
        kind, target = KNOWN[action]
        actor = entry.text("actor.user.id")
        about = actor if action in _BY_THEMSELVES else entry.text("entity.user.id")
        return Event(
            application=self._application,
            event_id=event_id,
            at=at,
            kind=kind,
            account_id=about,
            actor=entry.text("actor.user.email") or actor,
            success=not action.endswith("_failed"),
            target=target,
        )

    def _page(self, params: Mapping[str, str], cursor: str | None) -> Page:
        answer = self._http.get("logs", {**params, "cursor": cursor} if cursor else params)
        told = answer.data if isinstance(answer.data, dict) else {}
        entries = told.get("entries")
        if not isinstance(entries, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of entries", answer.path)
        metadata = told.get("response_metadata")
        following = metadata.get("next_cursor") if isinstance(metadata, dict) else None
        return Page(entries, following if isinstance(following, str) and following else None)


def _entry_id(item: Any) -> str | None:
    value = item.get("id") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None
