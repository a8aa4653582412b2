"""Accounts that hold more than their owner's role gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule, told
from governance.estate import Estate
from governance.settings import Policy, RoleMapping, Settings

ACCOUNT: Final = ["application", "account_id"]
SEPARATOR: Final = "\x1f"
SHOWN: Final = 5  # entitlements named in the evidence; the others are counted


def _mapped(settings: Settings) -> nw.Expr:
    return nw.col("application").is_in(sorted({line.application for line in settings.role_mapping}))


def _key(*columns: str) -> nw.Expr:
    return nw.concat_str("application", "name", *columns, separator=SEPARATOR).fill_null("")


def _handed_out(settings: Settings) -> nw.Expr:
    """Whether any line of the mapping hands out the entitlement in this row."""
    return _key().is_in(sorted({_joined(line, name) for line in settings.role_mapping for name in line.gives}))


def _given(settings: Settings) -> nw.Expr:
    """Whether a line of the mapping gives the entitlement in this row to the owner in the same row."""
    keys: dict[tuple[str, ...], set[str]] = {}
    for line in settings.role_mapping:
        attributes = sorted(line.when.items())
        values = [value for _, value in attributes]
        fitting = keys.setdefault(tuple(name for name, _ in attributes), set())
        fitting.update(_joined(line, name, *values) for name in line.gives)
    fits = (_key(*(f"owner_{name}" for name in names)).is_in(sorted(values)) for names, values in keys.items())
    return nw.any_horizontal(*fits, ignore_nulls=True)


def _joined(line: RoleMapping, *values: str) -> str:
    return SEPARATOR.join((line.application, *values))


def _sentence(row: Row) -> str:
    count = row["excess_count"]
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return (
        f"The account {row['account']} of {row['who']} in {row['where']} holds {count}"
        f" entitlement{'s' if count > 1 else ''} that the role mapping does not give: {row['excess']}{more}."
    )


@rule(
    title="Over-privileged",
    severity="high",
    ends_when="the entitlements are taken away, or the role mapping or the approved baseline gives them",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "owner.attributes", "account.grants"),
    controls=("ISO 27001 A.8.2", "SOC 2 CC6.3", "NIST AC-2(7)", "PCI DSS 7.2.4"),
    evidence=("excess", "excess_count", "owner_department", "owner_title", "owner_kind", "match_key", "privileged"),
    sentence=_sentence,
    applies=lambda settings: _mapped(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def over_privileged(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account holds entitlements beyond what its owner's attributes give.

    Fires when an active account of somebody who works here or is on leave holds an entitlement that the role mapping
    hands out, or a privileged one, and no line of the mapping gives it to the owner's department, title and kind.
    Quiet for applications without a role mapping, and for ordinary entitlements that the mapping does not mention.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, what it holds,
    whether the owner works here, or an attribute that the application's mapping looks at.
    """
    settings = estate.settings
    judged = estate.accounts.filter(
        _mapped(settings),
        nw.col("active"),
        ~nw.col("privileged").is_null(),
        nw.col("owner_state").is_in(["current", "leave"]),
        told(settings)["owner.attributes"],
    )
    if not settings.role_mapping:
        return judged.with_columns(excess=nw.lit(""), excess_count=nw.lit(0))
    governed = estate.entitlements.filter(
        _mapped(settings), nw.col("privileged").fill_null(False) | _handed_out(settings)
    ).select("application", "entitlement_id", "name")
    held = (
        estate.grants.select(*ACCOUNT, "entitlement_id")
        .filter(_mapped(settings))
        .join(governed, on=["application", "entitlement_id"], how="inner")
        .join(judged.select(*ACCOUNT, "owner_department", "owner_title", "owner_kind"), on=ACCOUNT, how="inner")
    )
    excess = held.filter(~_given(settings)).select(*ACCOUNT, "name")
    return judged.join(_listed(excess), on=ACCOUNT, how="inner")


def _listed(excess: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One row an account: how many entitlements, and the first of them by name."""
    numbered = (
        excess.unique([*ACCOUNT, "name"])
        .with_columns(one=nw.lit(1))
        .with_columns(place=nw.col("one").cum_sum().over(*ACCOUNT, order_by="name"))
    )
    places = [f"place_{number}" for number in range(1, SHOWN + 1)]
    quoted = nw.concat_str(nw.lit("“"), "name", nw.lit("”"))
    spread = numbered.with_columns(
        nw.when(nw.col("place") == number).then(quoted).alias(name) for number, name in enumerate(places, start=1)
    )
    together = spread.group_by(*ACCOUNT).agg(nw.col("one").sum(), *(nw.col(name).max() for name in places))
    return together.select(
        *ACCOUNT,
        nw.concat_str(*places, separator=", ", ignore_nulls=True).alias("excess"),
        nw.col("one").cast(nw.Int64).alias("excess_count"),
    )
