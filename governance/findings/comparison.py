"""What changed between two instants: accounts, grants, identities and findings. Pure functions on two pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import Rule
from governance.estate import Estate
from governance.verdict import SUBJECT, Verdict, collected

KINDS: Final = (
    *("account_appeared", "account_vanished", "account_opened", "account_closed", "grant_gained", "grant_lost"),
    *("identity_joined", "identity_moved", "identity_left", "identity_returned", "identity_missing"),
    *("finding_opened", "finding_closed", "finding_not_evaluable"),
)
CHANGE: Final[dict[str, Any]] = dict.fromkeys(
    (
        *("change", "application", "account_id", "username", "identity_id", "identity_name"),
        *("entitlement", "rule", "before", "after"),
    ),
    pl.String,
)
_ACCOUNT: Final = ["application", "account_id"]
_GRANT: Final = [*_ACCOUNT, "entitlement_id"]
_WORKING: Final = ["current", "leave"]
_POSITION: Final = ("department", "title", "manager_id")
Frame = nw.LazyFrame[Any]


@dataclass(frozen=True)
class Pictured:
    """One of the two: the estate, what the rules hold, and the feeds that had been read by then."""

    estate: Estate
    verdict: Verdict
    feeds: frozenset[str]


@dataclass(frozen=True)
class Comparison:
    """Every change as a row (columns: CHANGE), the feeds of which only one side had been read, and those of both."""

    changes: pl.DataFrame
    not_comparable: tuple[str, ...]
    compared: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind, zero included."""
        found = dict(self.changes.group_by("change").len().iter_rows())
        return {kind: int(found.get(kind, 0)) for kind in KINDS}

    @property
    def rules(self) -> dict[str, dict[str, int]]:
        """For each rule with a change: how many findings opened, closed, and could not be judged any more."""
        found: dict[str, dict[str, int]] = {}
        rows = self.changes.filter(pl.col("rule").is_not_null()).group_by("rule", "change").len().sort("rule", "change")
        for rule, change, count in rows.iter_rows():
            named = found.setdefault(rule, {"opened": 0, "closed": 0, "not_evaluable": 0})
            named[change.removeprefix("finding_")] = count
        return found

    def of(self, application: str | None = None, identity: str | None = None) -> Comparison:
        """Only the changes of one application, one identity, or both."""
        kept = self.changes
        if application is not None:
            kept = kept.filter(pl.col("application") == application)
        if identity is not None:
            kept = kept.filter(pl.col("identity_id") == identity)
        return Comparison(kept, self.not_comparable, self.compared)


def compare(before: Pictured, after: Pictured) -> Comparison:
    """What changed from one picture to the other.

    A feed that had not been read by one of the two instants is no change: it is named as not comparable. A value that
    one side does not know is none either, and a finding that can no longer be judged is not closed.
    """
    both = sorted(before.feeds & after.feeds)
    was, now = before.estate, after.estate
    frames = [
        *_accounts(_accounts_of(was, both), _accounts_of(now, both)),
        *_grants(was, now, both),
        *(_people_of(estate, both) for estate in (was, now)),
    ]
    *changed, people_was, people_now = collected(frames)
    parts = [_changed(table) for table in changed]
    parts += [_people(_paired(people_was, people_now)), _findings(before, after, both)]
    rank = pl.col("change").replace_strict(list(KINDS), list(range(len(KINDS))), return_dtype=pl.Int64)
    order = [rank, *(pl.col(name) for name in CHANGE if name != "change")]
    return Comparison(
        pl.concat(parts).unique(maintain_order=True).sort(order, nulls_last=True),
        tuple(sorted(before.feeds ^ after.feeds)),
        tuple(both),
    )


def _accounts_of(estate: Estate, feeds: list[str]) -> Frame:
    return estate.accounts.filter(nw.col("application").is_in(feeds)).select(
        *_ACCOUNT, "username", "active", identity_id=nw.col("owner_id"), identity_name=nw.col("owner_name")
    )


def _accounts(was: Frame, now: Frame) -> list[Frame]:
    """Accounts that appeared, vanished, were opened and were closed."""
    switched = now.join(was.select(*_ACCOUNT, active_was=nw.col("active")), on=_ACCOUNT).filter(
        nw.col("active") != nw.col("active_was")
    )
    return [
        _named(now.join(was.select(_ACCOUNT), on=_ACCOUNT, how="anti"), "account_appeared", after=_state("active")),
        _named(was.join(now.select(_ACCOUNT), on=_ACCOUNT, how="anti"), "account_vanished", before=_state("active")),
        *(
            _named(switched.filter(chosen), change, before=_state("active_was"), after=_state("active"))
            for change, chosen in (("account_opened", nw.col("active")), ("account_closed", ~nw.col("active")))
        ),
    ]


