"""Accounts that still hold what their owner's former position gave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, day, rule
from governance.estate import Estate
from governance.lines import APPLICATION, OWNERS_SOURCE, beside, says
from governance.provisioning.coverage import mapped
from governance.provisioning.entitled import ACCOUNT, beyond, comparable, counted, formerly, listed, said
from governance.settings import Policy


def _moved() -> nw.Expr:
    return ~nw.col("owner_former_department").is_null() | ~nw.col("owner_former_title").is_null()


def _sentence(row: Row) -> str:
    was = ", ".join(row[name] for name in ("was_department", "was_title") if row[name])
    now = ", ".join(row[name] for name in ("owner_department", "owner_title") if row[name]) or "a position not told"
    count = row["creep_count"]
    # When the source was first read with it: the move itself may have been some days before.
    when = f", as was first read on {day(row['owner_moved_at'])}" if row["owner_moved_at"] else ""
    return (
        f"{row['who']} moved from {was} to {now}{when}; the account {row['account']} in {row['where']} still holds"
        f" {counted(count)} that only the former position gives: {said(row['creep'], count)}."
    )


@rule(
    title="Privilege creep",
    severity="high",
    ends_when="the entitlements are taken away, or the role mapping or the approved baseline gives them to the present"
    " position",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "owner.attributes", "account.grants"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(7)", "NIST AC-6(7)", "PCI DSS 7.2.4", "CIS 6.8"),
    evidence=(
        *("creep", "creep_count", "was_department", "was_title", "owner_moved_at"),
        *("owner_department", "owner_title", "match_key", "privileged"),
    ),
    lines={
        "creep": says(APPLICATION, "still holds {value}, which only the former position gives"),
        "creep_count": beside,
        "was_department": says(OWNERS_SOURCE, "former department {value}"),
        "was_title": says(OWNERS_SOURCE, "former title {value}"),
        "owner_moved_at": says(OWNERS_SOURCE, "another position was first read {value}"),
    },
    sentence=_sentence,
    applies=lambda settings: mapped(settings) & _moved() & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def privilege_creep(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account holds entitlements that only its owner's former position explains.

    Fires when the owner moved to another department or title, works here or is on leave, and the active account holds
    an entitlement that the role mapping hands out, or a privileged one, which the mapping or the approved baseline
    gives to the former position and not to the present one. `over_privileged` leaves these to this rule.
    Quiet for owners of whom no move was seen, for what the present position gives too, for what neither position gives
    (that is `over_privileged`), and for applications without a role mapping.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, what it holds,
    whether the owner works here, or an attribute that the application's mapping or baseline looks at.
    """
    settings = estate.settings
    judged = estate.accounts.filter(comparable(settings), _moved()).with_columns(**formerly())
    if not settings.role_mapping:
        return judged.with_columns(creep=nw.lit(""), creep_count=nw.lit(0))
    # Few have moved: their grants are found first, and only of those it is asked what the mapping gives.
    theirs = estate.grants.join(judged.select(*ACCOUNT), on=ACCOUNT, how="semi")
    creep = beyond(judged, estate.entitlements, theirs, settings).filter(nw.col("left_over"))
    return judged.join(listed(creep, "creep"), on=ACCOUNT, how="inner")
