"""Small reviews that an event raises: a privilege that was given, and what hardly any peer holds. Once, and in time."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from conftest import NOW
from msgspec.structs import replace
from sqlmodel import select

from governance import campaigns
from governance.access import Actor
from governance.findings import exclude
from governance.guards import believe
from governance.records import Account, Entitlement, Grant, Identity, Reading
from governance.snapshots import stage
from governance.tables import Campaign, Finding, ReviewItem
from jobs.detect import detect

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEC = Actor("sec@x.example", "Sec", frozenset({"security"}))
ROOT = Entitlement("crm", "root", "Root", privileged=True)
READER = Entitlement("crm", "reader", "Reader", privileged=False)
SECRET = Entitlement("crm", "secret", "Secret")  # whether it is privileged is not told


@pytest.fixture
def settings():
    return {
        "source": [{"name": "hr", "connector": "hr_csv"}],
        "application": [{"name": "crm", "connector": "app_csv", "owner": "owner@x.example"}],
        "reviews": {"micro": ["new_privilege", "outlier"], "fallback": "boss@x.example", "days": 5},
        "actor": [{"email": "sec@x.example", "roles": ["security"]}],
    }


def person(number, **facts):
    told = {"state": "current", "display_name": f"P {number}", "email": f"p{number}@x.example", "manager_id": "hr:1"}
    return Identity("hr", str(number), **{**told, "department": "Finance", "title": "Analyst"} | facts)


BOSS = person(1, manager_id=None, title="Head")


def account(number, **facts):
    told = {"employee_id": str(number), "username": f"p{number}", "active": True}
    return Account("crm", f"a{number}", **told | facts)


def held(number, what=ROOT, since=NOW - DAY):
    return Grant("crm", f"a{number}", what.entitlement_id, "direct", since)


def read(house, at, people, records):
    for feed, told in (("hr", people), ("crm", records)):
        assert believe(house, stage(house, house.settings.feed(feed), told, Reading(), at, at), at, "worker")
    detect(house, at, as_of=at)


def begun(house):
    """Title -> what is reviewed and by whom."""
    with house.store.read() as session:
        found = {}
        for row in session.exec(select(Campaign)):
            items = session.exec(select(ReviewItem).where(ReviewItem.campaign == row.id))
            found[row.title] = {(item.entitlement, item.reviewer) for item in items}
    return found


class TestNewPrivilege:
    def test_raises_one_review_of_everything_the_person_holds_by_their_manager(self, house):
        records = [account(1), account(2), ROOT, READER, held(2), held(2, READER, NOW - 300 * DAY)]
        read(house, NOW, [BOSS, person(2)], records)
        [id] = campaigns.raise_micro_reviews(house, NOW)
        row = campaigns.load(house, id)
        assert (row.title, row.template, row.status) == ("P 2: was given a privilege", "micro", "running")
        assert (row.launched_by, row.due_at) == ("worker", NOW + 5 * DAY)
        assert begun(house) == {row.title: {("Root", "p1@x.example"), ("Reader", "p1@x.example")}}
        assert campaigns.raise_micro_reviews(house, NOW + timedelta(hours=1)) == [], (
            "the same grant raises no second one"
        )

    @pytest.mark.parametrize(
        ("grant", "facts"),
        [
            (held(2, READER), {}),
            (held(2, SECRET), {}),
            (held(2, since=NOW - 7 * DAY - timedelta(seconds=1)), {}),
            (held(2, since=None), {}),
            (held(2), {"state": "ended", "ended_at": NOW - 9 * DAY}),
            (held(3), {}),
        ],
        ids=[
            "not privileged",
            "privilege not told",
            "longer ago",
            "since when not told",
            "a leaver",
            "nobody's account",
        ],
    )
    def test_nothing_else_raises_one(self, house, grant, facts):
        nobody = replace(account(3), employee_id=None)
        read(house, NOW, [BOSS, person(2, **facts)], [account(1), account(2), nobody, ROOT, READER, SECRET, grant])
        assert campaigns.raise_micro_reviews(house, NOW) == []

    def test_a_privilege_given_on_another_day_raises_another_one(self, house):
        people, before = [BOSS, person(2)], [account(1), account(2), ROOT, READER, held(2, READER)]
        admin = Entitlement("crm", "admin", "Admin", privileged=True)
        read(house, NOW, people, [*before, held(2, since=NOW - 7 * DAY)])
        assert len(campaigns.raise_micro_reviews(house, NOW)) == 1, "to the second"
        later = NOW + DAY
        read(
            house,
            later,
            people,
            [*before, admin, held(2, since=NOW - 7 * DAY), held(2, admin, NOW + timedelta(hours=3))],
        )
        assert len(campaigns.raise_micro_reviews(house, later)) == 1

    def test_where_grants_have_no_day_the_first_snapshot_that_holds_it_says_when(self, house):
        people = [BOSS, person(2), person(3)]
        before = [account(1), account(2), account(3), ROOT, READER, held(3, since=None), held(2, READER, None)]
        read(house, NOW - 9 * DAY, people, before)
        read(house, NOW - 8 * DAY, people, before)
        assert campaigns.raise_micro_reviews(house, NOW - 8 * DAY) == [], "what was there from the beginning"
        read(house, NOW - 2 * DAY, people, [*before, held(2, since=None)])
        read(house, NOW - DAY, people, [*before, held(2, since=None)])
        [id] = campaigns.raise_micro_reviews(house, NOW - DAY)
        made = campaigns.load(house, id)
        assert (made.title, made.schedule) == ("P 2: was given a privilege", "micro:new_privilege:hr:2:2026-11-21")
        read(house, NOW, people, [*before, held(2, since=None)])
        assert campaigns.raise_micro_reviews(house, NOW) == []

    def test_one_that_was_taken_away_and_given_again_came_when_it_was_given_first(self, house):
        people, before = [BOSS, person(2)], [account(1), account(2), ROOT, READER, held(2, READER)]
        for days, grants in ((9, []), (3, [held(2, since=None)]), (2, []), (1, [held(2, since=None)])):
            read(house, NOW - days * DAY, people, [*before, *grants])
            assert len(campaigns.raise_micro_reviews(house, NOW - days * DAY)) == (days == 3)

    def test_an_application_read_for_the_first_time_gives_nothing_new(self, house):
        read(house, NOW, [BOSS, person(2)], [account(1), account(2), ROOT, held(2, since=None)])
        assert campaigns.raise_micro_reviews(house, NOW) == []

    def test_where_hundreds_were_given_one_none_is_forgotten(self, house):
        numbers = range(2, 2 + campaigns.micro.MOST + 7)
        records = [account(1), ROOT, *(account(n) for n in numbers), *(held(n) for n in numbers)]
        read(house, NOW, [BOSS, *(person(n) for n in numbers)], records)
        assert [len(campaigns.raise_micro_reviews(house, NOW)) for _ in range(3)] == [campaigns.micro.MOST, 7, 0]
        assert len(begun(house)) == len(numbers)

    def test_nobody_s_own_access_comes_to_themselves(self, house):
        read(house, NOW, [BOSS], [account(1), ROOT, held(1)])
        campaigns.raise_micro_reviews(house, NOW)
        assert begun(house) == {"P 1: was given a privilege": {("Root", "owner@x.example")}}


class TestRefused:
    """Nobody may decide about the application owner who is nobody's report, while the fallback is the owner too."""

    OWN = person(1, manager_id=None, title="Head", email="owner@x.example")

    def refused(self, house):
        own = self.falling(house, "owner@x.example")
        read(own, NOW, [self.OWN], [account(1), ROOT, held(1)])
        return own

    def falling(self, house, fallback):
        """The same house with another fallback."""
        reviews = house.settings.reviews.model_copy(update={"fallback": fallback})
        return dataclasses.replace(house, settings=house.settings.model_copy(update={"reviews": reviews}))

    def statuses(self, house):
        with house.store.read() as session:
            return [row.status for row in session.exec(select(Campaign).order_by(Campaign.id))]

    def test_it_stays_a_draft_and_is_tried_again_without_a_second_one(self, house):
        own = self.refused(house)
        assert [campaigns.raise_micro_reviews(own, NOW + hour * HOUR) for hour in range(3)] == [[], [], []]
        assert self.statuses(house) == ["draft"]

    def test_it_begins_once_somebody_may_decide(self, house):
        own = self.refused(house)
        campaigns.raise_micro_reviews(own, NOW)
        mended = self.falling(own, "boss@x.example")
        [id] = campaigns.raise_micro_reviews(mended, NOW + HOUR)
        assert self.statuses(house) == ["cancelled", "running"]
        assert campaigns.load(house, id).plan["fallback"] == "boss@x.example"
        assert campaigns.raise_micro_reviews(mended, NOW + 2 * HOUR) == []

    def test_one_that_somebody_ended_is_not_raised_again(self, house):
        own = self.refused(house)
        campaigns.raise_micro_reviews(own, NOW)
        with house.store.read() as session:
            draft = session.exec(select(Campaign.id)).one()
        campaigns.cancel(own, SEC, NOW, draft, "decided by word of mouth")
        assert campaigns.raise_micro_reviews(own, NOW + HOUR) == []
        assert self.statuses(house) == ["cancelled"]


