"""Notices over a real mail server: who is told what, each once and in its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from notice_receivers import MailServer
from noticing import (
    ADMIN,
    BOSS,
    DAY,
    MAIL,
    MINUTE,
    OWNER,
    QUIET,
    SEC,
    job_runs,
    moved,
    put_waiting,
    remind,
    rows,
    settings_with,
    words,
)
from seeded import TWO_APPLICATIONS, account, put_pull, put_remediation, put_run, put_snapshot

from governance import notices, remediation
from governance.access import find_actor
from governance.notices import Preference
from jobs import work

pytestmark = QUIET


@pytest.fixture
def settings() -> dict[str, Any]:
    return settings_with(MAIL)


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


def test_who_proposed_it_under_another_address_of_theirs_is_not_asked_to_approve_it(house):
    me = {"identity_id": "hr:b", "email": BOSS, "email_key": BOSS, "aliases": "b.alias@example.com", "state": "current"}
    put_run(house, NOW, (), [me])
    put_remediation(house, "R1", NOW, application="crm", proposed_by="b.alias@example.com")
    with MailServer() as mail:
        remind(house, mail=mail)
        assert BOSS not in mail.receivers
        assert OWNER in mail.receivers


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
