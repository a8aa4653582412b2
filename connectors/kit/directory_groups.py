"""The groups of a directory and who is in them, also through groups that are in groups."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Final

from connectors.kit.directory import Entry
from connectors.kit.directory_account import relative_id
from connectors.kit.numbered import Ids, Noted

MEMBERS: Final = ("member", "uniqueMember", "memberUid")
ATTRIBUTES: Final = ("cn", "objectSid", "objectGUID", "entryUUID", *MEMBERS)
# learn.microsoft.com: "Appendix C: Protected Accounts and Groups in Active Directory"
PRIVILEGED: Final = frozenset(
    name.casefold()
    for name in (
        "Domain Admins", "Enterprise Admins", "Schema Admins", "Administrators", "Account Operators",
        "Server Operators", "Backup Operators", "Print Operators", "Replicator", "Domain Controllers",
        "Enterprise Key Admins", "Key Admins", "DnsAdmins", "Group Policy Creator Owners",
    )
)  # fmt: skip


class Groups:
    """Names of groups, and which groups each entry is in directly. Names of entries are folded."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # folded dn -> cn
        self.dns: dict[str, str] = {}  # folded dn -> dn as written
        self._by_relative_id: dict[int, str] = {}  # of Active Directory's primary groups
        self._members = Ids()  # folded dns, or uids
        self._in = Noted()  # of each member the groups it is in, by their places in `_met`
        self._met: list[str] = []  # folded dns of groups
        self._above: dict[str, frozenset[str]] = {}

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in a page of groups."""
        for entry in entries:
            group = folded(entry.dn)
            self.names[group] = entry.text("cn") or entry.dn
            self.dns[group] = entry.dn
            number = relative_id(entry)
            if number is not None:
                self._by_relative_id[number] = group
            self._met.append(group)
            for attribute in MEMBERS:
                members = entry.texts(attribute)
                keys = [f"uid:{one}" for one in members] if attribute == "memberUid" else list(map(folded, members))
                self._in.note(self._members.numbers(keys), repeat(len(self._met) - 1, len(keys)))

    def held_by(self, entry: Entry) -> dict[str, str]:
        """Folded dn of each group the entry is in -> direct, or group when only through another group."""
        direct = self._directly(folded(entry.dn), f"uid:{entry.text('uid')}")
        primary = self._by_relative_id.get(entry.number("primaryGroupID") or 0)
        if primary is not None:
            direct.add(primary)
        through = set().union(*(self.above(group) for group in direct)) - direct if direct else set()
        return dict.fromkeys(sorted(direct), "direct") | dict.fromkeys(sorted(through), "group")

    def above(self, group: str) -> frozenset[str]:
        """Every group this group is in, also through others; circles end."""
        known = self._above.get(group)
        if known is None:
            found: set[str] = set()
            waiting = [group]
            while waiting:
                for above in self._directly(waiting.pop()):
                    if above not in found and above != group:
                        found.add(above)
                        waiting.append(above)
            known = self._above[group] = frozenset(found)
        return known

    def _directly(self, *names: str) -> set[str]:
        """The groups in which a member of any of these names is."""
        places = self._in.of(self._members.known(names))
        return {self._met[place] for several in places for place in several}


def folded(dn: str) -> str:
    """A name as directories compare it: without case, and without blanks around its parts."""
    return ",".join(part.strip() for part in dn.casefold().split(","))
