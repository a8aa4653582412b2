"""Reviews that begin by themselves: on their day once the data are fresh, and small ones that an event raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from reviews import CRM, PEOPLE, PLAN, TOLD, actor, items, read, reviewed, write
from sqlmodel import col, select

from governance import campaigns
from governance.errors import AlreadyDecided, ConfigurationError, DecisionError
from governance.house import House
from governance.settings import parse
from governance.tables import Campaign, ReviewSchedule
from jobs import work


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house, NOW - timedelta(hours=1))


def begun(house: House) -> list[Campaign]:
    with house.store.read() as session:
        rows = list(session.exec(select(Campaign).order_by(Campaign.id)))
        session.expunge_all()
    return rows


def scheduled(house: House, first: datetime | None = None) -> ReviewSchedule:
    return campaigns.schedule(house, actor(house, "sec"), NOW, "Privileged", {"privileged": True}, PLAN, 3, first=first)


def waiting(house: House) -> ReviewSchedule:
    with house.store.read() as session:
        return session.exec(select(ReviewSchedule)).one()


def test_it_begins_on_its_day_and_again_three_months_later(company: House) -> None:
    scheduled(company, NOW + timedelta(hours=1))
    assert campaigns.begin_due(company, NOW) == []
    [id] = campaigns.begin_due(company, NOW + timedelta(hours=2))
    assert campaigns.begin_due(company, NOW + timedelta(hours=3)) == [], "once"
    row = campaigns.load(company, id)
    assert (row.status, row.title, row.launched_by) == ("running", "Privileged, November 2026", "worker")
    assert len(items(company, id)) == 4
    assert waiting(company).next_at == campaigns.months_after(NOW + timedelta(hours=1), 3)


def test_it_begins_once_though_the_worker_died_before_that_was_noted(company: House) -> None:
    scheduled(company, NOW)
    before = waiting(company)
    assert len(campaigns.begin_due(company, NOW)) == 1
    with company.store.write() as session:
        session.get_one(ReviewSchedule, before.id).next_at = before.next_at
    assert campaigns.begin_due(company, NOW + timedelta(minutes=1)) == []
    assert len(begun(company)) == 1
    assert waiting(company).next_at == campaigns.months_after(NOW, 3)
    assert len(campaigns.begin_due(company, campaigns.months_after(NOW, 3))) == 0, "the data are outdated by then"
    assert "outdated" in (waiting(company).waiting or "")


def test_it_is_not_begun_by_two_at_once(company: House) -> None:
    scheduled(company, NOW)
    with company.store.lease("reviews") as held:
        assert held
        assert work.reviews(company) == {}
    assert begun(company) == []


def test_it_comes_back_to_its_day_after_a_shorter_month(company: House) -> None:
    sec, end = actor(company, "sec"), datetime(2026, 10, 31, 12, tzinfo=UTC)
    first = campaigns.months_after(end, 4)
    made = campaigns.schedule(company, sec, end, "Every four months", {}, PLAN, 4, first=first)
    assert (made.next_at, made.day) == (datetime(2027, 2, 28, 12, tzinfo=UTC), 31)
    campaigns.end_schedule(company, sec, end, made.id)
    scheduled(company, NOW.replace(month=8, day=31))
    assert len(campaigns.begin_due(company, NOW)) == 1
    with company.store.read() as session:
        row = session.exec(select(ReviewSchedule).where(col(ReviewSchedule.ended_at).is_(None))).one()
    assert (row.next_at, row.day) == (NOW.replace(day=30), 31)
    assert campaigns.months_after(row.next_at, 6, row.day) == NOW.replace(year=2027, month=5, day=31)


def test_it_begins_once_however_often_it_was_due_meanwhile(company: House) -> None:
    scheduled(company, NOW - timedelta(days=400))
    assert len(campaigns.begin_due(company, NOW)) == 1
    assert campaigns.begin_due(company, NOW + timedelta(minutes=1)) == []
    assert NOW < waiting(company).next_at < NOW + timedelta(days=92)


def test_it_waits_for_fresh_data_and_says_why(company: House) -> None:
    scheduled(company)
    late = NOW + timedelta(days=3)
    assert campaigns.begin_due(company, late) == []
    assert "outdated" in (waiting(company).waiting or "")
    read(company, late)
    assert len(campaigns.begin_due(company, late)) == 1
    assert waiting(company).waiting is None


def test_it_waits_while_a_guard_holds_a_feed(company: House) -> None:
    scheduled(company)
    many = "".join(f"n{n},n{n},,active,4,2026-11-20,human,Reader\n" for n in range(30))
    write(company, crm=CRM + many)
    from jobs.pull import pull

    assert {one.status for one in pull(company, [], NOW, at=NOW)} == {"published", "held"}
    assert campaigns.begin_due(company, NOW) == []
    assert waiting(company).waiting == "a guard holds back what Customer CRM said"


def test_one_that_is_refused_stays_one_draft_until_it_can_begin(company: House) -> None:
    sec = actor(company, "sec")
    campaigns.schedule(company, sec, NOW, "Nobody", {"identities": ["hr:nobody"]}, PLAN, 3)
    for hours in range(3):
        assert campaigns.begin_due(company, NOW + timedelta(hours=hours)) == []
    assert waiting(company).waiting == "the scope holds nothing: no account or grant fits it"
    assert [row.status for row in begun(company)] == ["draft"]


def test_nothing_was_read_yet(house: House) -> None:
    scheduled(house)
    assert campaigns.begin_due(house, NOW) == []
    assert "nothing was read yet" in (waiting(house).waiting or "")


def test_what_is_ended_begins_no_more(company: House) -> None:
    row = scheduled(company)
    campaigns.end_schedule(company, actor(company, "sec"), NOW, row.id)
    assert campaigns.begin_due(company, NOW + timedelta(days=1)) == []
    with pytest.raises(AlreadyDecided):
        campaigns.end_schedule(company, actor(company, "sec"), NOW, row.id)
    with pytest.raises(DecisionError):
        campaigns.schedule(company, actor(company, "sec"), NOW, "x", {}, PLAN, 0)


def test_the_last_day_of_a_shorter_month() -> None:
    end = datetime(2027, 11, 30, tzinfo=UTC)
    assert campaigns.months_after(end, 3) == datetime(2028, 2, 29, tzinfo=UTC)
    assert campaigns.months_after(end, 12) == datetime(2028, 11, 30, tzinfo=UTC)
    assert campaigns.months_after(datetime(2026, 12, 31, tzinfo=UTC), 1) == datetime(2027, 1, 31, tzinfo=UTC)


MICRO = {"reviews": {"micro": ["move", "new_privilege", "outlier"], "fallback": "boss@x.example", "days": 5}}
MOVED = "Sue Hart,2021-01-01,,Finance,Accountant,2"


@pytest.fixture
def small(make_house: Any) -> House:
    house = make_house({**TOLD, **MICRO})
    return reviewed(house, NOW - timedelta(days=1))


def test_a_move_raises_one_small_review_by_the_new_manager(small: House) -> None:
    assert campaigns.raise_micro_reviews(small, NOW) == []
    write(small, people=PEOPLE.replace("Sue Hart,2021-01-01,,Sales,Seller,3", MOVED))
    read(small, NOW)
    [id] = campaigns.raise_micro_reviews(small, NOW)
    assert campaigns.raise_micro_reviews(small, NOW + timedelta(hours=1)) == [], "the same move raises no second one"
    row = campaigns.load(small, id)
    assert (row.title, row.template) == ("Sue Hart: access after a move", "micro")
    assert row.due_at == NOW + timedelta(days=5)
    found = items(small, id)
    assert set(found) == {("c7", "Reader"), ("c7", "Seller"), ("w7", None)}
    assert {item.reviewer for item in found.values()} == {"max@x.example"}
    assert (found["c7", "Seller"].recommendation, found["c7", "Seller"].because) == (
        "remove",
        "Kept from before the move of 23 Nov",
    )


def test_nothing_is_raised_unless_it_is_switched_on(company: House) -> None:
    write(company, people=PEOPLE.replace("Sue Hart,2021-01-01,,Sales,Seller,3", MOVED))
    read(company, NOW)
    assert campaigns.raise_micro_reviews(company, NOW) == []
    with pytest.raises(ConfigurationError, match="need a fallback"):
        parse({"reviews": {"micro": ["move"]}})


def test_a_detect_run_keeps_reviews_up_to_date(company: House) -> None:
    scheduled(company, datetime.now(UTC) - timedelta(minutes=1))
    read(company, datetime.now(UTC) - timedelta(minutes=1))
    work.detect(company)
    assert [row.status for row in begun(company)] == ["running"]
