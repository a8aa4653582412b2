"""What became of one finding: found, opened again, excluded, proposed, closed and proved, resolved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from governance.tables import AuditEntry, Exclusion, Finding, Remediation
from governance.views.words import RESOLVED, count

_LATEST = 20  # of each kind: a finding that was decided more often is told by its latest decisions


@dataclass(frozen=True)
class Event:
    """One thing that happened to a finding."""

    at: datetime
    what: str
    by: str | None = None  # who decided; None: a detect run
    why: str | None = None


def history(session: Session, finding: Finding) -> list[Event]:
    """Everything the store still knows of a finding, the oldest first."""
    events = [Event(finding.first_seen, "First found")]
    if finding.reopened:
        times = "" if finding.reopened == 1 else f" ({count(finding.reopened, 'time', 'times')} in all)"
        events.append(Event(finding.opened_at, f"Opened again{times}"))
    exclusions = select(Exclusion).where(Exclusion.fingerprint == finding.fingerprint)
    for one in session.exec(exclusions.order_by(col(Exclusion.id).desc()).limit(_LATEST)):
        agreed = f" with {one.second}" if one.second else ""
        asked = "Exclusion asked for" if one.waits else "Excluded"
        words = f"{asked} until {one.until.day} {one.until:%b %Y}"
        events.append(Event(one.at, f"{words}{agreed}", one.actor, one.reason))
        if one.ended_at is not None:
            events.append(_ended(session, finding, one.ended_at))
    remediations = select(Remediation).where(Remediation.finding == finding.fingerprint)
    for remediation in session.exec(remediations.order_by(col(Remediation.id).desc()).limit(_LATEST)):
        events += _of_remediation(remediation)
    if finding.resolved_at is not None:
        why = RESOLVED.get(finding.resolved_why or "", finding.resolved_why)
        events.append(Event(finding.resolved_at, "Resolved", why=why))
    return sorted(events, key=lambda event: event.at)


def _ended(session: Session, finding: Finding, at: datetime) -> Event:
    """The end of an exclusion: somebody's decision where the audit has one of that instant, else that of its day."""
    decided = select(AuditEntry).where(
        AuditEntry.object == f"finding/{finding.fingerprint}", AuditEntry.verb == "exclude.end", AuditEntry.at == at
    )
    entry = session.exec(decided).first()
    return Event(at, "The exclusion ended", *((entry.actor, entry.reason) if entry else ()))


def _of_remediation(one: Remediation) -> list[Event]:
    what = "a task for the owner" if one.action == "manual" else "closing the account"
    events = [Event(one.proposed_at, f"Proposed: {what}", one.proposed_by, one.reason)]
    if one.approved_at is not None:
        verb = "Rejected" if one.status == "rejected" else "Approved"
        events.append(Event(one.approved_at, verb, one.approved_by, one.approval_reason))
    if one.executed_at is not None:
        events.append(Event(one.executed_at, "Executed"))
    if one.verified_at is not None:
        events.append(Event(one.verified_at, "Read again and found closed"))
    return events
