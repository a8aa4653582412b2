"""The HR file on an SFTP server: the pinned host, the newest finished file, all of it or nothing."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
import traceback
from pathlib import Path

import pytest

import jobs.pull
from connectors.hr_csv import HrCsv
from connectors.kit.addresses import is_loopback, is_private_ip
from connectors.kit.contract import Circumstances
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    Unavailable,
    UnexpectedAnswer,
)
from governance.settings import SourceSettings
from tests.sandbox_company import NOW
from tests.sftp_server import PASSWORD, USER, SftpFolder, public, ssh_key

FILE = "employee_id,status,work_email\n00017,active,ada@nwl.example\n10002,terminated,bruno@nwl.example\n"
KEY = ssh_key("client").export_private_key("openssh").decode()
LOCKED = ssh_key("client").export_private_key("pkcs8-pem", passphrase="open it").decode()


@pytest.fixture
def server(tmp_path):
    root = tmp_path / "served"
    (root / "out").mkdir(parents=True)
    with SftpFolder(root) as running:
        yield running


def put(server: SftpFolder, name: str, content: str = FILE, age_s: float = 0) -> Path:
    path = server.root / "out" / name
    path.write_text(content, encoding="utf-8")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def connector(server: SftpFolder, at: str = "out", secrets=None, deadline_s: float = 10.0, **options) -> HrCsv:
    secrets = {"private_key": KEY} if secrets is None else secrets
    told = {"path": server.url(at), "username": USER, "host_key": public(server.key), **options}
    told = {name: value for name, value in told.items() if value is not None}
    feed = SourceSettings(name="hr", connector="hr_csv", **told, **{s: {"env": s.upper()} for s in secrets})
    return HrCsv(feed, Circumstances(NOW, Path("/nowhere"), secrets, deadline_s=deadline_s))


def states(of: HrCsv) -> dict[str, str]:
    return {identity.employee_id: identity.state for identity in of.records()}


BOTH = {"00017": "current", "10002": "ended"}


class TestReading:
    def test_a_file_is_read_and_called_by_its_address(self, server, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        put(server, "hr.csv")
        reader = connector(server, "out/hr.csv")
        assert states(reader) == BOTH
        assert reader.reading.source == server.url("out/hr.csv")
        assert reader.reading.sha256 == hashlib.sha256(FILE.encode()).hexdigest()
        assert [p.name for p in tmp_path.iterdir()] == ["served"], "nothing of it stays here"

    def test_a_password_does_too(self, server):
        put(server, "hr.csv")
        assert states(connector(server, secrets={"password": PASSWORD})) == BOTH

    @pytest.mark.parametrize("path", ["out", "out/", "out/hr_*.csv", "/out/*"])
    def test_the_newest_is_meant(self, server, path):
        put(server, "hr_20261101.csv", "employee_id,status\n1,active\n")
        put(server, "hr_20261123.csv", age_s=900)  # newer by its name, older by its time of change
        put(server, ".hidden.csv", "x")
        put(server, "hr_20261124.csv.part", "x")
        assert states(connector(server, path)) == BOTH

    def test_where_files_are_marked_done_one_without_a_mark_is_not(self, server):
        put(server, "hr_20261122.csv")
        put(server, "hr_20261122.csv.done", "")
        put(server, "hr_20261123.csv", "employee_id,status\n1,active\n")
        for path in ("out", "out/hr_*.csv"):
            assert states(connector(server, path)) == BOTH
        put(server, "hr_20261123.done", "")
        assert states(connector(server)) == {"1": "current"}

    def test_check_reads_the_header_and_derives_nothing(self, server):
        put(server, "hr.csv", "name,town\nAda,Ulm\n")
        with pytest.raises(UnexpectedAnswer, match=f"{server.url('out')}/hr.csv:1: expected the column employee_id"):
            connector(server).check()
        put(server, "hr.csv")
        connector(server).check()

    def test_a_pull_of_it_is_published(self, server, make_house, monkeypatch):
        put(server, "hr.csv")
        monkeypatch.setenv("SFTP_KEY", KEY)
        feed = {"name": "hr", "connector": "hr_csv", "path": server.url("out"), "username": USER}
        feed |= {"host_key": public(server.key), "private_key": {"env": "SFTP_KEY"}}
        [outcome] = jobs.pull.pull(make_house({"source": [feed]}), ["hr"], NOW)
        assert (outcome.status, outcome.error) == ("published", None)


class TestWholeOrNothing:
    def test_a_digest_beside_it_must_agree(self, server):
        put(server, "hr.csv")
        put(server, "hr.csv.sha256", f"{hashlib.sha256(FILE.encode()).hexdigest()}  hr.csv\n")
        assert states(connector(server)) == BOTH
        put(server, "hr.csv", FILE[:-10])
        with pytest.raises(IncompleteFeed, match="it arrived incomplete") as failure:
            states(connector(server))
        assert server.url("out/hr.csv") in str(failure.value)
        assert "/tmp" not in str(failure.value)

    def test_a_file_that_grows_while_it_is_read_is_not_believed(self, server):
        path = put(server, "hr.csv")

        def grow():
            server.on_read = None
            with path.open("a") as file:
                file.write("10003,active,c@nwl.example\n")

        server.on_read = grow
        with pytest.raises(IncompleteFeed, match="changed while it was read"):
            states(connector(server))

    def test_too_large_a_file_is_not_fetched(self, server):
        with (server.root / "out" / "hr.csv").open("wb") as file:
            file.truncate(3 * 1024 * 1024)
        with pytest.raises(UnexpectedAnswer, match="larger than 2097152 bytes"):
            states(connector(server, largest_mb=2))
        assert server.opened == []

    def test_a_slow_server_ends_the_pull_in_time(self, server):
        put(server, "hr.csv")
        server.delay_s = 30
        began = time.monotonic()
        with pytest.raises(Unavailable, match="not finished within the 1 s"):
            states(connector(server, deadline_s=1.0))
        assert time.monotonic() - began < 5

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("nowhere", "no such file"),
            ("nowhere/", "no such folder"),
            ("out/gone.csv", "no such file"),
            ("out", "no finished file"),
        ],
    )
    def test_what_is_not_there(self, server, path, words):
        with pytest.raises(Unavailable, match=words):
            states(connector(server, path))

    def test_a_name_that_is_a_path_leads_nowhere(self, server):
        (server.root / "out" / "..\\..\\evil.csv").write_text(FILE)
        with pytest.raises(Unavailable, match="no finished file"):
            states(connector(server))

    def test_nobody_listens(self, server):
        reader = connector(server)
        server.live.clear()
        closed = HrCsv(
            SourceSettings(
                name="hr", connector="hr_csv", path="sftp://127.0.0.1:9/out", username=USER,
                host_key=public(server.key), private_key={"env": "X"},
            ),
            reader.given,
        )  # fmt: skip
        with pytest.raises(Unavailable, match="no connection"):
            states(closed)


class TestTheHost:
    def test_another_key_than_the_pinned_one_gets_no_credential(self, server):
        put(server, "hr.csv")
        reader = connector(server, secrets={"password": PASSWORD}, host_key=public(ssh_key("somebody else")))
        with pytest.raises(AuthenticationFailed, match="shows another host key") as failure:
            states(reader)
        assert server.key.get_fingerprint("sha256") in str(failure.value)
        assert (server.passwords, server.opened) == (0, [])

    def test_another_kind_of_key_is_another_key(self, server):
        with pytest.raises(AuthenticationFailed, match="shows another host key") as failure:
            states(connector(server, host_key=public(ssh_key("other", "ecdsa-sha2-nistp256"))))
        assert server.key.get_fingerprint("sha256") in str(failure.value)

    def test_fingerprints_and_lines_of_known_hosts_pin_as_well(self, server):
        put(server, "hr.csv")
        line = f"[127.0.0.1]:{server.port} {public(server.key)}"
        other = public(ssh_key("other"))
        for pinned in (server.key.get_fingerprint("sha256"), line, f"# of last year\n{other}\n{line}\n"):
            assert states(connector(server, host_key=pinned)) == BOTH

    def test_what_this_user_knows_is_not_asked(self, server, tmp_path, monkeypatch):
        put(server, "hr.csv")
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {public(server.key)}\n")
        with pytest.raises(AuthenticationFailed):
            states(connector(server, host_key=public(ssh_key("somebody else"))))

    def test_rsa_without_sha1(self, tmp_path):
        (tmp_path / "out").mkdir()
        with SftpFolder(tmp_path, "rsa", "ssh-rsa") as server:
            put(server, "hr.csv")
            assert states(connector(server)) == BOTH

    def test_wrong_credentials_are_refused(self, server):
        put(server, "hr.csv")
        stranger = ssh_key("stranger").export_private_key("openssh").decode()
        for secrets in ({"password": "a wrong password"}, {"private_key": stranger}):
            with pytest.raises(AuthenticationFailed, match="refuses this user"):
                states(connector(server, secrets=secrets))

    def test_a_private_host_must_be_meant(self, tmp_path):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
            except OSError:
                pytest.skip("this machine has no address but its own")
            host = probe.getsockname()[0]
        if not is_private_ip(host) or is_loopback(host):
            pytest.skip(f"{host} is no private address")
        (tmp_path / "out").mkdir()
        with SftpFolder(tmp_path, host=host) as server:
            put(server, "hr.csv")
            with pytest.raises(ConfigurationError, match=f"{host} is the private address .* allow_private = true"):
                states(connector(server))
            assert server.opened == []
            assert states(connector(server, allow_private=True)) == BOTH


class TestSecrets:
    def test_none_shows(self, server, caplog):
        caplog.set_level(logging.DEBUG)
        put(server, "hr.csv", "employee_id\n")
        said = []
        for secrets in ({"password": PASSWORD}, {"private_key": KEY}, {"password": "a wrong password"}):
            reader = connector(server, secrets=secrets)
            with pytest.raises(FeedError) as failure:
                states(reader)
            said += ["".join(traceback.format_exception(failure.value)), repr(reader.reading), repr(reader.__dict__)]
        everything = "\n".join([*said, caplog.text])
        for canary in (PASSWORD, "a wrong password", KEY.splitlines()[2]):
            assert canary not in everything


@pytest.mark.parametrize(
    ("options", "secrets", "words"),
    [
        ({"host_key": None}, None, "host_key: is missing"),
        ({"host_key": "trust me"}, None, "host_key: expected a public key"),
        ({"username": None}, None, "username: is missing"),
        ({}, {}, "private_key: is missing"),
        ({}, {"private_key": "no key"}, "private_key: expected a private key"),
        ({}, {"private_key": LOCKED}, "without a passphrase"),
        ({"path": "sftp://someone@example.com/out"}, None, "without a user in it"),
        ({"path": "sftp:///out"}, None, "expected an address such as sftp://"),
        ({"path": "sftp://example.com/*/hr.csv"}, None, "only the file's name"),
        ({"path": "sftp://example.com:port/x"}, None, "expected an address such as sftp://"),
        ({"largest_mb": 0}, None, "largest_mb"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_asked(server, options, secrets, words):
    with pytest.raises(ConfigurationError, match=words):
        connector(server, secrets=secrets, **options)
