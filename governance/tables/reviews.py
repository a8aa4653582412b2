"""The tables of access reviews: campaigns, their items, every decision, and who decides for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from governance.tables.columns import Stored, document, instant, text


class Campaign(Stored, table=True):
    """One access review: its scope, its reviewers, its dates, and once it runs the frozen population."""

    id: str = Field(primary_key=True)  # ULID
    title: str = text("")
    template: str | None = None
    status: str = Field(default="draft", index=True)  # draft | running | closed | cancelled
    scope: dict[str, Any] = document()  # see governance.campaigns.scope
    plan: dict[str, Any] = document()  # reviewers, fallback, days, what becomes of undecided items
    schedule: str | None = None  # the schedule that began it
    previous: str | None = None  # the closed campaign it is compared with
    created_by: str = ""
    created_at: datetime = instant(nullable=False)
    launched_by: str | None = None
    launched_at: datetime | None = instant()
    due_at: datetime | None = instant(index=True)
    closed_by: str | None = None
    closed_at: datetime | None = instant()
    run: str | None = None  # the detect run the population was taken from
    population: str | None = None  # its file, relative to the home
    population_sha256: str = ""
    statement: dict[str, Any] = document()  # how complete and accurate the population is, and what was excluded
    outcome: dict[str, Any] = document()  # counts at close


class ReviewItem(Stored, table=True):
    """One account or grant in a campaign: the facts as frozen, who must decide, and the decision in force."""

    campaign: str = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # 1, 2, 3 ... as listed
    application: str
    account_id: str
    username: str | None = None
    entitlement_id: str | None = None  # None: the account itself
    entitlement: str | None = None  # its name
    identity_id: str | None = None
    identity_name: str | None = None
    position: str = ""  # "Accountant, Finance"
    employment: str = ""  # state of the owner as frozen: current | leave | ended ..., empty without an owner
    privileged: bool = False
    critical: bool = False  # never decided in bulk
    control: bool = False  # announced control row: known to be wrong, never carried out
    facts: dict[str, Any] = document()  # how, since, last use, peers, provenance, findings, what changed, earlier
    recommendation: str = "judge"  # keep | remove | change | judge
    because: str = text("")
    first_recommendation: str = "judge"  # as frozen: the earlier one is kept when facts change
    first_because: str = text("")
    recommended_at: datetime | None = instant()  # when the recommendation changed last
    reviewer: str | None = None  # e-mail of who must decide now
    via: str = ""  # how the reviewer was found: manager, application owner, ..., fallback: why
    level: int = 1
    later: list[list[str]] = document()  # reviewers of the levels after this one, each with how they were found
    decision: str | None = None  # keep | remove | change | not_mine; None while pending
    reason: str = text("")
    decided_by: str | None = None
    decided_at: datetime | None = instant()
    seconds: float | None = None  # how long the reviewer looked at it
    bulk: bool = False
    outcome: str | None = None  # at close: kept | removal proposed | change asked | ... with why
    remediation: str | None = None  # id

    # One index for each way a list is narrowed.
    __table_args__ = (
        sa.Index("reviewitem_reviewer", "reviewer", "campaign", "decision", "number"),
        sa.Index("reviewitem_account", "application", "account_id", "entitlement_id"),
        sa.Index(  # everything that is counted for a page, read from the index alone
            "reviewitem_tally",
            *("campaign", "reviewer", "decision", "recommendation", "privileged", "control", "recommended_at"),
            "decided_at",
        ),
    )


class ReviewDecision(Stored, table=True):
    """One decision as it was made; later ones stand beside it, none is ever changed."""

    id: str = Field(primary_key=True)  # ULID
    campaign: str = Field(index=True)
    number: int
    at: datetime = instant(nullable=False)
    by: str = ""
    decision: str = ""  # keep | remove | change | not_mine | undo
    reason: str = text("")
    recommendation: str = ""  # as shown when it was made
    level: int = 1
    seconds: float | None = None
    bulk: bool = False


class ReviewSignature(Stored, table=True):
    """A reviewer's word that everything given to them is decided; void once they decide anew."""

    campaign: str = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    at: datetime = instant(nullable=False)


class Delegation(Stored, table=True):
    """Who decides in somebody's place, from when until when and why."""

    id: str = Field(primary_key=True)  # ULID
    actor: str = Field(index=True)  # whose reviews
    deputy: str = Field(index=True)
    since: datetime = instant(nullable=False)
    until: datetime = instant(nullable=False)
    reason: str = text("")
    by: str = ""
    at: datetime = instant(nullable=False)
    ended_at: datetime | None = instant()


class ReviewSchedule(Stored, table=True):
    """A campaign that begins again and again, once the data are fresh enough."""

    id: str = Field(primary_key=True)  # ULID
    title: str = text("")
    template: str | None = None
    scope: dict[str, Any] = document()
    plan: dict[str, Any] = document()
    every_months: int = 3
    next_at: datetime = instant(index=True, nullable=False)
    created_by: str = ""
    created_at: datetime = instant(nullable=False)
    ended_at: datetime | None = instant()
    waiting: str | None = text()  # why it did not begin yet
    day: int | None = None  # of the month; a shorter month has its last day instead, and only that month


class EvidencePack(Stored, table=True):
    """One signed file that proves a closed campaign."""

    id: str = Field(primary_key=True)  # ULID
    campaign: str = Field(index=True)
    status: str = "waiting"  # waiting | building | ready | failed
    asked_by: str = ""
    asked_at: datetime = instant(nullable=False)
    built_at: datetime | None = instant()
    path: str | None = None  # relative to the home
    sha256: str = ""
    size: int = 0
    error: str | None = text()
