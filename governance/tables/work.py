"""The tables of the main job: pulls, findings, remediations, jobs and the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field

from governance.tables.columns import Stored, document, instant, text


class Snapshot(Stored, table=True):
    """One pull of one feed: staged (invisible), held by a guard, published, replaced, or rejected."""

    __table_args__ = (sa.Index("snapshot_newest", "feed", "status", "at", "id"),)

    id: str = Field(primary_key=True)  # ULID, also the folder's name
    feed: str = Field(index=True)
    kind: str  # source | application
    at: datetime = instant(index=True, nullable=False)  # what time the facts are of
    pulled_at: datetime = instant(nullable=False)
    status: str = Field(index=True)  # staged | held | published | replaced
    sha256: str = ""
    path: str = ""
    rows: dict[str, int] = document()  # {"identities": n, "accounts": n, ...}: rows present
    change: dict[str, Any] = document()  # the fields of governance.snapshots.Change
    event_mark: str | None = text()  # where the next pull goes on reading events; visible with the events before it
    held_why: str | None = text()
    released_by: list[str] = document()  # actors; two different ones release
    published_at: datetime | None = instant()
    account_mark: str | None = text()  # where a reading of changes goes on from the accounts in this snapshot
    whole_at: datetime | None = instant()  # when everything was read that the changes were laid over


class Pull(Stored, table=True):
    """Raw-source evidence of one pull, also of the failed ones."""

    __table_args__ = (sa.Index("pull_newest", "feed", "id"), sa.Index("pull_since", "feed", "at"))

    id: str = Field(primary_key=True)  # ULID
    feed: str = Field(index=True)
    at: datetime = instant(index=True, nullable=False)
    started_at: datetime = instant(nullable=False)
    finished_at: datetime | None = instant()
    status: str  # running | ok | held | failed
    snapshot: str | None = None
    source: str = text("")
    filters: str = text("")
    pages: int = 0
    declared_total: int | None = None
    rows_read: int = 0
    kept: int = 0
    rejected: int = 0
    duplicates: int = 0
    clamped: int = 0
    rejects: list[dict[str, Any]] = document()  # the first 1,000: where, column, reason
    notes: list[str] = document()
    sha256: str = ""
    error_kind: str | None = None  # class name of the error
    error: str | None = text()


class DetectRun(Stored, table=True):
    """One run of the rulebook that was stored: what it saw and what it concluded."""

    id: str = Field(primary_key=True)  # ULID
    as_of: datetime = instant(index=True, nullable=False)
    started_at: datetime = instant(nullable=False)
    finished_at: datetime | None = instant()
    estate: str = ""  # folder of the estate, relative to the snapshot root
    snapshots: dict[str, str] = document()  # feed -> snapshot id
    sentence: str = text("")
    counts: dict[str, int] = document()  # rule -> findings open
    not_evaluable: dict[str, Any] = document()  # application -> rule -> reason
    summary: dict[str, Any] = document()  # the numbers of the pages, see findings.summarise
    changed: dict[str, int] = document()  # opened, reopened, resolved, updated


class Finding(Stored, table=True):
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
    reason: str = text("")
    evidence: dict[str, Any] = document()
    search: str = text("")  # folded text the search box looks in
    digest: str = ""  # SHA-256 over everything a run may change: equal means nothing to write
    first_seen: datetime = instant(nullable=False)
    opened_at: datetime = instant(nullable=False)  # first_seen, or when it was last reopened
    since_at: datetime | None = instant()  # since when it is so in the world: for a leaver, the day of leaving
    resolved_at: datetime | None = instant()
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


class Exclusion(Stored, table=True):
    """A reasoned, signed exception from one finding, with an end date."""

    id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True)
    reason: str = text("")
    actor: str = ""
    at: datetime = instant(nullable=False)
    until: datetime = instant(nullable=False)
    ended_at: datetime | None = instant()
    second: str | None = None  # who agreed, where one person is not enough
    waits: bool | None = None  # for that second person: until then it excludes nothing


class Pin(Stored, table=True):
    """A person's decision whose an account is."""

    application: str = Field(primary_key=True)
    account_id: str = Field(primary_key=True)
    identity_id: str
    reason: str = text("")
    actor: str = ""
    at: datetime = instant(nullable=False)


UNDER_WAY: Final = ("proposed", "approved", "scheduled", "executing", "executed")  # of a removal that has not ended


