"""How complete and accurate a population is: every source behind it, and a sum that must come out even.

What auditors call information produced by the entity (IPE): where the rows come from, by which request, how many the
other side declared, how many were read, kept and rejected, and what became of every account that was read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
from sqlmodel import Session, col, func, select

from governance.campaigns.preparing import Prepared
from governance.findings import table
from governance.house import House
from governance.snapshots import readings
from governance.tables import PolicyVersion, Pull, Snapshot


def statement(house: House, made: Prepared, now: datetime) -> dict[str, Any]:
    """The statement of completeness and accuracy of what is about to be frozen, as JSON."""
    feeds = made.run.snapshots or {}
    touched = made.scope.applications or tuple(a.name for a in house.settings.application)
    wanted = {name: id for name, id in feeds.items() if name in touched or name in _sources(house)}
    with house.store.read() as session:
        sources = [_source(session, name, id, now, house) for name, id in sorted(wanted.items())]
        policy = session.exec(select(func.max(col(PolicyVersion.number)))).one()
    return {
        "as_of": made.run.as_of.isoformat(),
        "detect_run": made.run.id,
        "policy_version": policy,
        "program_version": _version(),
        "rules": len(house.rules),
        "sources": sources,
        "never_read": sorted(set(touched) - set(feeds)),
        "accounts": _accounts(house, made, touched),
        "items": len(made.items),
        "left_out": [
            {key: row[key] for key in ("application", "account_id", "username", "entitlement", "left_out")}
            | {"owner": _answers(made, row)}
            for row in made.left_out
        ],
    }


def _sources(house: House) -> set[str]:
    return {source.name for source in house.settings.source}


def _source(session: Session, name: str, snapshot: str, now: datetime, house: House) -> dict[str, Any]:
    """Everything that was noted when this snapshot was read, and how old it is."""
    kept = session.get(Snapshot, snapshot)
    pull = session.exec(select(Pull).where(Pull.snapshot == snapshot).limit(1)).first()
    said: dict[str, Any] = {"feed": name, "snapshot": snapshot}
    if kept is not None:
        after = house.settings.feed(name).outdated_after
        said |= {
            "at": kept.at.isoformat(),
            "age_hours": round((now - kept.at).total_seconds() / 3600, 1),
            "outdated": now - kept.at > after,
            "sha256": kept.sha256,
            "rows": kept.rows,
            "released_by": kept.released_by or [],
        }
    if pull is not None:
        said |= {
            name: getattr(pull, name)
            for name in ("source", "filters", "pages", "declared_total", "rows_read", "kept", "rejected", "duplicates")
        }
        said["rejects"] = (pull.rejects or [])[:100]
        said["notes"] = pull.notes or []
    if kept is not None and kept.whole_at is not None and kept.whole_at < kept.at:
        said |= _only_changes(session, kept, kept.whole_at)
    return said


def _only_changes(session: Session, kept: Snapshot, whole_at: datetime) -> dict[str, Any]:
    """Where the snapshot was read as changes: the whole reading they were laid over, and all of them together."""
    read = readings(session, [kept])[kept.feed]
    names = {"rows_read": "read", "duplicates": "duplicates", "rejected": "rejected"}
    parts = {"whole": read.whole, "changes": read.changes}
    told: dict[str, Any] = {
        part: {name: getattr(rows, ours) for name, ours in names.items()} for part, rows in parts.items() if rows
    }
    return {"whole_at": whole_at.isoformat(), **told}


def _accounts(house: House, made: Prepared, touched: tuple[str, ...]) -> dict[str, Any]:
    """What became of every account that was read: reviewed, left out, inactive, or outside the scope."""
    frame = table(house.snapshots / made.run.estate, "accounts")
    empty = {"read": 0, "inactive": 0, "reviewed": 0, "left_out": 0, "outside_scope": 0}
    if frame is None:
        return empty
    there = frame.filter(pl.col("application").is_in(list(touched)), pl.col("present").fill_null(value=True))
    read, inactive = (
        there.select(pl.len(), (~pl.col("active").fill_null(value=True)).sum().alias("inactive")).collect().row(0)
    )
    key = ["application", "account_id"]
    reviewed = {tuple(item[k] for k in key) for item in made.items}
    left_out = {tuple(item[k] for k in key) for item in made.left_out} - reviewed
    return {
        "read": int(read),
        "inactive": int(inactive),
        "reviewed": len(reviewed),
        "left_out": len(left_out),
        "outside_scope": int(read) - int(inactive) - len(reviewed) - len(left_out),
    }


def _answers(made: Prepared, row: dict[str, Any]) -> str:
    names = {row["account_id"], row["username"]}
    return next(
        (one.owner for one in made.scope.left_out if one.application == row["application"] and one.account in names), ""
    )


def _version() -> str:
    from importlib.metadata import version

    return version("leaverwatch")
