"""Notices from the command line and by the worker, as an admin sets them up and looks after them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from datetime import datetime

import pytest
from conftest import NOW
from homes import CRM, HR, SETTINGS, Home, process
from notice_receivers import KEY, MailServer, Receiver, free_port
from noticing import QUIET

from jobs import remind as reminding
from jobs.home import open_house

pytestmark = QUIET
CHANNELS = """
[notify]
address = "https://lw.example.com"

[[notify.channel]]
name = "mail"
kind = "mail"
url = { env = "MAIL" }
from = "lw@example.com"

[[notify.channel]]
name = "hook"
kind = "webhook"
url = { env = "HOOK" }
hmac = { env = "KEY" }
deadline_s = 2.0
"""
APPROVER, ADMIN = "app@x.example", "admin@x.example"


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    """A home whose channels nobody listens at yet; processes inherit the environment of the test."""
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS + CHANNELS)
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    monkeypatch.setenv("KEY", KEY)
    monkeypatch.setenv("MAIL", f"mailto://127.0.0.1:{free_port()}/?from=a@b.example&cto=0.5")
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{free_port()}/")
    return Home(tmp_path)


@pytest.fixture
def proposed(home) -> Home:
    """The ghost of the CRM is proposed to be closed."""
    home.do("pull")
    home.do("detect")
    home.do("remediate", "propose", "--rule", "ghost", "--reason", "left", "--actor", "sec@x.example")
    return home


@pytest.fixture
def receivers(monkeypatch):
    """Lets a mail server and a receiver of webhooks listen from now on."""

    @contextmanager
    def listening():
        with MailServer() as mail, Receiver() as hook, monkeypatch.context() as environ:
            environ.setenv("MAIL", mail.url)
            environ.setenv("HOOK", hook.url)
            yield mail, hook

    return listening


def test_the_worker_tells_within_half_a_minute_and_ends_cleanly(proposed, receivers):
    with receivers() as (mail, hook):
        started = process("worker", home=proposed.folder)
        try:
            until = time.monotonic() + 60
            while not (mail.mails and hook.taken) and time.monotonic() < until:
                assert started.poll() is None
                time.sleep(0.1)
        finally:
            started.send_signal(signal.SIGTERM)
            _, err = started.communicate(timeout=30)
        assert started.returncode == 0, err
        assert [m["To"] for m in mail.mails] == [APPROVER]
        assert [told["to"] for told in hook.taken] == [APPROVER]
        assert mail.mails[0]["Subject"] == "1 approval waits for you"
    rows = proposed.do("jobs", "list", "--format", "json").json
    assert [row["status"] for row in rows if row["job"] == "remind"] == ["ok"]


def test_what_did_not_arrive_is_named_listed_and_tried_again_by_an_admin(proposed, receivers):
    answer = proposed.run("jobs", "run", "remind")
    assert answer.code == 1
    assert "mail: " in answer.err
    assert "hook: " in answer.err
    [row] = proposed.do("notices", "list", "--status", "waiting", "--format", "json").json
    assert (row["to"], row["kind"], row["attempts"]) == (APPROVER, "approval_waiting", 1)
    assert row["link"].startswith("approvals?id=")
    assert set(row) == {
        *("id", "status", "to", "kind", "about", "title", "body", "link", "made_at", "due_at", "sent_at", "attempts"),
        *("channels", "error"),
    }
    assert "1 approval waits for you" in proposed.do("notices", "list").out
    assert proposed.run("notices", "list", "--status", "lost").code == 2
    house = open_house(proposed.folder, {}, NOW)
    try:
        for _ in range(6):  # the clock goes on by itself in no test: each wait is over once its time is given
            [notice] = proposed.do("notices", "list", "--format", "json").json
            if notice["status"] == "waiting":
                reminding.run(house, "test", os.environ, datetime.fromisoformat(notice["due_at"]))
    finally:
        house.store.close()
    [row] = proposed.do("notices", "list", "--status", "failed", "--format", "json").json
    assert row["attempts"] == 6
    assert proposed.run("notices", "retry", row["id"], "--actor", "sec@x.example").code == 1
    proposed.do("notices", "retry", row["id"], "--actor", ADMIN)
    with receivers() as (mail, hook):
        proposed.do("jobs", "run", "remind")
        assert len(mail.mails) == len(hook.taken) == 1
    [row] = proposed.do("notices", "list", "--to", APPROVER, "--format", "json").json
    assert (row["status"], row["channels"]) == ("sent", ["hook", "mail"])


def test_a_test_goes_over_every_channel_to_who_asks_and_says_what_failed(home, receivers):
    with receivers() as (mail, hook):
        home.do("notices", "test", "--actor", ADMIN)
        assert [m["To"] for m in mail.mails] == [ADMIN]
        assert [told["to"] for told in hook.taken] == [ADMIN]
        assert hook.forged == 0
        assert home.run("notices", "test", "--actor", "sec@x.example").code == 1
        assert len(mail.mails) == 1
    answer = home.run("notices", "test", "--actor", ADMIN)
    assert answer.code == 1
    assert "2 of 2 channels did not take it" in answer.err
    settings = home.folder / "leaverwatch.toml"
    settings.write_text(settings.read_text().partition("[[notify.channel]]")[0])
    nobody = home.run("notices", "test", "--actor", ADMIN)
    assert (nobody.code, "nobody is told anything" in nobody.err) == (2, True)


def test_doctor_names_a_channel_whose_secret_is_missing_or_wrong(home):
    answer = home.run("doctor", "--format", "json", MAIL="", HOOK="https://ada:canary-word@hook.example.com/")
    rows = {row["what"]: row for row in answer.json}
    assert rows["channel mail"]["result"] == "FAILED"
    assert "the environment variable MAIL is empty or not set" in rows["channel mail"]["says"]
    assert rows["channel hook"]["result"] == "FAILED"
    assert "credentials are given as secrets" in rows["channel hook"]["says"]
    assert "canary-word" not in answer.out + answer.err
