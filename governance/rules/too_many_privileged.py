"""Applications with more administrators than anybody can watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, POLICY, counts
from governance.settings import Policy

_PARTS: Final = 1_000_000  # a share in whole numbers, so that every engine rounds alike


@rule(
    title="Too many privileged accounts",
    severity="medium",
    ends_when="so much privileged access is taken away that no more than the policy allows is left",
    remedy=Remedy.DECIDE,
    identity=("application",),
    needs=("account.active", "account.grants"),
    controls=("ISO 27001 A.8.2", "SOC 2 CC6.3", "NIST AC-2(7)", "NIST AC-6(5)", "PCI DSS 7.2.2", "CIS 5.4"),
    evidence=("privileged_accounts", "most_privileged", "active_accounts"),
    lines={
        "privileged_accounts": counts(
            APPLICATION, "active account", "active accounts", "of people with privileged access"
        ),
        "most_privileged": counts(
            POLICY, "account", "accounts", "of people with privileged access are allowed in this application"
        ),
    },
    sentence=lambda row: (
        f"{row['privileged_accounts']:,} of the {row['active_accounts']:,} active accounts in {row['where']} are"
        f" people's with privileged access; the policy allows {row['most_privileged']:,}."
    ),
)
def too_many_privileged(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """More people have privileged access to an application than the policy allows.

    Fires once for an application when more active accounts of people hold something privileged than `most_privileged`
    and than `most_privileged_share` of its active accounts, whichever is more.
    Quiet up to that number, and for service, bot and shared accounts, which do not count as people's. Accounts of which
    it is not told whether they are active, or what they hold, raise what is allowed and never the count.
    Not evaluable for accounts of which it is not told whether they are active or what they hold.
    """
    share = round(policy.most_privileged_share * _PARTS)
    privileged = nw.col("active").fill_null(False) & nw.col("privileged").fill_null(False) & of_a_person()
    counted = (
        estate.accounts.filter(nw.col("active").fill_null(True))
        .select("application", "criticality", held=privileged.cast(nw.Int64))
        .group_by("application")
        .agg(
            nw.col("criticality").max(),
            nw.col("held").sum().cast(nw.Int64).alias("privileged_accounts"),
            nw.len().cast(nw.Int64).alias("active_accounts"),
        )
        .with_columns(by_share=nw.col("active_accounts") * share // _PARTS)
    )
    fewest = nw.lit(policy.most_privileged).cast(nw.Int64)
    return counted.with_columns(
        most_privileged=nw.when(nw.col("by_share") > policy.most_privileged).then(nw.col("by_share")).otherwise(fewest)
    ).filter(nw.col("privileged_accounts") > nw.col("most_privileged"))
