"""Accounts for emergencies that somebody used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, day, epoch, rule, told
from governance.estate import Estate
from governance.lines import APPLICATION, counts, says
from governance.settings import Policy
from governance.surroundings import break_glass

LOOKED_BACK: Final = timedelta(days=90)  # a use stays a finding as long as a quarterly review may have to see it
_USES: Final = ["sign_in", "token_used"]
_ACCOUNT: Final = ["application", "account_id"]
_DAY: Final = 86_400


def _sentence(row: Row) -> str:
    often = f", {row['uses']:,} times that day" if row["uses"] > 1 else ""
    return (
        f"The break-glass account {row['account']} in {row['where']} was used on {day(row['used_at'])}{often}:"
        " somebody must say why."
    )


@rule(
    title="Break-glass account used",
    severity="high",
    ends_when="the use is 90 days old; until then somebody says why it was used and excludes the finding",
    remedy=Remedy.DECIDE,
    identity=("application", "account_id", "used_day"),
    needs=("account.last_seen",),
    controls=("ISO 27001 A.8.2", "ISO 27001 A.8.15", "SOC 2 CC7.2", "NIST AC-2(12)", "PCI DSS 8.2.2", "CIS 5.4"),
    evidence=("used_at", "uses", "privileged", "active"),
    lines={
        "used_at": says(APPLICATION, "used {value}"),
        "uses": counts(APPLICATION, "known use on that day", "known uses on that day"),
    },
    sentence=_sentence,
    applies=break_glass,
)
def break_glass_used(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account that is registered for emergencies was used.

    Fires for every day (UTC) of the last 90 on which an account registered under [[protected]] with why =
    "break_glass" was used: by its last use, and by the successful sign-ins and uses of tokens that were read. Each day
    is a finding of its own, so that what was said about one use says nothing about the next. Whether the account is
    active now does not matter.
    Quiet for unused ones, as they should be, for failed sign-ins, for what is longer ago, and for every other account.
    When an account was registered is not known: a use from before counts too.
    Not evaluable when its last use is not told.
    """
    since = epoch(now - LOOKED_BACK)
    register = estate.accounts.filter(break_glass(estate.settings), told(estate.settings)["account.last_seen"])
    last = register.filter(nw.col("last_seen_at_s") > since).select(
        *_ACCOUNT, used_at=nw.col("last_seen_at"), used_at_s=nw.col("last_seen_at_s"), read=nw.lit(0)
    )
    happened = (
        estate.events.filter(
            nw.col("kind").is_in(_USES), nw.col("at_s") > since, nw.col("success"), nw.col("target").is_null()
        )
        .join(register.select(*_ACCOUNT), on=_ACCOUNT, how="semi")
        .select(*_ACCOUNT, used_at=nw.col("at"), used_at_s=nw.col("at_s"), read=nw.lit(1))
    )
    days = (
        nw.concat([last, happened], how="vertical")
        .with_columns(used_day=(nw.col("used_at_s") // _DAY).cast(nw.Int64))
        .group_by(*_ACCOUNT, "used_day")
        .agg(nw.col("used_at").max(), nw.col("read").sum().cast(nw.Int64).alias("read"))
        .with_columns(uses=nw.when(nw.col("read") > 1).then(nw.col("read")).otherwise(nw.lit(1).cast(nw.Int64)))
    )
    return register.join(days, on=_ACCOUNT, how="inner")
