"""A campaign before it begins: its items, who must decide about each, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.campaigns.addressed import Person
from governance.campaigns.assigning import Found, Reviewers
from governance.campaigns.population import EARLIER, FINDINGS, population
from governance.campaigns.recommending import Advice, advise
from governance.campaigns.scope import ReviewPlan, Scope
from governance.errors import DecisionError
from governance.findings import table
from governance.house import House
from governance.tables import Campaign, Delegation, DetectRun, Finding, ReviewItem


@dataclass(frozen=True)
class Prepared:
    """What a campaign would review now, item by item: `items`, `advice` and `found` have the same order."""

    run: DetectRun
    scope: Scope
    plan: ReviewPlan  # its fallback named as they act
    items: list[dict[str, Any]]  # see `population`
    advice: list[Advice]
    found: list[list[Found]]  # a reviewer for each level
    left_out: list[dict[str, Any]]
    frame: pl.DataFrame  # items and what was left out, as it is frozen
    reviewed: pl.DataFrame  # the items alone, as columns


def prepare(house: House, now: datetime, scope: Scope, plan: ReviewPlan) -> Prepared:
    """The items of the newest detect run with their advice and reviewers; DecisionError before the first run."""
    with house.store.read() as session:
        run = newest_run(session)
        findings = open_findings(session)
        earlier = _reviewed_before(session)
        deputies = active_deputies(session, now)
    whole = items_of(house, run, scope, now, findings, earlier)
    chosen = whole.filter(pl.col("left_out").is_null()) if whole.height else whole
    if whole.height:
        chosen = chosen.with_columns(number=pl.int_range(1, chosen.height + 1, dtype=pl.Int64))
    items = chosen.to_dicts()
    reviewers = Reviewers(people_of(house, run), house.settings, plan, deputies)
    return Prepared(
        run=run,
        scope=scope,
        plan=plan.model_copy(update={"fallback": reviewers.addressed.acts_as(plan.fallback)}),
        items=items,
        advice=list(advise(items, house.settings.policy, now)),
        found=[reviewers.assign(item) for item in items],
        left_out=whole.filter(pl.col("left_out").is_not_null()).to_dicts() if whole.height else [],
        frame=whole,
        reviewed=chosen,
    )


def items_of(
    house: House, run: DetectRun, scope: Scope, now: datetime, findings: pl.DataFrame, earlier: pl.DataFrame
) -> pl.DataFrame:
    """The population of this scope in the estate of that run."""
    estate = house.snapshots / run.estate
    return population(lambda name: table(estate, name), scope, house.settings, now, findings, earlier)


def newest_run(session: Session) -> DetectRun:
    """The newest detect run whose estate is kept; DecisionError when there is none."""
    newest = select(DetectRun).where(DetectRun.estate != "").order_by(col(DetectRun.id).desc()).limit(1)
    run = session.exec(newest).first()
    if run is None:
        raise DecisionError("nothing was read yet: `leaverwatch pull`, then `leaverwatch detect`, then begin a review")
    session.expunge(run)
    return run


def people_of(house: House, run: DetectRun) -> dict[str, Person]:
    """Everybody the sources know, as the search for a reviewer needs them."""
    frame = table(house.snapshots / run.estate, "identities")
    if frame is None:
        return {}
    chosen = ("identity_id", "email", "manager_id", "state", "aliases", "former_emails")
    rows = frame.select(*chosen).collect().iter_rows()
    return {id: Person(email, manager, state or "unknown", *others) for id, email, manager, state, *others in rows}


def open_findings(session: Session) -> pl.DataFrame:
    """Every open finding about an account (FINDINGS)."""
    query = sa.select(col(Finding.application), col(Finding.account_id), col(Finding.rule), col(Finding.severity))
    rows = session.execute(query.where(col(Finding.status) == "open", col(Finding.account_id).is_not(None))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=FINDINGS, orient="row")


def _reviewed_before(session: Session) -> pl.DataFrame:
    """The last closed review of every account and grant (EARLIER)."""
    query = (
        sa.select(
            col(ReviewItem.application),
            col(ReviewItem.account_id),
            col(ReviewItem.entitlement_id),
            col(Campaign.closed_at),
            col(ReviewItem.position),
            col(ReviewItem.privileged),
        )
        .join(Campaign, col(Campaign.id) == col(ReviewItem.campaign))
        .where(col(Campaign.status) == "closed", col(ReviewItem.control).is_(False))
    )
    rows = [tuple(row) for row in session.execute(query)]
    before = pl.DataFrame(rows, schema=EARLIER, orient="row").sort("before_at")
    return before.unique(["application", "account_id", "entitlement_id"], keep="last", maintain_order=True)


def active_deputies(session: Session, now: datetime) -> dict[str, str]:
    """Whose reviews somebody else decides at this moment: e-mail -> e-mail of the deputy."""
    chosen = select(Delegation).where(
        Delegation.since <= now, Delegation.until > now, col(Delegation.ended_at).is_(None)
    )
    return {row.actor: row.deputy for row in session.exec(chosen.order_by(col(Delegation.id)))}
