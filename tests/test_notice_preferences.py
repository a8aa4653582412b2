"""When somebody wants to be told: digests, quiet hours, and whose wishes those are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from notice_receivers import MailServer
from noticing import (
    ADMIN,
    BOSS,
    MAIL,
    MINUTE,
    QUIET,
    SEC,
    remind,
    rows,
    settings_with,
)
from seeded import put_remediation, put_snapshot
from sqlmodel import select

from governance import notices
from governance.access import find_actor
from governance.errors import DecisionError, NotAllowed
from governance.notices import Preference
from governance.tables import AuditEntry

pytestmark = QUIET


@pytest.fixture
def settings() -> dict[str, Any]:
    return settings_with(MAIL)


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
