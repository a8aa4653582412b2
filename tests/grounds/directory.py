"""A real slapd for all tenants of LDAP: each application is a branch of its own, behind a port of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import uuid
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from tests.grounds import NONE, Ground
from tests.grounds.fronts import Fronts
from tests.grounds.ldap_wire import (
    ANSWERS,
    BIND,
    ENTRY,
    MODIFY,
    UNBIND,
    Message,
    entry_read,
    entry_written,
    received,
    result,
)
from tests.ldap_servers import ADMIN, PASSWORD, READER, SUFFIX, active_directory, openldap

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3

RELAX = [("1.3.6.1.4.1.4203.666.5.12", True, None)]  # lets an administrator write what only the server writes
CREDENTIALS = {READER: "token", ADMIN: "write_token"}
# What stands for an answer of HTTP (RFC 4511, appendix A).
CODES = {307: 10, 401: 49, 403: 50, 404: 32, 500: 52, 502: 51, 503: 52, 418: 80}
SINCE_1601 = datetime(1601, 1, 1, tzinfo=UTC)


class _Directory(Ground):
    """What both directories share."""

    at_the_wire = True
    server: Callable[..., contextlib.AbstractContextManager[str]]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._stack = contextlib.ExitStack()
        place = urlsplit(self._stack.enter_context(type(self).server(folder, "")))
        self._at = ("127.0.0.1", place.port)
        self.fronts = Fronts(self._serve)
        server = ldap3.Server(place.geturl(), get_info=ldap3.NONE)
        self._admin = ldap3.Connection(
            server, ADMIN, PASSWORD, auto_bind=True, raise_exceptions=True, check_names=False
        )

    def url(self, name: str) -> str:
        return f"ldap://127.0.0.1:{self.fronts.port(name)}/{name}"

    def state(self, name: str) -> dict[str, Any]:
        self._admin.search(f"ou={name},{SUFFIX}", "(objectClass=*)", attributes=["*", "+"])
        return {found["dn"]: dict(found["raw_attributes"]) for found in self._admin.response}

    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        branch = f"ou={application.name},{SUFFIX}"
        wanted = dict(self.entries(application, branch))
        with contextlib.suppress(ldap3.core.exceptions.LDAPNoSuchObjectResult):
            self._admin.search(branch, "(objectClass=*)", attributes=["1.1"])
            for found in sorted((one["dn"] for one in self._admin.response), key=len, reverse=True):
                self._admin.delete(found)
        for dn, (classes, attributes) in wanted.items():
            self._admin.add(dn, classes, attributes, controls=RELAX)

    def entries(self, application: SandboxApplication, branch: str) -> Iterator[tuple[str, tuple[list[str], dict]]]:
        """Name, classes and attributes of everything that belongs to the application."""
        yield branch, (["organizationalUnit"], {"ou": application.name})
        here = [account for account in application.accounts.values() if account.status != "deleted"]
        for account in here:
            yield self.dn(account, branch), self.account(account)
        for entitlement in application.entitlements.values():
            members = [a for a in here if any(g.entitlement_id == entitlement.id for g in application.held(a.id))]
            if members:
                named = [self.dn(account, branch) for account in members]
                yield f"cn={entitlement.name},{branch}", self.group(entitlement.name, named)

    @abstractmethod
    def dn(self, account: SandboxAccount, branch: str) -> str:
        """Where the account stands."""

    @abstractmethod
    def account(self, account: SandboxAccount) -> tuple[list[str], dict]:
        """The classes and attributes of an account."""

    @abstractmethod
    def group(self, name: str, members: list[str]) -> tuple[list[str], dict]:
        """The classes and attributes of a group."""

    def close(self) -> None:
        self.fronts.close()
        self._admin.unbind()
        self._stack.close()

    def _serve(self, client: socket.socket, name: str) -> None:
        first: dict[bytes, list[Message]] = {}
        pages: dict[bytes, int] = {}
        who = None
        with socket.create_connection(self._at) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := received(client)) is not None and request.kind != UNBIND:
                if request.kind == BIND:
                    who = CREDENTIALS.get(request.name, "other")
                path = f"{'accounts' if b'employeeNumber' in request.body else 'others'} {request.name}"
                method = {BIND: "BIND", MODIFY: "MODIFY"}.get(request.kind, "SEARCH")
                self.note(name, method, path, request.body.hex()[:400], who)
                faults = self.faults.get(name, NONE)
                faults = faults if faults is not NONE and faults.hits(path) else NONE
                if faults.delay_s and self.fronts.over.wait(faults.delay_s):
                    return
                messages = self._answers(request, path, server, faults, first, pages)
                data = b"".join(message.written(request.number) for message in messages)
                if not self.fronts.send(client, name, data, faults):
                    return

    def _answers(
        self,
        request: Message,
        path: str,
        server: socket.socket,
        faults: Faults,
        first: dict[bytes, list[Message]],
        pages: dict[bytes, int],
    ) -> list[Message]:
        key = request.body  # without the controls: two pages of one list are the same search
        refusal = faults.refusal(path, "") if faults is not NONE else None
        if refusal is not None:
            return [result(request, CODES[refusal[0]], refusal[1])]
        if faults.lie and request.kind == MODIFY:
            return [result(request, 0, "")]
        if faults.repeat_page and key in first:
            return first[key]
        server.sendall(request.written())
        messages: list[Message] = []
        while not messages or messages[-1].kind != ANSWERS[request.kind]:
            message = received(server)
            if message is None:
                raise OSError("the directory has gone")
            messages.append(message)
        if faults.repeat_page:
            first[key] = messages
        pages[key] = pages.get(key, 0) + 1
        if faults.lose_page and pages[key] == 2:
            messages = messages[-1:]
        if faults.mutate is not None:
            messages = _mutated(messages, faults, path)
        return messages


def _mutated(messages: list[Message], faults: Faults, path: str) -> list[Message]:
    """The entries of one answer as JSON, changed, and as entries again."""
    read = [entry_read(message) for message in messages if message.kind == ENTRY]
    if not read or faults.mutate is None:
        return messages
    shown = [
        {"dn": dn, "attributes": {name: [value.decode("latin-1") for value in values] for name, values in held.items()}}
        for dn, held in read
    ]
    changed = faults.mutate(path, {"entries": shown})
    entries = changed.get("entries", [{"dn": path, "attributes": changed}])
    written = [entry_written(messages[0], *_read_back(one)) for one in entries]
    return [*written, *(message for message in messages if message.kind != ENTRY)]


def _read_back(entry: dict[str, Any]) -> tuple[str, dict[str, list[bytes]]]:
    held = entry.get("attributes")
    attributes = {str(name): _values(value) for name, value in (held if isinstance(held, dict) else {}).items()}
    dn = entry.get("dn")
    return (dn if isinstance(dn, str) else json.dumps(dn)), {name: v for name, v in attributes.items() if v}


def _values(value: Any) -> list[bytes]:
    if value is None:
        return []
    listed = value if isinstance(value, list) else [value]
    return [(one if isinstance(one, str) else json.dumps(one)).encode("latin-1", "replace") for one in listed]


class OpenLdap(_Directory):
    """As OpenLDAP with its password policy: an account is locked by an operational attribute."""

    server = staticmethod(openldap)

    def dn(self, account: SandboxAccount, branch: str) -> str:
        return f"uid={account.username},{branch}"

    def account(self, account: SandboxAccount) -> tuple[list[str], dict]:
        told: dict[str, Any] = {
            "uid": account.username,
            "entryUUID": account.id,
            "createTimestamp": f"{account.created_at:%Y%m%d%H%M%SZ}",
        }
        if account.status in ("suspended", "deactivated"):
            told["pwdAccountLockedTime"] = "000001010000Z"
        elif account.status == "locked":  # by failed attempts, for a while
            told["pwdAccountLockedTime"] = "20261123080000Z"
        if account.kind in ("service", "bot"):
            return ["account"], told
        more = {"cn": account.name, "sn": account.family, "mail": account.email}
        if account.employee_id:
            more["employeeNumber"] = account.employee_id
        if account.department:
            more["departmentNumber"] = account.department
        if account.title:
            more["title"] = account.title
        return ["inetOrgPerson"], told | more

    def group(self, name: str, members: list[str]) -> tuple[list[str], dict]:
        return ["groupOfNames"], {"cn": name, "member": members}


class ActiveDirectory(_Directory):
    """In Microsoft's own schema: one bit of a number says whether somebody may sign in."""

    server = staticmethod(active_directory)

    def dn(self, account: SandboxAccount, branch: str) -> str:
        return f"cn={account.username},{branch}"

    def account(self, account: SandboxAccount) -> tuple[list[str], dict]:
        found = uuid.UUID(account.id)
        seen = account.last_seen_at
        told = {
            **_every(found.int % 2**31),
            "cn": account.username,
            "sn": account.family,
            "objectCategory": f"cn=Person,{SUFFIX}",
            "objectGUID": found.bytes_le,
            "sAMAccountName": account.username,
            "displayName": account.name,
            "primaryGroupID": "513",
            "userAccountControl": "514" if account.status in ("suspended", "deactivated") else "512",
            "whenCreated": f"{account.created_at:%Y%m%d%H%M%S.0Z}",
            "lastLogon": "0",
        }
        if account.email:
            told["mail"] = account.email
        if seen is not None:
            told["lastLogonTimestamp"] = str(int((seen - SINCE_1601) / timedelta(microseconds=1)) * 10)
        if account.employee_id:
            told["employeeID"] = account.employee_id
        told |= {name: value for name in ("department", "title") if (value := getattr(account, name))}
        return ["person", "organizationalPerson", "user", "extensibleObject"], told

    def group(self, name: str, members: list[str]) -> tuple[list[str], dict]:
        told = {**_every(len(name)), "cn": name, "objectCategory": f"cn=Group,{SUFFIX}", "groupType": "2"}
        return ["group", "extensibleObject"], told | {"member": members}


def _every(number: int) -> dict[str, Any]:
    """What every object of Active Directory has."""
    sid = struct.pack("<BB6s5I", 1, 5, b"\0\0\0\0\0\5", 21, 1, 2, 3, 1000 + number)
    return {"instanceType": "4", "nTSecurityDescriptor": b"x", "objectSid": sid}
