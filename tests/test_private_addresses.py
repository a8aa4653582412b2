"""Where connectors refuse to go (FAULTS.md G2): forty addresses that lead inside, and nobody there is even knocked at."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from connectors.kit.addresses import Address, Origin, check_base, is_private_ip
from connectors.kit.contract import Circumstances, connector_class
from connectors.kit.http import Http
from governance.errors import ConfigurationError, UnexpectedAnswer
from governance.settings import ApplicationSettings, SourceSettings
from tests.sandbox_company import NOW
from tests.sftp_server import public, ssh_key
from tests.wild_server import WildServer, says

WHERE = "[[application]] wiki"
TOKEN = "canary-2f7d51"

# PORT is one somebody inside listens on: this machine, by names that hide it. Others are never connected to at all.
ADDRESSES = [
    # this machine in spellings that only those who connect understand
    "https://127.1:PORT/", "https://127.0.1:PORT/", "https://2130706433:PORT/", "https://0x7f000001:PORT/",
    "https://0x7f.1:PORT/", "https://0177.0.0.1:PORT/", "https://0177.1:PORT/", "https://127.0.0.1.:PORT/",
    "https://0:PORT/", "https://0.0.0.0:PORT/", "https://[::]:PORT/", "https://[::127.0.0.1]:PORT/",
    # who the credential would be for is not who stands before the @
    "https://example.com@127.0.0.1:PORT/", "https://example.com:443@127.0.0.1:PORT/", "https://ada:pw@localhost:PORT/",
    "https://example.com#@127.0.0.1:PORT/", "https://example.com?@127.0.0.1:PORT/", "https://a\\@127.0.0.1:PORT/",
    # metadata of clouds
    "https://169.254.169.254/latest/meta-data/", "https://[fd00:ec2::254]/", "https://169.254.169.254./",
    "https://2852039166/", "https://0xA9FEA9FE/", "https://metadata.google.internal/", "https://100.100.100.200/",
    "https://metadata.google.internal./", "https://192.0.0.192/", "https://168.63.129.16/", "https://169.254.170.2/",
    # IPv6 that carries IPv4
    "https://[::ffff:10.0.0.8]/", "https://[::ffff:a9fe:a9fe]/", "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::1]/", "https://[fe80::1%25eth0]/", "https://[fec0::1]/",
    # private networks and names of them
    "https://10.0.0.8/", "https://172.16.0.1/", "https://192.168.1.4/", "https://100.64.0.1/", "https://intranet/",
    "https://wiki.corp./", "https://WIKI.LOCAL/", "https://224.0.0.1/",
    # signs that look like others
    "https://①②⑦.0.0.1:PORT/", "https://127。0。0。1:PORT/", "https://exämple.com/", "https://ⓛocalhost:PORT/",
]  # fmt: skip


def http(address: Address) -> Http:
    return Http(address, Circumstances(NOW, Path("/nowhere"), deadline_s=3.0), "wiki", token=TOKEN)


@pytest.fixture
def inside():
    """Somebody on a private address who should hear nothing."""
    with WildServer(says([])) as listener:
        yield listener
        assert listener.connections == 0
        assert listener.heads == []


def test_there_are_forty_of_them():
    assert len(set(ADDRESSES)) >= 40


@pytest.mark.parametrize("url", ADDRESSES)
def test_nobody_inside_is_reached(url, inside):
    with pytest.raises(ConfigurationError, match="base_url"):
        http(check_base(url.replace("PORT", str(inside.port)), WHERE)).get("Users")


def test_a_public_name_that_leads_inside_is_not_even_connected_to(inside):
    name = socket.gethostname()
    try:
        [address] = {str(found[4][0]) for found in socket.getaddrinfo(name, None, socket.AF_INET)}
    except (OSError, ValueError):
        pytest.skip(f"{name} does not lead to one address here")
    if not is_private_ip(address):
        pytest.skip(f"{address}, which {name} leads to, is no private address")
    looked_fine = Address(f"http://{name}:{inside.port}/", Origin("http", name, inside.port), allow_private=False)
    with pytest.raises(ConfigurationError, match="is the private address"):
        http(looked_fine).get("Users")


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:PORT/", "http://localhost:PORT/", "//127.0.0.1:PORT/", "http://127.1:PORT/",
     "http://2130706433:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://SELF@127.0.0.1:PORT/",
     "http://169.254.169.254/latest/meta-data/", "https://SELF/", "gopher://127.0.0.1:PORT/", "file:///etc/passwd",
     "http:\\\\127.0.0.1:PORT/"],
)  # fmt: skip
def test_no_redirect_leads_inside(target, inside):
    with WildServer(says({})) as server:
        own = f"127.0.0.1:{server.port}"
        to = target.replace("PORT", str(inside.port)).replace("SELF", own)
        server.behaviours = [says({}, 302, Location=to)]
        with pytest.raises(UnexpectedAnswer):
            http(check_base(server.url, WHERE)).get("Users")


def _ldap(address: str) -> None:
    told = {"base_url": f"ldap://{address}", "bind_dn": "cn=reader", "token": {"env": "T"}}
    _read("ldap", told, {"token": TOKEN})


def _ldaps(address: str) -> None:
    told = {"base_url": f"ldaps://{address}", "bind_dn": "cn=reader", "token": {"env": "T"}}
    _read("ldap", told, {"token": TOKEN})


def _sql(address: str) -> None:
    told = {"query": "select 1 as account_id", "url": {"env": "U"}}
    _read("sql", told, {"url": f"postgresql+psycopg://reader:{TOKEN}@{address}/erp"})


def _sftp(address: str) -> None:
    key = public(ssh_key("server"))
    told = {"path": f"sftp://{address}/out/hr.csv", "username": "reader", "host_key": key, "password": {"env": "P"}}
    _read("hr_csv", told, {"password": TOKEN})


def _read(name: str, told: dict, secrets: dict[str, str]) -> None:
    kind = connector_class(name)
    settings = SourceSettings if kind.kind == "source" else ApplicationSettings
    given = Circumstances(NOW, Path("/nowhere"), secrets, deadline_s=5.0)
    with contextlib.closing(kind(settings(name="one", connector=name, **told), given)) as connector:
        list(connector.records())


@pytest.mark.parametrize("read", [_ldap, _ldaps, _sql, _sftp])
@pytest.mark.parametrize(
    "address",
    ["127.1:PORT", "0x7f.1:PORT", "2130706433:PORT", "0177.0.0.1:PORT", "0.0.0.0:PORT", "[::]:PORT",
     "[::127.0.0.1]:PORT", "NAME:PORT"],
)  # fmt: skip
def test_the_other_protocols_go_nowhere_inside_either(read, address, inside):
    address = address.replace("NAME", socket.gethostname()).replace("PORT", str(inside.port))
    with pytest.raises(ConfigurationError):
        read(address)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.8", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:10.0.0.8]", "[64:ff9b::a9fe:a9fe]", "192.168.1.4"],
)
@pytest.mark.parametrize("read", [_ldap, _sql, _sftp])
def test_nor_to_private_networks(read, address):
    with pytest.raises(ConfigurationError, match="allow_private"):
        read(address)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://a:b@example.com/erp?host=127.0.0.1&port=PORT",
        "postgresql+psycopg://a:b@example.com/erp?hostaddr=127.0.0.1&port=PORT",
        "postgresql+psycopg:///erp?host=127.1&port=PORT",
        "postgresql+psycopg:///erp?service=inside",
        "postgresql+psycopg://a:b@10.0.0.8,example.com/erp",
        "mysql+pymysql://a:b@example.com/erp?unix_socket=/run/mysqld/mysqld.sock",
    ],
)
def test_an_address_of_a_database_has_one_host_and_that_is_the_one_looked_at(url, inside):
    with pytest.raises(ConfigurationError, match="url: "):
        _read("sql", {"query": "select 1", "url": {"env": "U"}}, {"url": url.replace("PORT", str(inside.port))})
