"""Jira's own audit log (GET /auditing/record): changes of accounts and groups, newest first, without sign-ins.

The summaries are words for display; those known here are read, whatever else there is is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from connectors.kit.atlassian_lists import SiteLists
from connectors.kit.changed import changes_text
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource, as_text
from governance.errors import UnexpectedAnswer
from governance.records import Event, Reading

PAGE: Final = 1000
_KINDS: Final = {
    "user created": "created",
    "user updated": "updated",
    "user deleted": "deleted",
    "user deactivated": "deactivated",
    "user activated": "reactivated",
    "user added to group": "granted",
    "user removed from group": "revoked",
}


def jira_events(
    lists: SiteLists, since: datetime, reader: Reader, reading: Reading, application: str
) -> Iterator[Event]:
    """What the log tells since then."""

    def fetch(cursor: str | None) -> Page:
        params = {"offset": cursor or "0", "limit": str(PAGE), "from": since.isoformat(timespec="milliseconds")}
        answer = lists.get("rest/api/3/auditing/record", params)
        records = answer.data.get("records") if isinstance(answer.data, dict) else None
        if not isinstance(records, list):
            raise UnexpectedAnswer(f"{answer.path}: records is not a list", answer.path)
        total = answer.data.get("total")
        after = int(cursor or 0) + len(records)
        ends = not records or (isinstance(total, int) and after >= total)
        return Page(records, None if ends else str(after))

    for _, entry in read_pages(fetch, _record_id, reading, f"{application}: audit log", counted=False):
        event = _event(reader.of(entry), reader, application)
        if event is not None:
            yield event


def _event(row: Resource, reader: Reader, application: str) -> Event | None:
    summary, at, event_id = row.text("summary") or "", row.instant("created"), row.text("id")
    kind = _KINDS.get(summary.casefold())
    if kind is None:
        reader.skipped[f"events of the kind {summary[:60] or 'unknown'}"] += 1
        return None
    if at is None or event_id is None:
        reader.unread["event"] += 1
        return None
    items = [row.part("objectItem"), *row.parts("associatedItems")]
    account_id = next((i.text("id") for i in items if i.text("typeName") == "USER"), None)
    group = next((i.text("id") for i in items if i.text("typeName") == "GROUP"), None)
    actor = row.text("authorAccountId") or row.text("authorKey")
    changed = ((v.text("fieldName"), v.text("changedFrom"), v.text("changedTo")) for v in row.parts("changedValues"))
    changes = changes_text(changed) if kind == "updated" else None
    return Event(application, f"audit-{event_id}", at, kind, account_id, actor, True, group, changes)


def _record_id(entry: Any) -> str | None:
    return as_text(entry.get("id")) if isinstance(entry, dict) else None
