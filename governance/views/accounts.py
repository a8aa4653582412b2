"""The list of accounts: read from the last estate by filter and head, those that should worry first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from governance.correlation import fold
from governance.findings import INACTIVE, LEAVERS, LISTING, listing
from governance.house import House
from governance.views import runs
from governance.views.findings import worst_of
from governance.views.paging import CAP, PART, SIZE, Cursor, Row, Slice, turn

KEY: Final = (int, int, str, str)  # rank, last use, application, account_id
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
# How it came to be, in an estate of this version; one that was written before tells less.
MAKING: Final = (
    *("created_at_s", "provenance_confidence", "provenance_because", "provenance_at_s", "provenance_by"),
    *("provenance_subject", "provenance_together"),
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


def page(house: House, filters: Filters, now: datetime, cursor: Cursor | None = None) -> Slice:
    """One page of accounts; empty before the first detect run."""
    run = runs.last_run(house)
    if run is None or run.table("accounts") is None:
        return Slice([], 0, 0, None, None)
    found = runs.remembered(
        ("accounts", str(run.estate), filters, cursor, now.date()), lambda: _read(run, filters, now, cursor)
    )
    with house.store.read() as session:
        worst = worst_of(session, [(row["application"], row["account_id"]) for row in found.rows])
    rows: list[Row] = [{**row, "finding": worst.get((row["application"], row["account_id"]))} for row in found.rows]
    return Slice(rows, found.total, found.first, found.previous, found.next)


def _listed(run: runs.Run) -> pl.LazyFrame:
    """The estate's listing; of an estate that a program before it wrote, made anew."""
    written = run.table(LISTING)
    if written is not None:
        return written
    accounts = run.table("accounts")
    assert accounts is not None
    return listing(accounts)


def _read(run: runs.Run, filters: Filters, now: datetime, cursor: Cursor | None) -> Slice:
    wanted = _listed(run).filter(*_conditions(filters, now))
    key = ("accounts counted", str(run.estate), filters, now.date())
    known = _known_total(run, filters)
    counting = runs.recall(key) if known is None else known
    counted = wanted.select("rank").head(CAP + 1) if counting is None else None

    def fetch(at: Cursor | None, limit: int) -> list[Row]:
        nonlocal counting
        keys, n = _keys(wanted, at, limit, counted)
        if n is not None:
            counting = runs.remembered(key, lambda: n)
        return _rows(run, keys)

    def of(row: Row) -> tuple[int, int, str, str]:
        return row["rank"], row["used"], row["application"], row["account_id"]

    found = turn(fetch, of, cursor, 0)
    return Slice(found.rows, counting or 0, found.first, found.previous, found.next)


def _known_total(run: runs.Run, filters: Filters) -> int | None:
    """What the detect run counted already needs no counting again."""
    if filters.scope != "all" or filters.text.strip():
        return None
    if filters.application is None:
        return run.number("accounts")
    own = (run.summary.get("by_application") or {}).get(filters.application, {}).get("accounts")
    return None if own is None else int(own)


def _conditions(filters: Filters, now: datetime) -> list[pl.Expr]:
    conditions = []
    if filters.application:
        conditions.append(pl.col("application") == filters.application)
    unused_since = int(now.timestamp() - now.timestamp() % 86400) - 90 * 86400
    active = pl.col("rank") < INACTIVE
    scope = {
        "leavers": pl.col("rank") <= LEAVERS,
        "unmatched": active & pl.col("match").is_in(["unmatched", "ambiguous"]),
        "privileged": active & pl.col("privileged"),
        "unused": active & (pl.col("used") > 0) & (pl.col("used") < unused_since),
        "inactive": ~active,
    }.get(filters.scope)
    if scope is not None:
        conditions.append(scope.fill_null(value=False))
    words = (fold(filters.text) or "").split()
    return conditions + [pl.col("text").str.contains(word, literal=True) for word in words]


def _keys(
    wanted: pl.LazyFrame, cursor: Cursor | None, limit: int, counted: pl.LazyFrame | None
) -> tuple[pl.DataFrame, int | None]:
    """The keys of a page, off the top of what is left of the listing. With `counted`, how many there are too."""
    back = cursor is not None and cursor.back
    if cursor is not None:
        rank, used, application, account_id = cursor.key
        level = pl.col("rank") == rank
        even = level & (pl.col("used") == used)
        named = even & (pl.col("application") == application)
        after = (
            (pl.col("rank") > rank)
            | (level & (pl.col("used") < used))
            | (even & (pl.col("application") > application))
            | (named & (pl.col("account_id") > account_id))
        )
        near = pl.col("rank") <= rank if back else pl.col("rank") >= rank  # by itself: passes over parts of the file
        wanted = wanted.filter(near, ~after & ~(named & (pl.col("account_id") == account_id)) if back else after)
    wanted = wanted.select("application", "account_id", "rank", "used")
    keys = wanted.tail(limit).reverse() if back else wanted.head(limit)
    if counted is None:
        return keys.collect(engine="streaming"), None
    both = pl.collect_all([keys, counted], engine="streaming")
    return both[0], both[1].height


def _rows(run: runs.Run, keys: pl.DataFrame) -> list[Row]:
    """Everything about these accounts, in the order of the keys."""
    accounts = run.table("accounts")
    if keys.is_empty() or accounts is None:
        return []
    near = accounts.filter(pl.col("account_id").is_in(keys["account_id"].to_list()))  # the join looks at both
    rows = near.select(*COLUMNS).collect(engine="streaming")
    return list(keys.join(rows, on=["application", "account_id"], how="left", maintain_order="left").to_dicts())


def of_owner(run: runs.Run | None, identity_id: str) -> list[dict[str, Any]]:
    """Every account an identity owns, also those that vanished; those that can sign in first."""
    frame = run.table("accounts") if run else None
    if frame is None:
        return []
    there = frame.collect_schema().names()
    wanted = (*COLUMNS, "present", "last_present_at", *(name for name in MAKING if name in there))
    own = frame.filter(pl.col("owner_id") == identity_id).select(*wanted).sort("application", "account_id")
    order = {True: 0, None: 1, False: 2}
    return sorted(
        own.head(SIZE * 4).collect().to_dicts(), key=lambda r: (not r["present"], order[r["active"]], r["application"])
    )


def export(house: House, filters: Filters, now: datetime) -> Iterator[Row]:
    """The whole filtered list for a file, a part at a time."""
    run = runs.last_run(house)
    if run is None or run.table("accounts") is None:
        return
    keys = _listed(run).filter(*_conditions(filters, now)).select("application", "account_id").collect()
    for part in keys.iter_slices(PART):
        yield from _rows(run, part)
