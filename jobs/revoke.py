"""Revoke: take one entitlement from one account, as an access review decided. The next whole reading proves it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from governance import remediation
from governance.errors import (
    AlreadyDecided,
    AuthenticationFailed,
    DecisionError,
    FeedError,
    NotSupported,
    RateLimited,
    RemediationError,
    Unavailable,
)
from governance.house import House
from governance.remediation import Plan
from governance.tables import Remediation
from jobs.outcomes import Outcome, not_done, outcome_of

if TYPE_CHECKING:
    from connectors.kit.contract import CanReadOne

REFUSALS: Final = (AuthenticationFailed, RateLimited, NotSupported)  # the application has certainly not taken the call
BUSY: Final = (RateLimited, Unavailable)  # asking further would make it worse


def revoke(house: House, connector: CanReadOne, now: datetime, r: Remediation, plan: Plan) -> tuple[Outcome, bool]:
    """Read, commit the intent, call, note the answer. Says also whether the application is busy or away.

    It stays `executed` until a published snapshot shows the account without the entitlement. An account that is closed
    or gone meanwhile needs no call.
    """
    from connectors.kit.contract import CanRevokeGrant

    resume = r.status == "executing"
    entitlement_id = r.entitlement_id
    if not isinstance(connector, CanRevokeGrant) or entitlement_id is None:
        error = NotSupported(f"{r.application} takes no single entitlement away: it needs a person, review it again")
        remediation.refused(house, now, {r.id: error})
        return not_done(r, error), False
    try:
        live = connector.account(r.account_id)
    except (FeedError, RemediationError) as error:
        r = remediation.failed(house, now, r.id, error, happened=None if resume else False)
        return outcome_of(r, call=False, message=str(error)), isinstance(error, BUSY)
    try:
        begun = remediation.begin(house, now, r.id, live, plan.facts, resume=resume)
    except AlreadyDecided as late:
        return not_done(r, late, remediation.reread(house, [r.id])[0].status), False
    except (DecisionError, RemediationError) as refusal:
        return not_done(r, refusal), False
    if not begun.call:
        return outcome_of(begun.remediation, call=False, message="the account was closed already"), False
    try:
        receipt = connector.revoke_grant(r.account_id, entitlement_id)
    except (FeedError, RemediationError) as error:
        r = remediation.failed(house, now, r.id, error, happened=False if isinstance(error, REFUSALS) else None)
        return outcome_of(r, call=True, message=str(error)), isinstance(error, BUSY)
    r = remediation.finish(house, now, r.id, receipt)
    return outcome_of(r, call=True, message="the next pull proves it"), False
