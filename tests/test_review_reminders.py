"""Access reviews under a moving clock: who is told what and when, to the hour, and nobody who has nothing open."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from notice_receivers import MailServer
from noticing import QUIET
from seeded import TWO_APPLICATIONS
from sqlmodel import select

from governance.access import Actor
from governance.campaigns import Reminded, remind
from governance.errors import CampaignClosed, DecisionError
from governance.house import House
from governance.notices.reminders import CLOSE, DAY, escalations, reminders
from governance.tables import AuditEntry, Campaign, Delegation, Notice, ReviewItem
from jobs import remind as reminding
from jobs import work

pytestmark = QUIET
ANA, TOM, EVE, LATE = (f"{name}@example.com" for name in ("ana", "tom", "eve", "late"))
CHIEF, DEPUTY = "chief@example.com", "deputy@example.com"
HOUR = timedelta(hours=1)
OPENED, STILL, OVERDUE, CLOSED = (
    "1 access review waits for you",
    "1 access review still waits for you",
    "1 access review is overdue",
    "1 access review was closed",
)


@pytest.fixture
def settings_of_mail() -> dict[str, Any]:
    channel = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "lw@example.com"}
    return {**TWO_APPLICATIONS, "notify": {"channel": [channel]}}


@pytest.fixture
def house(make_house, settings_of_mail) -> House:
    return make_house(settings_of_mail)


def launch(house: House, days: int = 14, *reviewers: str) -> None:
    """A review of one item for each name; a name may come several times."""
    campaign = Campaign(
        id="C1", title="Quarter 4", status="running", created_by=CHIEF, created_at=NOW, launched_by=CHIEF,
        launched_at=NOW, due_at=NOW + days * DAY, plan={"fallback": DEPUTY},
    )  # fmt: skip
    with house.store.write() as session:
        session.add(campaign)
        for number, reviewer in enumerate(reviewers, 1):
            session.add(
                ReviewItem(campaign="C1", number=number, application="crm", account_id=f"a{number}", reviewer=reviewer)
            )


def change(house: House, whose: str, /, **values: Any) -> None:
    """Something happens to every item of one reviewer."""
    with house.store.write() as session:
        for item in session.exec(select(ReviewItem).where(ReviewItem.reviewer == whose)):
            for name, value in values.items():
                setattr(item, name, value)
            session.add(item)


def close(house: House, at: datetime) -> None:
    with house.store.write() as session:
        campaign = session.get_one(Campaign, "C1")
        campaign.status, campaign.closed_at = "closed", at
        session.add(campaign)


def told(house: House, days: int, happens: dict[int, Any], step: int = 6) -> list[tuple[float, str, str, str]]:
    """(day, to whom, title, first line) of everything that was told while the clock went on."""
    found = []
    with MailServer() as mail:
        for hours in range(0, days * 24 + 1, step):
            before = len(mail.mails)
            happens.get(hours, lambda: None)()
            reminding.run(house, work.SCHEDULER, {"MAIL": mail.url}, NOW + hours * HOUR)
            for one in mail.mails[before:]:
                lines = one.get_body(("plain",)).get_content().splitlines()
                found.append((hours / 24, one["To"], one["Subject"], lines[1].strip()))
    return sorted(found)


def test_who_is_told_what_and_when_in_a_review_of_two_weeks(house):
    launch(house, 14, ANA, ANA, ANA, TOM, EVE, LATE)
    got = told(
        house,
        20,
        {
            5 * 24: lambda: change(house, TOM, decision="keep"),
            8 * 24: lambda: change(house, EVE, reviewer=TOM),  # handed over after half time
            12 * 24: lambda: change(house, LATE, decision="remove"),
            18 * 24: lambda: close(house, NOW + 18 * DAY),
        },
    )
    three, one, due = "3 items to decide, due on 7 Dec 2026", "1 item to decide, due on 7 Dec 2026", "due on 7 Dec 2026"
    past = f"3 items to decide, was {due}"
    assert got == sorted(
        [
            (0, ANA, OPENED, f"Quarter 4: {three}"),
            (0, EVE, OPENED, f"Quarter 4: {one}"),
            (0, LATE, OPENED, f"Quarter 4: {one}"),
            (0, TOM, OPENED, f"Quarter 4: {one}"),
            (7, ANA, STILL, f"Quarter 4: {three}"),
            (7, EVE, STILL, f"Quarter 4: {one}"),
            (7, LATE, STILL, f"Quarter 4: {one}"),
            (11, ANA, STILL, f"Quarter 4: {three}"),
            (11, LATE, STILL, f"Quarter 4: {one}"),
            (8, TOM, OPENED, f"Quarter 4: {one}"),
            (11, TOM, STILL, f"Quarter 4: {one}"),
            *((day, ANA, STILL, f"Quarter 4: {three if day < 14 else past}") for day in (13, 14, 15, 16, 17)),
            *((day, TOM, STILL, f"Quarter 4: {one if day < 14 else f'1 item to decide, was {due}'}") for day in (13, 14, 15, 16, 17)),
            (15, CHIEF, OVERDUE, f"Quarter 4: 4 of 6 items undecided, with 2 reviewers, was {due}"),
            (17, DEPUTY, OVERDUE, f"Quarter 4: 4 of 6 items undecided, with 2 reviewers, was {due}"),
            *((18, who, CLOSED, "Quarter 4: 6 items, 2 decided") for who in (ANA, CHIEF, LATE, TOM)),
        ]
    )  # fmt: skip


def test_nobody_without_open_items_hears_of_a_review_but_its_end(house):
    launch(house, 14, ANA, TOM)
    change(house, TOM, decision="keep")
    got = told(
        house, 16, {2 * 24: lambda: change(house, ANA, decision="keep"), 15 * 24: lambda: close(house, NOW + 15 * DAY)}
    )
    assert [(day, who, title) for day, who, title, _ in got] == [
        (0, ANA, OPENED),
        *((15, who, CLOSED) for who in (ANA, CHIEF, TOM)),
    ]  # fmt: skip


def test_after_a_long_silence_of_the_worker_one_reminder_is_told_not_all_that_were_missed(house):
    launch(house, 14, ANA)
    got = told(house, 20, {}, step=20 * 24)
    assert [(day, who, title) for day, who, title, _ in got] == [
        (0, ANA, OPENED),
        (20, ANA, STILL),
        (20, CHIEF, OVERDUE),
        (20, DEPUTY, OVERDUE),
    ]


def test_who_gets_items_late_is_told_so_and_not_reminded_at_once(house):
    launch(house, 14, ANA)
    got = told(house, 14, {12 * 24: lambda: change(house, ANA, reviewer=TOM)})
    assert [(day, title) for day, who, title, _ in got if who == TOM] == [(12, OPENED), (13, STILL), (14, STILL)]


def test_a_deputy_is_told_too_while_they_stand_in(house):
    launch(house, 14, ANA, ANA, TOM)
    with house.store.write() as session:
        session.add(
            Delegation(id="D1", actor=ANA, deputy=TOM, since=NOW + 6 * DAY, until=NOW + 8 * DAY, reason="away", by=ANA, at=NOW)
        )  # fmt: skip
    got = told(house, 11, {})
    assert [(day, line) for day, who, _, line in got if who == TOM] == [
        (0, "Quarter 4: 1 item to decide, due on 7 Dec 2026"),
        (6, "Quarter 4: 3 items to decide, due on 7 Dec 2026"),
        (7, "Quarter 4: 3 items to decide, due on 7 Dec 2026"),
        (11, "Quarter 4: 1 item to decide, due on 7 Dec 2026"),
    ]
    assert [day for day, who, _, _ in got if who == ANA] == [0, 7, 11]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (30, {"half": 15, "-3": 27, "-1": 29, "-0": 30}),
        (14, {"half": 7, "-3": 11, "-1": 13, "-0": 14}),
        (6, {"half": 3, "-1": 5, "-0": 6}),  # half time and three days before are the same
        (3, {"half": 1.5, "-1": 2, "-0": 3}),
        (1, {"half": 0.5, "-0": 1}),
    ],
)
def test_the_reminders_of_reviews_of_any_length(days, expected):
    found = reminders(NOW, NOW + days * DAY, NOW + (days + 0.5) * DAY)
    assert {name: (at - NOW) / DAY for name, at in found} == expected


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 24 * 90), st.integers(0, 24 * 120))
def test_reminders_come_in_order_apart_and_one_a_day_after_the_end(hours, passed):
    due, now = NOW + hours * HOUR, NOW + passed * HOUR
    found = reminders(NOW, due, now)
    at = [NOW, *(at for _, at in found)]
    assert all(later - earlier >= CLOSE for earlier, later in itertools.pairwise(at))
    assert all(one <= now for one in at)
    assert len({name for name, _ in found}) == len(found)
    assert sum(one > due for one in at) == max(0, (now - due) // DAY)
    assert escalations(due, now) == [days for days in (1, 3) if now >= due + days * DAY]


# --- Asked for now ----------------------------------------------------------------------------------------------------

CHIEF_SELF = Actor(CHIEF, "Chief", frozenset({"security"}))


def rows(house: House, model: Any) -> list[Any]:
    with house.store.read() as session:
        found = list(session.exec(select(model)))
        session.expunge_all()
    return found


def test_who_has_open_items_is_reminded_now_and_not_again_within_the_hour(house):
    launch(house, 14, ANA, ANA, TOM, EVE)
    change(house, EVE, decision="keep")
    at = NOW + 2 * DAY
    assert remind(house, CHIEF_SELF, at, "C1") == Reminded((ANA, TOM), ())
    later = at + timedelta(minutes=59)
    assert remind(house, CHIEF_SELF, later, "C1") == Reminded((), (ANA, TOM))
    change(house, EVE, decision=None)
    assert remind(house, CHIEF_SELF, later, "C1") == Reminded((EVE,), (ANA, TOM)), (
        "who is open since is not kept waiting"
    )
    assert remind(house, CHIEF_SELF, at + HOUR, "C1", ANA.upper()) == Reminded((ANA,), ())
    told = sorted((notice.made_at, notice.to, notice.kind, notice.body) for notice in rows(house, Notice))
    one, two = (f"Quarter 4: {n} to decide, due on 7 Dec 2026" for n in ("1 item", "2 items"))
    assert told == [
        (at, ANA, "review_reminder", two),
        (at, TOM, "review_reminder", one),
        (later, EVE, "review_reminder", one),
        (at + HOUR, ANA, "review_reminder", two),
    ]
    entries = [entry for entry in rows(house, AuditEntry) if entry.verb == "campaign.remind"]
    assert [(entry.actor, entry.object, entry.reason) for entry in entries] == [(CHIEF, "campaign/C1", "Quarter 4")] * 3


def test_a_reminder_asked_for_is_sent_beside_those_of_the_calendar(house):
    launch(house, 14, ANA, TOM)
    got = told(house, 8, {2 * 24: lambda: remind(house, CHIEF_SELF, NOW + 2 * DAY, "C1", TOM)})
    assert [(day, who, title) for day, who, title, _ in got] == [
        (0, ANA, OPENED), (0, TOM, OPENED), (2, TOM, STILL), (7, ANA, STILL), (7, TOM, STILL),
    ]  # fmt: skip


def test_who_decided_before_the_worker_came_is_not_reminded(house):
    launch(house, 14, ANA, TOM)

    def asked_and_decided():
        remind(house, CHIEF_SELF, NOW + 2 * DAY, "C1")
        change(house, TOM, decision="keep")

    got = told(house, 3, {2 * 24: asked_and_decided})
    assert [(day, who) for day, who, title, _ in got if title == STILL] == [(2, ANA)]


def test_nobody_is_reminded_where_nothing_waits_or_nothing_runs(house, make_house):
    launch(house, 14, ANA)
    with pytest.raises(DecisionError, match=r"tom@example\.com has no open item"):
        remind(house, CHIEF_SELF, NOW, "C1", TOM)
    change(house, ANA, decision="keep")
    with pytest.raises(DecisionError, match="nobody has an open item"):
        remind(house, CHIEF_SELF, NOW, "C1")
    close(house, NOW + DAY)
    with pytest.raises(CampaignClosed, match="C1 is closed"):
        remind(house, CHIEF_SELF, NOW, "C1")
    with pytest.raises(DecisionError, match="no channel reaches persons"):
        remind(make_house(TWO_APPLICATIONS), CHIEF_SELF, NOW, "C1")
    assert rows(house, Notice) == []
