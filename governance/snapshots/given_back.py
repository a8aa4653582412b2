"""Accounts that were switched on again from here and read back active since they were last read with the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import narwhals as nw
from sqlmodel import Session, col, select

from governance.tables import Remediation

Frame = nw.LazyFrame[Any]
Account = tuple[str, str]  # application, account_id


def given_back(session: Session, read: Mapping[str, datetime], until: datetime) -> dict[Account, datetime]:
    """When each such account was read back active. `read`: application -> the time its snapshot is of.

    Left out is what was read back after `until`, and what was read closed once more since: that a closure is under way,
    or was asked of somebody, closes nothing.
    """
    closures = select(Remediation).where(
        col(Remediation.entitlement_id).is_(None), col(Remediation.application).in_(sorted(read))
    )
    found: dict[Account, datetime] = {}
    for r in session.exec(closures.where(Remediation.status == "undone")):
        at = _read_back_at(r)
        if at is not None and read[r.application] < at <= until:
            key = (r.application, r.account_id)
            found[key] = max(at, found.get(key, at))
    ids = sorted({account_id for _, account_id in found})
    closed = closures.where(col(Remediation.verified_at) <= until)
    for start in range(0, len(ids), 500):  # well below every engine's limit of parameters
        for r in session.exec(closed.where(col(Remediation.account_id).in_(ids[start : start + 500]))):
            key = (r.application, r.account_id)
            if key in found and r.verified_at is not None and r.verified_at > found[key]:
                del found[key]
    return found


def _read_back_at(r: Remediation) -> datetime | None:
    undo = (r.evidence or {}).get("undo") or {}
    return datetime.fromisoformat(undo["read_at"]) if undo.get("active") and "read_at" in undo else None


def switched_on(accounts: Frame, back: Mapping[Account, datetime]) -> Frame:
    """The accounts, with those that were given back there and active: the account itself is newer than its snapshot."""
    by_application: dict[str, list[str]] = {}
    for application, account_id in back:
        by_application.setdefault(application, []).append(account_id)
    if not by_application:
        return accounts
    given = nw.any_horizontal(
        *(
            (nw.col("application") == application) & nw.col("account_id").is_in(sorted(ids))
            for application, ids in sorted(by_application.items())
        ),
        ignore_nulls=True,
    )
    return accounts.with_columns(
        nw.when(given).then(nw.lit(True)).otherwise(nw.col(name)).alias(name) for name in ("active", "present")
    )
