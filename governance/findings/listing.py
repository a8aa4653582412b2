"""Accounts in the order in which people should look at them, written beside the estate: a page is read off its top."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from governance.findings.kept import table
from governance.snapshots import on_disk

LISTING: Final = "listing"
SEARCHED: Final = ("username", "email", "display_name", "account_id", "owner_name")
KEPT: Final = ("application", "account_id", "privileged", "match")
LEAVERS: Final = 1  # the last rank of what leavers hold
INACTIVE: Final = 6
_ROWS: Final = 50_000  # in a part of the file: parts whose rank does not fit are not read
_LATEST: Final = 1 << 40  # seconds; beyond any last use

# Who can sign in although nobody should first: of leavers (the privileged before the rest), of nobody, of the missing;
# then privileged ones, then the rest; inactive ones last.
_ACTIVE: Final = pl.col("active").fill_null(value=True)
_PRIVILEGED: Final = pl.col("privileged").fill_null(value=False)
_RANK: Final = (
    pl.when(~_ACTIVE)
    .then(INACTIVE)
    .when((pl.col("owner_state") == "ended") & _PRIVILEGED)
    .then(0)
    .when(pl.col("owner_state") == "ended")
    .then(LEAVERS)
    .when(pl.col("match").is_in(["unmatched", "ambiguous"]))
    .then(2)
    .when(pl.col("owner_state") == "missing")
    .then(3)
    .when(_PRIVILEGED)
    .then(4)
    .otherwise(5)
    .cast(pl.Int64)
)


def listing(accounts: pl.LazyFrame) -> pl.LazyFrame:
    """The accounts that are there, by `rank`, last use (`used`), application and id, with the `text` for searching."""
    rows = accounts.filter(pl.col("present").fill_null(value=True)).select(
        *KEPT,
        rank=_RANK,
        used=pl.col("last_seen_at_s").fill_null(0),
        text=pl.concat_str(SEARCHED, separator="\n", ignore_nulls=True).str.to_lowercase(),
    )
    # Rank and last use as one number, which tells most rows apart: the others are seldom looked at.
    order = pl.col("rank") * _LATEST - pl.col("used")
    return rows.with_columns(order=order).sort("order", "application", "account_id").drop("order")


def write_listing(estate: Path) -> None:
    """Write the listing of the estate in this folder."""
    accounts = table(estate, "accounts")
    if accounts is None:
        return
    with on_disk(estate):
        place = estate / f"{LISTING}.parquet"
        listing(accounts).sink_parquet(place, compression="zstd", compression_level=1, row_group_size=_ROWS)
