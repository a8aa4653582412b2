"""Accounts that hold more than their owner's role gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import APPLICATION, beside, says
from governance.provisioning.coverage import mapped
from governance.provisioning.entitled import ACCOUNT, beyond, comparable, counted, listed, said
from governance.settings import Policy


def _sentence(row: Row) -> str:
    count = row["excess_count"]
    return (
        f"The account {row['account']} of {row['who']} in {row['where']} holds {counted(count)} that the role mapping"
        f" does not give: {said(row['excess'], count)}."
    )


@rule(
    title="Over-privileged",
    severity="high",
    ends_when="the entitlements are taken away, or the role mapping or the approved baseline gives them",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "owner.attributes", "account.grants"),
    controls=("ISO 27001 A.8.2", "SOC 2 CC6.3", "NIST AC-2(7)", "PCI DSS 7.2.4"),
    evidence=("excess", "excess_count", "owner_department", "owner_title", "owner_kind", "match_key", "privileged"),
    lines={
        "excess": says(APPLICATION, "holds {value}, which no line of the role mapping gives"),
        "excess_count": beside,
    },
    sentence=_sentence,
    applies=lambda settings: mapped(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def over_privileged(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account holds entitlements beyond what its owner's attributes give.

    Fires when an active account of somebody who works here or is on leave holds an entitlement that the role mapping
    hands out, or a privileged one, and neither a line of the mapping nor the approved baseline gives it to the owner's
    department, title and kind.
    Quiet for applications without a role mapping, for ordinary entitlements that the mapping does not mention, and for
    what the owner's position before the last move gave: that is `privilege_creep`, unless the policy has switched it
    off.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, what it holds,
    whether the owner works here, or an attribute that the application's mapping or baseline looks at.
    """
    settings = estate.settings
    judged = estate.accounts.filter(comparable(settings))
    if not settings.role_mapping:
        return judged.with_columns(excess=nw.lit(""), excess_count=nw.lit(0))
    excess = beyond(judged, estate.entitlements, estate.grants, settings)
    if "privilege_creep" not in policy.rules_off:
        excess = excess.filter(~nw.col("left_over"))
    return judged.join(listed(excess, "excess"), on=ACCOUNT, how="inner")
