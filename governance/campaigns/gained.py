"""Privileges that were given lately: on the day the application tells, else when a snapshot first holds them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import polars as pl
from sqlmodel import col, select

from governance.findings import table
from governance.house import House
from governance.tables import DetectRun, Snapshot

_ACCOUNT: Final = ["application", "account_id"]
_GRANT: Final = [*_ACCOUNT, "entitlement_id"]


def gained(house: House, run: DetectRun, since: datetime) -> list[tuple[str, str, datetime]]:
    """Who works here and was given a privilege since then: identity, name and the last time, sorted by identity.

    Of a grant without a day the snapshots say when it came: its time is that of the first one that holds it. What the
    oldest snapshot there is holds already was given before.
    """
    estate = house.snapshots / run.estate
    grants, names, accounts = (table(estate, name) for name in ("grants", "entitlements", "accounts"))
    if grants is None or names is None or accounts is None:
        return []
    privileges = names.filter(pl.col("privileged")).select("application", "entitlement_id")
    held = grants.join(privileges, on=["application", "entitlement_id"], how="semi").select(*_GRANT, "since")
    dated = held.filter(pl.col("since") >= since).collect()
    undated = held.filter(pl.col("since").is_null()).drop("since").collect()
    owned = accounts.filter(pl.col("owner_id").is_not_null(), pl.col("owner_state").is_in(["current", "leave"]))
    fresh = pl.concat([dated, _first_held(house, run, undated, since)]).lazy()
    people = (
        fresh.join(owned.select(*_ACCOUNT, "owner_id", "owner_name"), on=_ACCOUNT)
        .group_by("owner_id")
        .agg(pl.col("owner_name").first(), pl.col("since").max())
        .sort("owner_id")
    )
    return [(id, name or id, at) for id, name, at in people.collect().iter_rows()]


def _first_held(house: House, run: DetectRun, undated: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Those of the grants that no snapshot of before `since` holds, with the time of the first that does."""
    found = [undated.head(0).with_columns(since=pl.lit(None, pl.Datetime("us", "UTC")))]
    for (application,), new in undated.group_by("application", maintain_order=True):
        read = _read_since(house, run, str(application), since)
        for row in read[:1]:
            new = _held_in(new, house, row, how="anti")
        for row in read[1:]:
            if new.is_empty():
                break
            found.append(
                _held_in(new, house, row, how="semi").with_columns(since=pl.lit(row.at, pl.Datetime("us", "UTC")))
            )
            new = _held_in(new, house, row, how="anti")
    return pl.concat(found)


def _held_in(grants: pl.DataFrame, house: House, row: Snapshot, *, how: Literal["semi", "anti"]) -> pl.DataFrame:
    """The grants that a snapshot holds (`semi`) or does not hold (`anti`)."""
    path = house.snapshots / row.path / "grants.parquet"
    there = pl.scan_parquet(path).select(_GRANT) if path.exists() else pl.LazyFrame(schema=grants.select(_GRANT).schema)
    return grants.lazy().join(there, on=_GRANT, how=how).collect()


def _read_since(house: House, run: DetectRun, feed: str, since: datetime) -> list[Snapshot]:
    """What was read of the feed by then: the last snapshot up to `since`, or the first of all, and those after it."""
    rows = select(Snapshot).where(Snapshot.feed == feed, Snapshot.status == "published", Snapshot.at <= run.as_of)
    with house.store.read() as session:
        read = list(session.exec(rows.order_by(col(Snapshot.at), col(Snapshot.id))))
        session.expunge_all()
    before = sum(row.at <= since for row in read)
    return read[max(0, before - 1) :]
