"""Notices over a real mail server and real webhooks: each told once, tried again until it arrives, and never in a burst."""

from __future__ import annotations

import itertools
import logging
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import NOW
from notice_receivers import KEY, SILENCE, TOKEN, MailServer, Receiver, Silent, free_port
from seeded import TWO_APPLICATIONS, account, put_pull, put_remediation, put_run, put_snapshot
from sqlmodel import select

from governance import notices, remediation
from governance.access import find_actor
from governance.errors import AlreadyDecided, ConfigurationError, DecisionError, NotAllowed
from governance.house import House
from governance.notices import Preference
from governance.settings import parse
from governance.tables import AuditEntry, JobRun, Notice, Remediation
from jobs import remind as reminding
from jobs import work

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a library of Apprise's
SEC, BOSS, OWNER, ADMIN, AUDIT = (f"{name}@example.com" for name in ("sec", "boss", "owner", "admin", "audit"))
MAIL = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "leaverwatch@example.com"}
HOOK = {"name": "hook", "kind": "webhook", "url": {"env": "HOOK"}, "hmac": {"env": "KEY"}, "deadline_s": 3.0}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def settings_with(*channels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**TWO_APPLICATIONS, "notify": {"address": "https://lw.example.com/", "channel": list(channels)}, **more}


@pytest.fixture
def settings() -> dict[str, Any]:
    return settings_with(MAIL)


@pytest.fixture
def hooked(make_house) -> House:
    return make_house(settings_with(HOOK))


def remind(house: House, now: datetime = NOW, mail: MailServer | None = None, hook: Receiver | None = None, by="test"):
    environ = {"KEY": KEY}
    environ |= {"MAIL": mail.url} if mail else {}
    environ |= {"HOOK": hook.url} if hook else {}
    return reminding.run(house, by, environ, now)


