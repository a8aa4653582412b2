"""The tables of the store: decisions, never facts. Instants are aware datetimes in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, on engines that keep time zones and on those that do not."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse naive instants; keep UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored; instants are aware and in UTC")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None else None


def _instant(*, index: bool = False, nullable: bool = True) -> Any:
    return Field(default=None, sa_type=Instant, index=index, nullable=nullable)


def _json() -> Any:
    return Field(default=None, sa_type=sa.JSON, nullable=True)


def _text(default: str | None = None) -> Any:
    return Field(default=default, sa_type=sa.Text, nullable=True)


class Snapshot(SQLModel, table=True):
    """One pull of one feed: staged (invisible), held by a guard, published, replaced, or rejected."""

    id: str = Field(primary_key=True)  # ULID, also the folder's name
    feed: str = Field(index=True)
    kind: str  # source | application
    at: datetime = _instant(index=True, nullable=False)  # what time the facts are of
    pulled_at: datetime = _instant(nullable=False)
    status: str = Field(index=True)  # staged | held | published | replaced
    sha256: str = ""
    path: str = ""
    rows: dict[str, int] = _json()  # {"identities": n, "accounts": n, ...}: rows present
    change: dict[str, Any] = _json()  # {"base": n, "removed": n, "added": n, "changed_key": n}
    event_mark: str | None = _text()  # where the next pull goes on reading events; visible with the events before it
    held_why: str | None = _text()
    released_by: list[str] = _json()  # actors; two different ones release
    published_at: datetime | None = _instant()
    account_mark: str | None = _text()  # where a reading of changes goes on from the accounts in this snapshot
    whole_at: datetime | None = _instant()  # when everything was read that the changes were laid over


class Pull(SQLModel, table=True):
    """Raw-source evidence of one pull, also of the failed ones."""

    id: str = Field(primary_key=True)  # ULID
    feed: str = Field(index=True)
    at: datetime = _instant(index=True, nullable=False)
    started_at: datetime = _instant(nullable=False)
    finished_at: datetime | None = _instant()
    status: str  # running | ok | held | failed
    snapshot: str | None = None
    source: str = _text("")
    filters: str = _text("")
    pages: int = 0
    declared_total: int | None = None
    rows_read: int = 0
    kept: int = 0
    rejected: int = 0
    duplicates: int = 0
    clamped: int = 0
    rejects: list[dict[str, Any]] = _json()  # the first 1,000: where, column, reason
    notes: list[str] = _json()
    sha256: str = ""
    error_kind: str | None = None  # class name of the error
    error: str | None = _text()


class DetectRun(SQLModel, table=True):
    """One run of the rulebook that was stored: what it saw and what it concluded."""

    id: str = Field(primary_key=True)  # ULID
    as_of: datetime = _instant(index=True, nullable=False)
    started_at: datetime = _instant(nullable=False)
    finished_at: datetime | None = _instant()
    estate: str = ""  # folder of the estate, relative to the snapshot root
    snapshots: dict[str, str] = _json()  # feed -> snapshot id
    sentence: str = _text("")
    counts: dict[str, int] = _json()  # rule -> findings open
    not_evaluable: dict[str, Any] = _json()  # application -> rule -> reason
    summary: dict[str, Any] = _json()  # the numbers of the pages, see findings.summarise
    changed: dict[str, int] = _json()  # opened, reopened, resolved, updated


class Finding(SQLModel, table=True):
    """One fact a rule holds, with its evidence. `last_seen` is computed: the last run while it is open."""

    fingerprint: str = Field(primary_key=True)
    rule: str
    severity: str
    score: int
    status: str  # open | excluded | in_remediation | resolved
    application: str | None = None
    account_id: str | None = None
    username: str | None = None
    identity_id: str | None = None
    identity_name: str | None = None
    reason: str = _text("")
    evidence: dict[str, Any] = _json()
    search: str = _text("")  # folded text the search box looks in
    digest: str = ""  # SHA-256 over everything a run may change: equal means nothing to write
    first_seen: datetime = _instant(nullable=False)
    opened_at: datetime = _instant(nullable=False)  # first_seen, or when it was last reopened
    since_at: datetime | None = _instant()  # since when it is so in the world: for a leaver, the day of leaving
    resolved_at: datetime | None = _instant()
    resolved_why: str | None = None  # inactive | gone | verified | no_longer_true
    reopened: int = 0

    # One index for each way a list is narrowed, each ending in the order of the list; the tally is read from one alone.
    __table_args__ = (
        sa.Index("finding_order", "status", sa.text("score DESC"), "fingerprint", "severity"),
        sa.Index("finding_rule", "rule", "status", sa.text("score DESC"), "fingerprint"),
        sa.Index("finding_application", "application", "status", sa.text("score DESC"), "fingerprint"),
        sa.Index("finding_tally", "status", "application", "rule", sa.text("score DESC"), "fingerprint", "severity"),
        sa.Index("finding_identity", "identity_id", "status", sa.text("score DESC"), "fingerprint"),
        sa.Index("finding_account", "application", "account_id"),
    )


class Exclusion(SQLModel, table=True):
    """A reasoned, signed exception from one finding, with an end date."""

    id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True)
    reason: str = _text("")
    actor: str = ""
    at: datetime = _instant(nullable=False)
    until: datetime = _instant(nullable=False)
    ended_at: datetime | None = _instant()


class Pin(SQLModel, table=True):
    """A person's decision whose an account is."""

    application: str = Field(primary_key=True)
    account_id: str = Field(primary_key=True)
    identity_id: str
    reason: str = _text("")
    actor: str = ""
    at: datetime = _instant(nullable=False)


