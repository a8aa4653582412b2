"""Second accounts of one person in one application."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.settings import Policy

_NOT_TOLD: Final = 2**53  # later than every account whose day of creation is told
_PERSON: Final = ["application", "owner_id"]


def _of_somebody() -> nw.Expr:
    return of_a_person() & ~nw.col("owner_id").is_null()


@rule(
    title="Duplicate account",
    severity="low",
    ends_when="of the owner's accounts there only one is still active, or the account is pinned to somebody else or"
    " registered as protected",
    remedy=Remedy.DECIDE,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(1)", "PCI DSS 8.2.1", "CIS 5.1"),
    evidence=("accounts_of_owner", "oldest_account", "created_at", "active", "match_key", "privileged"),
    lines={
        "accounts_of_owner": says(APPLICATION, "{value} active accounts of {row[who]}"),
        "oldest_account": says(APPLICATION, "the oldest of them is {value}"),
    },
    sentence=lambda row: (
        f"{row['who']} has {row['accounts_of_owner']:,} active accounts in {row['where']}: {row['account']} stands"
        f" beside the older {row['oldest_account']}."
    ),
    applies=lambda _: _of_somebody() & ~nw.col("protected").fill_null(False),
)
def duplicate_account(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """One person has two or more active accounts in one application.

    Fires on each active account beyond the oldest one (of equally old ones, and where creation is not told, the first
    by id). The oldest stands because it stays the oldest: which was used last changes with every sign-in, and findings
    would change with it. Which account goes is for a person to decide.
    Quiet for the oldest, for inactive accounts, for service, bot and shared accounts, for accounts without an owner,
    and for what is registered as protected, such as a separate account for administration.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active.
    """
    own = estate.accounts.filter(nw.col("active"), _of_somebody(), ~nw.col("protected").fill_null(False))
    # Few people have more accounts than applications: they are found by one key before anything is paired.
    many = own.group_by("owner_id").agg(nw.len().alias("held"), nw.col("application").n_unique().alias("places"))
    theirs = own.join(many.filter(nw.col("held") > nw.col("places")).select("owner_id"), on="owner_id", how="semi")
    counted = theirs.group_by(_PERSON).agg(nw.len().cast(nw.Int64).alias("accounts_of_owner"))
    several = theirs.join(counted.filter(nw.col("accounts_of_owner") > 1), on=_PERSON, how="inner")
    ordered = several.with_columns(
        one=nw.lit(1), age=nw.col("created_at_s").fill_null(_NOT_TOLD), called=nw.coalesce("username", "account_id")
    ).with_columns(place=nw.col("one").cum_sum().over(_PERSON, order_by=["age", "account_id"]))
    named = ordered.with_columns(
        oldest_account=nw.when(nw.col("place") == 1).then(nw.col("called")).max().over(_PERSON)
    )
    return named.filter(nw.col("place") > 1)
