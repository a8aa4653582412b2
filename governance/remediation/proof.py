"""Proof by the next snapshot: what a whole file of accounts shows inactive or no longer holds is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlmodel import Session, col, select

from governance import audit
from governance.house import House
from governance.remediation.execution import prove
from governance.remediation.ledger import RUNNABLE, reopen
from governance.snapshots import believed
from governance.tables import Remediation


def settle_by_snapshot(house: House, now: datetime, application: str) -> list[str]:
    """Settle what the newest published snapshot of an application shows inactive or gone. Says which remediations.

    Begun ones (manual tasks and executed calls) are verified. Ones that nobody has begun are cancelled: somebody else
    closed the account, and the next detect run resolves the finding.
    """
    chosen = select(Remediation).where(
        Remediation.application == application,
        col(Remediation.status).in_(("proposed", *RUNNABLE, "executing", "executed")),
    )
    with house.store.read() as session:
        open_ones = session.exec(chosen.order_by(col(Remediation.id))).all()
        snapshot = believed(session, application)
    if not open_ones or snapshot is None:
        return []
    closed = _closed(house.snapshots / snapshot.path, [r.account_id for r in open_ones])
    if not closed:
        return []
    with house.store.write() as session:
        settled = [r for r in session.exec(chosen.order_by(col(Remediation.id))).all() if r.account_id in closed]
        for r in settled:
            _settle(session, r, now, {"snapshot": snapshot.id, "at": snapshot.at.isoformat(), **closed[r.account_id]})
    return [r.id for r in settled]


def _closed(folder: Path, account_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of the accounts that the snapshot shows inactive, or does not hold any more."""
    shown = (
        pl.scan_parquet(folder / "accounts.parquet")
        .filter(pl.col("account_id").is_in(list(account_ids)))
        .select("account_id", "active", "present")
        .collect()
    )
    rows = {account_id: (active, present) for account_id, active, present in shown.iter_rows()}
    found: dict[str, dict[str, Any]] = {}
    for account_id in account_ids:
        active, present = rows.get(account_id, (None, False))
        if present is False:
            found[account_id] = {"active": None, "gone": True}
        elif active is False:
            found[account_id] = {"active": False, "gone": False}
    return found


def _settle(session: Session, r: Remediation, now: datetime, found: dict[str, Any]) -> None:
    if (r.evidence or {}).get("read_back", {}).get("credentials_left") and not found["gone"]:
        return  # the account is closed and can still be opened: only reading its credentials again proves more
    if r.status in ("executing", "executed"):
        prove(session, r, now, "worker", found)
        return
    r.status = "cancelled"
    r.error = f"the account is {'gone' if found['gone'] else 'inactive'} already, somebody else closed it"
    session.add(r)
    reopen(session, [r.finding])
    line = audit.Line(now, "worker", "cancel", f"remediation/{r.id}", r.error, found)
    audit.append_many(session, [line])
