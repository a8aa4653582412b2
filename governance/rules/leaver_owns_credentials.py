"""Tokens, keys and accounts of programs that outlive who made them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, epoch, of_a_program, rule
from governance.estate import Estate
from governance.lines import APPLICATION, SOURCE_OF_TRUTH, minute, says, worded
from governance.settings import Policy


def _sentence(row: Row) -> str:
    if row["answered_by"]:
        return (
            f"{row['answered_by']}, who answers for the {row['kind']} account {row['account']} in {row['where']}, has"
            " left; the account is still active."
        )
    held = row["open_credentials"]
    many = "1 token, key or consent" if held == 1 else f"{held:,} tokens, keys or consents"
    opens = "opens" if held == 1 else "open"
    state = " although it is inactive" if row["active"] is False else ""
    return f"{row['who']} {row['left']}; {many} still {opens} the account {row['account']} in {row['where']}{state}."


def _answered_until(row: Row) -> str | None:
    ended_at = row["responsible_ended_at"]
    if ended_at is None or not row["answered_by"]:
        return None
    return f"the engagement of {row['answered_by']} ended {minute(ended_at)}"


@rule(
    title="Leaver owns credentials",
    severity="high",
    ends_when="the tokens, keys and consents are revoked, or somebody who works here answers for the account",
    remedy=Remedy.DECIDE,
    needs=("source.read", "owner.state", "owner.ended_at", "account.credentials"),
    controls=("ISO 27001 A.5.17", "SOC 2 CC6.1", "NIST AC-2(3)", "PCI DSS 8.6.3", "PCI DSS 8.2.5", "CIS 6.2"),
    evidence=(
        *("owner_ended_at", "owner_ended_why", "open_credentials", "credential_used_at", "answered_by"),
        *("responsible_ended_at", "kind", "active", "match_key", "privileged"),
    ),
    lines={
        "open_credentials": says(APPLICATION, "{value} tokens, keys or consents open the account"),
        "credential_used_at": says(APPLICATION, "a token or key was last used {value}"),
        "answered_by": says(APPLICATION, "{value} answers for the account"),
        "responsible_ended_at": worded(SOURCE_OF_TRUTH, _answered_until, at="responsible_ended_at"),
    },
    sentence=_sentence,
    # Of an active account of a program whose owner left enough is known already.
    applies=lambda _: (
        (nw.col("owner_state") == "unknown")
        | ((nw.col("owner_state") == "ended") & ~(of_a_program() & nw.col("active").fill_null(False)))
    ),
)
def leaver_owns_credentials(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Tokens, keys, consents or a program's account still work after who is accountable for them left.

    Fires when the owner's engagement ended, the policy's `leaver_grace` has passed since, and tokens, keys or consents
    still open the account, whether it is active or not: they work without anybody signing in. Fires also on an active
    service, bot or shared account whose owner left, or of which the application names somebody accountable who left.
    Quiet for owners who work here, for accounts that nothing opens, for credentials that have expired, and for
    inactive accounts of programs without credentials.
    Not evaluable when no source of truth was read, or when it is not told whether or when the owner left, or which
    credentials open the account.
    """
    moment, left_by = epoch(now), epoch(now - policy.leaver_grace)
    owner_left = ((nw.col("owner_state") == "ended") & (nw.col("owner_ended_at_s") <= left_by)).fill_null(False)
    named_left = (nw.col("responsible_state") == "ended").fill_null(False)
    of_program = of_a_program() & nw.col("active").fill_null(False)
    accounts = estate.accounts.filter(owner_left | (named_left & of_program))
    listed = (
        estate.credentials.filter(nw.col("expires_at_s").is_null() | (nw.col("expires_at_s") > moment))
        .group_by("application", "account_id")
        .agg(nw.len().cast(nw.Int64).alias("listed"), nw.col("last_used_at").max().alias("credential_used_at"))
    )
    joined = accounts.join(listed, on=["application", "account_id"], how="left")
    answered = nw.when(named_left & of_program).then(nw.coalesce("responsible_name", "responsible_id"))
    return joined.with_columns(
        open_credentials=nw.coalesce("listed", "credentials"),
        answered_by=answered.otherwise(nw.when(owner_left & of_program).then(nw.coalesce("owner_name", "owner_id"))),
    ).filter((owner_left & (nw.col("open_credentials") > 0)) | (of_program & ~nw.col("answered_by").is_null()))
