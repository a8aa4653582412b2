"""Which accounts of Salesforce changed since the last reading; what stands in other tables is compared whole.

Confirmed in the vendor's reference: SystemModstamp is when a user or an automated process changed a record last.
General knowledge: it can be filtered, and a sign-in may leave it as it is; LoginHistory tells that. UserLogin (frozen)
and TwoFactorMethodsInfo tell no such time, and an assignment that ended is told by no table: these are read whole as
ever, and accounts that they show in another light are read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.contract import Before, MarkRefused
from connectors.kit.numbered import Ids
from connectors.kit.privilege import holds_privilege
from connectors.kit.salesforce_access import PROFILE, ROLE, Held, Hold
from connectors.kit.salesforce_account import Logins
from connectors.kit.salesforce_query import where, where_in

LATE: Final = timedelta(minutes=15)  # what is written down late, and clocks that differ
CHUNK: Final = 200  # ids of one query


class Earlier:
    """What the accounts were before, and what the tables beside User say of them now."""

    def __init__(self, before: Before, held: Held, logins: Logins, register: Ids) -> None:
        self._held = held
        self._logins = logins
        self._register = register
        self._own: dict[str, dict[str, Hold]] = {}  # profile and role, which the rows of User tell
        for grant in before.grants():
            if grant.entitlement_id.startswith((PROFILE, ROLE)) and grant.entitlement_id in held.entitlements:
                hold = Hold(grant.entitlement_id, grant.how, grant.since)
                self._own.setdefault(grant.account_id, {})[hold.entitlement_id] = hold
        self._was = {one: facts for one, *facts in before.accounts("account_id", "mfa", "external_id", "privileged")}

    def __iter__(self) -> Iterator[str]:
        """Every account there was."""
        return iter(self._was)

    def holds(self, account_id: str) -> Iterable[Hold]:
        """What an account holds that did not change itself."""
        [held] = self._held.of(self._register.known([account_id]))
        return {**held, **self._own.get(account_id, {})}.values()

    def other(self, frozen_before: set[str]) -> set[str]:
        """Accounts that are frozen or not any more, or whose second factor or privilege is another now."""
        frozen = self._logins.frozen.keys() ^ frozen_before
        return {one for one in self._was if one in frozen or self._differs(one)}

    def _differs(self, account_id: str) -> bool:
        mfa, federated, privileged = self._was[account_id]
        number = self._register.known([account_id])
        [registered], [unclear] = self._logins.registered(number), self._held.unclear(number)
        if mfa is not (None if registered is False and federated else registered):
            return True
        held = [self._held.entitlements[hold.entitlement_id].privileged for hold in self.holds(account_id)]
        profile = any(one.startswith(PROFILE) for one in self._own.get(account_id, {}))
        told = self._held.told and profile and not unclear
        return privileged is not holds_privilege(held, told=told)


def mark_of(at: datetime, logins: Logins) -> str:
    """Where to go on, and who is frozen now."""
    return json.dumps({"at": at.isoformat(), "frozen": sorted(logins.frozen)})


def begun(mark: str, place: str) -> tuple[datetime, set[str]]:
    """From when on changes are wanted, and who was frozen; MarkRefused for a mark that is none of ours."""
    try:
        told: Any = json.loads(mark)
        return datetime.fromisoformat(told["at"]).astimezone(UTC) - LATE, {str(one) for one in told["frozen"]}
    except (ValueError, LookupError, TypeError) as error:
        raise MarkRefused(f"{place}: the mark is none that can be gone on from") from error


def modified(since: datetime) -> str:
    """A condition that a record changed."""
    return where("SystemModstamp", since, ">=")


def only(ids: Iterable[str]) -> list[str]:
    """Conditions that ask for these accounts alone."""
    wanted = sorted(ids)
    return [where_in("Id", wanted[n : n + CHUNK]) for n in range(0, len(wanted), CHUNK)]
