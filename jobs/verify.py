"""Verify: read accounts again whose remediation is executed but not yet proved."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from sqlmodel import col, select

from governance import remediation
from governance.errors import ConfigurationError, FeedError, NotSupported
from governance.house import House
from governance.tables import Remediation
from jobs.loose_ends import open_credentials
from jobs.outcomes import Connect, Outcome, alone, outcome_of
from jobs.revoke import BUSY

if TYPE_CHECKING:
    from connectors.kit.contract import CanReadOne

log = logging.getLogger("leaverwatch.verify")


def run(house: House, connect: Connect, now: datetime) -> list[Outcome]:
    """Read each such account: inactive or gone is verified; active stays executed and is read again next time.

    What a run left `executing` when it was cut short is settled the same way; an account that is still active goes back
    to approved, so that the next run carries it out. Approvals that are too old lapse.
    """
    with alone(house):
        return _run(house, connect, now)


def _run(house: House, connect: Connect, now: datetime) -> list[Outcome]:
    remediation.expire(house, now)
    chosen = select(Remediation).where(
        col(Remediation.status).in_(("executing", "executed")), Remediation.action == "deactivate"
    )
    with house.store.read() as session:
        unproved = session.exec(chosen.order_by(col(Remediation.application), col(Remediation.id))).all()
    outcomes: list[Outcome] = []
    for application, own in groupby(unproved, key=lambda r: r.application):
        outcomes += _read_again(house, connect, now, application, list(own))
    return outcomes


def _read_again(
    house: House, connect: Connect, now: datetime, application: str, own: list[Remediation]
) -> list[Outcome]:
    from connectors.kit.contract import CanReadOne

    outcomes: list[Outcome] = []
    try:
        with closing(connect(application, False)) as connector:
            if not isinstance(connector, CanReadOne):
                raise NotSupported(f"{application} cannot be read one account at a time; the next pull proves it")
            for r in own:
                outcomes.append(_prove(house, connector, now, r))
    except (FeedError, ConfigurationError, NotSupported) as error:
        log.warning("%s: %s", application, type(error).__name__)
        rest = own[len(outcomes) :]
        remediation.postponed(house, [r.id for r in rest], error)
        outcomes += [outcome_of(r, call=False, message=str(error)) for r in rest]
    return outcomes


def _prove(house: House, connector: CanReadOne, now: datetime, r: Remediation) -> Outcome:
    try:
        live = connector.account(r.account_id)
    except FeedError as error:
        if isinstance(error, BUSY):
            raise  # asking for the others would make it worse
        remediation.postponed(house, [r.id], error)
        return outcome_of(r, call=False, message=str(error))
    if r.status == "executing" and live is not None and live.active is not False:
        r = remediation.take_back(house, now, r.id)
    else:
        r = remediation.verified(house, now, r.id, live, credentials=open_credentials(connector, r.account_id))
    return outcome_of(r, call=False, message=r.error or "")
