"""Accounts that are there and of which nothing could be read: not gone, and nothing is proved by them.

Their row could not be believed, and what was known of them before is lost with its files. They stand in a snapshot
with their id alone, and as last read when the lost one was.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

import polars as pl
from sqlmodel import Session, col, select

from governance.snapshots.frames import INSTANT, schema, with_twins
from governance.tables import Campaign, Finding, Remediation, ReviewItem

_OVER: Final = ("rejected", "expired", "failed", "cancelled", "undone", "verified")


def remembered_by_decisions(session: Session, application: str) -> set[str]:
    """The accounts that a finding, a remediation or a running review is about: the store knows that they were there."""
    open_ones = (
        select(Finding.account_id).where(Finding.application == application, Finding.status != "resolved"),
        select(Remediation.account_id).where(
            Remediation.application == application, col(Remediation.status).not_in(_OVER)
        ),
        select(ReviewItem.account_id).where(
            ReviewItem.application == application,
            col(ReviewItem.campaign).in_(select(Campaign.id).where(Campaign.status == "running")),
        ),
    )
    return {id for asked in open_ones for id in session.exec(asked) if id is not None}


def doubted(remembered: Collection[str], keys: Collection[str | None], read: pl.LazyFrame) -> list[str]:
    """Those of the remembered ids that quarantined rows may be about (`keys`), as none of them was read."""
    possible = set(remembered) if None in keys else set(remembered) & set(keys)
    if not possible:
        return []
    found = read.filter(pl.col("account_id").is_in(sorted(possible))).select("account_id").collect()
    return sorted(possible - set(found["account_id"]))


def unread(application: str, ids: Collection[str], at: datetime) -> pl.LazyFrame:
    """Rows of accounts of which nothing is known but that they are there; `at`: when they were read last."""
    known = {"application": [application] * len(ids), "account_id": list(ids)}
    types = schema("accounts")
    rows = pl.LazyFrame(known, schema={name: types[name] for name in known}).with_columns(
        pl.lit(None, kind).alias(name) for name, kind in types.items() if name not in known
    )
    rows = rows.with_columns(
        last_seen_known=pl.lit(value=False), present=pl.lit(value=True), last_present_at=pl.lit(at, INSTANT)
    )
    return with_twins("accounts", rows).select(list(types))


def still_unread(before: pl.LazyFrame, at: datetime, keys: Collection[str | None], read: pl.LazyFrame) -> pl.DataFrame:
    """Those of an earlier snapshot, of the time `at`, of which nothing could be read then, and nothing now either."""
    rows = before.filter(_blank(at)).collect()
    ids = doubted(rows["account_id"].to_list(), keys, read)
    return rows.select(list(schema("accounts"))).filter(pl.col("account_id").is_in(ids))


def unread_ids(accounts: pl.LazyFrame, at: datetime, ids: Collection[str]) -> list[str]:
    """Which of these accounts of a snapshot, of the time `at`, are there without anything that could be read."""
    found = accounts.filter(pl.col("account_id").is_in(list(ids)), _blank(at)).select("account_id").collect()
    return found["account_id"].to_list()


def _blank(at: datetime) -> pl.Expr:
    return pl.col("present") & (pl.col("last_present_at") < pl.lit(at, INSTANT)).fill_null(value=False)
