"""Remediate: carry out what was approved, one connector per application, and read every account back at once.

Whoever calls `run` or `undo` holds the lease `acting` (see jobs.work): two runs side by side would take each other's
calls for interrupted ones. A dry run needs no lease: it has the same plan, and no connector that could write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final

from governance import remediation
from governance.access import Actor
from governance.errors import (
    AlreadyDecided,
    AuthenticationFailed,
    ConfigurationError,
    DecisionError,
    FeedError,
    LeaverwatchError,
    NotAllowed,
    NotSupported,
    RateLimited,
    RemediationError,
    Unavailable,
)
from governance.house import House
from governance.remediation import Plan
from governance.tables import Remediation

if TYPE_CHECKING:
    from connectors.kit.contract import CanDeactivate, CanReadOne, Connector
    from governance.records import Account, Receipt

log = logging.getLogger("leaverwatch.remediate")
Connect = Callable[[str, bool], "Connector"]

REFUSALS: Final = (AuthenticationFailed, RateLimited, NotSupported)  # the application has certainly not taken the call
BUSY: Final = (RateLimited, Unavailable)  # asking further would make it worse


@dataclass(frozen=True)
class Outcome:
    """What became of one remediation in this run, or in a dry run what would become of it."""

    id: str
    application: str
    account_id: str
    status: str  # after the run; in a dry run `planned` where a call would be made
    call: bool  # whether a call was made, or would be
    message: str = ""


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
    if not dry_run:
        remediation.expire(house, now)
    plan = remediation.plan(house, now, ids)
    if not house.settings.act.enabled:
        if plan.run or plan.resume:
            raise NotAllowed("acting is switched off: [act] enabled = true in leaverwatch.toml switches it on")
        return []
    if dry_run:
        return _foresee(house, connect, now, plan, whole=ids is None)
    if any(share.over for share in plan.shares):
        holds = remediation.hold(house, now, plan)
        if ids is not None:
            raise remediation.stopped(holds)
        plan = remediation.plan(house, now)  # each application is a run of its own: the others go on
    remediation.admit(house, now, plan)
    log.info("run by %s: %d to carry out, %d to resume", actor, len(plan.run), len(plan.resume))
    remediation.refused(house, now, plan.refused)
    outcomes = [_not_done(plan.approved[id], error) for id, error in plan.refused.items()]
    for application, own in _by_application(plan):
        outcomes += _carry_out_all(house, connect, now, application, own, plan)
    if plan.held:
        raise remediation.stopped(plan.held, done=sum(o.call for o in outcomes))
    return outcomes


def _by_application(plan: Plan) -> Iterator[tuple[str, list[Remediation]]]:
    """The work, by application; what a run left behind when it was cut short comes first."""
    work = sorted((*plan.resume, *plan.run), key=lambda r: (r.application, r.status != "executing", r.id))
    for application, own in groupby(work, key=lambda r: r.application):
        yield application, list(own)


def _carry_out_all(
    house: House, connect: Connect, now: datetime, application: str, own: list[Remediation], plan: Plan
) -> list[Outcome]:
    """One application's share, over one connector. When the application is busy or away, the rest waits."""
    from connectors.kit.contract import CanDeactivate

    outcomes: list[Outcome] = []
    try:
        with closing(connect(application, True)) as connector:
            if not isinstance(connector, CanDeactivate) or not connector.given.write:
                error = NotSupported(f"{application} cannot be changed from here: it needs a person, propose it again")
                remediation.refused(house, now, {r.id: error for r in own})
                return [_not_done(r, error) for r in own]
            for r in own:
                outcome, busy = _carry_out(house, connector, now, r, plan)
                outcomes.append(outcome)
                if busy:
                    break
    except (FeedError, ConfigurationError) as error:
        log.warning("%s: %s", application, type(error).__name__)
        remediation.postponed(house, [r.id for r in own], error)
        return [_outcome(r, call=False, message=str(error)) for r in own]
    outcomes += [_outcome(r, call=False, message=f"waits: {application} was busy") for r in own[len(outcomes) :]]
    return outcomes