class Remediation(SQLModel, table=True):
    """Carrying out one removal, from proposal to proof."""

    id: str = Field(primary_key=True)  # ULID
    status: str = Field(index=True)
    application: str = Field(index=True)
    account_id: str
    username: str | None = None
    identity_id: str | None = None
    identity_name: str | None = None
    finding: str = Field(index=True)  # fingerprint
    rule: str = ""
    action: str = "deactivate"  # deactivate | manual
    plan_digest: str = ""  # what the approval is bound to
    evidence: dict[str, Any] = _json()  # facts at proposal, receipts, read-backs
    reason: str = _text("")
    proposed_by: str = ""
    proposed_at: datetime = _instant(nullable=False)
    approved_by: str | None = None
    approved_at: datetime | None = _instant()
    approval_reason: str | None = _text()
    second_approver: str | None = None  # where two actors are needed
    expires_at: datetime | None = _instant()
    executing_at: datetime | None = _instant()
    executed_at: datetime | None = _instant()
    verified_at: datetime | None = _instant()
    attempts: int = 0
    error: str | None = _text()

    __table_args__ = (sa.Index("remediation_account", "application", "account_id"),)


class RunHold(SQLModel, table=True):
    """A remediation run over its cap, waiting until two actors release exactly that one."""

    id: str = Field(primary_key=True)  # ULID
    at: datetime = _instant(nullable=False)
    sha256: str = ""  # of the sorted remediation ids
    remediations: list[str] = _json()
    why: str = _text("")
    status: str = "held"  # held | released | used | dropped
    released_by: list[str] = _json()


class Request(SQLModel, table=True):
    """Work a page or verb asks the worker to do."""

    id: str = Field(primary_key=True)  # ULID
    at: datetime = _instant(nullable=False)
    actor: str = ""
    verb: str = ""  # job name: pull | detect | remediate | verify
    arguments: dict[str, Any] = _json()
    status: str = Field(default="waiting", index=True)  # waiting | doing | done | failed
    finished_at: datetime | None = _instant()
    error: str | None = _text()


class JobRun(SQLModel, table=True):
    """One run of one job: when, how long, what it counted, what went wrong."""

    id: str = Field(primary_key=True)  # ULID
    job: str = Field(index=True)
    feed: str | None = None
    started_at: datetime = _instant(index=True, nullable=False)
    finished_at: datetime | None = _instant()
    status: str = "running"  # running | ok | failed | stopped (by a guard)
    by: str = "scheduler"  # scheduler | an actor's e-mail
    counts: dict[str, Any] = _json()
    error: str | None = _text()


class Lease(SQLModel, table=True):
    """Who took a lease last. The token grows by one each time; what an earlier holder still writes is refused."""

    name: str = Field(primary_key=True)
    token: int = Field(default=0, sa_type=sa.BigInteger)
    beat: int = Field(default=0, sa_type=sa.BigInteger)  # grows while the holder lives
    holder: str = ""
    taken_at: datetime = _instant(nullable=False)


class Connector(SQLModel, table=True):
    """What one connector declares, written at start so that pages need no connector."""

    name: str = Field(primary_key=True)
    title: str = ""
    kind: str = ""  # source | application | both
    fields: list[dict[str, Any]] = _json()
    capabilities: list[str] = _json()
    tells: list[str] = _json()
    scopes: dict[str, list[str]] = _json()
    plans: list[str] = _json()  # limits of licences and plans, in plain words
    covers: list[str] = _json()  # which kinds of accounts are read, and which are not
    limits: list[dict[str, Any]] = _json()  # rate limits: requests, per_s, match
    family: str | None = None  # what a catalogue groups it by: identity provider | application | protocol | hr


class StoredSecret(SQLModel, table=True):
    """One secret, encrypted (AES-GCM)."""

    name: str = Field(primary_key=True)
    nonce: bytes = b""
    sealed: bytes = b""


class PolicyVersion(SQLModel, table=True):
    """One policy that was in force: its thresholds, who brought it in and why."""

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # 1, 2, 3 ...
    digest: str = ""  # SHA-256 of the thresholds
    at: datetime = _instant(nullable=False)
    actor: str = ""  # an actor's e-mail, or `operator` for an edit of the file or the environment
    reason: str = _text("")
    thresholds: dict[str, Any] = _json()  # every one of them, as the settings write them
    changes: list[dict[str, Any]] = _json()  # against the version before: key, before, after


class AuditEntry(SQLModel, table=True):
    """One immutable line, chained to the one before."""

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = _instant(nullable=False)
    actor: str = ""
    verb: str = ""
    object: str = Field(default="", index=True)
    reason: str = _text("")
    facts_digest: str = ""
    previous: str = ""
    hash: str = ""


class AuditDetail(SQLModel, table=True):
    """Personal details of an audit entry: salted, apart, erasable without breaking the chain."""

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    salt: str = ""
    facts: dict[str, Any] = _json()
