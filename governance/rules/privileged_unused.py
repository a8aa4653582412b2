"""Privileged access that nobody uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, day, epoch, of_a_person, rule, told
from governance.estate import Estate
from governance.lines import POLICY, counts
from governance.provisioning.entitled import ACCOUNT, listed, said
from governance.settings import Policy
from governance.surroundings import break_glass


def _sentence(row: Row) -> str:
    account = f"The privileged account {row['account']} of {row['who']} in {row['where']}"
    allowed = f"the policy allows {row['privileged_unused_days']} days without use of privileged access."
    if row["unused"]:
        used = f" was last used on {day(row['last_seen_at'])}" if row["last_seen_at"] else " has never been used"
        held = f"does not use {said(row['unused'], row['unused_count'])}"
        return f"{account}{used} and {held}; {allowed}"
    if row["last_seen_at"]:
        return f"{account} was last used on {day(row['last_seen_at'])}; {allowed}"
    return f"{account} was created on {day(row['created_at'])} and has never been used; {allowed}"


@rule(
    title="Privileged access unused",
    severity="medium",
    ends_when="the privileged access is used or taken away, or the account is read inactive or gone",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "account.grants", "account.last_seen"),
    controls=("ISO 27001 A.8.2", "SOC 2 CC6.3", "NIST AC-2(3)", "NIST AC-6(7)", "PCI DSS 7.2.4", "CIS 5.3"),
    evidence=(
        *("last_seen_at", "created_at", "unused", "unused_count", "privileged_unused_days"),
        *("privileged", "active", "owner_state", "match_key"),
    ),
    lines={"privileged_unused_days": counts(POLICY, "day", "days", "without use of privileged access are allowed")},
    sentence=_sentence,
    applies=lambda settings: (
        of_a_person()
        & nw.col("privileged").fill_null(True)
        & nw.col("owner_state").is_in(["current", "unknown"])
        & ~break_glass(settings)
    ),
)
def privileged_unused(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody who works here holds privileged access and has not used it for `privileged_unused_days`.

    Fires when an active privileged account was last used at least as many days ago as the policy allows, or was created
    that long ago and never used. Fires too on an account that is used, when the application tells the last use of
    entitlements and a privileged one it holds was not used for as long; one never used counts from when it was given,
    or, where that is not told, from when the account was created. The privileged access is the question here, whether
    the account stays or not: `stale` and `never_used` may stand beside it.
    Quiet for owners on leave, for service, bot and shared accounts, for accounts without a current owner, for those
    registered as break-glass, since unused is what they should be, and where there never was a use and it is not told
    since when there could have been one.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner still works here, what it holds, or when it was last used.
    """
    since = epoch(now) - policy.privileged_unused_days * 86_400
    judged = estate.accounts.filter(
        nw.col("privileged"),
        nw.col("active"),
        nw.col("owner_state") == "current",
        of_a_person(),
        told(estate.settings)["account.last_seen"],
        ~break_glass(estate.settings),
    )
    never = nw.col("last_seen_at_s").is_null() & (nw.col("created_at_s") <= since)
    idle = ((nw.col("last_seen_at_s") <= since) | never).fill_null(False)
    special = estate.entitlements.filter(nw.col("privileged")).select("application", "entitlement_id", "name")
    unused = (
        estate.grants.filter(nw.col("last_used_known"))
        .select(*ACCOUNT, "entitlement_id", "last_used_at_s", "since_s")
        .join(special, on=["application", "entitlement_id"], how="inner")
        .join(judged.filter(~idle).select(*ACCOUNT, "created_at_s"), on=ACCOUNT, how="inner")
        .filter(nw.coalesce("last_used_at_s", "since_s", "created_at_s") <= since)
    )
    return (
        judged.with_columns(idle=idle)
        .join(listed(unused, "unused"), on=ACCOUNT, how="left")
        .filter(nw.col("idle") | ~nw.col("unused").is_null())
        .with_columns(privileged_unused_days=nw.lit(policy.privileged_unused_days).cast(nw.Int64))
    )
