"""What carrying out, rehearsing and verifying share: outcomes, the plan by application, and acting alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from governance import remediation
from governance.errors import AlreadyDecided, LeaverwatchError, NotAllowed
from governance.house import House
from governance.remediation import Plan
from governance.tables import Remediation

if TYPE_CHECKING:
    from connectors.kit.contract import Connector

Connect = Callable[[str, bool], "Connector"]  # application, whether it shall be able to write


@dataclass(frozen=True)
class Outcome:
    """What became of one remediation in this run, or in a dry run what would become of it."""

    id: str
    application: str
    account_id: str
    status: str  # after the run; in a dry run `planned` where a call would be made
    call: bool  # whether a call was made, or would be
    message: str = ""


@contextmanager
def alone(house: House) -> Iterator[None]:
    """Nobody else acts meanwhile; AlreadyDecided when somebody does now, StoreError when there is no room to act."""
    house.store.require_room()
    with house.store.lease("calls") as held:
        if not held:
            raise AlreadyDecided("another process is carrying out remediations now; nothing was done here")
        yield


def plan_of(house: House, now: datetime, ids: Sequence[str] | None) -> Plan:
    """What is to be done; NotAllowed when there is something and acting is switched off."""
    plan = remediation.plan(house, now, ids)
    if any(r.action != "manual" for r in (*plan.run, *plan.resume)) and not house.settings.act.enabled:
        raise NotAllowed("acting is switched off: [act] enabled = true in leaverwatch.toml switches it on")
    return plan


def by_application(plan: Plan) -> Iterator[tuple[str, list[Remediation]]]:
    """The work, by application, identity providers first; in each, what a run left behind when it was cut short."""
    everything = (*plan.resume, *plan.run)
    work = sorted(
        everything, key=lambda r: (r.application not in plan.first, r.application, r.status != "executing", r.id)
    )
    for application, own in groupby(work, key=lambda r: r.application):
        yield application, list(own)


def outcome_of(r: Remediation, *, call: bool, message: str = "") -> Outcome:
    """What became of it, as its row says."""
    return Outcome(r.id, r.application, r.account_id, r.status, call, message)


def not_done(r: Remediation, error: LeaverwatchError, status: str = "failed") -> Outcome:
    """What was refused, and why."""
    return Outcome(r.id, r.application, r.account_id, status, call=False, message=f"{type(error).__name__}: {error}")
