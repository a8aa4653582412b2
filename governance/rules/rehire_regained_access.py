"""Old accounts of people who came back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, day, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy

# Who comes back is often let in before the first day; an account opened earlier was opened for another reason.
PREPARED_BEFORE: Final = timedelta(days=30)


@rule(
    title="Rehire regained access",
    severity="medium",
    ends_when="somebody has compared what the account holds with the new position and excludes the finding with a"
    " reason, or the account is read inactive or gone",
    remedy=Remedy.DECIDE,
    needs=("source.read", "account.active", "owner.state"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(1)", "PCI DSS 7.2.5", "CIS 6.1"),
    evidence=("owner_rehired_at", "closed_at", "returned_at", "created_at", "active", "privileged", "match_key"),
    lines={"owner_rehired_at": says(OWNERS_SOURCE, "{row[who]} had left and works here again since {value}")},
    sentence=lambda row: (
        f"{row['who']} had left and works here again since {day(row['owner_rehired_at'])}; the account"
        f" {row['account']} in {row['where']} from before, closed on {day(row['closed_at'])}, is active again since"
        f" {day(row['returned_at'])} with whatever it still held."
    ),
    applies=lambda _: ~nw.col("owner_rehired_at_s").is_null(),
)
def rehire_regained_access(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody who came back has the account of their former engagement again, with what it held.

    Fires when the source of truth said that a leaver works here again, and an account that was closed before that is
    active again, opened at the earliest 30 days before. A new engagement should not inherit the rights of the old one.
    What an account held when it was closed is not remembered: somebody compares what it holds now.
    Quiet for accounts made for the new engagement, for those that are still closed, for those that had been opened
    again long before the owner came back, and for who was merely missing from the source.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active or whether its
    owner works here.
    """
    early = PREPARED_BEFORE // timedelta(seconds=1)
    created_before = nw.col("created_at_s").is_null() | (nw.col("created_at_s") < nw.col("owner_rehired_at_s"))
    return estate.accounts.filter(
        ~nw.col("closed_at_s").is_null(),
        nw.col("active"),
        nw.col("owner_state").is_in(["current", "leave"]),
        nw.col("closed_at_s") < nw.col("owner_rehired_at_s"),
        nw.col("returned_at_s") >= nw.col("closed_at_s"),
        nw.col("returned_at_s") >= nw.col("owner_rehired_at_s") - early,
        created_before,
    )
