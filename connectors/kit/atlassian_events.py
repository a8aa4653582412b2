"""The audit log of an Atlassian organisation, read onward from a cursor (GET /admin/v1/orgs/{org}/events-stream).

Confirmed in the vendor's reference: oldest first, and the cursor of the last page is where to go on next time; kept for
180 days. Which actions there are is asked (`event-actions`) rather than assumed; their names are those of "Audit log
activities database" (support.atlassian.com), where signing in and much else need Atlassian Guard. The ids of actions
stand on no page of the vendor; `managed_account_deactivated` and the shape of `context` were found in public code that
reads the log, the others are general knowledge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.kit.atlassian_directory import Directory, entries
from connectors.kit.resource import Reader, Resource
from governance.errors import IncompleteFeed
from governance.records import Event

LIMIT: Final = 200
ATLASSIAN: Final = "Atlassian account"  # what is signed in to: it opens every product, and tells nothing of this one
MOST_PAGES: Final = 50_000
_BY_ID: Final = {
    "user_login": "sign_in",
    "user_logged_in": "sign_in",
    "user_added_to_org": "created",
    "managed_account_created": "created",
    "managed_account_deactivated": "deactivated",
    "user_disabled_org_access": "deactivated",
    "managed_account_reactivated": "reactivated",
    "managed_account_activated": "reactivated",
    "user_enabled_org_access": "reactivated",
    "managed_account_deleted": "deleted",
    "user_removed_from_org": "deleted",
    "user_added_to_group": "granted",
    "user_granted_product_access": "granted",
    "user_removed_from_group": "revoked",
    "user_revoked_product_access": "revoked",
    "managed_account_email_changed": "updated",
}
_BY_NAME: Final = {  # as the audit log shows them
    "logged in to account": "sign_in",
    "added user to organization": "created",
    "deactivated account": "deactivated",
    "suspended user": "deactivated",
    "reactivated account": "reactivated",
    "restored user": "reactivated",
    "deleted account permanently": "deleted",
    "removed user from organization": "deleted",
    "added user to group": "granted",
    "removed user from group": "revoked",
    "changed email address": "updated",
}


class OrganisationEvents:
    """What happened to the accounts of one organisation. `mark` is the cursor to go on from."""

    def __init__(self, directory: Directory, application: str) -> None:
        self.mark: str | None = None
        self._directory = directory
        self._application = application

    def open(self) -> bool:
        """Whether the log may be read with this key and plan."""
        path = self._directory.path("events-stream", version=1)
        return self._directory.http.get(path, {"limit": "1"}, allow=(403, 404)).status == 200

    def read(self, since: datetime, mark: str | None, reader: Reader) -> Iterator[Event]:
        """Everything from the cursor on, or from `since` where there is none or it has lapsed."""
        kinds = self._kinds()
        self.mark = mark
        for _ in range(MOST_PAGES):
            answer = self._page(since)
            for entry in entries(answer.data, answer.path):
                if (event := self._event(reader.of(entry), kinds, reader)) is not None:
                    yield event
            told = reader.of(answer.data)
            following = told.text("meta.next")
            if not told.several("data"):
                self.mark = following or self.mark
                return
            if following is None or following == self.mark:
                return  # the last page comes again next time: nothing is lost
            self.mark = following
        raise IncompleteFeed(f"{self._directory.place}: the audit log has no end")

    def _page(self, since: datetime) -> Any:
        path = self._directory.path("events-stream", version=1)
        limit = {"limit": str(LIMIT)}
        if self.mark is not None:
            answer = self._directory.http.get(path, {**limit, "cursor": self.mark}, allow=(400,))
            if answer.status == 200:
                return answer
            self.mark = None  # a cursor ends with the days the log is kept for
        return self._directory.http.get(path, {**limit, "from": str(int(since.timestamp() * 1000))})

    def _kinds(self) -> dict[str, str]:
        path = self._directory.path("event-actions", version=1)
        answer = self._directory.http.get(path, allow=(403, 404))
        kinds = dict(_BY_ID)
        if answer.status == 200:
            for entry in entries(answer.data, answer.path):
                about = entry.get("attributes")
                name = about.get("displayName") if isinstance(about, Mapping) else None
                kind = _BY_NAME.get(name.strip().casefold()) if isinstance(name, str) else None
                if kind is not None and isinstance(entry.get("id"), str):
                    kinds.setdefault(entry["id"], kind)
        return kinds

    def _event(self, entry: Resource, kinds: Mapping[str, str], reader: Reader) -> Event | None:
        action, event_id, at = entry.text("attributes.action"), entry.text("id"), entry.instant("attributes.time")
        kind = kinds.get(action or "")
        if kind is None:
            reader.skipped[f"events of the kind {action or 'unknown'}"] += 1
            return None
        if event_id is None or at is None:
            reader.unread["event"] += 1
            return None
        actor = entry.text("attributes.actor.id")
        subject = _named(entry, "attributes.context", "users") or (actor if kind == "sign_in" else None)
        group = _named(entry, "attributes.container", "groups") or _named(entry, "attributes.context", "groups")
        target = ATLASSIAN if kind == "sign_in" else group
        return Event(self._application, event_id, at, kind, subject, actor, True, target)


def _named(entry: Resource, path: str, kind: str) -> str | None:
    return next((part.text("id") for part in entry.parts(path) if part.text("type") == kind), None)
