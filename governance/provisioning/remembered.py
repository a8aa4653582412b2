"""What was once known of how an account came to be survives the logs that said so."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.provisioning.provenance import COLUMNS
from governance.provisioning.traces import ACCOUNT

Frame = nw.LazyFrame[Any]
_UNTOLD: Final = -1  # for a join, which meets no nulls


def with_memory(now: Frame, kept: Frame | None) -> Frame:
    """What is told now, and what was told before where that was as sure: the frame of provenance.known_now.

    `kept`: the same columns, of an earlier run. A weaker word never takes the place of a stronger one; an account that
    was made anew under the same id starts anew.
    """
    if kept is None:
        return now
    before = kept.filter(nw.col("provenance") != "unknown", nw.col("provenance_because") != "burst")
    before = before.select(*ACCOUNT, "created_at_s", *COLUMNS)
    was = before.select(
        *ACCOUNT,
        nw.col("created_at_s").alias("was_created_s"),
        nw.col("provenance_confidence").alias("was_confidence"),
    )
    stronger = nw.col("was_confidence") >= nw.col("provenance_confidence").fill_null(0.0)
    same = (nw.col("was_created_s") == nw.col("created_at_s")) | (
        nw.col("was_created_s").is_null() & nw.col("created_at_s").is_null()
    )
    joined = now.join(was, on=ACCOUNT, how="left")
    fresh = joined.filter(~(stronger & same).fill_null(False)).drop("was_created_s", "was_confidence")
    old = before.join(fresh.select(*ACCOUNT), on=ACCOUNT, how="anti")
    return nw.concat([fresh, old], how="vertical")


def of_accounts(accounts: Frame, born: Frame | None) -> Frame:
    """The accounts with COLUMNS: what is told, or why nothing is. What was told of another account of the id is not.

    `born` is None where nothing is told of any account.
    """
    if born is None:
        nothing = {name: nw.lit(None).cast(kind) for name, kind in COLUMNS.items()}
        return accounts.with_columns(**nothing | {"provenance": nw.lit("unknown"), "provenance_because": _untold()})
    theirs = born.select(*ACCOUNT, nw.col("created_at_s").fill_null(_UNTOLD).alias("_made"), *COLUMNS)
    joined = accounts.with_columns(_made=nw.col("created_at_s").fill_null(_UNTOLD))
    joined = joined.join(theirs, on=[*ACCOUNT, "_made"], how="left").drop("_made")
    return joined.with_columns(
        provenance=nw.col("provenance").fill_null("unknown"),
        provenance_because=nw.coalesce(nw.col("provenance_because"), _untold()),
    )


def _untold() -> nw.Expr:
    """Why nothing is told of the account in this row."""
    return nw.when(nw.col("created_at_s").is_null()).then(nw.lit("untold")).otherwise(nw.lit("before_logs"))
