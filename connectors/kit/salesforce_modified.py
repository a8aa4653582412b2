"""Which accounts of Salesforce changed since the last reading; what stands in other tables is compared whole.

Confirmed in the vendor's reference: SystemModstamp is when a user or an automated process changed a record last.
General knowledge: it can be filtered, and a sign-in may leave it as it is; LoginHistory tells that. UserLogin (frozen)
and TwoFactorMethodsInfo tell no such time, and an assignment that ended is told by no table: these are read whole as
ever, and accounts that they show in another light are read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.contract import Before, MarkRefused
from connectors.kit.numbered import Ids
from connectors.kit.privilege import holds_privilege
from connectors.kit.salesforce_access import HOW, NEVER, PROFILE, ROLE, Held, Hold
from connectors.kit.salesforce_account import Logins
from connectors.kit.salesforce_query import where, where_in

LATE: Final = timedelta(minutes=15)  # what is written down late, and clocks that differ
CHUNK: Final = 200  # ids of one query


class Earlier:
    """What the accounts were before, and what the tables beside User say of them now."""

    def __init__(self, before: Before, held: Held, logins: Logins, register: Ids) -> None:
        self._before = before
        self._held = held
        self._logins = logins
        self._register = register
        self._own = Held()  # profile and role, which the rows of User tell
        self._own.entitlements = held.entitlements
        for one, accounts, how, since in before.grants():
            if one.startswith((PROFILE, ROLE)):
                seconds = [NEVER if at is None else at.timestamp() for at in since]
                ways = bytes(map(HOW.index, how))
                self._own.add(register.numbers(accounts), [one] * len(accounts), seconds, ways)

    def __iter__(self) -> Iterator[list[str]]:
        """Every account there was, a portion at a time."""
        return (ids for (ids,) in self._before.accounts("account_id"))

    def holds(self, ids: Sequence[str]) -> list[Mapping[str, Hold]]:
        """What accounts hold that did not change themselves."""
        numbers = self._register.known(ids)
        both = zip(self._held.of(numbers), self._own.of(numbers), strict=True)
        return [{**held, **own} for held, own in both]

    def other(self, frozen_before: set[str]) -> tuple[set[str], int]:
        """Accounts that are frozen or not any more, or whose second factor or privilege is another now.

        And how many accounts there were in all.
        """
        found = self._logins.frozen.keys() ^ frozen_before
        columns = ("account_id", "mfa", "external_id", "privileged")
        there, everybody = set[str](), 0
        for ids, mfa, federated, privileged in self._before.accounts(*columns):
            everybody += len(ids)
            there |= found.intersection(ids)
            numbers = self._register.known(ids)
            factors = zip(mfa, federated, self._logins.registered(numbers), strict=True)
            powers = zip(privileged, self._privileged(ids, numbers), strict=True)
            there |= {
                one
                for one, (had, outside, has), (was, now) in zip(ids, factors, powers, strict=True)
                if was is not now or had is not (None if has is False and outside else has)
            }
        return there, everybody

    def _privileged(self, ids: Sequence[str], numbers: Sequence[int]) -> Iterator[bool | None]:
        entitlements, all_told = self._held.entitlements, self._held.told
        for holds, unclear in zip(self.holds(ids), self._held.unclear(numbers), strict=True):
            profile = any(one.startswith(PROFILE) for one in holds)
            told = all_told and profile and not unclear
            yield holds_privilege([entitlements[one].privileged for one in holds], told=told)


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
