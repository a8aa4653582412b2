"""Applications of whose accounts nobody can say when they were last used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule, told
from governance.estate import Estate
from governance.lines import APPLICATION, counts
from governance.settings import Policy


def _sentence(row: Row) -> str:
    untold, active = row["untold_accounts"], row["active_accounts"]
    return (
        f"{row['where']} does not tell the last use of {untold:,} of its {active:,} active"
        f" account{'' if active == 1 else 's'}: whether they are stale or were never used is not known."
    )


@rule(
    title="Last use unknown",
    severity="informational",
    ends_when="the application tells the last use of every active account, or its sign-ins are read",
    remedy=Remedy.CONFIGURE,
    identity=("application",),
    needs=("account.active",),
    controls=("ISO 27001 A.8.15", "SOC 2 CC7.2", "NIST AC-2(3)", "NIST AC-2(12)", "PCI DSS 8.2.6", "CIS 5.3"),
    evidence=("untold_accounts", "active_accounts"),
    lines={
        "untold_accounts": counts(
            APPLICATION, "active account", "active accounts", "of which the last use is not told"
        ),
    },
    sentence=_sentence,
)
def activity_unknown(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An application does not tell when its accounts were last used: a blind spot.

    Fires once for an application when it has active accounts of which neither a last use is told nor that there never
    was one. `stale`, `never_used` and what else rests on the last use say nothing about them.
    Quiet where the last use, or that there was none, is told of every active account.
    Not evaluable for accounts of which it is not told whether they are active.
    """
    unknown = ~told(estate.settings)["account.last_seen"]
    return (
        estate.accounts.filter(nw.col("active"))
        .select("application", "criticality", untold=unknown.cast(nw.Int64))
        .group_by("application")
        .agg(
            nw.col("criticality").max(),
            nw.col("untold").sum().cast(nw.Int64).alias("untold_accounts"),
            nw.len().cast(nw.Int64).alias("active_accounts"),
        )
        .filter(nw.col("untold_accounts") > 0)
    )
