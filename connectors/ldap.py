"""LDAP: the accounts of a directory — Active Directory, OpenLDAP, 389 Directory Server, FreeIPA.

Reads      accounts, groups also through groups, last sign-in      rights: read of the subtree
Changes    an account can sign in or not; membership of a group    rights: write of that attribute, another name
Last seen  Active Directory tells it up to 14 days late, OpenLDAP only with lastbind or ppolicy_record
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from connectors.kit import directory_account as accounts
from connectors.kit.contract import (
    CanDeactivate,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Connector,
    Field,
)
from connectors.kit.directory import Directory, Entry
from connectors.kit.directory_account import DISABLED, LOCKED, Flavour, flavour_of
from connectors.kit.directory_groups import ATTRIBUTES as GROUP_ATTRIBUTES
from connectors.kit.directory_groups import PRIVILEGED, Groups, folded
from connectors.kit.fingerprints import Met
from connectors.kit.options import feed_table, text_option
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Grant, Receipt, Record, Rejected
from governance.settings import ApplicationSettings, SourceSettings

PEOPLE: Final[dict[Flavour, str]] = {
    "active_directory": "(&(objectClass=user)(!(objectClass=computer)))",
    "openldap": "(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=account))",
    "389": "(|(objectClass=inetOrgPerson)(objectClass=posixAccount))",
}
GROUPS: Final[dict[Flavour, str]] = {
    "active_directory": "(objectClass=group)",
    "openldap": "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
    "389": "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
}
ID_ATTRIBUTE: Final[dict[Flavour, str]] = {
    "active_directory": "objectGUID",
    "openldap": "entryUUID",
    "389": "nsUniqueId",
}
GROUPS_AT_ONCE: Final = 50  # a page of them holds all their members


class Ldap(Connector, CanDeactivate, CanReactivate, CanRevokeGrant):
    """Accounts of a directory."""

    title = "LDAP and Active Directory"
    kind = "application"
    family = "protocol"
    fields = (
        Field("base_url", "The directory, such as ldaps://dc.example.com.", "url", required=True),
        Field("bind_dn", "Who reads: a DN, or name@domain in Active Directory.", required=True),
        Field("token", "The password of that name.", "secret", required=True),
        Field("write_bind_dn", "Who writes, where it is another name."),
        Field("write_token", "The password of who writes; without it nothing can be changed.", "secret"),
        Field("base_dn", "Where the accounts are; by default what the directory names."),
        Field("group_base_dn", "Where the groups are; by default the same."),
        Field("filter", "An LDAP filter, where not all accounts are meant."),
        Field("page_size", "How many entries to ask for at once.", "number", default=500),
        Field("start_tls", "Whether ldap:// becomes encrypted before the password is sent.", "flag", default=True),
        Field("ca_file", "The certificates to trust, where they are not the machine's.", "path"),
        Field("allow_private", "Whether a private host is meant.", "flag", default=False),
    )
    tells = frozenset(
        {"account.active", "account.last_seen", "account.created_at", "account.grants", "account.attributes"}
    )
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("read the subtree",),
        "read_one": ("read the subtree",),
        "deactivate": ("write userAccountControl, pwdAccountLockedTime or nsAccountLock",),
        "reactivate": ("the same",),
        "revoke_grant": ("write member of the groups",),
    }
    covers = (
        "disabled and expired accounts: yes",
        "service accounts and built-in accounts: yes",
        "deleted entries: no (they vanish; Active Directory keeps tombstones this does not read)",
        "computers and contacts: no (they are no accounts of people)",
        "multi-factor authentication: no (directories do not tell it)",
    )
    plans = (
        "Active Directory replicates the last sign-in every 9 to 14 days: a stale limit below 15 days proves nothing.",
        "OpenLDAP tells the last sign-in only with its lastbind overlay or `lastbind on`.",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._base, self._group_base, self._filter, self._writer_dn = (
            text_option(self.options, name, where) for name in ("base_dn", "group_base_dn", "filter", "write_bind_dn")
        )
        self._size = self.options["page_size"]
        if isinstance(self._size, bool) or not isinstance(self._size, int) or not 1 <= self._size <= 5000:
            raise ConfigurationError(f"{where}: page_size: expected a number from 1 to 5000")
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        self._privilege = Privilege(feed)
        self._directory = self._connect("bind_dn", "token", write=False)
        self._writing: Directory | None = None
        self._flavour: Flavour | None = None
        self._bases: tuple[str, str] = ("", "")

    def check(self) -> Checked:
        """Bind, and find one account."""
        self._directory.begin()
        flavour, base, _ = self._root()
        found = self._directory.find(base, self._people(flavour), (ID_ATTRIBUTE[flavour],))
        if found is None:
            raise IncompleteFeed(f"{self.feed.name}: no account is found below {base}: is the filter right?")
        missing = () if accounts.account_id(found, flavour) else (f"read of {ID_ATTRIBUTE[flavour]}",)
        return Checked(notes=(f"read as {flavour}",), missing=missing)

    def records(self) -> Iterator[Record]:
        """Yield every group, account and membership once; IncompleteFeed unless the directory came to its end."""
        self._directory.begin()
        flavour, base, group_base = self._root()
        reading, place, digest = self.reading, self.feed.name, hashlib.sha256()
        reading.source, reading.filters = f"{self.options['base_url']}/{base}", self._people(flavour)
        groups = self._groups(flavour, group_base)
        privileged = {group: self._is_privileged(name, flavour) for group, name in groups.names.items()}
        for group, name in groups.names.items():
            yield Entitlement(place, groups.dns[group], name, "group", privileged[group])
        reader = Reader(self._where, self.given.now)
        seen = Met()
        pages = self._directory.search(base, self._people(flavour), accounts.ATTRIBUTES[flavour], self._size)
        for page in pages:
            reading.pages += 1
            for entry in page:
                reading.rows_read += 1
                digest.update(repr((entry.dn, sorted(entry.attributes.items()))).encode())
                account = accounts.read(entry, place, flavour, reader, self.given.now)
                if account is None:
                    why = "is missing: may this name read it?"
                    reading.rejected.append(Rejected(entry.dn, ID_ATTRIBUTE[flavour], why))
                elif not seen.new(account.account_id):
                    reading.duplicates += 1
                else:
                    held = groups.held_by(entry)
                    # A directory shows nothing of what may not be seen: without any group nobody knows who is in which.
                    told = bool(privileged)
                    yield replace(account, privileged=holds_privilege([privileged[g] for g in held], told=told))
                    for group, how in held.items():
                        yield Grant(place, account.account_id, groups.dns[group], how)
        reading.kept, reading.sha256 = len(seen), digest.hexdigest()
        reader.note(reading)
        judge(reading, place)
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the directory lists no account at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone. What it holds is not read again."""
        self._directory.begin()
        flavour, entry = self._found(account_id)
        if entry is None:
            return None
        return accounts.read(entry, self.feed.name, flavour, Reader(self._where, self.given.now), self.given.now)

    def deactivate(self, account_id: str) -> Receipt:
        """Disable the account."""
        return self._switch(account_id, active=False)

    def reactivate(self, account_id: str) -> Receipt:
        """Enable the account."""
        return self._switch(account_id, active=True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take the account out of the group; NotSupported where it is in it only through another group."""
        return self._member(account_id, entitlement_id, "MODIFY_DELETE")

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Put the account into the group again."""
        return self._member(account_id, entitlement_id, "MODIFY_ADD")

    def close(self) -> None:
        """Let go of connections."""
        self._directory.close()
        if self._writing:
            self._writing.close()

    def _root(self) -> tuple[Flavour, str, str]:
        if self._flavour is None:
            root = dict(self._directory.root())
            self._flavour = flavour_of(root)
            named = [*root.get("defaultnamingcontext", []), *root.get("namingcontexts", [])]
            base = self._base or (named[0] if named else "")
            if not base:
                raise ConfigurationError(f"{self._where}: base_dn: is missing, and the directory names none")
            self._bases = base, self._group_base or base
        return self._flavour, *self._bases

    def _people(self, flavour: Flavour) -> str:
        return f"(&{PEOPLE[flavour]}{self._filter})" if self._filter else PEOPLE[flavour]

    def _groups(self, flavour: Flavour, base: str) -> Groups:
        groups = Groups()
        size = min(self._size, GROUPS_AT_ONCE)
        for page in self._directory.search(base, GROUPS[flavour], GROUP_ATTRIBUTES, size):
            self.reading.pages += 1
            groups.add(page)
        return groups

    def _is_privileged(self, name: str, flavour: Flavour) -> bool | None:
        known = flavour == "active_directory" and name.casefold() in PRIVILEGED
        return self._privilege.of(name, known)

    def _found(self, account_id: str) -> tuple[Flavour, Entry | None]:
        flavour, base, _ = self._root()
        attribute = ID_ATTRIBUTE[flavour]
        value = _guid(account_id) if flavour == "active_directory" else _escaped(account_id)
        found = self._directory.find(base, f"({attribute}={value})", accounts.ATTRIBUTES[flavour])
        return flavour, found

    def _must_find(self, account_id: str) -> tuple[Flavour, Entry]:
        self._directory.begin()
        flavour, entry = self._found(account_id)
        if entry is None:
            raise UnexpectedAnswer(f"{self.feed.name}: there is no account {account_id} any more", "ldap")
        return flavour, entry

    def _switch(self, account_id: str, *, active: bool) -> Receipt:
        writing = self._writer()
        flavour, entry = self._must_find(account_id)
        changes: dict[str, list[tuple[str, list[Any]]]]
        if flavour == "active_directory":
            before = entry.number("userAccountControl")
            if before is None:
                raise UnexpectedAnswer(f"{self.feed.name}: userAccountControl cannot be read", "ldap")
            after = before & ~DISABLED if active else before | DISABLED
            # Delete the old value and add the new one: refused when somebody else changed it in between.
            changes = {"userAccountControl": [("MODIFY_DELETE", [str(before)]), ("MODIFY_ADD", [str(after)])]}
            if before == after:
                return self._receipt(writing, entry, "nothing to change", "0 success")
        elif flavour == "389":
            changes = {"nsAccountLock": [("MODIFY_REPLACE", [] if active else ["true"])]}
        else:
            changes = {"pwdAccountLockedTime": [("MODIFY_REPLACE", [] if active else [LOCKED])]}
        answer = writing.modify(entry.dn, changes, relax=flavour == "openldap")
        return self._receipt(writing, entry, f"modify {', '.join(changes)}", answer)

    def _member(self, account_id: str, group: str, how: str) -> Receipt:
        writing = self._writer()
        _, entry = self._must_find(account_id)
        found = self._directory.entry(group, GROUP_ATTRIBUTES)
        if found is None:
            raise UnexpectedAnswer(f"{self.feed.name}: there is no group {group} any more", "ldap")
        attribute, value = _as_member(found, entry, adding=how == "MODIFY_ADD")
        if attribute is None:
            raise NotSupported(
                f"{self.feed.name}: {entry.dn} is in {group} only through another group or as its primary group"
            )
        answer = writing.modify(found.dn, {attribute: [(how, [value])]})
        return self._receipt(writing, found, f"modify {attribute}", answer)

    def _receipt(self, writing: Directory, entry: Entry, what: str, answer: str) -> Receipt:
        return Receipt(writing.deadline.now, f"{what} of {entry.dn}", answer)

    def _writer(self) -> Directory:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._writing is None:
            self._writing = self._connect("write_bind_dn" if self._writer_dn else "bind_dn", "write_token", write=True)
        self._writing.begin()
        return self._writing

    def _connect(self, name: str, secret: str, *, write: bool) -> Directory:
        options = self.options
        return Directory(
            options["base_url"],
            text_option(options, name, self._where) or "",
            self.given.secrets[secret],
            self.given,
            self.feed.name,
            self._where,
            start_tls=options["start_tls"],
            ca_file=text_option(options, "ca_file", self._where),
            allow_private=options["allow_private"],
            write=write,
        )


def _as_member(group: Entry, entry: Entry, *, adding: bool) -> tuple[str | None, str]:
    """Which attribute of the group names the account, and how; None where none does."""
    uid = entry.text("uid") or ""
    for attribute in ("member", "uniqueMember"):
        for value in group.texts(attribute):
            if folded(value) == folded(entry.dn):
                return attribute, value
    if uid and uid in group.texts("memberUid"):
        return "memberUid", uid
    if not adding:
        return None, ""
    if group.texts("memberUid"):
        return "memberUid", uid
    return ("uniqueMember" if group.texts("uniqueMember") else "member"), entry.dn


def _escaped(value: str) -> str:
    """A value in a filter (RFC 4515, 3)."""
    return "".join(f"\\{byte:02x}" if byte in b"*()\\\0" or byte > 126 else chr(byte) for byte in value.encode())


def _guid(value: str) -> str:
    import uuid

    try:
        return "".join(f"\\{byte:02x}" for byte in uuid.UUID(value).bytes_le)
    except ValueError:
        return _escaped(value)
