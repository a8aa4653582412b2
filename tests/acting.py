"""What the tests of acting share: an application in memory, and a house whose estate and findings are as told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from msgspec.structs import replace
from sqlmodel import col, select
from ulid import ULID

from connectors.kit.contract import CanDeactivate, CanReactivate, Checked, Circumstances, Connector, Field
from governance.access import Actor
from governance.errors import LeaverwatchError
from governance.house import House
from governance.records import Account, Receipt, Record
from governance.store import put_rows
from governance.tables import AuditDetail, AuditEntry, DetectRun, Finding, Remediation
from governance.tables import Connector as Declaration

ESTATE = {
    "application": pl.String,
    "account_id": pl.String,
    "username": pl.String,
    "email": pl.String,
    "kind": pl.String,
    "active": pl.Boolean,
    "privileged": pl.Boolean,
    "present": pl.Boolean,
    "owner_id": pl.String,
    "match": pl.String,
    "candidates": pl.String,
    "protected": pl.Boolean,
    "as_of_s": pl.Int64,
}
IDENTITIES = dict.fromkeys(("identity_id", "email", "aliases", "former_emails"), pl.String)

SAM = Actor("sam@corp.example", "Sam", frozenset({"security"}))
SUE = Actor("sue@corp.example", "Sue", frozenset({"security"}))
TOM = Actor("tom@corp.example", "Tom", frozenset({"security"}))
OTTO = Actor("otto@corp.example", "Otto", frozenset({"application_owner"}), applications=frozenset({"paper"}))
ANN = Actor("ann@corp.example", "Ann", frozenset({"approver"}))
ADA = Actor("ada@corp.example", "Ada", frozenset({"auditor"}))

SETTINGS: dict[str, Any] = {
    "act": {"enabled": True, "max_per_run": 1000, "max_share": 1.0},
    "application": [
        {"name": "crm", "connector": "memory", "write_token": {"env": "T"}, "own_account": "leaverwatch"},
        {"name": "wiki", "connector": "memory", "write_token": {"env": "T"}},
        {"name": "paper", "connector": "app_csv", "path": "paper.csv", "owner": "otto@corp.example"},
        {"name": "closed", "connector": "memory"},
    ],
    "protected": [{"application": "crm", "account": "root", "why": "break_glass", "owner": "sec@corp.example"}],
}


@dataclass
class Applications:
    """Applications held in memory: what accounts they have, what was asked of them, and how they misbehave."""

    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)  # verb, application, account_id
    opened: list[tuple[str, bool]] = field(default_factory=list)  # application, write
    lie: bool = False
    before: Callable[[str, str, str], None] = lambda *_: None  # verb, application, account_id: may raise
    after: Callable[[str, str, str], None] = lambda *_: None
    house: House | None = None

    def connect(self, name: str, write: bool) -> Connector:
        assert self.house is not None
        self.opened.append((name, write))
        feed = self.house.settings.application_named(name)
        return Memory(
            self,
            feed,
            Circumstances(datetime.now().astimezone(), Path(), write=write and "write_token" in feed.options),
        )

    def writes(self) -> list[str]:
        return [account_id for verb, _, account_id in self.calls if verb != "read"]

    def take(self, verb: str, application: str, account_id: str) -> None:
        self.before(verb, application, account_id)
        self.calls.append((verb, application, account_id))


class Memory(Connector, CanDeactivate, CanReactivate):
    """A connector over `Applications`."""

    title = "In memory"
    kind = "application"
    fields = (Field("write_token", "", "secret"), Field("path", ""))

    def __init__(self, applications: Applications, feed: Any, given: Circumstances) -> None:
        super().__init__(feed, given)
        self.applications = applications

    def check(self) -> Checked:
        return Checked()

    def records(self) -> Iterator[Record]:
        yield from ()

    def account(self, account_id: str) -> Account | None:
        self.applications.take("read", self.feed.name, account_id)
        found = self.applications.accounts.get((self.feed.name, account_id))
        self.applications.after("read", self.feed.name, account_id)
        return found

    def deactivate(self, account_id: str) -> Receipt:
        return self._switch("deactivate", account_id, False)

    def reactivate(self, account_id: str) -> Receipt:
        return self._switch("reactivate", account_id, True)

    def _switch(self, verb: str, account_id: str, active: bool) -> Receipt:
        assert self.given.write, "a connector that may not write was asked to"
        self.applications.take(verb, self.feed.name, account_id)
        key = (self.feed.name, account_id)
        if not self.applications.lie:
            self.applications.accounts[key] = replace(self.applications.accounts[key], active=active)
        self.applications.after(verb, self.feed.name, account_id)
        return Receipt(self.given.now, f"PATCH {account_id}", "200")


def account(application: str, account_id: str, **more: Any) -> dict[str, Any]:
    """An account as the estate holds it: active, of a human, owned by `hr:<account_id>`."""
    row = {
        "application": application,
        "account_id": account_id,
        "username": account_id,
        "email": f"{account_id}@corp.example",
        "kind": "human",
        "active": True,
        "privileged": False,
        "present": True,
        "owner_id": f"hr:{account_id}",
        "match": "matched",
        "candidates": None,
        "protected": False,
    }
    return row | more


@dataclass
class Ground:
    """A house that has detected: accounts, one open finding for each, and the applications they live in."""

    house: House
    now: datetime
    applications: Applications = field(default_factory=Applications)
    number: int = 0

    def stand(self, accounts: Iterable[dict[str, Any]], rule: str = "ghost", at: datetime | None = None) -> list[str]:
        """Detect these accounts with one finding of `rule` each; returns the fingerprints in their order."""
        self.applications.house = self.house
        rows = [{**row, "as_of_s": int((at or self.now).timestamp())} for row in accounts]
        self.number += 1
        folder = self.house.snapshots / f"estate-{self.number}"
        folder.mkdir(parents=True)
        frame = pl.DataFrame(rows, schema=ESTATE).sort("application", "account_id")
        frame.write_parquet(folder / "accounts.parquet")
        owners = sorted({row["owner_id"] for row in rows if row["owner_id"]})
        people = [{"identity_id": o, "email": f"{o.removeprefix('hr:')}@corp.example"} for o in owners]
        pl.DataFrame(people, schema=IDENTITIES).write_parquet(folder / "identities.parquet")
        prints = [f"{rule}|{row['application']}|{row['account_id']}" for row in rows]
        with self.house.store.write() as session:
            session.add(
                DetectRun(
                    id=str(ULID.from_datetime(self.now + timedelta(milliseconds=self.number))),
                    as_of=self.now,
                    started_at=self.now,
                    estate=folder.name,
                )
            )
            if session.get(Declaration, "memory") is None:
                session.add(Declaration(name="memory", capabilities=["pull", "read_one", "deactivate", "reactivate"]))
            known = {f.fingerprint for f in session.exec(select(Finding)).all()}
            put_rows(
                session,
                Finding,
                [
                    {
                        "fingerprint": fingerprint,
                        "rule": rule,
                        "severity": "critical",
                        "score": 90,
                        "status": "open",
                        "application": row["application"],
                        "account_id": row["account_id"],
                        "username": row["username"],
                        "identity_id": row["owner_id"],
                        "identity_name": None,
                        "reason": "left and is still active",
                        "evidence": {},
                        "search": "",
                        "digest": f"digest of {fingerprint}",
                        "first_seen": self.now,
                        "opened_at": self.now,
                        "reopened": 0,
                    }
                    for fingerprint, row in zip(prints, rows, strict=True)
                    if fingerprint not in known
                ],
            )
        for row in rows:
            key = (row["application"], row["account_id"])
            self.applications.accounts[key] = Account(
                *key, username=row["username"], email=row["email"], kind=row["kind"], active=row["active"]
            )
        return prints

    def remediation(self, id: str) -> Remediation:
        with self.house.store.read() as session:
            return session.get_one(Remediation, id)

    def finding(self, fingerprint: str) -> Finding:
        with self.house.store.read() as session:
            return session.get_one(Finding, fingerprint)

    def change_finding(self, fingerprint: str, **values: Any) -> None:
        with self.house.store.write() as session:
            finding = session.get_one(Finding, fingerprint)
            for name, value in values.items():
                setattr(finding, name, value)
            session.add(finding)

    def audited(self, id: str) -> list[str]:
        """What the audit says was done about a remediation, oldest first."""
        with self.house.store.read() as session:
            lines = session.exec(
                select(AuditEntry).where(AuditEntry.object == f"remediation/{id}").order_by(col(AuditEntry.seq))
            )
            return [line.verb for line in lines]

    def audit(self) -> list[tuple[AuditEntry, dict[str, Any]]]:
        with self.house.store.read() as session:
            details = {d.seq: d.facts for d in session.exec(select(AuditDetail))}
            return [
                (line, details.get(line.seq, {}))
                for line in session.exec(select(AuditEntry).order_by(col(AuditEntry.seq)))
            ]


def refusal(call: Callable[[], object]) -> LeaverwatchError | None:
    """The refusal a call raises; None when it does not."""
    try:
        call()
    except LeaverwatchError as error:
        return error
    return None
