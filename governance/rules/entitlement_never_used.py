"""Entitlements that their holders do not use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, epoch, of_a_person, rule
from governance.estate import Estate
from governance.lines import POLICY, counts
from governance.provisioning.entitled import ACCOUNT, counted, listed, said
from governance.settings import Policy
from governance.surroundings import break_glass


def _sentence(row: Row) -> str:
    count = row["unused_count"]
    return (
        f"The account {row['account']} of {row['who']} in {row['where']} holds {counted(count)} that"
        f" {'was' if count == 1 else 'were'} never used or not for {row['entitlement_unused_days']} days:"
        f" {said(row['unused'], count)}."
    )


@rule(
    title="Entitlement never used",
    severity="low",
    ends_when="the entitlements are used or taken away, or the account is read inactive or gone",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "grants.last_used"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(7)", "NIST AC-6(7)", "PCI DSS 7.2.4", "CIS 6.8"),
    evidence=("unused", "unused_count", "entitlement_unused_days", "active", "owner_state", "match_key", "privileged"),
    lines={"entitlement_unused_days": counts(POLICY, "day", "days", "without use of an entitlement are allowed")},
    sentence=_sentence,
    applies=lambda settings: (
        of_a_person() & nw.col("owner_state").is_in(["current", "unknown"]) & ~break_glass(settings)
    ),
)
def entitlement_never_used(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody who works here holds entitlements that they do not use.

    Fires when the application tells the last use of what an active account holds and it is at least
    `entitlement_unused_days` ago, or there was none: then that many days must have passed since it was given or, where
    that is not told, since the account was created. One finding for an account names what it is about.
    Quiet when the account itself was not used for as long, which is more and said by `stale` or `never_used`; for
    grants of which the application does not tell the use; for owners on leave, for service, bot and shared accounts,
    for accounts without a current owner, and for those registered as break-glass.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner still works here, or, of no grant in the application at all, when it was last used.
    """
    since = epoch(now) - policy.entitlement_unused_days * 86_400
    never = nw.col("last_seen_known").fill_null(False) & nw.col("last_seen_at_s").is_null()
    judged = estate.accounts.filter(
        nw.col("grants_used_told"),
        nw.col("active"),
        nw.col("owner_state") == "current",
        of_a_person(),
        ~never,
        nw.col("last_seen_at_s").is_null() | (nw.col("last_seen_at_s") > since),
        ~break_glass(estate.settings),
    )
    names = estate.entitlements.select("application", "entitlement_id", "name")
    unused = (
        estate.grants.filter(
            nw.col("last_used_known"), nw.col("last_used_at_s").is_null() | (nw.col("last_used_at_s") <= since)
        )
        .select(*ACCOUNT, "entitlement_id", "last_used_at_s", "since_s")
        .join(judged.select(*ACCOUNT, "created_at_s"), on=ACCOUNT, how="inner")
        .filter(nw.coalesce("last_used_at_s", "since_s", "created_at_s") <= since)
        .join(names, on=["application", "entitlement_id"], how="inner")
    )
    return judged.join(listed(unused, "unused"), on=ACCOUNT, how="inner").with_columns(
        entitlement_unused_days=nw.lit(policy.entitlement_unused_days).cast(nw.Int64)
    )
