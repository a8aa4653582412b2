"""Twelve canaries through the connectors that are not plain HTTP (FAULTS.md G8): nobody ever sees one, at any level."""

from __future__ import annotations

import contextlib
import logging
import traceback
from pathlib import Path

import asyncssh
import pytest
from conftest import NOW, Postgres

import connectors.ldap  # noqa: F401 - imports ldap3, which uses old names of pyasn1, as it must be imported
import jobs.pull
from connectors.kit.contract import Circumstances, connector_class
from governance.errors import LeaverwatchError
from governance.settings import ApplicationSettings
from tests.ldap_servers import ADMIN, READER, SUFFIX, missing, openldap
from tests.ldap_servers import PASSWORD as LDAP_WRITE
from tests.ldap_servers import READ_PASSWORD as LDAP_READ
from tests.sftp_server import PASSWORD as SFTP_PASSWORD
from tests.sftp_server import USER, SftpFolder, public, ssh_key
from tests.wild_server import WildServer, says

KEY = ssh_key("client").export_private_key("openssh").decode()
HR = "employee_id,status,work_email\n00017,active,ada@nwl.example\n"
ADA = f"dn: uid=ada,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada Example\nsn: Example\n\n"
# Feed -> the secret it is given, by field. Those that are refused matter most: errors are where secrets come out.
CANARIES = {
    "hr": {"password": SFTP_PASSWORD},
    "hr_key": {"private_key": KEY},
    "hr_wrong": {"password": "canary-sftp-wrong-51c0"},
    "dir": {"token": LDAP_READ, "write_token": LDAP_WRITE},
    "dir_wrong": {"token": "canary-ldap-wrong-9e1b"},
    "erp": {"url": "postgresql+psycopg://erp_reader:canary-sql-77e1@127.0.0.1:PORT/DATABASE"},
    "erp_query": {"url": "postgresql+psycopg://erp_reader:canary-sql-q-3d09@127.0.0.1:PORT/DATABASE"},
    "erp_dead": {"url": "postgresql+psycopg://erp_reader:canary%2Fsql%40dead@127.0.0.1:9/erp"},
    "crm_header": {"token": "canary-header-11f8"},
    "crm_basic": {"token": "canary-basic-62aa"},
}


@pytest.fixture
def everything_is_logged(caplog):
    """At DEBUG, with the libraries' own logs switched on, short of whole packets in hexadecimal (asyncssh's third level)."""
    from ldap3.utils import log as ldap3_log

    caplog.set_level(logging.DEBUG)
    ldap3_log.set_library_log_activation_level(logging.DEBUG)
    ldap3_log.set_library_log_detail_level(ldap3_log.EXTENDED)
    asyncssh.set_debug_level(2)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield caplog
    asyncssh.set_debug_level(1)
    ldap3_log.set_library_log_detail_level(ldap3_log.OFF)


@pytest.mark.needs_postgres
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
def test_no_canary_is_seen_in_logs_errors_evidence_snapshots_or_the_store(
    tmp_path: Path, make_house, monkeypatch, postgres: Postgres, everything_is_logged
):
    home, served, slapd = tmp_path / "home", tmp_path / "served", tmp_path / "slapd"
    for folder in (home, served / "out", slapd):
        folder.mkdir(parents=True)
    (served / "out" / "hr.csv").write_text(HR)
    database = postgres.fresh()
    postgres.run("DO $$ BEGIN CREATE ROLE erp_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    secrets = {
        feed: {k: v.replace("PORT", str(postgres.port)).replace("DATABASE", database) for k, v in told.items()}
        for feed, told in CANARIES.items()
    }
    with (
        SftpFolder(served) as sftp,
        openldap(slapd, ADA) as directory,
        WildServer(says({"error": "canary"}, 401)) as web,
    ):
        at = {"path": sftp.url("out"), "username": USER, "host_key": public(sftp.key)}
        ldap = {"base_url": directory, "bind_dn": READER, "write_bind_dn": ADMIN}
        rest = {"base_url": web.url, "accounts": {"path": "people"}, "fields": {"account_id": "id"}}
        feeds = {
            "hr": {"connector": "hr_csv", **at}, "hr_key": {"connector": "hr_csv", **at},
            "hr_wrong": {"connector": "hr_csv", **at}, "dir": {"connector": "ldap", **ldap},
            "dir_wrong": {"connector": "ldap", "base_url": directory, "bind_dn": READER},
            "erp": {"connector": "sql", "query": "select 'ada' as account_id, true as active"},
            "erp_query": {"connector": "sql", "query": "select * from nowhere"},
            "erp_dead": {"connector": "sql", "query": "select 1 as account_id"},
            "crm_header": {"connector": "rest", "header": "X-Api-Key", **rest},
            "crm_basic": {"connector": "rest", "username": "reader", **rest},
        }  # fmt: skip
        tables: dict[str, list] = {"source": [], "application": []}
        for name, told in feeds.items():
            for key, value in secrets[name].items():
                variable = f"C_{name}_{key}".upper()
                monkeypatch.setenv(variable, value)
                told[key] = {"env": variable}
            table = "source" if told["connector"] == "hr_csv" else "application"
            tables[table].append({"name": name, "deadline": "5s", **told})
        house = make_house(tables, home=home)
        outcomes = {outcome.feed: outcome for outcome in jobs.pull.pull(house, [], NOW)}
        said = [repr(outcomes)]
        good = {name for name, outcome in outcomes.items() if outcome.status == "published"}
        assert good == {"hr", "hr_key", "dir", "erp"}
        feed = ApplicationSettings(name="dir", **feeds["dir"])
        for write_token in (LDAP_WRITE, "canary-ldap-write-c3d2"):
            given = Circumstances(NOW, home, {"token": LDAP_READ, "write_token": write_token}, write=True)
            with contextlib.closing(connector_class("ldap")(feed, given)) as connector:
                [account] = [r for r in connector.records() if hasattr(r, "mfa")]
                try:
                    said.append(repr(connector.deactivate(account.account_id)))
                except LeaverwatchError as error:
                    said.append("".join(traceback.format_exception(error)))
                said += [repr(connector.reading), repr(connector.given), repr(connector.options)]
    canaries = {value for told in secrets.values() for value in told.values()} | {"canary-ldap-write-c3d2"}
    canaries = {found for value in canaries for found in _parts(value)}
    assert len(canaries) >= 12
    log = everything_is_logged
    assert {r.name.partition(".")[0] for r in log.records} >= {"asyncssh", "sqlalchemy"}, "they did log"
    shown = "\n".join([*said, log.text, *(str(record.__dict__) for record in log.records)])
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for canary in canaries:
        assert canary not in shown, f"{canary} was shown"
        assert canary.encode() not in kept, f"{canary} was kept"


def _parts(value: str) -> list[str]:
    """What of a secret must not be seen: of an address its password, of a key a line from its middle."""
    if value.startswith("-----BEGIN"):
        return [value.splitlines()[2]]
    if "://" not in value:
        return [value]
    password = value.partition("://")[2].rpartition("@")[0].partition(":")[2]
    return [password, password.replace("%2F", "/").replace("%40", "@")] if password else []
