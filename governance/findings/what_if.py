"""What another policy would open and close, now or on a past day, and what people decided about those findings before.

Stores nothing. Only the rules that would answer differently are run: a rule whose plan is the same under both policies
cannot. The newest estate is taken as it was stored, so that nothing is correlated again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import narwhals as nw
import polars as pl
from sqlmodel import Session, col, select

from governance.declaration import LIFECYCLE, Rule
from governance.estate import Estate, with_thresholds
from governance.findings.evaluation import with_providers
from governance.findings.looking_back import estate_as_of
from governance.fired import narrowed
from governance.house import House
from governance.rulebook import first_that_fits, in_force
from governance.settings import Policy
from governance.tables import Exclusion, Finding, Remediation
from governance.verdict import collected, fingerprints

Frame = nw.LazyFrame[Any]
CHUNK: Final = 5_000
MANY: Final = 20_000  # findings
# Shared parts of a plan bear numbers that are others each time.
PLAIN: Final = pl.QueryOptFlags(comm_subplan_elim=False, comm_subexpr_elim=False)
KEYS: Final = {
    "application": pl.String,
    "account_id": pl.String,
    "identity_id": pl.String,
    "privileged": pl.Boolean,
}
MOVED: Final = {"rule": pl.String, "move": pl.String, "fingerprint": pl.String, **KEYS}


@dataclass(frozen=True)
class Moved:
    """Findings that would open or close, whom they concern, and what was decided about them before.

    `excluded`, `verified` and the others are not exclusive: a finding may have been excluded and closed later.
    """

    findings: int = 0
    people: int = 0
    privileged: int = 0  # privileged accounts
    excluded: int = 0  # somebody once excepted the finding from its rule
    verified: int = 0  # a remediation closed the account, proved by reading it again
    no_longer_true: int = 0  # resolved because it was so no longer
    open: int = 0  # open now, undecided
    unknown: int = 0  # never a finding so far


@dataclass(frozen=True)
class Change:
    """What one rule would do."""

    rule: str
    opens: Moved
    closes: Moved
    severity: tuple[str, str] | None = None  # before and after, where it changes
    regraded: int = 0  # findings that stay and change their severity


@dataclass(frozen=True)
class WhatIf:
    """What a policy would change on one estate."""

    as_of: datetime
    stored: bool  # the estate of the last detect run; else the snapshots up to `as_of` were correlated for this
    changes: list[Change]  # rules that change anything, those that move most first
    opens: Moved
    closes: Moved
    looked_at: tuple[str, ...]  # the rules that were run

    @property
    def agree(self) -> int:
        """Decisions that fit the change: excluded findings that would close, proved closures that would open."""
        return self.closes.excluded + self.opens.verified

    @property
    def disagree(self) -> int:
        """Decisions against it: findings that would close but led to a closure, and excluded ones that would open."""
        return self.closes.verified + self.opens.excluded


@dataclass(frozen=True)
class _Side:
    """One policy over one estate."""

    estate: Estate
    policy: Policy
    rules: Mapping[str, Rule]

    @classmethod
    def of(cls, estate: Estate, policy: Policy, rules: Mapping[str, Rule]) -> _Side:
        settings = estate.settings.model_copy(update={"policy": policy})
        days = {"accounts": with_thresholds(estate.accounts, settings)}
        gone = {"vanished_accounts": with_thresholds(estate.vanished_accounts, settings)}
        return cls(replace(estate, **days, **gone, settings=settings), policy, in_force(rules, policy))

    def frame(self, name: str, now: datetime) -> Frame:
        """The keys of what one rule holds against."""
        rule = self.rules[name]
        frame = narrowed(rule, rule(self.estate, self.policy, now))
        there = frame.collect_schema().names()
        keys = [key for key in dict.fromkeys((*rule.identity, *KEYS)) if key in there]
        # What makes a fingerprint is compared as the text it is there.
        return frame.select(nw.col(key).cast(nw.String) if key in rule.identity else nw.col(key) for key in keys)


def what_if(house: House, policy: Policy, as_of: datetime | None = None) -> WhatIf:
    """What this policy would open and close in the place of the one in force, on the newest estate or a past one."""
    settings = with_providers(house, house.settings)
    with estate_as_of(house, settings, as_of) as (estate, at):
        before = _Side.of(estate, settings.policy, house.rules)
        after = _Side.of(estate, policy, house.rules)
        moved, stayed, looked_at = _compared(before, after, at)
    with house.store.read() as session:
        moved = moved.join(_decided(session, moved), on="fingerprint", how="left")
    names = [name for name in house.rules if name in before.rules or name in after.rules]
    changes = [
        _change(name, moved.filter(pl.col("rule") == name), before, after, stayed.get(name, 0)) for name in names
    ]
    return WhatIf(
        as_of=at,
        stored=as_of is None,
        changes=sorted(
            (one for one in changes if one.opens.findings or one.closes.findings or one.regraded),
            key=lambda one: (-one.opens.findings - one.closes.findings, one.rule),
        ),
        opens=_moved(moved.filter(pl.col("move") == "opens")),
        closes=_moved(moved.filter(pl.col("move") == "closes")),
        looked_at=looked_at,
    )


def _change(name: str, moved: pl.DataFrame, before: _Side, after: _Side, stayed: int) -> Change:
    both = name in before.rules and name in after.rules
    grades = (before.rules[name].severity, after.rules[name].severity) if both else None
    differ = grades is not None and grades[0] != grades[1]
    opens, closes = (_moved(moved.filter(pl.col("move") == move)) for move in ("opens", "closes"))
    return Change(name, opens, closes, grades if differ else None, stayed if differ else 0)


def _compared(before: _Side, after: _Side, now: datetime) -> tuple[pl.DataFrame, dict[str, int], tuple[str, ...]]:
    """What opens and closes (MOVED), how many findings of each rule stay, and which rules were run."""
    old = {name: before.frame(name, now) for name in before.rules}
    new = {name: after.frame(name, now) for name in after.rules}
    differ = {name for name in {*old, *new} if not _same(old.get(name), new.get(name))}
    if differ & set(LIFECYCLE):  # the first that fits stands: another answer of one may make room for the next
        differ |= set(LIFECYCLE) & {*old, *new}
    graded = {n for n in {*old, *new} - differ if before.rules[n].severity != after.rules[n].severity}
    names = sorted(differ | graded)
    frames = {(name, "old"): old[name] for name in names if name in old}
    frames |= {(name, "new"): new[name] for name in names if name in new and not _same(old.get(name), new[name])}
    tables = dict(zip(frames, collected(list(frames.values())), strict=True))
    kept = []
    for side, rules in (("old", before.rules), ("new", after.rules)):
        found = {name: tables.get((name, side), tables.get((name, "old"))) for name in names if name in rules}
        kept.append(first_that_fits({n: t for n, t in found.items() if t is not None}, rules))
    moved, stayed = [pl.DataFrame(schema=MOVED)], {}
    for name in names:
        rule = before.rules.get(name) or after.rules[name]
        was, will = (_rows(rule, side.get(name)) for side in kept)
        keys = list(rule.identity)
        gone, come = was.join(will, on=keys, how="anti"), will.join(was, on=keys, how="anti")
        stayed[name] = was.height - gone.height
        moved += [_as_moved(rule, rows, move) for rows, move in ((come, "opens"), (gone, "closes"))]
    return pl.concat(moved), stayed, tuple(names)


def _same(one: Frame | None, other: Frame | None) -> bool:
    """Whether two plans are the same after the engine removed what nobody reads. On Spark nobody can say."""
    if one is None or other is None:
        return False
    left, right = nw.to_native(one), nw.to_native(other)
    return isinstance(left, pl.LazyFrame) and left.explain(optimizations=PLAIN) == right.explain(optimizations=PLAIN)


def _rows(rule: Rule, found: pl.DataFrame | None) -> pl.DataFrame:
    """The findings of one rule, one a fingerprint, with every key."""
    if found is None:
        return pl.DataFrame(schema=KEYS | dict.fromkeys(rule.identity, pl.String))
    missing = [pl.lit(None, kind).alias(name) for name, kind in KEYS.items() if name not in found.columns]
    return found.with_columns(missing).unique(list(rule.identity), keep="first", maintain_order=True)


def _as_moved(rule: Rule, rows: pl.DataFrame, move: str) -> pl.DataFrame:
    return rows.select(
        pl.lit(rule.name).alias("rule"),
        pl.lit(move).alias("move"),
        fingerprints(rule, rows),
        *(pl.col(name).cast(kind) for name, kind in KEYS.items()),
    )


def _decided(session: Session, moved: pl.DataFrame) -> pl.DataFrame:
    """What is known of these findings: status, why resolved, whether ever excluded and whether closed and proved."""
    columns = {"fingerprint": pl.String, "status": pl.String, "resolved_why": pl.String}
    known = select(Finding.fingerprint, Finding.status, Finding.resolved_why)
    wanted, found = moved["fingerprint"].to_list(), []
    if len(wanted) > MANY:  # one reading of their rules is quicker than asking for each
        rows = session.exec(known.where(col(Finding.rule).in_(moved["rule"].unique().to_list())))
        found = [tuple(row) for row in rows]
    else:
        for start in range(0, len(wanted), CHUNK):
            some = col(Finding.fingerprint).in_(wanted[start : start + CHUNK])
            found += [tuple(row) for row in session.exec(known.where(some))]
    excluded = set(session.exec(select(Exclusion.fingerprint).where(col(Exclusion.waits).is_(None)).distinct()))
    verified = set(
        session.exec(select(Remediation.finding).where(col(Remediation.verified_at).is_not(None)).distinct())
    )
    return pl.DataFrame(found, schema=columns, orient="row").with_columns(
        excluded=pl.col("fingerprint").is_in(sorted(excluded)), verified=pl.col("fingerprint").is_in(sorted(verified))
    )


def _moved(rows: pl.DataFrame) -> Moved:
    return Moved(
        findings=rows.height,
        people=rows["identity_id"].drop_nulls().n_unique(),
        privileged=rows.filter(pl.col("privileged")).select("application", "account_id").n_unique(),
        excluded=int(rows["excluded"].sum()),
        verified=int(rows["verified"].sum()),
        no_longer_true=rows.filter(pl.col("resolved_why") == "no_longer_true").height,
        open=rows.filter(pl.col("status") == "open").height,
        unknown=rows["status"].null_count(),
    )


__all__ = ["Change", "Moved", "WhatIf", "what_if"]
