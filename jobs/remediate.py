"""Remediate: carry out what was approved, one connector per application, and read every account back at once.

Only one process acts at a time (lease `calls`): two side by side would take each other's calls for interrupted ones. A
dry run needs no lease: it has the same plan, and no connector that could write.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance import remediation
from governance.access import Actor
from governance.errors import (
    AlreadyDecided,
    ConfigurationError,
    DecisionError,
    FeedError,
    LeaverwatchError,
    NotSupported,
    RemediationError,
)
from governance.house import House
from governance.remediation import Plan
from governance.tables import Remediation
from jobs.loose_ends import open_credentials, tie_up
from jobs.outcomes import Connect, Outcome, alone, by_application, not_done, outcome_of, plan_of
from jobs.rehearse import rehearse
from jobs.revoke import BUSY, REFUSALS, revoke

if TYPE_CHECKING:
    from connectors.kit.contract import CanDeactivate, CanReadOne
    from governance.records import Account, Receipt

__all__ = ["Connect", "Outcome", "run", "undo"]

log = logging.getLogger("leaverwatch.remediate")


def run(
    house: House,
    connect: Connect,
    now: datetime,
    ids: Sequence[str] | None = None,
    dry_run: bool = False,
    actor: str = "worker",
) -> list[Outcome]:
    """Carry out these approved remediations, or all of them; one application that fails does not stop the others.

    `actor` is who started the run; it decides nothing. Raises GuardStopped when an application's share is over its
    limit: with ids no call is made at all; without, the other applications' shares are carried out before it is raised.
    """
    if dry_run:
        return rehearse(house, connect, now, plan_of(house, now, ids), whole=ids is None)
    with alone(house):
        return _run(house, connect, now, ids, actor)


def _run(house: House, connect: Connect, now: datetime, ids: Sequence[str] | None, actor: str) -> list[Outcome]:
    remediation.expire(house, now)
    plan = plan_of(house, now, ids)
    if any(share.over for share in plan.shares):
        holds = remediation.hold(house, now, plan)
        if ids is not None:
            raise remediation.stopped(holds)
        plan = remediation.plan(house, now)  # each application is a run of its own: the others go on
    remediation.admit(house, now, plan)
    log.info("run by %s: %d to carry out, %d to resume", actor, len(plan.run), len(plan.resume))
    remediation.refused(house, now, plan.refused)
    outcomes = [not_done(plan.approved[id], error) for id, error in plan.refused.items()]
    for application, own in by_application(plan):
        outcomes += _carry_out_all(house, connect, now, application, own, plan)
    if plan.held:
        raise remediation.stopped(plan.held, done=sum(o.call for o in outcomes))
    return outcomes


def _carry_out_all(
    house: House, connect: Connect, now: datetime, application: str, own: list[Remediation], plan: Plan
) -> list[Outcome]:
    """One application's share, over one connector. When the application is busy or away, the rest waits."""
    from connectors.kit.contract import CanDeactivate

    tasks = [r for r in own if r.action == "manual"]
    outcomes = [outcome_of(r, call=False, message="given to the owner") for r in _hand_over(house, now, tasks)]
    own = [r for r in own if r.action != "manual"]
    if not own:
        return outcomes
    done = len(outcomes)
    try:
        with closing(connect(application, True)) as connector:
            if not isinstance(connector, CanDeactivate) or not connector.given.write:
                error = NotSupported(f"{application} cannot be changed from here: it needs a person, propose it again")
                remediation.refused(house, now, {r.id: error for r in own})
                return outcomes + [not_done(r, error) for r in own]
            for r in own:
                step = revoke if r.action == "revoke" else _carry_out
                outcome, busy = step(house, connector, now, r, plan)
                outcomes.append(outcome)
                if busy:
                    break
    except (FeedError, ConfigurationError) as error:
        log.warning("%s: %s", application, type(error).__name__)
        rest = own[len(outcomes) - done :]
        remediation.postponed(house, [r.id for r in rest], error)
        return outcomes + [outcome_of(r, call=False, message=str(error)) for r in rest]
    waiting = own[len(outcomes) - done :]
    return outcomes + [outcome_of(r, call=False, message=f"waits: {application} was busy") for r in waiting]


