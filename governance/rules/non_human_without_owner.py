"""Accounts of programs that nobody answers for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, of_a_program, rule
from governance.estate import Estate
from governance.lines import APPLICATION, SOURCE_OF_TRUTH, STATES, beside, says, worded
from governance.settings import Policy


def _sentence(row: Row) -> str:
    named = row["responsible_name"] or row["responsible"]
    if not named:
        why = "nobody answers for it"
    elif row["responsible_state"] == "ended":
        why = f"{named}, who should answer for it, has left"
    else:
        why = f"{named}, who should answer for it, is not in the source of truth"
    return f"The {row['kind']} account {row['account']} in {row['where']} is active and {why}."


def _responsible(row: Row) -> str | None:
    does, name = STATES.get(row["responsible_state"]), row["responsible_name"]
    return f"{name} {does}" if does and name else None


@rule(
    title="Non-human without owner",
    severity="medium",
    ends_when="the account is pinned to an owner, the application names somebody accountable who works here, it is"
    " registered as protected with its owner, or it is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(9)", "PCI DSS 8.6.1", "PCI DSS 7.2.5", "CIS 5.5"),
    evidence=(
        "kind",
        "match",
        "active",
        "responsible",
        "responsible_name",
        "responsible_state",
        "candidates",
        "privileged",
    ),
    lines={
        "responsible": says(APPLICATION, "{value} answers for the account"),
        "responsible_name": beside,
        "responsible_state": worded(SOURCE_OF_TRUTH, _responsible),
    },
    sentence=_sentence,
    applies=lambda _: of_a_program() & (nw.col("match") == "unmatched") & ~nw.col("protected").fill_null(False),
)
def non_human_without_owner(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active service, bot or shared account has nobody who answers for it.

    Fires when no key of the account leads to an identity, and the application names nobody accountable, or somebody
    who left or whom no source of truth holds.
    Quiet when the account has an owner or somebody accountable who works here, is on leave or starts later, when it is
    registered as protected (an entry there names its owner) or is the connector's own, and for inactive accounts. An
    account whose kind is not told counts as a person's.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active.
    """
    answered = nw.col("responsible_state").is_in(["current", "leave", "future", "unknown"]).fill_null(False)
    return estate.accounts.filter(
        nw.col("source_read"),
        nw.col("active"),
        of_a_program(),
        nw.col("match") == "unmatched",
        ~nw.col("protected").fill_null(False),
        ~answered,
    )