def _grants(was: Estate, now: Estate, feeds: list[str]) -> list[Frame]:
    """Grants that one side has and the other has not, with whose account it is."""
    held = [estate.grants.filter(nw.col("application").is_in(feeds)).select(_GRANT) for estate in (was, now)]
    found = []
    for change, here, other, estate in (
        ("grant_gained", held[1], held[0], now),
        ("grant_lost", held[0], held[1], was),
    ):
        names = estate.entitlements.select("application", "entitlement_id", name=nw.col("name"))
        rows = here.join(other, on=_GRANT, how="anti").join(names, on=["application", "entitlement_id"], how="left")
        rows = rows.join(_accounts_of(estate, feeds).drop("active"), on=_ACCOUNT, how="left")
        found.append(_named(rows, change, entitlement=nw.coalesce("name", "entitlement_id")))
    return found


def _named(frame: Frame, change: str, **columns: nw.Expr) -> Frame:
    """The rows as changes of this kind; what is not given is left to be empty."""
    return frame.select(*_ACCOUNT, "username", "identity_id", "identity_name", change=nw.lit(change), **columns)


def _state(column: str) -> nw.Expr:
    active = nw.col(column)
    return nw.when(active).then(nw.lit("active")).otherwise(nw.when(~active).then(nw.lit("inactive")))


def _people_of(estate: Estate, feeds: list[str]) -> Frame:
    return estate.identities.filter(nw.col("source").is_in(feeds)).select(
        *("identity_id", "state", *_POSITION), identity_name=nw.col("display_name")
    )


def _paired(was: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Both sides of each identity."""
    before = was.unique("identity_id", keep="first").rename(
        lambda name: name if name == "identity_id" else f"{name}_was"
    )
    return before.join(now.unique("identity_id", keep="first"), on="identity_id", how="full", coalesce=True)


def _changed(rows: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    """Rows as changes: what is not given and not there is empty."""
    rows = rows.with_columns(**columns)
    missing = [pl.lit(None, pl.String).alias(name) for name in CHANGE if name not in rows.columns]
    return rows.with_columns(missing).select(list(CHANGE))


def _people(pairs: pl.DataFrame) -> pl.DataFrame:
    """Joined, left, returned, went missing; or moved: another department, title or manager, both told."""
    was, now = pl.col("state_was"), pl.col("state")
    working, worked = now.is_in(_WORKING), was.is_in(_WORKING)
    moved = [(pl.col(name) != pl.col(f"{name}_was")).fill_null(value=False) for name in _POSITION]
    change = (
        pl.when((now == "ended") & (was.is_not_null() & (was != "ended")))
        .then(pl.lit("identity_left"))
        .when(working & (was == "ended"))
        .then(pl.lit("identity_returned"))
        .when(working & (was.is_null() | (was == "future")))
        .then(pl.lit("identity_joined"))
        .when((now == "missing") & worked)
        .then(pl.lit("identity_missing"))
        .when(worked & working & pl.any_horizontal(moved))
        .then(pl.lit("identity_moved"))
    )

    def position(end: str) -> pl.Expr:
        parts = [pl.when(m).then(pl.col(f"{n}{end}")) for m, n in zip(moved, _POSITION, strict=True)]
        return pl.concat_str(parts, separator=", ", ignore_nulls=True)

    is_move = pl.col("change") == "identity_moved"
    return _changed(
        pairs.with_columns(change=change).filter(pl.col("change").is_not_null()),
        identity_name=pl.coalesce("identity_name", "identity_name_was"),
        before=pl.when(is_move).then(position("_was")).otherwise("state_was"),
        after=pl.when(is_move).then(position("")).otherwise("state"),
    )


def _findings(before: Pictured, after: Pictured, feeds: list[str]) -> pl.DataFrame:
    was, now = (_comparable(each.verdict.bare, feeds) for each in (before, after))
    opened = now.join(was, on="fingerprint", how="anti")
    closed = was.join(now, on="fingerprint", how="anti")
    parts = [_changed(opened, change=pl.lit("finding_opened"), after=pl.col("severity"))]
    for (rule,), rows in closed.group_by("rule", maintain_order=True):
        keys = SUBJECT[_subject(after.verdict.rules, str(rule))]
        unjudged = after.verdict.unjudged(str(rule), rows)
        parts.extend(
            _changed(some, change=pl.lit(change), before=pl.col("severity"))
            for change, some in (
                ("finding_closed", rows.join(unjudged, on=keys, how="anti")),
                ("finding_not_evaluable", rows.join(unjudged, on=keys, how="semi")),
            )
        )
    return pl.concat(parts)


def _comparable(bare: pl.DataFrame, feeds: list[str]) -> pl.DataFrame:
    here = pl.col("application").is_null() | pl.col("application").is_in(feeds)
    return bare.filter(here)


def _subject(rules: Any, name: str) -> Any:
    found: Rule | None = rules.get(name)
    return found.subject if found else "account"
