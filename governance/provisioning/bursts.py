"""Accounts that were made many at once: an import, or a first push; told by nothing but when they were made."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.provisioning.pushes import settled
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
MINUTES: Final = 5
MANY: Final = 20  # accounts of one application within these minutes
UNEXPLAINED: Final = 0.8  # of them, at least: a morning on which many sign in for the first time is no import
IN_REACH: Final = 0.8  # how sure it is where logs reach back to it, and say nothing of most of them
BEFORE: Final = 0.6  # and where none does: it may have been such a morning
OR_PUSHED: Final = 0.5  # and where the settings name scim: a first push looks the same


def bursts(accounts: Frame, explained: Frame) -> Frame:
    """application, burst, made_together: halves of five minutes in which many were made that no trace explains.

    `accounts` and `explained` (those of which something is told): application, created_at_s. Times to the quarter of an
    hour, as bare dates are, make no burst.
    """
    there = accounts.filter((nw.col("created_at_s") % 900 != 0).fill_null(False))
    counted = _counted(there, "all")
    around = settled(counted.filter(nw.col("all") * 2 >= MANY))  # one half of them holds half of any burst
    halves = [around.select("application", burst=nw.col("burst") + shift) for shift in (-1, 0, 1)]
    near = nw.concat(halves, how="vertical").unique(["application", "burst"])
    for rows, name in ((there, "all"), (explained, "known")):  # of the few halves that matter, no others are counted
        few = rows.select("application", "created_at_s", burst=_bucket()).join(
            near.select("application", "burst"), on=["application", "burst"], how="semi"
        )
        near = near.join(_counted(few, name), on=["application", "burst"], how="left")
    both = [
        near.select("application", "all", "known", burst=nw.col("burst"), window=nw.col("burst") - n) for n in (0, 1)
    ]
    halves_of = nw.concat(both, how="vertical")
    windows = halves_of.group_by("application", "window").agg(nw.col("all").sum(), nw.col("known").sum())
    windows = windows.with_columns(made_together=nw.col("all") - nw.col("known")).filter(
        nw.col("made_together") >= MANY, nw.col("made_together") >= nw.col("all").cast(nw.Float64) * UNEXPLAINED
    )
    found = halves_of.join(windows.drop("all", "known"), on=["application", "window"], how="inner")
    return found.group_by("application", "burst").agg(nw.col("made_together").max())


def _counted(accounts: Frame, name: str) -> Frame:
    """How many were made in each half of the minutes: application, burst, and the count under that name."""
    grouped = accounts.select("application", burst=_bucket()).group_by("application", "burst")
    return grouped.agg(nw.len().cast(nw.Int64).alias(name))


def with_bursts(accounts: Frame, found: Frame | None, settings: Settings) -> Frame:
    """The accounts of which nothing is told and that were made in a burst: imported. Adds provenance_together."""
    if found is None:
        return accounts.with_columns(provenance_together=nw.lit(None, nw.Int64))
    joined = accounts.with_columns(burst=_bucket()).join(found, on=["application", "burst"], how="left")
    here = (nw.col("provenance") == "unknown") & ~nw.col("made_together").is_null()
    here = (here & (nw.col("created_at_s") % 900 != 0)).fill_null(False)
    pushed = nw.col("application").is_in(sorted(a.name for a in settings.application if "scim" in a.provisioning))
    sure = nw.when(nw.col("provenance_because") == "nothing").then(nw.lit(IN_REACH)).otherwise(nw.lit(BEFORE))
    sure = nw.when(pushed).then(nw.lit(OR_PUSHED)).otherwise(sure)
    return joined.with_columns(
        provenance=nw.when(here).then(nw.lit("imported")).otherwise(nw.col("provenance")),
        provenance_confidence=nw.when(here).then(sure).otherwise(nw.col("provenance_confidence")),
        provenance_because=nw.when(here).then(nw.lit("burst")).otherwise(nw.col("provenance_because")),
        provenance_together=nw.when(here).then(nw.col("made_together")),
    ).drop("burst", "made_together")


def _bucket() -> nw.Expr:
    """Half of the minutes: a burst that lies across the end of what is counted together is seen, too."""
    return nw.col("created_at_s") // (MINUTES * 30)
