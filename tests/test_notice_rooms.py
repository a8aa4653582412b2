"""Rooms: what concerns several people is told there once, over real TLS, as Teams takes it; and what Slack is asked for."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from keys import private_key
from notice_receivers import MailServer
from noticing import QUIET
from seeded import TWO_APPLICATIONS, put_pull, put_remediation
from sqlmodel import select

from governance.tables import Notice
from jobs import remind as reminding
from jobs.delivery import line

pytestmark = QUIET
MAIL = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "lw@example.com"}
TEAMS = {"name": "team", "kind": "teams", "url": {"env": "TEAMS"}}
MINUTE = timedelta(minutes=1)


def certificate(folder: Path, host: str = "localhost") -> Path:
    """A certificate of a host, signed by itself, with its key, in one file."""
    text = private_key("localhost").encode()
    key = load_pem_private_key(text, None)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    file.write_bytes(text + b"\n" + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def teams(tmp_path, monkeypatch):
    """Takes what a workflow of Teams takes, over TLS; answers 500 as often as `failures` says."""
    file = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.paths.append(self.path)
            good = self.server.failures == 0
            self.server.failures = max(0, self.server.failures - 1)
            if good:
                self.server.taken.append(body)
            self.send_response(202 if good else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.paths, server.taken, server.failures = [], [], 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"workflows://localhost:{server.server_port}/5f2e8a9bworkflow/signature-1/"
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def house_with(make_house, *channels):
    return make_house({**TWO_APPLICATIONS, "notify": {"address": "https://lw.example.com", "channel": list(channels)}})


def test_a_room_is_told_once_however_many_people_it_waits_for(make_house, teams):
    house = house_with(make_house, MAIL, TEAMS)
    for n in range(3):
        put_remediation(house, f"R{n}", NOW, application="crm", account_id=f"a{n}")
    put_remediation(house, "T1", NOW, application="crm", status="executing", action="manual", executing_at=NOW)
    with MailServer() as mail:
        for minutes in (0, 1, 60):
            told = reminding.run(house, "test", {"MAIL": mail.url, "TEAMS": teams.url}, NOW + minutes * MINUTE)
            assert told.failures == []
        assert len(mail.mails) == 2, "the approver and the owner"
    [card] = teams.taken
    said = json.dumps(card)
    assert "3 approvals wait for a decision" in said
    assert "Customer CRM: 3 accounts" in said
    assert "[Open](https://lw.example.com/approvals)" in said
    assert "manual task" not in said, "what concerns one person alone is not announced"
    assert "notifications" not in said


def test_a_room_that_fails_gets_it_later_and_exactly_once(make_house, teams):
    house = house_with(make_house, TEAMS)
    put_remediation(house, "R1", NOW)
    teams.failures = 2
    for minutes in (0, 1, 2, 6, 60, 600):
        reminding.run(house, "test", {"TEAMS": teams.url}, NOW + minutes * MINUTE)
    assert len(teams.taken) == 1
    assert len(teams.paths) == 3
    with house.store.read() as session:
        [row] = session.exec(select(Notice)).all()
    assert (row.to, row.status, row.attempts) == ("room/team", "sent", 3)


def test_a_room_may_want_to_know_only_some_kinds(make_house, teams):
    house = house_with(make_house, {**TEAMS, "kinds": ["feed_failing"]})
    put_remediation(house, "R1", NOW)
    for number in range(3):
        put_pull(house, "hr", number, NOW, "failed")
    reminding.run(house, "test", {"TEAMS": teams.url}, NOW)
    [card] = teams.taken
    assert "1 feed cannot be read" in json.dumps(card)
    assert "approval" not in json.dumps(card)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#security",
    ],
)
def test_slack_s_own_address_and_apprise_s_are_both_understood(make_house, url):
    house = house_with(make_house, {"name": "room", "kind": "slack", "url": {"env": "SLACK"}})
    assert line(house, house.settings.notify.channel[0], {"SLACK": url})


def test_both_stores_keep_notices_alike(make_house, store_url):
    settings = {**TWO_APPLICATIONS, "notify": {"channel": [MAIL]}}
    house = make_house(settings, url=store_url)
    for n in range(3):
        put_remediation(house, f"R{n}", NOW, account_id=f"a{n}")
    with MailServer("451 later") as mail:
        for minutes in (0, 1, 2):
            reminding.run(house, "test", {"MAIL": mail.url}, NOW + minutes * MINUTE)
        assert [m["Subject"] for m in mail.mails] == ["3 approvals wait for you"]
    with house.store.read() as session:
        assert {(n.status, n.attempts) for n in session.exec(select(Notice))} == {("sent", 2)}


@pytest.fixture
def slack(tmp_path, monkeypatch):
    """Slack's own host as a proxy leads to it: a tunnel that ends here, over TLS, with a certificate of that name."""
    file = certificate(tmp_path, "hooks.slack.com")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    taken: list[tuple[str, dict[str, Any]]] = []

    class Tunnel(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            assert self.path == "hooks.slack.com:443"
            self.send_response(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as inside:
                stream = inside.makefile("rb")
                path = stream.readline().split(b" ")[1].decode()
                head = http.client.parse_headers(stream)
                taken.append((path, json.loads(stream.read(int(head["Content-Length"])))))
                inside.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    yield taken
    proxy.shutdown()
    proxy.server_close()
    thread.join(5)


def test_slack_is_told_in_its_own_room_with_nothing_in_it_that_slack_would_act_on(make_house, slack):
    room = {"name": "room", "kind": "slack", "url": {"env": "SLACK"}}
    application = {**TWO_APPLICATIONS["application"][0], "title": "CRM <!channel> & *co*"}
    house = make_house({**TWO_APPLICATIONS, "application": [application], "notify": {"channel": [room]}})
    put_remediation(house, "R1", NOW, application="crm")
    url = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    told = reminding.run(house, "test", {"SLACK": url}, NOW)
    assert told.failures == []
    [(path, message)] = slack
    assert path == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    said = json.dumps(message)
    assert "1 approval waits for a decision" in said
    assert "http://127.0.0.1:8501/approvals?id=R1" in said
    assert "<!channel>" not in said
