"""Accounts that no line of the role mapping fits, so that they were given what everybody else gets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.provisioning.coverage import covered, mapped
from governance.provisioning.entitled import ACCOUNT, comparable
from governance.settings import Policy, Settings


def _with_a_default(settings: Settings) -> nw.Expr:
    """Accounts in applications that have a default role and a role mapping; without one nobody knows who would fit."""
    here = [a.name for a in settings.application if a.default_role]
    return nw.col("application").is_in(here) & mapped(settings)


def _sentence(row: Row) -> str:
    position = [row[f"owner_{name}"] for name in ("department", "title") if row[f"owner_{name}"]]
    whose = f" ({', '.join(position)})" if position else ""
    return (
        f"{row['who']}{whose} holds the default role {row['fallback']} with the account {row['account']} in"
        f" {row['where']}: no line of the role mapping fits them."
    )


@rule(
    title="Fell to the default role",
    severity="low",
    ends_when="a line of the role mapping fits the owner, or the default role is taken away",
    remedy=Remedy.CONFIGURE,
    needs=("source.read", "account.active", "owner.state", "owner.attributes", "account.grants"),
    controls=("ISO 27001 A.5.15", "ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(7)", "PCI DSS 7.2.2", "CIS 6.8"),
    evidence=("fallback", "owner_department", "owner_title", "owner_kind", "privileged", "match_key"),
    lines={"fallback": says(APPLICATION, "holds the default role {value}")},
    sentence=_sentence,
    applies=lambda settings: _with_a_default(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def default_role_fallback(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account holds the application's default role because no line of the role mapping fits its owner.

    Fires when an active account of somebody who works here or is on leave holds one of the application's `default_role`
    entitlements, and every line of its role mapping asks for another department, title or kind than the owner's.
    Quiet where a line fits, even if it gives the same role, where the default role is not held, and in applications
    without a default role or without a role mapping in the settings.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, what it holds,
    whether the owner works here, or an attribute that the application's mapping looks at.
    """
    settings = estate.settings
    judged = estate.accounts.filter(_with_a_default(settings), comparable(settings), ~covered(settings))
    return judged.join(_held(estate), on=ACCOUNT, how="inner")


def _held(estate: Estate) -> nw.LazyFrame[Any]:
    """Who holds a default role: application, account_id and the names of those held."""
    defaults = {a.name: a.default_role for a in estate.settings.application if a.default_role}
    somewhere = nw.col("application").is_in(sorted(defaults))
    is_default: nw.Expr = nw.lit(False)
    for application, names in defaults.items():
        is_default = is_default | ((nw.col("application") == application) & nw.col("name").is_in(sorted(names)))
    entitlements = estate.entitlements.filter(somewhere & is_default).select("application", "entitlement_id", "name")
    held = (
        estate.grants.filter(somewhere)
        .select(*ACCOUNT, "entitlement_id")
        .join(entitlements, on=["application", "entitlement_id"], how="inner")
    )
    # One column a default role, in the order of the settings: there are few, and no text is sorted for each account.
    columns = {}
    for place in range(max(map(len, defaults.values()), default=1)):
        name = nw.lit(None, nw.String)
        for application, names in defaults.items():
            if place < len(names):
                here = (nw.col("application") == application) & (nw.col("name") == names[place])
                name = nw.when(here).then(nw.lit(f"“{names[place]}”")).otherwise(name)
        columns[f"place_{place}"] = name
    together = held.with_columns(**columns).group_by(*ACCOUNT).agg(*(nw.col(name).max() for name in columns))
    return together.select(*ACCOUNT, nw.concat_str(*columns, separator=" and ", ignore_nulls=True).alias("fallback"))
