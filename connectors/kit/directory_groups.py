"""The groups of a directory and who is in them, also through groups that are in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from connectors.kit.directory import Entry
from connectors.kit.directory_account import relative_id

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


@dataclass
class Groups:
    """Names of groups, and which groups each entry is in directly. Names of entries are folded."""

    names: dict[str, str] = field(default_factory=dict)  # folded dn -> cn
    dns: dict[str, str] = field(default_factory=dict)  # folded dn -> dn as written
    of_member: dict[str, set[str]] = field(default_factory=dict)  # folded dn, or uid -> folded dns of groups
    by_relative_id: dict[int, str] = field(default_factory=dict)  # of Active Directory's primary groups
    _above: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in a page of groups."""
        for entry in entries:
            group = folded(entry.dn)
            self.names[group] = entry.text("cn") or entry.dn
            self.dns[group] = entry.dn
            number = relative_id(entry)
            if number is not None:
                self.by_relative_id[number] = group
            for attribute in MEMBERS:
                for member in entry.texts(attribute):
                    key = f"uid:{member}" if attribute == "memberUid" else folded(member)
                    self.of_member.setdefault(key, set()).add(group)

    def held_by(self, entry: Entry) -> dict[str, str]:
        """Folded dn of each group the entry is in -> direct, or group when only through another group."""
        direct = set(self.of_member.get(folded(entry.dn), ()))
        direct |= self.of_member.get(f"uid:{entry.text('uid')}", set())
        primary = self.by_relative_id.get(entry.number("primaryGroupID") or 0)
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
                for above in self.of_member.get(waiting.pop(), ()):
                    if above not in found and above != group:
                        found.add(above)
                        waiting.append(above)
            known = self._above[group] = frozenset(found)
        return known


def folded(dn: str) -> str:
    """A name as directories compare it: without case, and without blanks around its parts."""
    return ",".join(part.strip() for part in dn.casefold().split(","))
