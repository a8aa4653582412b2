"""Channels that fail, real mail servers and webhooks: tried again until it arrives, never in a burst, and no secret told."""

from __future__ import annotations

import itertools
import logging
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from notice_receivers import KEY, SILENCE, TOKEN, MailServer, Receiver, Silent, free_port
from noticing import (
    ADMIN,
    BOSS,
    DAY,
    HOOK,
    MAIL,
    MINUTE,
    QUIET,
    SEC,
    job_runs,
    remind,
    rows,
    settings_with,
)
from seeded import TWO_APPLICATIONS, put_remediation
from sqlmodel import select

from governance import notices
from governance.access import find_actor
from governance.errors import AlreadyDecided, ConfigurationError, NotAllowed
from governance.house import House
from governance.settings import parse
from governance.tables import AuditEntry
from jobs import remind as reminding

pytestmark = QUIET


@pytest.fixture
def settings() -> dict[str, Any]:
    return settings_with(MAIL)


@pytest.fixture
def hooked(make_house) -> House:
    return make_house(settings_with(HOOK))


@pytest.mark.parametrize("failure", ["refused", SILENCE, "451 try later", "550 nobody here", "421 closing"])
def test_a_mail_server_that_fails_gets_the_mail_later_and_exactly_once(house, failure):
    put_remediation(house, "R1", NOW)
    port = free_port()
    mail = MailServer(*([] if failure in ("refused", SILENCE) else [failure]), port=port)
    with {"refused": nullcontext(), SILENCE: Silent(port)}.get(failure, mail):
        told = remind(house, NOW, mail)
    assert told.failures
    [waiting] = rows(house)
    assert (waiting.status, waiting.attempts) == ("waiting", 1)
    assert waiting.due_at == NOW + MINUTE
    assert waiting.error.startswith("mail: ")
    if failure[0].isdigit():
        assert failure[4:] in waiting.error, "what the server said"
    assert job_runs(house)[-1].status == "failed"
    with MailServer(port=port) as mail:
        remind(house, NOW + 30 * timedelta(seconds=1), mail)
        assert mail.mails == [], "not before its time"
        for minutes in (1, 2, 60, 600):
            remind(house, NOW + minutes * MINUTE, mail)
        assert len(mail.mails) == 1
    assert [(n.status, n.attempts, n.error) for n in rows(house)] == [("sent", 2, None)]


@pytest.mark.parametrize("failure", ["refused", SILENCE, 500, 503, 404, 401, 302])
def test_a_webhook_that_fails_gets_the_message_later_and_exactly_once(hooked, failure):
    put_remediation(hooked, "R1", NOW)
    port = free_port()
    hook = Receiver(*([] if failure == "refused" else [failure]), port=port)
    with nullcontext() if failure == "refused" else hook:
        remind(hooked, NOW, hook=hook)
    [waiting] = rows(hooked)
    assert (waiting.status, waiting.attempts) == ("waiting", 1)
    assert waiting.error.startswith("hook: ")
    with Receiver(port=port) as again:
        for minutes in (1, 2, 60, 600):
            remind(hooked, NOW + minutes * MINUTE, hook=again)
        assert len(again.taken) == 1
        assert again.forged == hook.forged == 0
        assert {*hook.ids, *again.ids} == {again.taken[0]["id"]}, "a repetition has the same id"
    assert [n.status for n in rows(hooked)] == ["sent"]


def test_a_webhook_says_who_is_told_what_and_is_signed(hooked):
    put_remediation(hooked, "R1", NOW)
    with Receiver() as hook:
        remind(hooked, hook=hook)
        [told] = hook.taken
    assert hook.forged == 0
    assert told["to"] == BOSS
    assert told["title"] == "1 approval waits for you"
    assert told["sections"] == [
        {
            "kind": "approval_waiting",
            "title": "1 approval waits for you",
            "lines": ["Wiki: 1 account"],
            "link": "https://lw.example.com/approvals?id=R1",
            "about": ["R1"],
        }
    ]


