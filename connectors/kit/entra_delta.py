"""Which users and groups of a directory changed since the last reading, and what stays of the others.

Confirmed in Microsoft's documentation (delta query overview, user: delta, group: delta): `$deltatoken=latest` begins
from now on; `$select=members` makes a change of members one of the group; a link lasts seven days, then 40X or 410 asks
for everything anew; a change may be told twice, and late; `@removed` tells deleted users. Sign-ins and multi-factor
methods are not tracked. So the links only say who changed: what they are now is read from the lists. As lists may lag
too, what changed is read once more the next time.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from connectors.kit.contract import Before, MarkRefused
from connectors.kit.entra_calls import EntraCalls, entries, entry_id, error_code
from connectors.kit.holdings import DIRECT
from connectors.kit.numbered import Ids
from governance.errors import IncompleteFeed, UnexpectedAnswer
from governance.records import Reading

Members: TypeAlias = "tuple[array[int], list[str]]"  # accounts by their numbers and groups, directly in a group
TRACKED: Final[Mapping[str, str]] = {
    "users": "id,displayName,userPrincipalName,mail,otherMails,accountEnabled,userType,employeeId,department,jobTitle,"
    "onPremisesSyncEnabled,isResourceAccount,externalUserState",
    "groups": "id,displayName,members",
}
MOST_IN: Final = 15  # values behind `in` of one filter, as the documentation of $filter has it
_REFUSED: Final = (400, 403, 404, 410, 501)


@dataclass(frozen=True)
class Changed:
    """What the links told: id -> whether it was removed; and which groups were in which before that."""

    users: dict[str, bool]
    groups: dict[str, bool]
    nested: dict[str, list[str]]


class EntraDelta:
    """The links of one reading. `mark` holds them for the next one."""

    def __init__(self, calls: EntraCalls) -> None:
        self._calls = calls
        self._links: dict[str, str] = {}
        self._told: dict[str, dict[str, bool]] = {what: {} for what in TRACKED}

    def begin(self) -> None:
        """Ask for links from now on, before anything is read: what changes in between is told next time."""
        for what, select in TRACKED.items():
            params = {"$deltatoken": "latest", "$select": select}
            answer = self._calls.http.get(f"{what}/delta()", params, allow=_REFUSED)
            link = self._calls.following(answer, "@odata.deltaLink") if answer.status == 200 else None
            if link is not None:
                self._links[what] = link

    def mark(self, nested: Mapping[str, list[str]]) -> str | None:
        """Where to go on; None where the directory does not tell changes."""
        if set(self._links) != set(TRACKED):
            return None
        return json.dumps({"links": self._links, "told": self._told, "nested": dict(nested)}, sort_keys=True)

    def changed(self, mark: str, reading: Reading) -> Changed:
        """What changed since the mark, and what had at the last time; MarkRefused where it is not told any more."""
        try:
            was: Any = json.loads(mark)
            links = {what: str(was["links"][what]) for what in TRACKED}
            told = {what: {str(one): bool(gone) for one, gone in was["told"][what].items()} for what in TRACKED}
            nested = {str(group): [str(one) for one in inner] for group, inner in was["nested"].items()}
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise MarkRefused(f"{self._calls.place}: the mark is none that can be gone on from") from error
        self._told = {what: self._since(links[what], what, reading) for what in TRACKED}
        return Changed(told["users"] | self._told["users"], told["groups"] | self._told["groups"], nested)

    def _since(self, link: str, what: str, reading: Reading) -> dict[str, bool]:
        calls, place = self._calls, f"{self._calls.place}: changes of {what}"
        found: dict[str, bool] = {}
        seen: set[str] = set()
        try:
            following: str | None = calls.http.address.pin(link, calls.http.address.url, calls.place)
        except UnexpectedAnswer as error:
            raise MarkRefused(f"{place}: the link leads elsewhere") from error
        last: str | None = None
        while following is not None:
            if following in seen:
                raise IncompleteFeed(f"{place}: the same page is named as the next one again")
            seen.add(following)
            answer = calls.http.get(following, allow=_REFUSED)
            if answer.status != 200:
                why = f"{answer.status} {error_code(answer)}".strip()
                raise MarkRefused(f"{place}: the link is not taken any more ({why})")
            calls.digest.update(answer.sha256.encode())
            reading.pages += 1
            found |= {one: "@removed" in row for row in entries(answer) if (one := entry_id(row))}
            following, last = calls.following(answer), calls.following(answer, "@odata.deltaLink")
        if last is None:
            raise IncompleteFeed(f"{place}: the last page has no link to go on from")
        self._links[what] = last
        return found


class Kept:
    """The groups that did not change, with who was directly in them, by their numbers in `ids`."""

    def __init__(self, before: Before, changed: Changed) -> None:
        self.ids = Ids()
        self._changed, self._nested = changed.groups, changed.nested
        self._direct = {group_id: array("I") for group_id in map(_group, before.entitlements()) if group_id}
        for one, accounts, how, _ in before.grants():
            group_id = _group(one)
            if group_id in self._direct and group_id not in changed.groups:
                direct = [account for account, word in zip(accounts, how, strict=True) if word == DIRECT]
                self._direct[group_id].extend(self.ids.numbers(direct))

    def members(self, group_id: str) -> Members | None:
        """Who and which groups are directly in a group; None where that must be read."""
        if group_id in self._changed or group_id not in self._direct:
            return None
        return self._direct[group_id], self._nested.get(group_id, [])


def _group(entitlement_id: str) -> str:
    """The id of the group that an entitlement stands for; empty for any other."""
    kind, _, one = entitlement_id.partition(":")
    return one if kind == "group" else ""


def only(ids: Iterable[str]) -> list[str]:
    """Filters that ask for these users alone, as few as there may be."""
    quoted = ["'" + one.replace("'", "''") + "'" for one in sorted(ids)]
    return [f"id in ({','.join(quoted[n : n + MOST_IN])})" for n in range(0, len(quoted), MOST_IN)]
