"""A running campaign kept up with the facts: advice changes and says so, and nobody waits for a reviewer who left."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, select

from governance import audit
from governance.campaigns.assigning import Reviewers
from governance.campaigns.population import EARLIER
from governance.campaigns.preparing import active_deputies, items_of, newest_run, open_findings, people_of
from governance.campaigns.recommending import advise
from governance.campaigns.scope import Scope, plan_of
from governance.house import House
from governance.store.rows import table_of
from governance.tables import Campaign, ReviewItem

WORKER: Final = "worker"
_ITEM: Final = table_of(ReviewItem)


def refresh(house: House, now: datetime) -> dict[str, int]:
    """Bring every running campaign up to the newest detect run; says how many recommendations and reviewers changed.

    Only undecided items change. The population stays as it was frozen, and so does the first recommendation.
    """
    with house.store.read() as session:
        running = list(session.exec(select(Campaign.id).where(Campaign.status == "running")))
    changed = {"recommendations": 0, "reviewers": 0}
    for id in running:
        advice, reviewers = _refresh(house, now, id)
        changed["recommendations"] += advice
        changed["reviewers"] += reviewers
    return changed


def _refresh(house: House, now: datetime, id: str) -> tuple[int, int]:
    with house.store.read() as session:
        run = newest_run(session)
        campaign = session.get_one(Campaign, id)
        findings, deputies = open_findings(session), active_deputies(session, now)
        chosen = sa.select(*(_ITEM.c[name] for name in _READ)).where(
            _ITEM.c.campaign == id, _ITEM.c.decision.is_(None), _ITEM.c.control.is_(False)
        )
        waiting = [dict(row) for row in session.execute(chosen).mappings()]
        session.expunge(campaign)
    if not waiting:
        return 0, 0
    level = (campaign.scope or {}).get("items", "grants")
    scope = Scope(items=level, applications=tuple(sorted({row["application"] for row in waiting})))
    earlier = pl.DataFrame(schema=EARLIER)
    facts = items_of(house, run, scope, now, findings, earlier).to_dicts()
    by_key = {(f["application"], f["account_id"], f["entitlement_id"]): f for f in facts}
    advice = _advice(house, now, waiting, by_key)
    reviewers = Reviewers(people_of(house, run), house.settings, plan_of(campaign.plan), deputies)
    moved = []
    for row in waiting:
        if reviewers.addressed.left(row["reviewer"]):
            found = reviewers.escalation(row)
            if found.reviewer is not None:
                moved.append({"key": row["number"], "to": found.reviewer, "how": "fallback: the reviewer has left"})
    with house.store.write() as session:
        _write(session, id, now, advice, moved)
    return len(advice), len(moved)


_READ: Final = (
    *("number", "application", "account_id", "entitlement_id", "recommendation", "because", "reviewer", "identity_id"),
)


def _advice(
    house: House,
    now: datetime,
    waiting: list[dict[str, Any]],
    by_key: dict[tuple[str, str, str | None], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The rows whose recommendation is another one by now. What is gone is advised to be removed: nothing is lost."""
    known = [(row, by_key.get((row["application"], row["account_id"], row["entitlement_id"]))) for row in waiting]
    told = advise([facts for _, facts in known if facts is not None], house.settings.policy, now)
    found = []
    for row, facts in known:
        word, because = ("remove", "Not held any more") if facts is None else next(told)
        if (word, because) != (row["recommendation"], row["because"]):
            found.append({"key": row["number"], "word": word, "why": because, "changed": word != row["recommendation"]})
    return found


def _write(session: Session, id: str, now: datetime, advice: list[dict[str, Any]], moved: list[dict[str, Any]]) -> None:
    connection = session.connection()
    here = (_ITEM.c.campaign == id, _ITEM.c.number == sa.bindparam("key"), _ITEM.c.decision.is_(None))
    for other in (True, False):
        rows = [{k: v for k, v in row.items() if k != "changed"} for row in advice if row["changed"] is other]
        if rows:
            values: dict[str, Any] = {"recommendation": sa.bindparam("word"), "because": sa.bindparam("why")}
            if other:  # a reason that only counts one day more is no change a reviewer must be told of
                values["recommended_at"] = now
            connection.execute(sa.update(_ITEM).where(*here).values(**values), rows)
    if moved:
        to: dict[str, Any] = {"reviewer": sa.bindparam("to"), "via": sa.bindparam("how")}
        connection.execute(sa.update(_ITEM).where(*here).values(**to), moved)
        facts = {"numbers": [row["key"] for row in moved]}
        audit.append(
            session,
            now=now,
            actor=WORKER,
            verb="campaign.reassign",
            object=f"campaign/{id}",
            reason="the reviewer has left",
            facts=facts,
        )
