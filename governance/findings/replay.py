"""One rule over the past: what it would have held on each day of which snapshots are kept. Stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlmodel import col, select

from governance.declaration import LIFECYCLE, Rule
from governance.findings.time_travel import Known, known_at, looked_back
from governance.house import House
from governance.rulebook import in_force, run
from governance.tables import Snapshot


@dataclass(frozen=True)
class Replayed:
    """One rule on one day: what it holds, what changed since the day before it in the list, what it cannot judge."""

    at: datetime
    findings: int
    opened: int
    closed: int
    not_evaluable: int


def days(house: House, since: datetime | None = None, until: datetime | None = None) -> list[datetime]:
    """The last time of each day (UTC) that a published snapshot is of, in their order."""
    wanted = select(Snapshot.at).where(Snapshot.status == "published")
    wanted = wanted if since is None else wanted.where(Snapshot.at >= since)
    wanted = wanted if until is None else wanted.where(Snapshot.at <= until)
    last: dict[date, datetime] = {}
    with house.store.read() as session:
        for at in session.exec(wanted.order_by(col(Snapshot.at))):
            last[at.date()] = at
    return list(last.values())


def replayed(
    house: House, rule: str, instants: list[datetime], known: Known | None, now: datetime
) -> Iterator[Replayed]:
    """Judge by one rule as of each instant; where a rule with precedence holds an account, this one leaves it."""
    rules = _with_precedence(in_force(house.rules, house.settings.policy, house.origin), rule)
    before: pl.DataFrame | None = None
    for as_of in instants:
        with looked_back(house, as_of, known_at(known, as_of, now)) as seen:
            verdict = run(seen.estate, seen.estate.settings.policy, as_of, rules)
            held = verdict.bare.filter(pl.col("rule") == rule).select("fingerprint")
        was = held.clear() if before is None else before
        yield Replayed(
            at=as_of,
            findings=held.height,
            opened=held.join(was, on="fingerprint", how="anti").height,
            closed=was.join(held, on="fingerprint", how="anti").height,
            not_evaluable=sum(sum(told.get(rule, {}).values()) for told in verdict.not_evaluable.values()),
        )
        before = held


def _with_precedence(rules: Mapping[str, Rule], name: str) -> dict[str, Rule]:
    """The rule, and of a lifecycle rule those that stand before it: an account has one such finding."""
    first = LIFECYCLE[: LIFECYCLE.index(name)] if name in LIFECYCLE else ()
    return {each: rules[each] for each in (*first, name) if each in rules}
