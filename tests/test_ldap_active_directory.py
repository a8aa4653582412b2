"""LDAP against a real slapd with Microsoft's own schema, in the place of Active Directory."""

from __future__ import annotations

import base64
import struct
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import NOW

from connectors.kit.directory_account import filetime
from tests.ldap_reading import GROUP, NEEDS_SLAPD, connected, read
from tests.ldap_servers import READ_PASSWORD, READER, SUFFIX, active_directory

pytestmark = NEEDS_SLAPD

SINCE_1601 = datetime(1601, 1, 1, tzinfo=UTC)


def ticks(at: datetime) -> int:
    return int((at - SINCE_1601) / timedelta(microseconds=1)) * 10


def coded(name: str, value: bytes) -> str:
    return f"{name}:: {base64.b64encode(value).decode()}"


def sid(last: int) -> bytes:
    return struct.pack("<BB6s5I", 1, 5, b"\0\0\0\0\0\5", 21, 1, 2, 3, last)


def user(name: str, number: int, *more: str, last: int = 0) -> str:
    lines = [
        f"dn: cn={name},ou=people,{SUFFIX}",
        "objectClass: person",
        "objectClass: organizationalPerson",
        "objectClass: user",
        "objectClass: extensibleObject",
        f"cn: {name}",
        f"sn: {name}",
        "instanceType: 4",
        coded("nTSecurityDescriptor", b"x"),
        f"objectCategory: cn=Person,{SUFFIX}",
        coded("objectGUID", uuid.UUID(int=number).bytes_le),
        coded("objectSid", sid(last or 1000 + number)),
        f"sAMAccountName: {name}",
        f"userPrincipalName: {name}@nwl.example",
        "primaryGroupID: 513",
        "whenCreated: 20240101080000.0Z",
        *more,
    ]
    return "\n".join(lines) + "\n\n"


def team(name: str, number: int, *members: str, last: int = 0) -> str:
    lines = [
        f"dn: cn={name},{GROUP}",
        "objectClass: group",
        "objectClass: extensibleObject",
        f"cn: {name}",
        "groupType: 2",
        "instanceType: 4",
        coded("nTSecurityDescriptor", b"x"),
        f"objectCategory: cn=Group,{SUFFIX}",
        coded("objectSid", sid(last or 2000 + number)),
        *(f"member: {member}" for member in members),
    ]
    return "\n".join(lines) + "\n\n"


def cn(name: str) -> str:
    return f"cn={name},ou=people,{SUFFIX}"


SEEN = datetime(2026, 11, 1, 8, tzinfo=UTC)
DOMAIN = (
    user("ada", 1, "userAccountControl: 512", f"lastLogonTimestamp: {ticks(SEEN)}", "lastLogon: 0", "employeeID: 00017")
    + user("ben", 2, "userAccountControl: 514", "lastLogon: 0")
    + user("cho", 3, "userAccountControl: 512", f"accountExpires: {ticks(NOW - timedelta(days=1))}")
    + user("dee", 4, "userAccountControl: 66048", "accountExpires: 9223372036854775807")
    + user("svc", 5, "userAccountControl: 512", "servicePrincipalName: HTTP/crm.nwl.example")
    + user("krbtgt", 6, "userAccountControl: 514", last=502)
    + user("guest", 7, "userAccountControl: 546", last=501)
    + user("eve", 8)
    + team("Domain Users", 1, last=513)
    + team("Domain Admins", 2, f"cn=Tier 0,{GROUP}")
    + team("Tier 0", 3, cn("ada"))
)


@pytest.fixture
def domain(tmp_path: Path) -> Iterator[str]:
    with active_directory(tmp_path, DOMAIN) as url:
        yield url


def test_reads_active_directory_as_microsoft_writes_it(domain: str) -> None:
    with connected(domain) as connector:
        people, grants, entitlements = read(connector)
        assert connector.check().notes == ("read as active_directory",)
    assert {name: account.active for name, account in people.items()} == {
        "ada": True,
        "ben": False,
        "cho": False,  # expired yesterday
        "dee": True,
        "svc": True,
        "krbtgt": False,
        "guest": False,
        "eve": None,  # userAccountControl is not told
    }
    ada = people["ada"]
    assert ada.account_id == str(uuid.UUID(int=1))
    assert ada.external_id == base64.b64encode(uuid.UUID(int=1).bytes_le).decode()  # Entra's onPremisesImmutableId
    assert (ada.last_seen_at, ada.employee_id) == (SEEN, "00017")
    assert ada.created_at == datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert (people["ben"].last_seen_at, people["ben"].last_seen_known) == (None, True)  # never
    assert (people["dee"].last_seen_at, people["dee"].last_seen_known) == (None, False)  # not told
    assert {people[name].kind for name in ("svc", "krbtgt")} == {"service"}
    assert people["guest"].kind == "guest"
    assert ("ada", "Tier 0", "direct") in grants
    assert ("ada", "Domain Admins", "group") in grants
    assert ("ben", "Domain Users", "direct") in grants  # the primary group is in no member attribute
    assert {e.name for e in entitlements if e.privileged} == {"Domain Admins"}
    assert (ada.privileged, people["ben"].privileged) == (True, False)


def test_disables_and_enables_by_the_one_bit_and_leaves_the_others(domain: str) -> None:
    with connected(domain, write=True) as connector:
        dee = str(uuid.UUID(int=4))
        for _ in range(2):
            connector.deactivate(dee)
            assert connector.account(dee).active is False
        assert control(domain, "dee") == 66050
        for _ in range(2):
            connector.reactivate(dee)
        assert control(domain, "dee") == 66048
        assert connector.account(dee).active is True


def control(url: str, name: str) -> int:
    """What ldapsearch, which is not ours, reads."""
    command = ["ldapsearch", "-x", "-LLL", "-H", url, "-D", READER, "-w", READ_PASSWORD, "-b", cn(name)]
    done = subprocess.run([*command, "userAccountControl"], capture_output=True, text=True, check=True)
    return int(done.stdout.partition("userAccountControl: ")[2].split()[0])


@pytest.mark.parametrize("value", [0, 9223372036854775807, -1, None, 2**62])
def test_no_sentinel_is_an_instant(value: int | None) -> None:
    assert filetime(value) is None


def test_a_filetime_is_an_instant() -> None:
    assert filetime(ticks(SEEN)) == SEEN
