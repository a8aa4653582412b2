"""Accounts of people who vanished from the source of truth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, day, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy


@rule(
    title="Missing from source",
    severity="medium",
    ends_when="the source of truth holds the owner again or says that they"
    " left, or the account is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active", "owner.state"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.5"),
    evidence=("owner_state", "owner_last_present_at", "active", "match_key"),
    lines={"owner_last_present_at": says(OWNERS_SOURCE, "last held {row[who]} on {value}")},
    sentence=lambda row: (
        f"{row['who']} is no longer in {row['source']}, last seen there on {day(row['owner_last_present_at'])}, without"
        f" a word that they left; the account {row['account']} in {row['where']} is active."
    ),
)
def missing_from_source(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """The owner of an active account vanished from the source of truth without a word that they left.

    Fires when earlier snapshots of the source held the owner and the newest does not. This is a suspicion, never a
    proof: a file may lack rows. Nothing is deactivated for it; somebody must find out and say.
    Quiet for inactive accounts, and once the source says that the owner left or holds them again.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active or whether its
    owner still works here.
    """
    return estate.accounts.filter(nw.col("active"), nw.col("owner_state") == "missing")
