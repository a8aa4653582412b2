"""Accounts that hold what hardly anybody in the same position holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, of_a_person, rule, told
from governance.estate import Estate
from governance.lines import APPLICATION, beside, counts, says
from governance.provisioning.coverage import PRESENT
from governance.provisioning.entitled import ACCOUNT, counted, given, listed, said
from governance.settings import Policy

_POSITION: Final = ["application", "owner_department", "owner_title"]
_PARTS: Final = 1_000_000  # a share in whole numbers, so that a tenth of thirty is three on every engine


def _sentence(row: Row) -> str:
    count = row["outlying_count"]
    return (
        f"The account {row['account']} of {row['who']} in {row['where']} holds {counted(count)} that few of the"
        f" {row['peers']:,} people there with the same department and title hold"
        f" ({row['owner_department']}, {row['owner_title']}): {said(row['outlying'], count)}."
    )


@rule(
    title="Outlier among peers",
    severity="low",
    ends_when="the entitlements are taken away, more of the peers hold them, or the role mapping or the approved"
    " baseline gives them",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "owner.attributes", "owner.peers", "account.grants"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(7)", "NIST AC-6(7)", "PCI DSS 7.2.4", "CIS 6.8"),
    evidence=("outlying", "outlying_count", "peers", "owner_department", "owner_title", "match_key", "privileged"),
    lines={
        "outlying": says(APPLICATION, "holds {value}, which few others in the same position hold"),
        "outlying_count": beside,
        "peers": counts(APPLICATION, "person", "people", "in the same department and title"),
    },
    sentence=_sentence,
    applies=lambda _: of_a_person() & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def peer_outlier(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account holds an entitlement that hardly any of its owner's peers hold.

    Fires when an active account of somebody who works here or is on leave holds an entitlement that a smaller share
    than `peer_share` of the people with an account in the same application and the same department and title hold, and
    there are at least `peers_least` of them, the owner included. One finding for an account names what it is about.
    Quiet for what the role mapping or the approved baseline gives to the owner, for positions with fewer people, and
    for service, bot and shared accounts, who are nobody's peers.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, what it holds,
    whether the owner works here, both their department and title, or another attribute that the mapping looks at. Such
    accounts are not counted among the peers of others either.
    """
    settings = estate.settings
    signals = told(settings)
    judged = estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state").is_in(["current", "leave"]),
        of_a_person(),
        ~nw.col("privileged").is_null(),
        signals["owner.peers"],
        signals["owner.attributes"],
    )
    positions = judged.group_by(_POSITION).agg(nw.col("owner_id").n_unique().cast(nw.Int64).alias("peers"))
    compared = _numbered(positions.filter(nw.col("peers") >= policy.peers_least))
    # Of few, narrow columns: these rows are as many as grants, and are gone through twice.
    held = estate.grants.select(*ACCOUNT, "entitlement_id").join(_peers(judged, compared), on=ACCOUNT, how="inner")
    together = ["application", "position", "entitlement_id"]
    rare = (
        _holders(held, together)
        .join(compared.select("application", "position", "peers"), on=together[:2], how="inner")
        .filter(nw.col("holders") * _PARTS < nw.col("peers") * round(policy.peer_share * _PARTS))
    )
    names = estate.entitlements.select("application", "entitlement_id", "name")
    outlying = (
        held.drop("whose")
        .join(rare.select(*together), on=together, how="inner")
        .join(names, on=["application", "entitlement_id"], how="inner")
        .join(judged.select(*ACCOUNT, "owner_id", *PRESENT.values()), on=ACCOUNT, how="inner")
        .filter(~given(settings))
    )
    found = judged.join(listed(outlying, "outlying"), on=ACCOUNT, how="inner")
    return found.join(compared.drop("position"), on=_POSITION, how="left")


def _numbered(positions: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The positions with a number, `position`, within their application: it goes through joins in their place."""
    place = nw.col("one").cum_sum().over("application", order_by=_POSITION[1:])
    return positions.with_columns(one=nw.lit(1)).with_columns(position=place).drop("one")


def _peers(judged: nw.LazyFrame[Any], compared: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The accounts in these positions: application, account_id, position and, of who has several, `whose`."""
    theirs = judged.group_by("application", "owner_id").agg(nw.len().alias("accounts"))
    several = theirs.filter(nw.col("accounts") > 1).select("application", "owner_id", whose=nw.col("owner_id"))
    return (
        judged.select(*ACCOUNT, "owner_id", *_POSITION[1:])
        .join(compared, on=_POSITION, how="inner")
        .join(several, on=["application", "owner_id"], how="left")
        .select(*ACCOUNT, "position", "whose")
    )


def _holders(held: nw.LazyFrame[Any], together: list[str]) -> nw.LazyFrame[Any]:
    """How many people hold each entitlement in each position: `holders`.

    A person with two accounts is one; nearly everybody has one account, and need not be told apart to be counted. Those
    have no `whose`, which counts as one more different value where there are any.
    """
    counted = (
        held.with_columns(alone=nw.col("whose").is_null().cast(nw.Int64))
        .group_by(together)
        .agg(
            nw.col("alone").sum().alias("single"),
            nw.col("whose").n_unique().cast(nw.Int64).alias("different"),
            nw.col("alone").max().alias("any"),
        )
    )
    return counted.with_columns(holders=nw.col("single") + nw.col("different") - nw.col("any"))