def _carry_out(
    house: House, connector: CanDeactivate, now: datetime, r: Remediation, plan: Plan
) -> tuple[Outcome, bool]:
    """Read, commit the intent, call, note the answer, read again. Says also whether the application is busy or away."""
    begun_before = r.status == "executing"
    try:
        live = connector.account(r.account_id)
    except (FeedError, RemediationError) as error:
        r = remediation.failed(house, now, r.id, error, happened=None if begun_before else False)
        return _outcome(r, call=False, message=str(error)), isinstance(error, BUSY)
    try:
        begun = remediation.begin(house, now, r.id, live, plan.facts)
    except (DecisionError, RemediationError) as refusal:
        return _not_done(r, refusal), False
    if not begun.call:
        return _outcome(begun.remediation, call=False, message="it was closed already"), False
    try:
        receipt = connector.deactivate(r.account_id)
    except (FeedError, RemediationError) as error:
        r = _after_error(house, connector, now, r, error)
        return _outcome(r, call=True, message=str(error)), isinstance(error, BUSY)
    r = remediation.finish(house, now, r.id, receipt)
    try:
        r = remediation.verified(house, now, r.id, connector.account(r.account_id))
    except FeedError as error:  # it stays executed: verify reads it again
        remediation.postponed(house, [r.id], error)
        return _outcome(r, call=True, message=str(error)), isinstance(error, BUSY)
    return _outcome(r, call=True, message=r.error or ""), False


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


def _foresee(house: House, connect: Connect, now: datetime, plan: Plan, *, whole: bool) -> list[Outcome]:
    """What a run would do, with the accounts as they are now; no connector here can write."""
    over = [share for share in plan.shares if share.over]
    if over and not whole:
        raise remediation.too_many(over)
    stays = {id for share in over for id in share.ids}
    outcomes = [_not_done(plan.approved[id], error) for id, error in plan.refused.items()]
    closed: set[tuple[str, str]] = set()  # two remediations may be about one account: the first closes it
    for application, own in _by_application(plan):
        wanted = [r for r in own if r.id not in stays]
        if wanted:
            outcomes += _foresee_all(house, connect, now, application, wanted, plan, closed)
    if over:
        raise remediation.too_many(over)
    if plan.held:
        raise remediation.stopped(plan.held)
    return outcomes


def _foresee_all(
    house: House,
    connect: Connect,
    now: datetime,
    application: str,
    own: list[Remediation],
    plan: Plan,
    closed: set[tuple[str, str]],
) -> list[Outcome]:
    from connectors.kit.contract import CanDeactivate

    outcomes: list[Outcome] = []
    try:
        with closing(connect(application, False)) as connector:
            if not isinstance(connector, CanDeactivate):
                error = NotSupported(f"{application} cannot be changed from here")
                return [_not_done(r, error) for r in own]
            for r in own:
                live = connector.account(r.account_id)
                if live is None or live.active is False or (r.application, r.account_id) in closed:
                    outcomes.append(replace(_outcome(r, call=False), status="verified"))
                    continue
                try:
                    remediation.last_look(house, now, r, live, plan.facts)
                except (DecisionError, RemediationError) as refusal:
                    outcomes.append(_not_done(r, refusal))
                else:
                    closed.add((r.application, r.account_id))
                    outcomes.append(replace(_outcome(r, call=True), status="planned"))
    except (FeedError, ConfigurationError) as error:
        outcomes += [_outcome(r, call=False, message=str(error)) for r in own[len(outcomes) :]]
    return outcomes


def undo(house: House, connect: Connect, now: datetime, actor: Actor, id: str) -> Outcome:
    """Switch an account on again that was switched off from here, and read it back; NotVerified when it stays off."""
    from connectors.kit.contract import CanReactivate

    r = remediation.undo(house, actor, now, id)
    with closing(connect(r.application, True)) as connector:
        if not isinstance(connector, CanReactivate) or not connector.given.write:
            raise NotSupported(f"{r.application} offers no way to switch an account on again")
        result: Receipt | LeaverwatchError
        try:
            result = connector.reactivate(r.account_id)
        except (FeedError, RemediationError) as error:
            result = error
        live: Account | None = connector.account(r.account_id)
    return _outcome(remediation.undone(house, now, id, live, result), call=True)


def _outcome(r: Remediation, *, call: bool, message: str = "") -> Outcome:
    return Outcome(r.id, r.application, r.account_id, r.status, call, message)


def _not_done(r: Remediation, error: LeaverwatchError) -> Outcome:
    status = "approved" if isinstance(error, AlreadyDecided) else "failed"
    return Outcome(r.id, r.application, r.account_id, status, call=False, message=f"{type(error).__name__}: {error}")
