"""Proof by the next snapshot: what a whole file of accounts shows inactive or no longer holds is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlmodel import Session, col, select

from governance import audit
from governance.house import House
from governance.remediation.execution import prove
from governance.remediation.ledger import RUNNABLE, reopen
from governance.snapshots import believed, lost, unread_ids
from governance.snapshots.frames import scan
from governance.tables import Remediation

BEGUN: Final = ("executing", "executed")


def settle_by_snapshot(house: House, now: datetime, application: str) -> list[str]:
    """Settle what the newest published snapshot of an application shows inactive or gone. Says which remediations.

    Begun ones (manual tasks and executed calls) are verified. Ones that nobody has begun are cancelled: somebody else
    closed the account, and the next detect run resolves the finding. What was proposed or begun after the time that the
    snapshot is of is not settled by it, such as by a historical one or one that was released late.
    """
    with house.store.read() as session:
        snapshot = believed(session, application)
        open_ones = _open_ones(session, application, snapshot.at) if snapshot else []
    if not open_ones or snapshot is None or lost(house, snapshot):
        return []
    folder = house.snapshots / snapshot.path
    closed = _closed(folder, [r.account_id for r in open_ones])
    taken = _taken(folder, open_ones, snapshot.at)
    found = {r.id: closed.get(r.account_id) or taken.get(r.id) for r in open_ones}
    if not any(found.values()):
        return []
    with house.store.write() as session:
        settled = [r for r in _open_ones(session, application, snapshot.at) if found.get(r.id)]
        for r in settled:
            _settle(session, r, now, {"snapshot": snapshot.id, "at": snapshot.at.isoformat(), **(found[r.id] or {})})
    return [r.id for r in settled]


def _open_ones(session: Session, application: str, at: datetime) -> list[Remediation]:
    """What had not come to an end and was proposed, and if begun then begun, by that time."""
    open_ones = select(Remediation).where(
        Remediation.application == application, col(Remediation.status).in_(("proposed", *RUNNABLE, *BEGUN))
    )
    return [
        r
        for r in session.exec(open_ones.order_by(col(Remediation.id)))
        if ((r.executing_at if r.status in BEGUN else None) or r.proposed_at) <= at
    ]


def _taken(folder: Path, open_ones: Sequence[Remediation], at: datetime) -> dict[str, dict[str, Any]]:
    """Those that take one entitlement away, where the snapshot shows the account without it, by their ids.

    An application that tells no grant at all proves nothing, nor does an account of which nothing could be read.
    """
    wanted = [r for r in open_ones if r.entitlement_id is not None]
    path = folder / "grants.parquet"
    if not wanted or not path.exists():
        return {}
    grants = pl.scan_parquet(path).select("account_id", "entitlement_id")
    if grants.head(1).collect().is_empty():
        return {}
    ids = [r.account_id for r in wanted]
    held = set(grants.filter(pl.col("account_id").is_in(ids)).collect().iter_rows())
    blank = set(unread_ids(scan("accounts", [folder / "accounts.parquet"]), at, ids))
    lost = {"active": None, "gone": False, "entitlement_held": False}
    return {
        r.id: dict(lost) for r in wanted if r.account_id not in blank and (r.account_id, r.entitlement_id) not in held
    }


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
    if r.status in BEGUN:
        prove(session, r, now, "worker", found)
        return
    r.status = "cancelled"
    state = "gone" if found["gone"] else "inactive"
    r.error = f"the account is {state} already, somebody else closed it"
    if found.get("entitlement_held") is False:
        r.error = "the entitlement is not held any more, somebody else took it away"
    session.add(r)
    reopen(session, [r.finding])
    line = audit.Line(now, "worker", "cancel", f"remediation/{r.id}", r.error, found)
    audit.append_many(session, [line])