def test_after_its_last_try_a_notice_has_failed_and_an_admin_may_have_it_tried_again(house):
    put_remediation(house, "R1", NOW)
    mail, at, waits = MailServer(*["451 no"] * 6), NOW, []
    with mail:
        while (row := next(iter(rows(house)), None)) is None or row.status == "waiting":
            at = row.due_at if row else at
            remind(house, at, mail)
            waits.append(at - NOW)
        assert [int(w.total_seconds()) // 60 for w in waits] == [0, 1, 6, 36, 156, 876]
        remind(house, at + 30 * DAY, mail)
        assert mail.mails == []
        [failed] = rows(house, status="failed")
        admin, security = (find_actor(house.settings, email) for email in (ADMIN, SEC))
        with pytest.raises(NotAllowed):
            notices.again(house, security, at, [failed.id])
        assert notices.again(house, admin, at, [failed.id]) == 1
        with pytest.raises(AlreadyDecided):
            notices.again(house, admin, at, [failed.id])
        remind(house, at, mail)
        assert len(mail.mails) == 1
    with house.store.read() as session:
        assert session.exec(select(AuditEntry.object).where(AuditEntry.verb == "notices.again")).all() == [
            f"notice/{failed.id}"
        ]


def test_what_arrived_over_one_channel_is_not_sent_there_again_while_the_other_fails(make_house):
    house = make_house(settings_with(MAIL, HOOK))
    put_remediation(house, "R1", NOW)
    with MailServer() as mail, Receiver(500, 500) as hook:
        for minutes in (0, 1, 6, 60):
            remind(house, NOW + minutes * MINUTE, mail, hook)
        assert len(mail.mails) == 1
        assert len(hook.taken) == 1
    assert [(n.status, n.channels, n.attempts) for n in rows(house)] == [("sent", ["hook", "mail"], 3)]


def _crowd(number: int, **channel: Any) -> dict[str, Any]:
    """So many people who may approve, and one channel."""
    people = [{"email": f"p{n}@example.com", "roles": ["approver"]} for n in range(number)]
    return {**settings_with({**MAIL, **channel}), "actor": [*TWO_APPLICATIONS["actor"][:1], *people]}


def test_a_dead_server_is_knocked_at_three_times_not_once_for_everybody(make_house):
    house = make_house(_crowd(20))
    put_remediation(house, "R1", NOW)
    with MailServer(*["451 no"] * 3) as mail:
        remind(house, NOW, mail)
        assert mail.tries == 3
        remind(house, NOW + 5 * timedelta(seconds=1), mail)
        assert len(mail.mails) == 17, "who was not tried lost nothing"
        remind(house, NOW + MINUTE, mail)
        assert sorted(mail.receivers) == sorted(f"p{n}@example.com" for n in range(20))


def test_never_more_than_so_many_a_minute(make_house):
    house = make_house(_crowd(20, most_per_minute=8))
    put_remediation(house, "R1", NOW)
    with MailServer() as mail:
        got = []
        for seconds in range(0, 240, 30):
            before = len(mail.mails)
            remind(house, NOW + timedelta(seconds=seconds), mail)
            got.append(len(mail.mails) - before)
        assert all(one + other <= 8 for one, other in itertools.pairwise(got)), got
        assert len(set(mail.receivers)) == len(mail.receivers) == 20


def test_no_secret_reaches_a_log_an_error_or_the_store(make_house, caplog):
    caplog.set_level(logging.DEBUG)
    teams = {"name": "teams", "kind": "teams", "url": {"env": "TEAMS"}}
    house = make_house(settings_with(MAIL, HOOK, teams))
    put_remediation(house, "R1", NOW)
    password, signature = "canary-password-1", "canarySignature77"
    environ = {
        "MAIL": f"mailto://lw:{password}@127.0.0.1:{free_port()}/?from=lw@example.com&cto=0.5",
        "HOOK": f"http://127.0.0.1:{free_port()}/in/{TOKEN}",
        "KEY": KEY,
        "TEAMS": f"workflows://127.0.0.1:{free_port()}/workflow-5f2e8a9b/{signature}/",
    }
    told = reminding.run(house, "test", environ, NOW)
    assert len(told.failures) == 2
    said = caplog.text + repr([n.model_dump() for n in rows(house)]) + repr([r.model_dump() for r in job_runs(house)])
    assert "Connection" in said
    for secret in (password, TOKEN, KEY, signature):
        assert secret not in said


def test_a_webhook_leads_nowhere_inside_unless_that_is_allowed(hooked):
    put_remediation(hooked, "R1", NOW)
    told = reminding.run(hooked, "test", {"KEY": KEY, "HOOK": "https://10.0.0.7/in"}, NOW)
    assert "10.0.0.7 is a private host; set allow_private = true to allow it" in told.failures[0]


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        (MAIL, "json://127.0.0.1:9/"),
        ({"name": "room", "kind": "slack", "url": {"env": "URL"}}, "mailto://127.0.0.1:9/?from=a@example.com"),
        ({"name": "room", "kind": "teams", "url": {"env": "URL"}}, "not an address"),
    ],
)
def test_a_channel_takes_only_addresses_of_its_own_kind(make_house, channel, url):
    from jobs.delivery import line

    house = make_house(settings_with({**channel, "url": {"env": "URL"}}))
    with pytest.raises(ConfigurationError, match=rf"notify.channel.{channel['name']}.url: expected"):
        line(house, house.settings.notify.channel[0], {"URL": url})


@pytest.mark.parametrize(
    "channel",
    [
        {**HOOK, "hmac": None},
        {**MAIL, "hmac": {"env": "KEY"}},
        {**MAIL, "from": None},
        {**MAIL, "url": "mailto://name:password@smtp.example.com"},
        {**MAIL, "kinds": ["gossip"]},
    ],
)
def test_these_channels_are_refused_at_the_start(channel):
    with pytest.raises(ConfigurationError, match=r"notify\.channel"):
        parse(settings_with(channel))
