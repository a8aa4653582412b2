"""The rows behind every step: load them, move them from one status to the next, keep the finding in step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult
from sqlmodel import Session, col, select, update

from governance.errors import AlreadyDecided, DecisionError
from governance.tables import Finding, Remediation

RUNNABLE: Final = ("approved", "scheduled")

_CHUNK: Final = 500  # well below every engine's limit of parameters


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in portions that fit into one statement."""
    everything = list(values)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]


def load(session: Session, ids: Iterable[str]) -> list[Remediation]:
    """The remediations of these ids, in that order, each once; DecisionError names one that does not exist."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Remediation] = {}
    for chunk in chunks(wanted):
        found |= {r.id: r for r in session.exec(select(Remediation).where(col(Remediation.id).in_(chunk)))}
    for id in wanted:
        if id not in found:
            raise DecisionError(f"there is no remediation {id}; leaverwatch remediate list shows them")
    return [found[id] for id in wanted]


def load_findings(session: Session, fingerprints: Iterable[str]) -> dict[str, Finding]:
    """The findings of these fingerprints that exist."""
    found: dict[str, Finding] = {}
    for chunk in chunks(dict.fromkeys(fingerprints)):
        rows = session.exec(select(Finding).where(col(Finding.fingerprint).in_(chunk)))
        found |= {finding.fingerprint: finding for finding in rows}
    return found


def move(
    session: Session, ids: Sequence[str], before: Sequence[str], conditions: Sequence[Any] = (), **to: Any
) -> None:
    """Compare and set: all of these rows leave one of the statuses `before`, or AlreadyDecided and none does."""
    changed = 0
    for chunk in chunks(ids):
        statement = update(Remediation).where(
            col(Remediation.id).in_(chunk), col(Remediation.status).in_(before), *conditions
        )
        changed += affected(session, statement.values(**to))
    if changed != len(ids):
        raise AlreadyDecided(f"{len(ids) - changed} of {len(ids)} remediations were decided by somebody else meanwhile")


def take(session: Session, fingerprints: Sequence[str]) -> None:
    """These open findings go into remediation, or AlreadyDecided and none does."""
    changed = sum(
        affected(
            session,
            update(Finding)
            .where(col(Finding.fingerprint).in_(chunk), col(Finding.status) == "open")
            .values(status="in_remediation"),
        )
        for chunk in chunks(fingerprints)
    )
    if changed != len(fingerprints):
        raise AlreadyDecided(f"{len(fingerprints) - changed} of {len(fingerprints)} findings are not open any more")


def reopen(session: Session, fingerprints: Iterable[str]) -> None:
    """Findings whose remediation came to nothing are open again, unless they have been resolved meanwhile."""
    for chunk in chunks(fingerprints):
        session.exec(
            update(Finding)
            .where(col(Finding.fingerprint).in_(chunk), col(Finding.status) == "in_remediation")
            .values(status="open")
        )


def resolve(session: Session, fingerprints: Iterable[str], now: datetime) -> None:
    """Findings whose account was proved closed are resolved with that reason."""
    for chunk in chunks(fingerprints):
        session.exec(
            update(Finding)
            .where(col(Finding.fingerprint).in_(chunk), col(Finding.status) == "in_remediation")
            .values(status="resolved", resolved_at=now, resolved_why="verified")
        )


def unresolve(session: Session, fingerprints: Iterable[str], now: datetime) -> None:
    """Findings that were resolved by a proof which an undo took back are open again at once, not with the next run."""
    for chunk in chunks(fingerprints):
        session.exec(
            update(Finding)
            .where(
                col(Finding.fingerprint).in_(chunk),
                col(Finding.status) == "resolved",
                col(Finding.resolved_why) == "verified",
            )
            .values(
                status="open", opened_at=now, resolved_at=None, resolved_why=None, reopened=col(Finding.reopened) + 1
            )
        )


def closed_privileged(session: Session, holders: Mapping[str, int], application: str, *also: str) -> set[str]:
    """Those of `holders` (account -> as_of_s) that were closed since, are being closed, or have a status of `also`."""
    statuses = ("executing", "executed", "verified", *also)
    rows: list[Remediation] = []
    for chunk in chunks(holders):
        rows += session.exec(
            select(Remediation).where(
                Remediation.application == application,
                col(Remediation.account_id).in_(chunk),
                col(Remediation.status).in_(statuses),
            )
        )
    # Verified before the snapshot was taken, and yet active in it: somebody has switched it on again.
    return {
        row.account_id
        for row in rows
        if row.status != "verified" or row.verified_at is None or row.verified_at.timestamp() >= holders[row.account_id]
    }


def affected(session: Session, statement: Any) -> int:
    """Carry out a bulk change and count the rows it changed."""
    result = session.exec(statement)
    return int(result.rowcount) if isinstance(result, CursorResult) else 0


def needed(reason: str, what: str) -> str:
    """The reason, trimmed; DecisionError when there is none."""
    if not reason.strip():
        raise DecisionError(f"{what} needs a reason")
    return reason.strip()
