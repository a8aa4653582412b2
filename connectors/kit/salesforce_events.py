"""What happened in a Salesforce organisation: LoginHistory, SetupAuditTrail, and when accounts were made.

Confirmed in the object reference: LoginHistory needs Manage Users or Monitor Login History; LoginType is a label
("SAML Sfdc Initiated SSO", "Remote Access 2.0" ...); SetupAuditTrail is kept for 180 days. The audit trail's actions
are listed on no page of the vendor; these were found in public tools that filter it. It names the account in words
only: an id or username in them is read, a bare name is not guessed. Accounts made are read from their own rows, which
tell who made them: the account itself where SAML made it just in time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from connectors.kit.resource import Reader, Resource
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from governance.records import Event, Reading

CHUNK: Final = 200
OVERLAP: Final = timedelta(hours=1)  # sign-ins are written late
TABLES: Final = ("LoginHistory", "User", "SetupAuditTrail")
_ACTIONS: Final = {
    "activateduser": "reactivated",
    "deactivateduser": "deactivated",
    "frozeuser": "deactivated",
    "unfrozeuser": "reactivated",
    "permsetassign": "granted",
    "permsetgroupassign": "granted",
    "permsetlicenseassign": "granted",
    "groupmembership": "granted",
    "queuemembership": "granted",
    "permsetunassign": "revoked",
    "permsetgroupunassign": "revoked",
    "permsetlicenseunassign": "revoked",
    "changedemail": "updated",
    "changedfederationid": "updated",
    "changedmanager": "updated",
}
_UPDATES: Final = ("changedprofileforuser", "changedroleforuser")
_SILENT: Final = ("createduser", "createdcustomersuccessuser")  # told by the account's own row
_ID: Final = re.compile(r"\b005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?\b")
_USERNAME: Final = re.compile(r"[^\s,;:'\"()<>\[\]]+@[^\s,;:'\"()<>\[\]]+")


class SalesforceEvents:
    """Reads them, each kind oldest first. `mark` tells when each table was read last; one that is closed waits."""

    def __init__(self, soql: Soql, application: str, reading: Reading, reader: Reader, now: datetime) -> None:
        self._soql = soql
        self._application = application
        self._reading = reading
        self._reader = reader
        self._now = now
        self._marks: dict[str, str] = {}

    @property
    def mark(self) -> str:
        """Where to go on, for each table."""
        return json.dumps(self._marks, sort_keys=True)

    def read(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """Everything from the mark on, or from `since`; a table that may not be seen is noted, and its mark stays."""
        self._marks = _unpacked(mark)
        tables: tuple[tuple[str, str, Callable[[datetime], Iterator[Event]], str], ...] = (
            ("LoginHistory", "sign-ins", self._sign_ins, "the permission Monitor Login History"),
            ("User", "accounts made", self._accounts_made, "the permission View All Users"),
            ("SetupAuditTrail", "the audit trail", self._audit_trail, "View Setup and Configuration"),
        )
        for table, what, read, needed in tables:
            last = self._marks.get(table)
            try:
                yield from read(max(datetime.fromisoformat(last) - OVERLAP, since) if last else since)
            except NotReadable:
                self._reading.notes.append(f"{what} may not be seen: it needs {needed}")
            else:
                self._marks[table] = self._now.isoformat()

    def _sign_ins(self, since: datetime) -> Iterator[Event]:
        columns = ("Id", "UserId", "LoginTime", "LoginType", "Status")
        query = select(columns, "LoginHistory", where("LoginTime", since, ">="), order="LoginTime")
        for _, data in self._soql.rows(query, self._reading):
            if (found := self._sign_in(self._reader.of(data))) is not None:
                yield found

    def _accounts_made(self, since: datetime) -> Iterator[Event]:
        columns = ("Id", "CreatedDate", "CreatedById")
        query = select(columns, "User", where("CreatedDate", since, ">="), order="CreatedDate")
        for _, data in self._soql.rows(query, self._reading):
            if (found := self._made(self._reader.of(data))) is not None:
                yield found

    def _sign_in(self, row: Resource) -> Event | None:
        event_id, at, account_id = row.text("Id"), row.instant("LoginTime"), row.text("UserId")
        if event_id is None or at is None:
            self._reader.unread["event"] += 1
            return None
        status, kind = row.text("Status"), "sign_in"
        success = None if status is None else status == "Success"
        if success is False:
            kind = "sign_in_failed"
        elif (row.text("LoginType") or "").startswith("Remote Access"):  # a program with the account's consent
            kind = "token_used"
        return Event(self._application, event_id, at, kind, account_id, account_id, success)

    def _made(self, row: Resource) -> Event | None:
        account_id, at = row.text("Id"), row.instant("CreatedDate")
        if account_id is None or at is None:
            self._reader.unread["event"] += 1
            return None
        return Event(self._application, f"made-{account_id}", at, "created", account_id, row.text("CreatedById"), True)

    def _audit_trail(self, since: datetime) -> Iterator[Event]:
        columns = ("Id", "Action", "Display", "CreatedDate", "CreatedById")
        query = select(columns, "SetupAuditTrail", where("CreatedDate", since, ">="), order="CreatedDate")
        batch: list[tuple[Resource, str]] = []
        for _, data in self._soql.rows(query, self._reading):
            row = self._reader.of(data)
            action = (row.text("Action") or "").casefold()
            kind = "updated" if action.startswith(_UPDATES) else _ACTIONS.get(action)
            if kind is not None:
                batch.append((row, kind))
            elif action not in _SILENT:
                self._reader.skipped[f"events of the kind {row.text('Action') or 'unknown'}"] += 1
            if len(batch) >= CHUNK:
                yield from self._named(batch)
                batch = []
        yield from self._named(batch)

    def _named(self, batch: list[tuple[Resource, str]]) -> Iterator[Event]:
        """The events of some rows, with the accounts their words name."""
        usernames = {found[0].casefold() for row, _ in batch if (found := _USERNAME.search(row.text("Display") or ""))}
        ids: dict[str, str] = {}
        if usernames:
            query = select(("Id", "Username"), "User", where_in("Username", sorted(usernames)))
            for _, data in self._soql.rows(query, self._reading):
                account = self._reader.of(data)
                ids[(account.text("Username") or "").casefold()] = account.text("Id") or ""
        for row, kind in batch:
            event_id, at, words = row.text("Id"), row.instant("CreatedDate"), row.text("Display") or ""
            if event_id is None or at is None:
                self._reader.unread["event"] += 1
                continue
            named = _USERNAME.search(words)
            account_id = found[0] if (found := _ID.search(words)) else ids.get(named[0].casefold()) if named else None
            yield Event(self._application, event_id, at, kind, account_id or None, row.text("CreatedById"), True)


def _unpacked(mark: str | None) -> dict[str, str]:
    """When each table was read last; an older mark is one instant for all of them, and one of nobody's is none."""
    try:
        told = json.loads(mark or "{}")
        found = {name: str(told[name]) for name in TABLES if name in told} if isinstance(told, dict) else {}
    except ValueError:
        found = dict.fromkeys(TABLES, mark or "")
    return {name: at for name, at in found.items() if _is_instant(at)}


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
