"""What happened in an application: events carried from snapshot to snapshot, and the last use they prove."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from governance.snapshots.frames import INSTANT, scan, schema

# Of this application itself. A sign-in with a target was one to something else: to an Atlassian account, which opens
# several products and proves the use of none. `sso` is a use of the identity provider, whatever it opened.
USES: Final = ("sign_in", "token_used")
USES_OF_AN_IDENTITY_PROVIDER: Final = ("sso",)


def remember_events(new: pl.LazyFrame, last: Path | None, since: datetime) -> pl.LazyFrame:
    """The events a snapshot holds: those just read and those of the last snapshot that happened at or after `since`.

    The same event read twice is one. Lazy, because ninety days of sign-ins need not fit in memory.
    """
    columns = list(schema("events"))
    fresh = new.select(columns).filter(pl.col("at") >= pl.lit(since, INSTANT)).unique("event_id", keep="first")
    if last is None or not last.exists():
        return fresh.sort("at", "event_id")
    before = scan("events", [last]).select(columns).filter(pl.col("at") >= pl.lit(since, INSTANT))
    before = before.join(fresh.select("event_id"), on="event_id", how="anti")
    return pl.concat([before, fresh]).sort("at", "event_id")


def with_last_use(accounts: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    """Accounts whose last use is the latest that the application tells or that its events prove."""
    here = pl.col("kind").is_in(USES) & pl.col("target").is_null()
    used = (
        events.filter(
            here | pl.col("kind").is_in(USES_OF_AN_IDENTITY_PROVIDER),
            pl.col("success"),  # one whose end is not told proves nothing
            pl.col("account_id").is_not_null(),
        )
        .group_by("account_id")
        .agg(pl.col("at").max().alias("_used_at"))
        .collect(engine="streaming")
    )
    if used.is_empty():
        return accounts
    latest = pl.max_horizontal("last_seen_at", "_used_at")
    return (
        accounts.join(used.lazy(), on="account_id", how="left", maintain_order="left")
        .with_columns(
            last_seen_at=latest,
            last_seen_at_s=latest.dt.epoch("s"),
            last_seen_known=pl.col("last_seen_known") | pl.col("_used_at").is_not_null(),
        )
        .drop("_used_at")
    )
