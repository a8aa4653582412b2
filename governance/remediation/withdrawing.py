"""Withdrawn by itself: what nobody has carried out yet, and what it was decided for does not hold any more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session, and_, col, or_, select

from governance import audit
from governance.declaration import Remedy
from governance.house import House
from governance.remediation.ledger import RUNNABLE, move
from governance.tables import Finding, Remediation

_WHY: Final = "it is no longer so: nothing needs to be closed"


def withdraw_untrue(house: House, now: datetime) -> list[str]:
    """Cancel what was proposed, approved or given to an owner because of a finding that a detect run found untrue.

    Nobody shall go on asking an owner to close the account of somebody who works here again. Not where another finding
    that closing ends stands on the account, such as that of a leaver whose contract had run out before; not what a
    reviewer decided, and not a call that was begun. Says which remediations.
    """
    with house.store.read() as session:
        if not _untrue(house, session):
            return []
    with house.store.write() as session:
        found = _untrue(house, session)
        ids = [r.id for r in found]
        move(session, ids, ("proposed", *RUNNABLE, "executing"), status="cancelled", error=_WHY)
        lines = [
            audit.Line(now, "worker", "cancel", f"remediation/{r.id}", _WHY, {"finding": r.finding}) for r in found
        ]
        audit.append_many(session, lines)
    return ids


def _untrue(house: House, session: Session) -> list[Remediation]:
    asked_of_an_owner = and_(col(Remediation.status) == "executing", col(Remediation.action) == "manual")
    waiting = or_(col(Remediation.status).in_(("proposed", *RUNNABLE)), asked_of_an_owner)
    wanted = (
        select(Remediation)
        .join(Finding, col(Finding.fingerprint) == col(Remediation.finding))
        .where(waiting, Finding.status == "resolved", Finding.resolved_why == "no_longer_true")
    )
    found = session.exec(wanted.order_by(col(Remediation.id))).all()
    closing = {name for name, rule in house.rules.items() if rule.remedy is Remedy.DEACTIVATE} if found else set()
    others = select(Finding.application, Finding.account_id).where(
        col(Finding.account_id).in_(wanted.with_only_columns(col(Remediation.account_id))),
        col(Finding.rule).in_(closing),
        col(Finding.status).in_(("open", "excluded", "in_remediation")),
    )
    still = set(session.exec(others)) if found else set()
    return [r for r in found if (r.application, r.account_id) not in still]
