"""Ghost accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, epoch, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Ghost",
    severity="critical",
    ends_when="the account is read inactive or gone, or the source of truth says that the owner works here",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "owner.state", "owner.ended_at"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.5"),
    evidence=("owner_ended_at", "owner_ended_why", "active", "match_key", "last_seen_at", "privileged"),
    sentence=lambda row: (
        f"{row['who']} {row['left']}; the account {row['account']} in {row['where']} is still active{row['used']}."
    ),
)
def ghost(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """A leaver's account is still active.

    Fires when the owner's engagement ended, the policy's `leaver_grace` has passed since, and the account can sign in.
    Quiet for owners who work here, are on leave, start later or are merely missing from the source, for inactive
    accounts, and for accounts without an owner: other rules judge those.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner still works here, or when the owner left.
    """
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state") == "ended",
        nw.col("owner_ended_at_s") <= epoch(now - policy.leaver_grace),
    )