class TestOutlier:
    """Twelve analysts; one of them holds what no other does."""

    def outlying(self, house, at=NOW):
        numbers = range(2, 14)
        records = [account(1), READER, SECRET, *(account(n) for n in numbers)]
        records += [*(held(n, READER, None) for n in numbers), held(5, SECRET, None)]
        read(
            house,
            at,
            [BOSS, *(person(n) for n in numbers)],
            [replace(r, privileged=False) if isinstance(r, Account) else r for r in records],
        )

    def finding(self, house):
        with house.store.read() as session:
            return session.exec(select(Finding).where(Finding.rule == "peer_outlier")).one()

    def test_raises_one_review_while_the_finding_is_open(self, house):
        self.outlying(house)
        [id] = campaigns.raise_micro_reviews(house, NOW)
        assert campaigns.load(house, id).title == "P 5: holds what few peers hold"
        assert begun(house) == {
            "P 5: holds what few peers hold": {("Reader", "p1@x.example"), ("Secret", "p1@x.example")}
        }
        self.outlying(house, NOW + DAY)
        assert campaigns.raise_micro_reviews(house, NOW + DAY) == [], "the same finding raises no second one"

    def test_an_exception_that_was_made_raises_none(self, house):
        self.outlying(house)
        exclude(house, SEC, NOW, self.finding(house).fingerprint, NOW + 30 * DAY, "agreed")
        assert campaigns.raise_micro_reviews(house, NOW) == []

    def test_one_opened_longer_ago_raises_none(self, house):
        self.outlying(house)
        assert campaigns.raise_micro_reviews(house, NOW + 7 * DAY + timedelta(seconds=1)) == []
        assert len(campaigns.raise_micro_reviews(house, NOW + 7 * DAY)) == 1

    def test_only_what_the_settings_name_raises_one(self, house, make_house, settings):
        self.outlying(house)
        moves = make_house({**settings, "reviews": {**settings["reviews"], "micro": ["move", "new_privilege"]}})
        assert campaigns.raise_micro_reviews(moves, NOW) == []
