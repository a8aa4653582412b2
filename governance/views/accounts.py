"""The list of accounts: read from the last estate by filter and head, those that should worry first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from governance.correlation import fold
from governance.house import House
from governance.views import runs
from governance.views.findings import worst_of
from governance.views.paging import CAP, SIZE, Cursor, Row, Slice, turn

KEY: Final = (int, str, str)  # rank, application, account_id
SCOPES: Final = {
    "all": "All",
    "leavers": "Held by leavers",
    "unmatched": "Without owner",
    "privileged": "Privileged",
    "unused": "Not used for 90 days",
    "inactive": "Inactive",
}
COLUMNS: Final = (
    *("application", "account_id", "username", "email", "display_name", "kind", "active", "privileged", "mfa"),
    *("last_seen_at", "last_seen_known", "created_at", "match", "match_key", "owner_id", "owner_name", "owner_state"),
    *("as_of_s", "provenance"),
)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; None or empty means all."""

    scope: str = "all"
    application: str | None = None
    text: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything narrows the list."""
        return self.scope != "all" or self.application is not None or bool(self.text.strip())


# An active account of a leaver first, then of nobody, then privileged ones, then the rest; inactive ones last.
_ACTIVE: Final = pl.col("active").fill_null(value=True)
RANK: Final = (
    pl.when(~_ACTIVE)
    .then(5)
    .when(pl.col("owner_state") == "ended")
    .then(0)
    .when(pl.col("match").is_in(["unmatched", "ambiguous"]))
    .then(1)
    .when(pl.col("owner_state") == "missing")
    .then(2)
    .when(pl.col("privileged").fill_null(value=False))
    .then(3)
    .otherwise(4)
)
RANKS: Final = 6


def page(house: House, filters: Filters, now: datetime, cursor: Cursor | None = None) -> Slice:
    """One page of accounts; empty before the first detect run."""
    run = runs.last_run(house)
    frame = run.table("accounts") if run else None
    if run is None or frame is None:
        return Slice([], 0, 0, None, None)
    wanted = frame.filter(*_conditions(filters, now))
    total = _total(run, filters, wanted)
    found = turn(
        lambda at, limit: _fetch(wanted, at, limit),
        lambda row: (row["rank"], row["application"], row["account_id"]),
        cursor,
        total,
    )
    with house.store.read() as session:
        worst = worst_of(session, [(row["application"], row["account_id"]) for row in found.rows])
    rows: list[Row] = [{**row, "finding": worst.get((row["application"], row["account_id"]))} for row in found.rows]
    return Slice(rows, found.total, found.first, found.previous, found.next)


def _total(run: runs.Run, filters: Filters, wanted: pl.LazyFrame) -> int:
    known = {"all": "accounts", "unmatched": "unmatched"}.get(filters.scope)
    if known == "accounts" and not filters.text.strip() and run.number("accounts") is not None:
        own = (run.summary.get("by_application") or {}).get(filters.application or "", {}).get("accounts")
        total = run.number("accounts") if filters.application is None else own
        if total is not None:
            return int(total)
    key = ("accounts", run.id, str(run.estate), filters)
    return runs.remembered(key, lambda: wanted.select("application").head(CAP + 1).collect().height)


def _conditions(filters: Filters, now: datetime) -> list[pl.Expr]:
    conditions = [pl.col("present").fill_null(value=True)]
    if filters.application:
        conditions.append(pl.col("application") == filters.application)
    unused_since = int(now.timestamp() - now.timestamp() % 86400) - 90 * 86400
    scope = {
        "leavers": _ACTIVE & (pl.col("owner_state") == "ended"),
        "unmatched": _ACTIVE & pl.col("match").is_in(["unmatched", "ambiguous"]),
        "privileged": _ACTIVE & pl.col("privileged").fill_null(value=False),
        "unused": _ACTIVE & (pl.col("last_seen_at_s") < unused_since),
        "inactive": ~_ACTIVE,
    }.get(filters.scope)
    if scope is not None:
        conditions.append(scope.fill_null(value=False))
    names = [pl.col(name).fill_null("") for name in ("username", "email", "display_name", "owner_name", "account_id")]
    for word in (fold(filters.text) or "").split():
        conditions.append(pl.concat_str(names, separator=" ").str.to_lowercase().str.contains(word, literal=True))
    return conditions


def _fetch(wanted: pl.LazyFrame, cursor: Cursor | None, limit: int) -> list[Row]:
    """Rank by rank, because the file is sorted by application and account: each rank is a filter and a head."""
    back = cursor is not None and cursor.back
    rank, application, account_id = cursor.key if cursor else (-1, "", "")
    rows: list[Row] = []
    order = range(int(rank), -1, -1) if back else range(max(0, int(rank)), RANKS)
    for one in order:
        if len(rows) >= limit:
            break
        part = wanted.filter(one == RANK)
        if cursor is not None and one == rank:
            same = pl.col("application") == application
            if back:
                part = part.filter((pl.col("application") < application) | (same & (pl.col("account_id") < account_id)))
            else:
                part = part.filter((pl.col("application") > application) | (same & (pl.col("account_id") > account_id)))
        part = part.select(*COLUMNS, rank=pl.lit(one, dtype=pl.Int64))
        rest = limit - len(rows)
        table = (part.tail(rest).reverse() if back else part.head(rest)).collect()
        rows += table.to_dicts()
    return rows


def in_applications(house: House) -> list[str]:
    """The applications of the settings, as filters offer them."""
    return [application.name for application in house.settings.application]


def of_owner(run: runs.Run | None, identity_id: str) -> list[dict[str, Any]]:
    """Every account an identity owns, also those that vanished; those that can sign in first."""
    frame = run.table("accounts") if run else None
    if frame is None:
        return []
    own = frame.filter(pl.col("owner_id") == identity_id).select(*COLUMNS, "present", "last_present_at").head(SIZE * 4)
    order = {True: 0, None: 1, False: 2}
    return sorted(own.collect().to_dicts(), key=lambda r: (not r["present"], order[r["active"]], r["application"]))


def export(house: House, filters: Filters, now: datetime) -> list[Row]:
    """The filtered list up to the cap, for a file."""
    run = runs.last_run(house)
    frame = run.table("accounts") if run else None
    return [] if frame is None else _fetch(frame.filter(*_conditions(filters, now)), None, CAP)
