"""Whose accounts Leaverwatch itself uses: a credential ends with the person who made it (FAULTS.md, D13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import narwhals as nw

from governance.declaration import day, epoch
from governance.estate import Estate
from governance.settings import Settings
from governance.surroundings import is_account

AHEAD: Final = timedelta(days=30)


def in_danger(estate: Estate, settings: Settings, as_of: datetime) -> dict[str, str]:
    """Applications whose `own_account` is closed, or belongs to somebody who left or leaves within 30 days, and why."""
    named = {a.name: a.own_account for a in settings.application if a.own_account}
    if not named:
        return {}
    own: nw.Expr = nw.lit(False)
    for application, account in named.items():
        own = own | is_account(application, account)
    soon = epoch(as_of + AHEAD)
    ending = (nw.col("owner_state") == "ended") | (nw.col("owner_ended_at_s") <= soon)
    columns = (
        "application", "username", "account_id", "active", "present", "owner_name", "owner_state", "owner_ended_at_s"
    )  # fmt: skip
    there = estate.accounts.filter(own).select(
        *columns, trouble=(~nw.col("active")).fill_null(False) | ending.fill_null(False)
    )
    # Gone is only what no account that is there goes by: one that was made anew stands in its place.
    gone = estate.vanished_accounts.filter(own).join(there.select("application"), on="application", how="anti")
    found = nw.concat([there, gone.select(*columns, trouble=nw.lit(True))], how="vertical").filter(nw.col("trouble"))
    rows = found.collect("polars").sort("application", "account_id")
    return {str(row["application"]): _said(row) for row in rows.iter_rows(named=True)}


def _said(row: dict[str, Any]) -> str:
    account = row["username"] or row["account_id"]
    if row["present"] is False:
        return f"the account {account} that Leaverwatch uses is gone: what it reads or changes may end any moment"
    if row["active"] is False:
        return f"the account {account} that Leaverwatch uses is closed: its credential may end any moment"
    ended = datetime.fromtimestamp(row["owner_ended_at_s"], UTC) if row["owner_ended_at_s"] is not None else None
    owner, when = row["owner_name"] or "somebody", f" on {day(ended)}" if ended else ""
    verb = "left" if row["owner_state"] == "ended" else "leaves"
    return (
        f"the account {account} that Leaverwatch uses belongs to {owner}, who {verb}{when}: give it a credential of"
        " an account that stays"
    )
