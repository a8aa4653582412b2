"""Addresses that belonged to somebody else before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import CORRELATION, says
from governance.settings import Policy


def _sentence(row: Row) -> str:
    whose = f"it is {row['who']}'s" if row["identity_id"] else "whose it is must be decided"
    return (
        f"The active account {row['account']} in {row['where']} has an address that several people held,"
        f" {row['address_holders'].replace(';', ', ')}, at least one of them before; {whose}."
    )


@rule(
    title="Recycled identifier",
    severity="medium",
    ends_when="the account is given an address that nobody held before, or it is read inactive or gone; or somebody"
    " has checked whose it is and excludes the finding with a reason",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST IA-4", "NIST AC-2(1)", "PCI DSS 8.2.1", "CIS 5.1"),
    evidence=("email", "address_holders", "match_key", "created_at", "active", "privileged"),
    lines={"address_holders": says(CORRELATION, "{value} hold or held its address or alias", several=True)},
    sentence=_sentence,
    applies=lambda _: ~nw.col("address_holders").is_null(),
)
def recycled_identifier(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account has an address or alias that belonged to somebody else before.

    Fires when two or more people hold or held the address or alias of the account, and one of them gave it up, left or
    is missing from the source: whether the account could be bound to one of them (by its number, or because only one
    worked here when it was made) or not. The new holder may open what the old one left behind, and the reverse.
    Quiet for inactive accounts, for addresses that one person alone ever held, and for addresses that several people
    hold now and nobody gave up: those are ambiguous owners. Only whom the snapshots remember is known.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active.
    """
    return estate.accounts.filter(nw.col("active"), ~nw.col("address_holders").is_null())
