"""What happened in a Salesforce organisation: LoginHistory, SetupAuditTrail, and when accounts were made.

Confirmed in the object reference: LoginHistory needs Manage Users or Monitor Login History; LoginType is a label
("SAML Sfdc Initiated SSO", "Remote Access 2.0" ...); SetupAuditTrail is kept for 180 days. The audit trail's actions
are listed on no page of the vendor; these were found in public tools that filter it. It names the account in words
only: an id or username in them is read, a bare name is not guessed. Accounts made are read from their own rows, which
tell who made them: the account itself where SAML made it just in time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connectors.kit.resource import Reader, Resource
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from governance.records import Event, Reading

CHUNK: Final = 200
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
    """Reads them, each kind oldest first."""

    def __init__(self, soql: Soql, application: str, reading: Reading, reader: Reader) -> None:
        self._soql = soql
        self._application = application
        self._reading = reading
        self._reader = reader

    def read(self, since: datetime) -> Iterator[Event]:
        """Everything since then; a table that may not be seen is noted."""
        tables = (
            ("sign-ins", self._sign_in, ("Id", "UserId", "LoginTime", "LoginType", "Status"), "LoginHistory"),
            ("accounts made", self._made, ("Id", "CreatedDate", "CreatedById"), "User"),
        )
        for what, event, columns, table in tables:
            at = "LoginTime" if table == "LoginHistory" else "CreatedDate"
            query = select(columns, table, where(at, since, ">="), order=at)
            try:
                for _, data in self._soql.rows(query, self._reading):
                    if (found := event(self._reader.of(data))) is not None:
                        yield found
            except NotReadable:
                self._reading.notes.append(f"{what} may not be seen: it needs the permission Monitor Login History")
        try:
            yield from self._audit_trail(since)
        except NotReadable:
            self._reading.notes.append("the audit trail may not be seen: it needs View Setup and Configuration")

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
