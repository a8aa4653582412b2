"""Accounts that were closed and are there again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, day, epoch, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.settings import Policy

OWNER: Final = ["owner_id", "application"]


def _sentence(row: Row) -> str:
    if row["state"] == "ended":
        why = f"{row['who']} {row['left']}"
    elif row["state"] == "missing":
        why = f"{row['who']} is no longer in {row['source']}"
    elif row["identity_id"]:
        why = f"{row['who']} is not assigned to {row['where']} in any identity provider"
    else:
        why = f"No identity is known for the account {row['account']} in {row['where']}"
    if row["made_again_at"] is not None:
        return (
            f"{why}; an earlier account of theirs in {row['where']} was closed by {day(row['earlier_closed_at'])}, and"
            f" the account {row['account']} was made anew on {day(row['made_again_at'])}."
        )
    here = f"the account {row['account']} in {row['where']}" if row["identity_id"] else "it"
    return f"{why}; {here} was closed by {day(row['closed_at'])} and is active again since {day(row['returned_at'])}."


@rule(
    title="Reborn",
    severity="high",
    ends_when="the account is read inactive or gone, or the source of truth says that the owner works here and the"
    " identity provider assigns them; close the identity provider first, or the next sign-in makes it anew",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "owner.state"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(3)", "PCI DSS 8.2.5", "CIS 6.2"),
    evidence=(
        *("closed_at", "returned_at", "earlier_closed_at", "made_again_at", "owner_ended_at", "owner_ended_why"),
        *("owner_state", "sign_on_assigned", "active", "last_seen_at", "privileged", "match_key"),
    ),
    lines={
        "earlier_closed_at": says(APPLICATION, "an earlier account of the same owner was closed or gone by {value}"),
        "made_again_at": says(APPLICATION, "this account was made {value}"),
    },
    sentence=_sentence,
)
def reborn(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account that had been closed is active again, or was made anew, though its owner has no claim to it.

    Fires when an active account was read closed and then active again, or was closed from here and active at the next
    pull; or when it was made anew, also under another id, after an earlier account of the same owner in the same
    application was closed or gone (of leavers also in the same pull). It came back after its owner had left or was last
    in the source; or its owner is not known; or they work here but no identity provider assigns the application.
    Quiet for owners who work here and are assigned, or of whom no identity provider tells it: switching an account on
    again for them, as an undo from here does, is no rebirth. Quiet for programs without an owner, within the policy's
    `leaver_grace`, for what came back while its owner worked here, for an account made while their others were open,
    and under another id where the application does not tell when an account was made.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active or whether its
    owner still works here.
    """
    left = (nw.col("owner_state") == "ended").fill_null(False)
    gone = left & (nw.col("owner_ended_at_s") <= epoch(now - policy.leaver_grace)).fill_null(True)
    nobody = nw.col("owner_id").is_null() & nw.col("source_read") & of_a_person()
    works = nw.col("owner_state").is_in(["current", "leave"]).fill_null(False)
    unassigned = works & ~nw.col("sign_on_assigned").fill_null(True)
    missing = (nw.col("owner_state") == "missing").fill_null(False)
    doubtful = estate.accounts.filter(nw.col("active"), gone | nobody | unassigned | missing)
    # What came back while the owner still worked here is no rebirth: it only outlived them, and other rules say so.
    since = (
        nw.when(left)
        .then(nw.col("owner_ended_at_s"))
        .otherwise(nw.when(missing).then(nw.col("owner_last_present_at_s")))
    )
    returned = (nw.col("returned_at_s") >= nw.col("closed_at_s")).fill_null(False)
    returned = returned & (nw.col("returned_at_s") > since).fill_null(True)
    after = (nw.col("created_at_s") >= nw.col("earlier_s")) | (left & ~nw.col("earlier_s").is_null())
    later = since.is_null() | (nw.col("created_at_s") > since)
    made = ~returned & (after & later & ~nw.col("created_at_s").is_null()).fill_null(False)
    found = doubtful.join(_closed_before(estate), on=OWNER, how="left").filter(returned | made)
    return found.with_columns(
        **{name: nw.when(returned).then(nw.col(name)) for name in ("closed_at", "returned_at")},
        earlier_closed_at=nw.when(made).then(nw.col("earlier_closed_at")),
        made_again_at=nw.when(made).then(nw.col("created_at")),
    )


def _closed_before(estate: Estate) -> nw.LazyFrame[Any]:
    """For each owner and application, when the first of their accounts was closed: earlier_s, earlier_closed_at.

    One that is gone may have been so since it was last read; what came after that came after it.
    """
    owned = ~nw.col("owner_id").is_null()
    inactive = estate.accounts.filter(owned, ~nw.col("active"), ~nw.col("closed_at_s").is_null()).select(
        *OWNER, nw.col("closed_at_s").alias("earlier_s"), nw.col("closed_at").alias("earlier_closed_at")
    )
    vanished = estate.vanished_accounts.filter(owned).select(
        *OWNER,
        nw.min_horizontal("closed_at_s", "last_present_at_s").alias("earlier_s"),
        nw.coalesce("closed_at", "last_present_at").alias("earlier_closed_at"),
    )
    closed = nw.concat([inactive, vanished], how="vertical")
    return closed.group_by(*OWNER).agg(nw.col("earlier_s").min(), nw.col("earlier_closed_at").min())
