"""What GitHub's audit log tells happened in an organisation or enterprise. Enterprise Cloud only.

Confirmed in docs.github.com (audit log events, the REST description): `created_at` in milliseconds, `_document_id`,
order=asc, the cursor inside the Link header, `created` in the phrase, 1,750 requests an hour; the actions org.*_member,
team.*, external_identity.*, user.suspend and user.unsuspend; the sso_response ones, over REST and streaming only: "a
SAML single sign-on response was generated when a member attempted to authenticate", which is no success. Not
confirmed: outside collaborators, org.restore_member, organization_role.*, user.login and user.failed_login here; a
name that is never written costs nothing, one that is missing below is counted in the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.github_calls import REFUSED, GitHubCalls
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource
from governance.durations import day
from governance.errors import UnexpectedAnswer
from governance.records import Event, Reading

BACK: Final = timedelta(minutes=10)  # entries are indexed a little late
KNOWN: Final[Mapping[str, str]] = {
    "org.sso_response": "sign_in",
    "business.sso_response": "sign_in",
    "user.login": "sign_in",
    "user.failed_login": "sign_in_failed",
    "org.add_member": "created",
    "org.add_outside_collaborator": "created",
    "org.remove_member": "deleted",
    "org.remove_outside_collaborator": "deleted",
    "org.restore_member": "reactivated",
    "org.update_member": "granted",
    "external_identity.provision": "provisioned",
    "external_identity.update": "updated",
    "external_identity.deprovision": "deactivated",
    "user.suspend": "deactivated",
    "user.unsuspend": "reactivated",
    "team.add_member": "granted",
    "team.remove_member": "revoked",
    "organization_role.assign": "granted",
    "organization_role.revoke": "revoked",
}
ATTEMPTS: Final = frozenset({"org.sso_response", "business.sso_response"})  # how they ended is not told
_ROLES: Final = {"admin": "role:owner", "read": "role:member", "member": "role:member"}


class AuditLog:
    """Reads the log and remembers how far."""

    def __init__(self, calls: GitHubCalls, path: str, application: str) -> None:
        self._calls = calls
        self._path = f"{path}/audit-log"
        self._application = application
        self.mark: str | None = None

    def told(self) -> bool:
        """Whether the log may be read."""
        return self._calls.get(self._path, {"per_page": "1"}, allow=REFUSED).status == 200

    def last_used(self, pages: int, reading: Reading) -> dict[str, datetime]:
        """When somebody last did anything, by login, from the newest entries; tries to sign in are no use."""
        found: dict[str, datetime] = {}
        reader = Reader(self._application, self._calls.http.deadline.now)
        link: str | None = self._path if pages else None
        params: dict[str, str] | None = {"include": "all", "order": "desc", "per_page": "100"}
        back: datetime | None = None
        for _ in range(pages):
            if link is None:
                break
            answer = self._calls.get(link, params, allow=REFUSED if params else ())
            if answer.status != 200 or not isinstance(answer.data, list):
                break
            for entry in (reader.of(item) for item in answer.data):
                actor, at = entry.text("actor"), entry.instant("created_at") or entry.instant("@timestamp")
                action = entry.text("action") or ""
                if actor is not None and at is not None and "failed" not in action and action not in ATTEMPTS:
                    found[actor] = max(at, found.get(actor, at))
                    back = min(back or at, at)
            link, params = self._calls.http.next_link(answer), None
        if back is not None:
            reading.notes.append(f"last use is also from the newest entries of the audit log, back to {day(back)}")
        return found

    def events(
        self, since: datetime, mark: str | None, account_of: Callable[[str], str], reading: Reading
    ) -> Iterator[Event]:
        """Everything from the mark on, oldest first."""
        newest = int(mark) if mark is not None and mark.isdigit() else None
        start = since if newest is None else datetime.fromtimestamp(newest / 1000, UTC) - BACK
        self.mark = mark
        reader = Reader(self._application, self._calls.http.deadline.now)
        params = {
            "phrase": f"created:>={start.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}",
            "include": "web",
            "order": "asc",
            "per_page": "100",
        }
        refused = False

        def fetch(cursor: str | None) -> Page:
            nonlocal refused
            answer = self._calls.get(cursor or self._path, None if cursor else params, allow=() if cursor else REFUSED)
            refused = answer.status != 200
            if not refused and not isinstance(answer.data, list):
                raise UnexpectedAnswer(f"{answer.path}: the answer is no list", answer.path)
            return Page([] if refused else answer.data, None if refused else self._calls.http.next_link(answer))

        for _, item in read_pages(fetch, _document, reading, f"{self._application}: audit log", counted=False):
            event = self._event(reader.of(item), reader, account_of)
            if event is not None:
                newest = max(newest or 0, int(event.at.timestamp() * 1000))
                yield event
        if refused:
            reading.notes.append("what happened is not told: the audit log needs Enterprise Cloud and an owner's token")
        reader.note(reading)
        self.mark = mark if newest is None else str(newest)

    def _event(self, entry: Resource, reader: Reader, account_of: Callable[[str], str]) -> Event | None:
        action, event_id = entry.text("action") or "", entry.text("_document_id")
        at = entry.instant("created_at") or entry.instant("@timestamp")
        kind = KNOWN.get(action)
        if kind is None or event_id is None or at is None:
            reader.skipped[f"audit entry {action[:60]}"] += 1
            return None
        about = entry.text("user") or (entry.text("actor") if kind.startswith("sign_in") else None)
        return Event(
            application=self._application,
            event_id=event_id,
            at=at,
            kind=kind,
            account_id=account_of(about) if about else None,
            actor=entry.text("actor"),
            success=None if action in ATTEMPTS else kind != "sign_in_failed",
            target=_target(action, entry),
        )


def _target(action: str, entry: Resource) -> str | None:
    if action.startswith("team."):
        team = entry.text("team")
        return f"team:{team.rpartition('/')[2]}" if team else None
    if action == "org.update_member":
        return _ROLES.get(entry.text("permission") or "")
    return entry.text("name") if action.startswith("organization_role.") else None


def _document(item: Any) -> str | None:
    value = item.get("_document_id") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None
