"""LDAP against a real slapd: OpenLDAP with ppolicy."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.contract import Circumstances
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    NotSupported,
    Unavailable,
    UnexpectedAnswer,
)
from tests.ldap_reading import GROUP, NEEDS_SLAPD, connected, read
from tests.ldap_servers import PASSWORD, READ_PASSWORD, SUFFIX, openldap

pytestmark = NEEDS_SLAPD


def person(uid: str, *more: str, password: bool = True) -> str:
    lines = [
        f"dn: uid={uid},ou=people,{SUFFIX}",
        "objectClass: inetOrgPerson",
        f"uid: {uid}",
        f"cn: {uid.title()} Example",
        "sn: Example",
        f"mail: {uid}@nwl.example",
        *([f"userPassword: {PASSWORD}"] if password else []),
        *more,
    ]
    return "\n".join(lines) + "\n\n"


def group(name: str, *members: str, kind: str = "groupOfNames", attribute: str = "member") -> str:
    lines = [f"dn: cn={name},{GROUP}", f"objectClass: {kind}", f"cn: {name}"]
    return "\n".join([*lines, *(f"{attribute}: {member}" for member in members)]) + "\n\n"


def uid(name: str) -> str:
    return f"uid={name},ou=people,{SUFFIX}"


PEOPLE = (
    person("ada", "employeeNumber: 00017", "departmentNumber: Research")
    + person("ben", "pwdAccountLockedTime: 000001010000Z")
    + person("cho", "pwdAccountLockedTime: 20261120080000Z")  # locked by failed attempts: for a while
    + person("dee")
)
GROUPS = (
    group("wheel", f"cn=inner,{GROUP}")
    + group("inner", uid("ada"), f"cn=outer,{GROUP}")
    + group("outer", f"cn=inner,{GROUP}")  # a circle
    + group("sales", uid("BEN").replace("ou=people", "OU=People"), uid("ada"))
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with openldap(tmp_path_factory.mktemp("openldap"), PEOPLE + GROUPS) as url:
        yield url


def test_reads_accounts_states_and_groups_also_through_groups(directory: str) -> None:
    with connected(directory) as connector:
        people, grants, _ = read(connector)
    assert sorted(people) == ["ada", "ben", "cho", "dee"]
    assert {name: account.active for name, account in people.items()} == {
        "ada": True,
        "ben": False,
        "cho": True,
        "dee": True,
    }
    ada = people["ada"]
    assert (ada.email, ada.employee_id, ada.department) == ("ada@nwl.example", "00017", "Research")
    assert str(uuid.UUID(ada.account_id)) == ada.account_id
    assert ada.created_at is not None
    assert grants == {
        ("ada", "inner", "direct"),
        ("ada", "outer", "group"),
        ("ada", "wheel", "group"),
        ("ada", "sales", "direct"),
        ("ben", "sales", "direct"),
    }
    assert (ada.privileged, people["ben"].privileged, people["dee"].privileged) == (True, False, False)
    assert connector.reading.kept == 4


def test_the_last_sign_in_is_told_where_the_directory_keeps_it_and_unknown_else(tmp_path: Path) -> None:
    with openldap(tmp_path, PEOPLE) as url:
        import ldap3

        before = datetime.now(UTC) - timedelta(seconds=2)
        link = ldap3.Connection(ldap3.Server(url), uid("dee"), PASSWORD, auto_bind=True)
        link.unbind()
        with connected(url, group_base_dn=SUFFIX) as connector:
            connector.given = Circumstances(
                now=datetime.now(UTC), home=Path(), secrets=connector.given.secrets, deadline_s=20
            )
            people, _, _ = read(connector)
    assert people["dee"].last_seen_known
    assert people["dee"].last_seen_at >= before
    assert (people["ada"].last_seen_at, people["ada"].last_seen_known) == (None, False)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 500])
def test_every_page_is_read_whatever_its_size(directory: str, size: int) -> None:
    with connected(directory, page_size=size) as connector:
        people, _, _ = read(connector)
    assert len(people) == 4


def test_a_list_the_directory_ends_early_is_incomplete(tmp_path: Path) -> None:
    crowd = "".join(person(f"p{n:03}", password=False) for n in range(60))
    with (
        openldap(tmp_path, crowd, size=20) as url,
        connected(url, page_size=7) as connector,
        pytest.raises(IncompleteFeed, match="ends the list early"),
    ):
        list(connector.records())


def test_switching_off_and_on_is_read_back_and_safe_to_do_twice(tmp_path: Path) -> None:
    import ldap3
    from ldap3.core.exceptions import LDAPInvalidCredentialsResult

    def can_sign_in(url: str, name: str) -> bool:
        link = ldap3.Connection(ldap3.Server(url), uid(name), PASSWORD, raise_exceptions=True)
        try:
            return bool(link.bind())
        except LDAPInvalidCredentialsResult:
            return False
        finally:
            link.unbind()

    with openldap(tmp_path, PEOPLE + GROUPS) as url, connected(url, write=True) as connector:
        ids = {name: account.account_id for name, account in read(connector)[0].items()}
        assert can_sign_in(url, "ada")
        for _ in range(2):
            assert connector.deactivate(ids["ada"]).answer == "0 success"
            assert connector.account(ids["ada"]).active is False
        assert not can_sign_in(url, "ada")
        assert can_sign_in(url, "dee")
        for _ in range(2):
            connector.reactivate(ids["ada"])
            assert connector.account(ids["ada"]).active is True
        assert can_sign_in(url, "ada")
        assert connector.account(str(uuid.uuid4())) is None
        assert connector.account("*)(uid=*") is None  # no filter of its own


def test_a_membership_is_revoked_and_restored_and_one_through_a_group_is_a_persons_task(tmp_path: Path) -> None:
    with openldap(tmp_path, PEOPLE + GROUPS) as url, connected(url, write=True) as connector:
        people, before, _ = read(connector)
        ada, sales = people["ada"].account_id, f"cn=sales,{GROUP}"
        connector.revoke_grant(ada, sales)
        assert read(connector)[1] == before - {("ada", "sales", "direct")}
        with pytest.raises(NotSupported, match="only through another group"):
            connector.revoke_grant(ada, f"cn=wheel,{GROUP}")
        connector.restore_grant(ada, sales)
        connector.restore_grant(ada, sales)
        assert read(connector)[1] == before


def test_without_the_switch_nothing_is_written(directory: str) -> None:
    with connected(directory) as connector:
        ada = read(connector)[0]["ada"].account_id
        for change in (connector.deactivate, connector.reactivate):
            with pytest.raises(NotSupported, match="read-only"):
                change(ada)
        assert connector.account(ada).active is True


def test_a_name_that_may_only_read_cannot_write(directory: str) -> None:
    with connected(directory, write=True, write_bind_dn=uid("dee")) as connector:
        ada = read(connector)[0]["ada"].account_id
        with pytest.raises((FeedError, NotSupported, Exception), match=r"refuses|no such") as refusal:
            connector.deactivate(ada)
        assert PASSWORD not in str(refusal.value)
        assert connector.account(ada).active is True


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"bind_dn": "cn=nobody,dc=nwl,dc=example"}, AuthenticationFailed),
        ({"base_url": "ldap://127.0.0.1:9"}, Unavailable),
        ({"base_dn": "ou=nowhere,dc=nwl,dc=example"}, UnexpectedAnswer),
        ({"filter": "(((("}, UnexpectedAnswer),
        ({"filter": "(uid=nobody)"}, IncompleteFeed),
        ({"group_base_dn": "ou=nowhere,dc=nwl,dc=example"}, UnexpectedAnswer),
    ],
)
def test_what_goes_wrong_is_one_of_our_errors(directory: str, told: dict[str, Any], kind: type[FeedError]) -> None:
    with connected(directory, **told) as connector, pytest.raises(kind) as failure:
        list(connector.records())
    assert READ_PASSWORD not in str(failure.value)


def test_a_silent_directory_ends_within_the_deadline() -> None:
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as server:
        begun = time.monotonic()
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        with connected(url, deadline_s=2) as connector, pytest.raises(Unavailable):
            list(connector.records())
        assert time.monotonic() - begun < 7


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"base_url": "http://127.0.0.1"}, "base_url"),
        ({"base_url": "ldap://10.0.0.5"}, "private host"),
        ({"base_url": "ldap://dc.corp"}, "private host"),
        ({"base_url": "ldap://name:word@dc.example.com"}, "base_url"),
        ({"base_url": "ldap://dc.example.com", "start_tls": False}, "start_tls"),
        ({"base_url": "ldaps://dc.example.com", "ca_file": "missing.pem"}, "ca_file"),
        ({"page_size": 0}, "page_size"),
    ],
)
def test_a_wrong_setting_is_named(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said), connected(**{"url": "ldap://127.0.0.1", **told}):
        pass