class Remediation(Stored, table=True):
    """Carrying out one removal, from proposal to proof."""

    id: str = Field(primary_key=True)  # ULID
    status: str = Field(index=True)
    application: str = Field(index=True)
    account_id: str
    username: str | None = None
    identity_id: str | None = None
    identity_name: str | None = None
    finding: str = Field(index=True)  # fingerprint; empty where a reviewer decided
    rule: str = ""
    action: str = "deactivate"  # deactivate | revoke | manual
    plan_digest: str = ""  # what the approval is bound to
    evidence: dict[str, Any] = document()  # facts at proposal, receipts, read-backs
    reason: str = text("")
    proposed_by: str = ""
    proposed_at: datetime = instant(nullable=False)
    approved_by: str | None = None
    approved_at: datetime | None = instant()
    approval_reason: str | None = text()
    second_approver: str | None = None  # where two actors are needed
    expires_at: datetime | None = instant()
    executing_at: datetime | None = instant()
    executed_at: datetime | None = instant()
    verified_at: datetime | None = instant()
    attempts: int = 0
    error: str | None = text()
    campaign: str | None = None  # the access review that decided it, and
    number: int | None = None  # the item in it
    entitlement_id: str | None = None  # what is taken away; None: the account is deactivated

    __table_args__ = (sa.Index("remediation_account", "application", "account_id"),)


class RunHold(Stored, table=True):
    """A remediation run over its cap, waiting until two actors release exactly that one."""

    id: str = Field(primary_key=True)  # ULID
    at: datetime = instant(nullable=False)
    sha256: str = ""  # of the sorted remediation ids
    remediations: list[str] = document()
    why: str = text("")
    status: str = "held"  # held | released | used | dropped
    released_by: list[str] = document()


class Request(Stored, table=True):
    """Work a page or verb asks the worker to do."""

    id: str = Field(primary_key=True)  # ULID
    at: datetime = instant(nullable=False)
    actor: str = ""
    verb: str = ""  # job name: pull | detect | remediate | verify
    arguments: dict[str, Any] = document()
    status: str = Field(default="waiting", index=True)  # waiting | doing | done | failed
    finished_at: datetime | None = instant()
    error: str | None = text()


class JobRun(Stored, table=True):
    """One run of one job: when, how long, what it counted, what went wrong."""

    id: str = Field(primary_key=True)  # ULID
    job: str = Field(index=True)
    feed: str | None = None
    started_at: datetime = instant(index=True, nullable=False)
    finished_at: datetime | None = instant()
    status: str = "running"  # running | ok | failed | stopped (by a guard)
    by: str = "scheduler"  # scheduler | an actor's e-mail
    counts: dict[str, Any] = document()
    error: str | None = text()


class Lease(Stored, table=True):
    """Who took a lease last. The token grows by one each time; what an earlier holder still writes is refused."""

    name: str = Field(primary_key=True)
    token: int = Field(default=0, sa_type=sa.BigInteger)
    beat: int = Field(default=0, sa_type=sa.BigInteger)  # grows while the holder lives
    holder: str = ""
    taken_at: datetime = instant(nullable=False)


class Connector(Stored, table=True):
    """What one connector declares, written at start so that pages need no connector."""

    name: str = Field(primary_key=True)
    title: str = ""
    kind: str = ""  # source | application | both
    fields: list[dict[str, Any]] = document()
    capabilities: list[str] = document()
    tells: list[str] = document()
    scopes: dict[str, list[str]] = document()
    plans: list[str] = document()  # limits of licences and plans, in plain words
    covers: list[str] = document()  # which kinds of accounts are read, and which are not
    limits: list[dict[str, Any]] = document()  # of rates: requests, per_s, match; of pushes: manner, text, steps, days
    family: str | None = None  # what a catalogue groups it by: identity provider | application | protocol | hr


class StoredSecret(Stored, table=True):
    """One secret, encrypted (AES-GCM)."""

    name: str = Field(primary_key=True)
    nonce: bytes = b""
    sealed: bytes = b""


class PolicyVersion(Stored, table=True):
    """One policy that was in force: its thresholds, who brought it in and why."""

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # 1, 2, 3 ...
    digest: str = ""  # SHA-256 of the thresholds
    at: datetime = instant(nullable=False)
    actor: str = ""  # an actor's e-mail, or `operator` for an edit of the file or the environment
    reason: str = text("")
    thresholds: dict[str, Any] = document()  # every one of them, as the settings write them
    changes: list[dict[str, Any]] = document()  # against the version before: key, before, after


class AuditEntry(Stored, table=True):
    """One immutable line, chained to the one before."""

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = instant(nullable=False)
    actor: str = ""
    verb: str = ""
    object: str = Field(default="", index=True)
    reason: str = text("")
    facts_digest: str = ""
    previous: str = ""
    hash: str = ""


class AuditDetail(Stored, table=True):
    """Personal details of an audit entry: salted, apart, erasable without breaking the chain."""

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    salt: str = ""
    facts: dict[str, Any] = document()
