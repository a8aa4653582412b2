"""Beginning a campaign: drafted, then its population is frozen, hashed and given to its reviewers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import merge
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlmodel import col, delete, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns.assigning import Found
from governance.campaigns.controls import control_rows
from governance.campaigns.population import BORN
from governance.campaigns.preparing import Prepared, prepare
from governance.campaigns.recommending import Advice
from governance.campaigns.scope import plan_of, scope_of
from governance.campaigns.statement import statement
from governance.errors import AlreadyDecided, DecisionError
from governance.findings.headline import count
from governance.house import House
from governance.snapshots.writing import write
from governance.store import put_rows
from governance.tables import Campaign, ReviewItem

FOLDER: Final = "evidence"
POPULATION: Final = "population"
LONGEST: Final = timedelta(days=180)
_AT_ONCE: Final = 20_000  # rows in one transaction: others write in between


def create(
    house: House,
    actor: Actor,
    now: datetime,
    title: str,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    *,
    template: str | None = None,
    schedule: str | None = None,
) -> Campaign:
    """Draft a campaign; nothing is frozen and nobody is asked before `launch`."""
    demand(actor, Verb.CAMPAIGN)
    if not title.strip():
        raise DecisionError("a campaign needs a title that its reviewers understand")
    made = Campaign(
        id=str(ULID.from_datetime(now)),
        title=title.strip(),
        template=template,
        status="draft",
        scope=scope_of(dict(scope)).model_dump(mode="json", exclude_defaults=True),
        plan=plan_of(dict(plan)).model_dump(mode="json"),
        schedule=schedule,
        created_by=actor.email,
        created_at=now,
    )
    with house.store.write() as session:
        session.add(made)
        facts = {"scope": made.scope, "plan": made.plan}
        audit.append(
            session, now=now, actor=actor.email, verb="campaign.create", object=_of(made), reason=title, facts=facts
        )
    return made


def launch(house: House, actor: Actor, now: datetime, id: str) -> Campaign:
    """Freeze the population and give every item to its reviewer.

    DecisionError names the items nobody could decide, and a scope that holds nothing. A launch that was cut short is
    begun anew: until its last step the campaign is a draft.
    """
    demand(actor, Verb.CAMPAIGN)
    draft = load(house, id)
    if draft.status != "draft":
        raise AlreadyDecided(f"campaign {id} is {draft.status}")
    made = prepare(house, now, scope_of(draft.scope), plan_of(draft.plan))
    _demand_resolved(made)
    said = statement(house, made, now)
    controls = sorted(control_rows(id, made, now), key=_by_name)
    own = rows_of(id, made.items, made.advice, made.found)
    rows = [{"number": number, **row} for number, row in enumerate(merge(own, controls, key=_by_name), 1)]
    path, digest = _freeze(house, id, made, [row["number"] for row in rows if not row["control"]])
    with house.store.write() as session:
        session.exec(delete(ReviewItem).where(col(ReviewItem.campaign) == id))
    for start in range(0, len(rows), _AT_ONCE):
        with house.store.write() as session:
            put_rows(session, ReviewItem, rows[start : start + _AT_ONCE])
    with house.store.write() as session:
        row = session.get_one(Campaign, id)
        if row.status != "draft":
            raise AlreadyDecided(f"campaign {id} was launched by somebody else meanwhile")
        row.status, row.launched_by, row.launched_at = "running", actor.email, now
        row.due_at = now + timedelta(days=made.plan.days)
        row.plan = made.plan.model_dump(mode="json")
        row.run, row.population, row.population_sha256, row.statement = made.run.id, path, digest, said
        session.add(row)
        facts = {"population_sha256": digest, "items": len(made.items), "left_out": len(made.left_out)}
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="campaign.launch",
            object=_of(row),
            reason=row.title,
            facts=facts,
        )
    return load(house, id)


def extend(house: House, actor: Actor, now: datetime, id: str, until: datetime, reason: str) -> Campaign:
    """Give the reviewers more time: a later day, at most 180 days after the launch."""
    demand(actor, Verb.CAMPAIGN)
    if not reason.strip():
        raise DecisionError("giving reviewers more time needs a reason")
    with house.store.write() as session:
        row = session.get(Campaign, id)
        if row is None or row.status != "running" or row.due_at is None or row.launched_at is None:
            raise AlreadyDecided(f"campaign {id} is {row.status if row else 'not there'}")
        if not max(row.due_at, now) < until <= row.launched_at + LONGEST:
            raise DecisionError(
                f"more time ends after {max(row.due_at, now):%Y-%m-%d}, {LONGEST.days} days after launch at most"
            )
        facts = {"from": row.due_at.isoformat(), "until": until.isoformat()}
        row.due_at = until
        session.add(row)
        audit.append(
            session, now=now, actor=actor.email, verb="campaign.extend", object=_of(row), reason=reason, facts=facts
        )
    return load(house, id)


def cancel(house: House, actor: Actor, now: datetime, id: str, reason: str) -> Campaign:
    """End a campaign without an outcome: nothing that was decided in it is carried out."""
    demand(actor, Verb.CAMPAIGN)
    if not reason.strip():
        raise DecisionError("ending a campaign needs a reason")
    with house.store.write() as session:
        row = session.get(Campaign, id)
        if row is None or row.status not in ("draft", "running"):
            raise AlreadyDecided(f"campaign {id} is {row.status if row else 'not there'}")
        row.status, row.closed_by, row.closed_at = "cancelled", actor.email, now
        session.add(row)
        audit.append(session, now=now, actor=actor.email, verb="campaign.cancel", object=_of(row), reason=reason)
    return load(house, id)


def load(house: House, id: str) -> Campaign:
    """The campaign of that id; DecisionError when there is none."""
    with house.store.read() as session:
        row = session.get(Campaign, id)
        if row is None:
            raise DecisionError(f"there is no campaign {id}; leaverwatch campaign list shows them")
        session.expunge(row)
    return row


def open_numbers(house: House, id: str, reviewer: str) -> list[int]:
    """The items of a campaign that this reviewer has not decided yet."""
    chosen = select(ReviewItem.number).where(
        col(ReviewItem.campaign) == id, col(ReviewItem.reviewer) == reviewer, col(ReviewItem.decision).is_(None)
    )
    with house.store.read() as session:
        return list(session.exec(chosen.order_by(col(ReviewItem.number))))


def _demand_resolved(made: Prepared) -> None:
    if not made.items:
        raise DecisionError("the scope holds nothing: no account or grant fits it")
    bad = [
        (item, next(one.via for one in levels if one.reviewer is None))
        for item, levels in zip(made.items, made.found, strict=True)
        if any(one.reviewer is None for one in levels)
    ]
    if bad:
        named = "; ".join(f"{item['application']}/{item['username']}: {why}" for item, why in bad[:5])
        more = f" and {len(bad) - 5:,} more" if len(bad) > 5 else ""
        raise DecisionError(
            f"nobody may decide {count(len(bad), 'item', 'items')}: {named}{more}; name another fallback"
        )


def _by_name(row: Mapping[str, Any]) -> tuple[bool, str]:
    return row["identity_name"] is None, row["identity_name"] or ""


def _freeze(house: House, id: str, made: Prepared, numbers: list[int]) -> tuple[str, str]:
    """Write the population beside the evidence; its path from the home, and its SHA-256."""
    folder = house.home / FOLDER / id
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.exists():  # of a launch that was cut short
        (folder / f"{POPULATION}.parquet").unlink(missing_ok=True)
        folder.rmdir()
    given = iter(numbers)
    places = [None if out is not None else next(given) for out in made.frame["left_out"]]
    frame = made.frame.with_columns(pl.col("rules").list.join(";"), pl.Series("number", places, pl.Int64))
    write(folder, {POPULATION: frame})
    path = folder / f"{POPULATION}.parquet"
    return str(path.relative_to(house.home)), sha256_of(path)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


FACTS: Final = (
    *("kind", "how", "used_known", "used_of_grant", "provenance", "holders", "peers", "since_last", "criticality"),
    *("match", "department", "gives", "left_over"),
)
INSTANTS: Final = ("since", "created_at", "ended_at", "contract_end", "moved_at")


def frozen_facts(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a reviewer is shown of an item, as JSON: FACTS, INSTANTS (ISO), used_at_s, rules, what is told of BORN."""
    facts = {name: item[name] for name in BORN if item.get(name) is not None}
    facts |= {name: item.get(name) for name in FACTS}
    facts |= {name: item[name].isoformat() if item.get(name) else None for name in INSTANTS}
    return facts | {
        "department": item.get("owner_department"),
        "used_at_s": item.get("used_at_s"),
        "rules": list(item.get("rules") or ()),
    }


def rows_of(
    id: str, items: Iterable[Mapping[str, Any]], advices: Iterable[Advice], found: Iterable[Sequence[Found]]
) -> Iterator[dict[str, Any]]:
    """What is prepared (see Prepared) as rows of ReviewItem without their numbers, in the order of the list."""
    for item, advice, levels in zip(items, advices, found, strict=True):
        yield {
            "campaign": id,
            **{name: item[name] for name in ("application", "account_id", "username", "entitlement_id")},
            **{name: item[name] for name in ("entitlement", "identity_id", "identity_name", "employment")},
            "position": item["position"] or "",
            "privileged": item["privileged"],
            "critical": item["critical"],
            "control": False,
            "facts": frozen_facts(item),
            "recommendation": advice.recommendation,
            "because": advice.because,
            "first_recommendation": advice.recommendation,
            "first_because": advice.because,
            "reviewer": levels[0].reviewer,
            "via": levels[0].via,
            "level": 1,
            "later": [list(one) for one in levels[1:]],
            "bulk": False,
        }


def _of(campaign: Campaign) -> str:
    return f"campaign/{campaign.id}"
