"""The list of accounts: read from the last estate by filter and head, those that should worry first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from governance.correlation import fold
from governance.house import House
from governance.views import runs
from governance.views.findings import worst_of
from governance.views.paging import CAP, SIZE, Cursor, Row, Slice, turn

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


# Who can sign in although nobody should first: of leavers (the privileged before the rest), of nobody, of the missing;
# then privileged ones, then the rest; inactive ones last.
_ACTIVE: Final = pl.col("active").fill_null(value=True)
_PRIVILEGED: Final = pl.col("privileged").fill_null(value=False)
_RANK: Final = (
    pl.when(~_ACTIVE)
    .then(6)
    .when((pl.col("owner_state") == "ended") & _PRIVILEGED)
    .then(0)
    .when(pl.col("owner_state") == "ended")
    .then(1)
    .when(pl.col("match").is_in(["unmatched", "ambiguous"]))
    .then(2)
    .when(pl.col("owner_state") == "missing")
    .then(3)
    .when(_PRIVILEGED)
    .then(4)
    .otherwise(5)
    .cast(pl.Int64)
)
_ORDER: Final = {"rank": False, "used": True, "application": False, "account_id": False}  # descending?


def page(house: House, filters: Filters, now: datetime, cursor: Cursor | None = None) -> Slice:
    """One page of accounts; empty before the first detect run."""
    run = runs.last_run(house)
    frame = run.table("accounts") if run else None
    if run is None or frame is None:
        return Slice([], 0, 0, None, None)
    found = runs.remembered(
        ("accounts", str(run.estate), filters, cursor, now.date()), lambda: _read(run, frame, filters, now, cursor)
    )
    with house.store.read() as session:
        worst = worst_of(session, [(row["application"], row["account_id"]) for row in found.rows])
    rows: list[Row] = [{**row, "finding": worst.get((row["application"], row["account_id"]))} for row in found.rows]
    return Slice(rows, found.total, found.first, found.previous, found.next)


def _read(run: runs.Run, frame: pl.LazyFrame, filters: Filters, now: datetime, cursor: Cursor | None) -> Slice:
    wanted = frame.filter(*_conditions(filters, now))
    key = ("accounts counted", str(run.estate), filters, now.date())
    known = _known_total(run, filters)
    counting = runs.recall(key) if known is None else known
    counted = wanted.select("application").head(CAP + 1) if counting is None else None

    def fetch(at: Cursor | None, limit: int) -> list[Row]:
        nonlocal counting
        keys, n = _keys(wanted, at, limit, counted)
        if n is not None:
            counting = runs.remembered(key, lambda: n)
        return _rows(frame, keys)

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
    conditions += [_says(word) for word in (fold(filters.text) or "").split()]
    return conditions


def _says(word: str) -> pl.Expr:
    """Whether a name of the account or of its owner holds this word."""
    anyhow = f"(?i){re.escape(word)}"
    names = ("username", "email", "display_name", "account_id", "owner_name")
    return pl.any_horizontal(pl.col(name).str.contains(anyhow) for name in names).fill_null(value=False)


def _keys(
    wanted: pl.LazyFrame, cursor: Cursor | None, limit: int, counted: pl.LazyFrame | None
) -> tuple[pl.DataFrame, int | None]:
    """The keys of a page: only what the order needs is read of every row. With `counted`, how many there are too."""
    back = cursor is not None and cursor.back
    ordered = wanted.select("application", "account_id", rank=_RANK, used=pl.col("last_seen_at_s").fill_null(0))
    if cursor is not None:
        rank, used, application, account_id = cursor.key
        later = (
            (pl.col("rank") > rank)
            | ((pl.col("rank") == rank) & (pl.col("used") < used))
            | ((pl.col("rank") == rank) & (pl.col("used") == used) & (pl.col("application") > application))
            | (
                (pl.col("rank") == rank)
                & (pl.col("used") == used)
                & (pl.col("application") == application)
                & (pl.col("account_id") > account_id)
            )
        )
        same = (pl.col("application") == application) & (pl.col("account_id") == account_id)
        ordered = ordered.filter(~later & ~same if back else later)
    descending = [down is not back for down in _ORDER.values()]
    keys = ordered.sort(*_ORDER, descending=descending).head(limit)
    if counted is None:
        return keys.collect(engine="streaming"), None
    both = pl.collect_all([keys, counted], engine="streaming")
    return both[0], both[1].height


def _rows(frame: pl.LazyFrame, keys: pl.DataFrame) -> list[Row]:
    """Everything about these accounts, in the order of the keys; the sorted file lets most of it be passed over."""
    if keys.is_empty():
        return []
    near = frame.filter(
        pl.col("application").is_in(keys["application"].unique().to_list()),
        pl.col("account_id").is_in(keys["account_id"].to_list()),
    )
    rows = near.select(*COLUMNS).collect(engine="streaming")
    return list(keys.join(rows, on=["application", "account_id"], how="left", maintain_order="left").to_dicts())


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
    return [] if frame is None else _rows(frame, _keys(frame.filter(*_conditions(filters, now)), None, CAP, None)[0])
