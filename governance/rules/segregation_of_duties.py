"""People who hold two things that nobody may hold together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.lines import POLICY, SEVERAL, says
from governance.settings import Held, Policy, Settings

ACCOUNT: Final = ["application", "account_id"]
_ONE, _OTHER = "one", "other"


def _sides(settings: Settings) -> list[tuple[str, tuple[Held, ...]]]:
    """Every side of every pair under the name of its column: one_0, other_0, one_1, …"""
    sides = ((_ONE, "one"), (_OTHER, "other"))
    return [
        (f"{column}_{number}", getattr(pair, side))
        for number, pair in enumerate(settings.segregation)
        for column, side in sides
    ]


def _named(settings: Settings) -> nw.Expr:
    here = {held.application for _, side in _sides(settings) for held in side}
    return nw.col("application").is_in(sorted(here))


def _among(side: tuple[Held, ...]) -> nw.Expr:
    """Whether the entitlement in this row is one of these."""
    names: dict[str, list[str]] = {}
    for held in side:
        names.setdefault(held.application, []).append(held.entitlement)
    fits: nw.Expr = nw.lit(False)
    for application, these in names.items():
        fits = fits | ((nw.col("application") == application) & nw.col("name").is_in(sorted(these)))
    return fits


def _called(settings: Settings) -> nw.Expr:
    """What people call the application in this row."""
    called = nw.col("application")
    for application in settings.application:
        if application.label != application.name:
            here = nw.col("application") == application.name
            called = nw.when(here).then(nw.lit(application.label)).otherwise(called)
    return called


@rule(
    title="Segregation of duties",
    severity="high",
    ends_when="one of the two is taken away, or the account that holds it is read inactive or gone",
    remedy=Remedy.REMOVE_GRANT,
    identity=("identity_id", "pair"),
    counted="accounts",
    needs=("source.read", "account.active", "owner.state", "account.grants"),
    controls=("ISO 27001 A.5.3", "SOC 2 CC5.1", "SOC 2 CC6.3", "NIST AC-2(7)", "NIST AC-5", "PCI DSS 7.2.2", "CIS 6.8"),
    evidence=("pair", "one_held", "other_held"),
    lines={
        "pair": says(POLICY, "Nobody may hold both sides of “{value}”"),
        "one_held": says(SEVERAL, "{row[who]} holds {value}"),
        "other_held": says(SEVERAL, "{row[who]} holds {value}"),
    },
    sentence=lambda row: (
        f"{row['who']} holds {row['one_held']} and {row['other_held']}; by “{row['pair']}” nobody may hold both."
    ),
    applies=lambda settings: _named(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def segregation_of_duties(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody holds both sides of a pair that nobody may hold together.

    Fires once for a person and a pair of the settings' [[segregation]] when active accounts of somebody who works here
    or is on leave hold an entitlement of each side, with one account or with several, in one application or across all.
    Quiet for people who hold one side only, for inactive accounts, for accounts without an owner, and for who has left:
    their accounts are `ghost`.
    Not evaluable for accounts in the applications that a pair names, as long as no source of truth was read, or where
    it is not told whether the account is active, what it holds, or whether its owner works here.
    """
    settings = estate.settings
    judged = estate.accounts.filter(
        _named(settings),
        nw.col("active"),
        ~nw.col("privileged").is_null(),
        nw.col("owner_state").is_in(["current", "leave"]),
    )
    person = {"owner_id": "identity_id", "owner_name": "display_name", "owner_state": "state"}
    people = judged.select(*ACCOUNT, "criticality", *(nw.col(old).alias(new) for old, new in person.items()))
    if not settings.segregation:
        empty = people.filter(nw.col("application").is_null())
        return empty.with_columns(pair=nw.lit(""), one_held=nw.lit(""), other_held=nw.lit(""))
    said = nw.concat_str(nw.lit("“"), "name", nw.lit("” in "), "called")
    named = estate.entitlements.filter(_named(settings)).select("application", "entitlement_id", "name")
    sides = _sides(settings)
    marked = named.filter(nw.any_horizontal(*(_among(side) for _, side in sides), ignore_nulls=True))
    marked = marked.with_columns(called=_called(settings))
    marked = marked.select("application", "entitlement_id", *(nw.when(_among(s)).then(said).alias(c) for c, s in sides))
    held = (
        estate.grants.filter(_named(settings))
        .select(*ACCOUNT, "entitlement_id")
        .join(marked, on=["application", "entitlement_id"], how="inner")
        .join(people, on=ACCOUNT, how="inner")
    )
    # Of several entitlements of one side the first by name is shown: any of them is enough.
    where = {f"at_{column}": nw.when(~nw.col(column).is_null()).then(nw.col("application")) for column, _ in sides}
    shown = ("display_name", "state", *(column for column, _ in sides), *where)
    each = held.with_columns(**where).group_by("identity_id").agg(*(nw.col(column).min() for column in shown))
    pairs = [
        each.filter(~nw.col(f"{_ONE}_{number}").is_null(), ~nw.col(f"{_OTHER}_{number}").is_null()).select(
            "identity_id",
            "display_name",
            "state",
            nw.col(f"at_{_ONE}_{number}").alias("application"),
            nw.lit(pair.name).alias("pair"),
            nw.col(f"{_ONE}_{number}").alias("one_held"),
            nw.col(f"{_OTHER}_{number}").alias("other_held"),
        )
        for number, pair in enumerate(settings.segregation)
    ]
    return nw.concat(pairs, how="vertical")