def _hand_over(house: House, now: datetime, tasks: list[Remediation]) -> list[Remediation]:
    return remediation.hand_over(house, now, [r.id for r in tasks]) if tasks else []


def _carry_out(
    house: House, connector: CanDeactivate, now: datetime, r: Remediation, plan: Plan
) -> tuple[Outcome, bool]:
    """Read, commit the intent, call, note the answer, read again. Says also whether the application is busy or away."""
    resume = r.status == "executing"  # a run that was cut short may have made the call
    try:
        live = connector.account(r.account_id)
    except (FeedError, RemediationError) as error:
        r = remediation.failed(house, now, r.id, error, happened=None if resume else False)
        return outcome_of(r, call=False, message=str(error)), isinstance(error, BUSY)
    try:
        begun = remediation.begin(house, now, r.id, live, plan.facts, resume=resume)
    except AlreadyDecided as late:  # somebody withdrew it since the plan was made
        return not_done(r, late, remediation.reread(house, [r.id])[0].status), False
    except (DecisionError, RemediationError) as refusal:
        return not_done(r, refusal), False
    if not begun.call:
        return outcome_of(begun.remediation, call=False, message="it was closed already"), False
    try:
        receipt = connector.deactivate(r.account_id)
    except (FeedError, RemediationError) as error:
        r = _after_error(house, connector, now, r, error)
        return outcome_of(r, call=True, message=str(error)), isinstance(error, BUSY)
    r = remediation.finish(house, now, r.id, receipt)
    tie_up(house, connector, now, r)
    try:
        live = connector.account(r.account_id)
        r = remediation.verified(house, now, r.id, live, credentials=open_credentials(connector, r.account_id))
    except FeedError as error:  # it stays executed: verify reads it again
        remediation.postponed(house, [r.id], error)
        return outcome_of(r, call=True, message=str(error)), isinstance(error, BUSY)
    return outcome_of(r, call=True, message=r.error or ""), False


def _after_error(
    house: House, connector: CanReadOne, now: datetime, r: Remediation, error: LeaverwatchError
) -> Remediation:
    """The call failed, which says little about its effect: the account itself is asked."""
    try:
        live = connector.account(r.account_id)
    except FeedError:
        return remediation.failed(house, now, r.id, error, happened=False if isinstance(error, REFUSALS) else None)
    if live is None or live.active is False:
        return remediation.verified(house, now, r.id, live)
    return remediation.failed(house, now, r.id, error, happened=False)


def undo(house: House, connect: Connect, now: datetime, actor: Actor, id: str) -> Outcome:
    """Switch an account on again that was switched off from here, and read it back; NotVerified when it stays off."""
    with alone(house):
        return _undo(house, connect, now, actor, id)


def _undo(house: House, connect: Connect, now: datetime, actor: Actor, id: str) -> Outcome:
    from connectors.kit.contract import CanReactivate, CanReadOne, CanRevokeGrant

    r, began = remediation.undo(house, actor, now, id), time.monotonic()
    with closing(connect(r.application, True)) as connector:
        able = isinstance(connector, CanReactivate if r.entitlement_id is None else CanRevokeGrant)
        if not able or not isinstance(connector, CanReadOne) or not connector.given.write:
            raise NotSupported(f"{r.application} offers no way to give this back")
        result: Receipt | LeaverwatchError
        try:
            if r.entitlement_id is not None and isinstance(connector, CanRevokeGrant):
                result = connector.restore_grant(r.account_id, r.entitlement_id)
            elif isinstance(connector, CanReactivate):
                result = connector.reactivate(r.account_id)
        except (FeedError, RemediationError) as error:
            result = error
        live: Account | None = connector.account(r.account_id)
    read_at = now + timedelta(seconds=time.monotonic() - began)  # a run meanwhile still saw the account as it was
    return outcome_of(remediation.undone(house, read_at, id, live, result), call=True)