def words(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def rows(house: House, **conditions: str) -> list[Notice]:
    with house.store.read() as session:
        return list(session.exec(select(Notice).filter_by(**conditions).order_by(Notice.id)))


def job_runs(house: House) -> list[JobRun]:
    with house.store.read() as session:
        return list(session.exec(select(JobRun).where(JobRun.job == "remind").order_by(JobRun.id)))


def put_waiting(house: House, number: int, application: str = "wiki") -> None:
    for n in range(number):
        put_remediation(house, f"{application}{n:022d}", NOW, application=application, account_id=f"a{n}")


def moved(house: House, id: str, **values: Any) -> None:
    with house.store.write() as session:
        row = session.get_one(Remediation, id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


# --- Told once --------------------------------------------------------------------------------------------------------


def test_a_proposal_is_told_to_those_who_may_approve_it_and_to_nobody_else(house):
    put_remediation(house, "R1", NOW, application="crm")
    with MailServer() as mail:
        remind(house, mail=mail)
        assert sorted(mail.receivers) == [BOSS, OWNER], "not the proposer, not an auditor, not an admin"
    [told] = mail.to(BOSS)
    assert told["Subject"] == "1 approval waits for you"
    assert told["From"] == "Leaverwatch <leaverwatch@example.com>"
    assert told["Auto-Submitted"] == "auto-generated"
    text = words(told)
    assert "Customer CRM: 1 account" in text
    assert "https://lw.example.com/approvals?id=R1" in text


def test_the_same_is_never_told_twice_and_a_time_with_nothing_to_tell_leaves_no_trace(house):
    put_remediation(house, "R1", NOW)
    with MailServer() as mail:
        for minutes in range(0, 3 * 24 * 60, 480):
            remind(house, NOW + minutes * MINUTE, mail, by=work.SCHEDULER)
        assert len(mail.mails) == 1
    assert len(job_runs(house)) == 1
    assert [n.status for n in rows(house)] == ["sent"]


def test_many_at_once_are_one_message_with_numbers_by_application(house):
    put_waiting(house, 9)
    put_waiting(house, 5, "crm")
    with MailServer() as mail:
        remind(house, mail=mail)
        [told] = mail.to(BOSS)
    assert told["Subject"] == "14 approvals wait for you"
    text = words(told)
    assert "Customer CRM: 5 accounts" in text
    assert "Wiki: 9 accounts" in text
    assert "https://lw.example.com/approvals\r\n" in text


def test_what_follows_within_a_quarter_of_an_hour_waits_and_comes_together(house):
    put_remediation(house, "R0", NOW)
    with MailServer() as mail:
        remind(house, NOW, mail)
        for n in range(1, 6):
            put_remediation(house, f"R{n}", NOW)
            remind(house, NOW + n * MINUTE, mail)
        assert len(mail.mails) == 1
        remind(house, NOW + 16 * MINUTE, mail)
        assert [m["Subject"] for m in mail.mails] == ["1 approval waits for you", "5 approvals wait for you"]


def test_what_was_decided_before_anybody_was_told_is_dropped(house):
    put_remediation(house, "R1", NOW)
    put_remediation(house, "R2", NOW)
    notices.prefer(house, find_actor(house.settings, BOSS), NOW, Preference(digest="daily"))
    with MailServer() as mail:
        remind(house, NOW, mail)
        assert mail.mails == []
        moved(house, "R1", status="rejected")
        remind(house, NOW + DAY, mail)
        [told] = mail.mails
        assert told["Subject"] == "1 approval waits for you"
    assert [(n.about, n.status) for n in rows(house)] == [("R1", "dropped"), ("R2", "sent")]


def test_without_a_channel_nothing_is_looked_at_or_kept(make_house):
    house = make_house(TWO_APPLICATIONS)
    put_remediation(house, "R1", NOW)
    remind(house, by=work.SCHEDULER)
    assert rows(house) == []
    assert job_runs(house) == []


# --- What does not arrive ---------------------------------------------------------------------------------------------


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


# --- Whose, when and by whom ------------------------------------------------------------------------------------------


def test_a_second_approver_is_asked_for_and_told_before_the_first_approval_lapses(house):
    put_remediation(house, "R1", NOW, proposed_by=ADMIN, approved_by=BOSS, approved_at=NOW)
    with MailServer() as mail:
        for hours in range(0, 96, 4):
            remind(house, NOW + timedelta(hours=hours), mail)
    told = [(m["To"], m["Subject"]) for m in mail.mails]
    assert told[:2] == [(SEC, "1 approval needs a second approver"), (SEC, "1 approval lapses within 12 hours")]
    assert sorted(told[2:]) == [(who, "1 approval waits for you") for who in (BOSS, SEC)], "once lapsed, anybody may"


def test_a_manual_task_goes_to_the_owner_and_is_reminded_of_after_three_days_and_then_every_week(house):
    put_remediation(house, "R1", NOW, application="crm", status="executing", action="manual", executing_at=NOW)
    got = []
    with MailServer() as mail:
        for hours in range(0, 24 * 26, 12):
            before = len(mail.mails)
            remind(house, NOW + timedelta(hours=hours), mail)
            got += [(hours / 24, m["To"], m["Subject"]) for m in mail.mails[before:]]
            if hours == 24 * 20:
                remediation.done(house, find_actor(house.settings, OWNER), NOW, "R1")
    assert got == [
        (0, OWNER, "1 manual task is given to you"),
        (3, OWNER, "1 manual task of yours is still open"),
        (10, OWNER, "1 manual task of yours is still open"),
        (17, OWNER, "1 manual task of yours is still open"),
    ]


def test_a_manual_task_of_an_application_nobody_owns_goes_to_the_admins(house):
    put_remediation(house, "R1", NOW, application="wiki", status="executing", action="manual", executing_at=NOW)
    with MailServer() as mail:
        remind(house, NOW, mail)
        assert mail.receivers == [ADMIN]


def test_what_a_guard_holds_is_told_to_those_who_may_release_it_and_again_to_the_second(house):
    from governance import guards

    held = put_snapshot(house, "crm", NOW, status="held", sha256="a" * 64, held_why="60 of 500 were removed")
    with MailServer() as mail:
        remind(house, NOW, mail)
        assert sorted(mail.receivers) == [ADMIN, SEC]
        text = words(mail.mails[0])
        assert "Customer CRM: two releases are needed" in text
        guards.release(house, find_actor(house.settings, SEC), NOW, held, "looked at")
        remind(house, NOW + MINUTE, mail)
        assert mail.receivers[2:] == [ADMIN]
        assert "one more release is needed" in words(mail.mails[2])


def test_a_feed_that_fails_three_times_in_a_row_is_told_to_the_admins_once_and_anew_after_it_was_well(house):
    statuses = ["ok", "failed", "failed", "failed", "failed", "ok", "failed", "failed", "failed"]
    with MailServer() as mail:
        got = []
        for number, status in enumerate(statuses):
            put_pull(house, "crm", number, NOW + number * DAY, status)
            before = len(mail.mails)
            remind(house, NOW + number * DAY, mail)
            got += [(number, m["To"]) for m in mail.mails[before:]]
    assert got == [(3, ADMIN), (8, ADMIN)]


def test_a_manager_without_an_entry_is_told_of_their_own_reports_alone(house):
    person = {"present": True, "state": "current"}
    put_run(
        house,
        NOW,
        [account("wiki", "a0", owner_id="hr:0"), account("wiki", "a1", owner_id="hr:1")],
        [
            {
                **person,
                "identity_id": "hr:0",
                "email": "jan@example.com",
                "email_key": "jan@example.com",
                "state": "ended",
                "manager_id": "hr:9",
            },
            {
                **person,
                "identity_id": "hr:1",
                "email": "kim@example.com",
                "email_key": "kim@example.com",
                "manager_id": "hr:8",
            },
            {
                **person,
                "identity_id": "hr:7",
                "email": "gone@example.com",
                "email_key": "gone@example.com",
                "state": "ended",
                "manager_id": "hr:8",
            },
            {**person, "identity_id": "hr:8", "email": "mia@example.com", "email_key": "mia@example.com"},
            {**person, "identity_id": "hr:9", "email": "max@example.com", "email_key": "max@example.com"},
            {
                **person,
                "identity_id": "hr:2",
                "email": "lou@example.com",
                "email_key": "lou@example.com",
                "manager_id": "hr:7",
            },
        ],
    )
    put_remediation(house, "R0", NOW, identity_id="hr:0")
    put_remediation(house, "R2", NOW, identity_id="hr:2")
    with MailServer() as mail:
        remind(house, NOW, mail)
    assert [m["Subject"] for m in mail.to("max@example.com")] == ["1 approval waits for you"]
    assert "approvals?id=R0" in words(mail.to("max@example.com")[0])
    assert "approvals?id=R2" in words(mail.to("mia@example.com")[0]), "in place of a manager who left"
    assert mail.to("gone@example.com") == []


# --- Preferences ------------------------------------------------------------------------------------------------------


def test_a_digest_comes_at_eight_on_the_wall_and_what_cannot_wait_comes_at_once(house):
    boss = find_actor(house.settings, BOSS)
    notices.prefer(house, boss, NOW, Preference(digest="daily", time_zone="America/New_York"))
    notices.prefer(house, find_actor(house.settings, SEC), NOW, Preference(digest="daily"))
    put_remediation(house, "R1", NOW)
    put_snapshot(house, "crm", NOW, status="held", sha256="a" * 64)
    with MailServer() as mail:
        remind(house, NOW, mail)
        assert sorted(mail.receivers) == [ADMIN, SEC], "a guard does not wait for a digest"
        put_remediation(house, "R2", NOW)
        times = []
        for quarter in range(96):
            before, at = len(mail.to(BOSS)), NOW + timedelta(minutes=15 * quarter)
            remind(house, at, mail)
            times += [at] * (len(mail.to(BOSS)) - before)
    assert times == [datetime.fromisoformat("2026-11-23T13:00:00+00:00")]
    assert mail.to(BOSS)[0]["Subject"] == "2 approvals wait for you"


def test_in_quiet_hours_nobody_is_told_and_a_retry_waits_too(house):
    quiet = Preference(quiet_from="11:30", quiet_until="14:00")
    notices.prefer(house, find_actor(house.settings, BOSS), NOW, quiet)
    put_remediation(house, "R1", NOW)
    with MailServer("451 no") as mail:
        for minutes in range(0, 118, 2):
            remind(house, NOW + minutes * MINUTE, mail)
        assert mail.tries == 0
        remind(house, NOW + 120 * MINUTE, mail)
        assert mail.tries == 1
        notices.prefer(house, find_actor(house.settings, BOSS), NOW, replace(quiet, quiet_until="15:00"))
        assert rows(house)[0].due_at == NOW + 121 * MINUTE, "a try that was promised keeps its time"


def test_preferences_are_one_s_own_checked_and_in_the_audit(house):
    boss = find_actor(house.settings, BOSS)
    put_remediation(house, "R1", NOW)
    with MailServer() as mail:
        notices.prefer(house, boss, NOW, Preference(digest="daily"))
        remind(house, NOW, mail)
        notices.prefer(house, boss, NOW, Preference(channels=("mail",)))
        remind(house, NOW, mail)
        assert mail.receivers == [BOSS], "what waited is told by the new wishes"
    assert notices.preference(house, BOSS).channels == ("mail",)
    for wrong in (
        Preference(channels=("pigeon",)),
        Preference(time_zone="Mars/Olympus"),
        Preference(quiet_from="20:00"),
        Preference(quiet_from="20:00", quiet_until="20:00"),
        Preference(quiet_from="late", quiet_until="early"),
    ):
        with pytest.raises(DecisionError):
            notices.prefer(house, boss, NOW, wrong)
    with pytest.raises(NotAllowed):
        notices.prefer(house, replace(boss, left=True), NOW, Preference())
    with house.store.read() as session:
        assert session.exec(select(AuditEntry.actor).where(AuditEntry.verb == "notices.prefer")).all() == [BOSS, BOSS]


# --- Secrets and addresses --------------------------------------------------------------------------------------------


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
