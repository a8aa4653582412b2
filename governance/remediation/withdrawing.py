"""Withdrawn by itself: a task that its owner has not carried out, where what it was given for holds no more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from governance import audit
from governance.declaration import Remedy
from governance.house import House
from governance.remediation.ledger import move
from governance.tables import Finding, Remediation

_WHY: Final = "it is no longer so: nothing needs to be closed"


def withdraw_untrue(house: House, now: datetime) -> list[str]:
    """Cancel the tasks given to owners because of findings that a detect run found untrue. Says which remediations.

    Before a call everything is looked at once more; a task would go on asking its owner to close the account of
    somebody who works here again. Not where another finding that closing ends stands on the account, such as that of a
    leaver whose contract had run out before, and not what a reviewer decided.
    """
    with house.store.read() as session:
        if not _untrue(house, session):
            return []
    with house.store.write() as session:
        found = _untrue(house, session)
        ids = [r.id for r in found]
        move(session, ids, ("executing",), status="cancelled", error=_WHY)
        lines = [
            audit.Line(now, "worker", "cancel", f"remediation/{r.id}", _WHY, {"finding": r.finding}) for r in found
        ]
        audit.append_many(session, lines)
    return ids


def _untrue(house: House, session: Session) -> list[Remediation]:
    wanted = (
        select(Remediation)
        .join(Finding, col(Finding.fingerprint) == col(Remediation.finding))
        .where(Remediation.status == "executing", Remediation.action == "manual")
        .where(Finding.status == "resolved", Finding.resolved_why == "no_longer_true")
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
