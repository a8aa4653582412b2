"""Deciding review items: by whom, how often, what it takes, and what the pace tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from reviews import (
    CRM,
    PEOPLE,
    PLAN,
    TOLD,
    actor,
    decide,
    everything,
    items,
    read,
    reviewed,
    running,
    write,
)
from sqlmodel import select

from governance import campaigns
from governance.campaigns import Decision
from governance.errors import DecisionError, FourEyesRequired, NotAllowed
from governance.house import House
from governance.tables import ReviewDecision, ReviewItem
from governance.views.campaigns import progress
from governance.views.reviews import mine


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house)


def test_the_last_decision_counts_and_all_are_kept(company):
    id = running(company)
    decide(company, "max", id, ("c4", "Reader", "remove"))
    decide(company, "max", id, ("c4", "Reader", "keep"))
    item = items(company, id)["c4", "Reader"]
    assert (item.decision, item.decided_by) == ("keep", "max@x.example")
    decide(company, "max", id, ("c4", "Reader", "undo"))
    assert items(company, id)["c4", "Reader"].decision is None
    with company.store.read() as session:
        log = [one.decision for one in session.exec(select(ReviewDecision))]
    assert sorted(log) == ["keep", "remove", "undo"]


def test_a_press_that_is_told_twice_counts_once(company):
    id = running(company)
    assert len(decide(company, "max", id, ("c4", "Reader", "remove"), nonce="press-000001")) == 1
    assert decide(company, "max", id, ("c4", "Reader", "remove"), nonce="press-000001") == []
    with company.store.read() as session:
        assert len(session.exec(select(ReviewDecision)).all()) == 1


@pytest.mark.parametrize("who", ["lea", "owner", "sec", "boss", "audit", "ann"])
def test_only_the_reviewer_decides(company, who):
    id = running(company)
    with pytest.raises(NotAllowed, match="reviewed by max"):
        decide(company, who, id, ("c4", "Reader", "keep"))


def test_own_access_is_refused_even_when_it_was_assigned(company):
    id = running(company)
    with company.store.write() as session:
        row = session.exec(select(ReviewItem).where(ReviewItem.account_id == "c2")).first()
        row.reviewer = "max@x.example"
        session.add(row)
    with pytest.raises(FourEyesRequired):
        decide(company, "max", id, ("c2", row.entitlement, "keep"))


def test_many_at_once_need_one_recommendation_a_reason_and_nothing_critical(company):
    id = running(company)
    both = [("c4", "Reader", "keep"), ("c6", "Reader", "keep")]
    with pytest.raises(DecisionError, match="needs a reason"):
        decide(company, "max", id, *both, bulk=True)
    with pytest.raises(DecisionError, match="same recommendation"):
        decide(company, "max", id, *both, ("c5", "Reader", "keep"), bulk=True, reason="fine")
    with pytest.raises(DecisionError, match="critical"):
        decide(company, "lea", id, ("c8", "Admin", "keep"), ("c7", "Seller", "keep"), bulk=True, reason="fine")
    assert len(decide(company, "max", id, *both, bulk=True, reason="all accountants read")) == 2


def test_a_change_says_what_it_should_be(company):
    id = running(company)
    with pytest.raises(DecisionError, match="instead"):
        decide(company, "lea", id, ("c8", "Admin", "change"))
    decide(company, "lea", id, ("c8", "Admin", "change"), reason="Reader only")


def test_not_mine_goes_to_the_fallback_and_comes_back_while_it_is_open(company):
    id = running(company)
    decide(company, "max", id, ("c4", "Reader", "not_mine"), reason="She moved to Lea")
    item = items(company, id)["c4", "Reader"]
    assert (item.reviewer, item.decision) == ("boss@x.example", None)
    assert "She moved to Lea" in item.via
    decide(company, "max", id, ("c4", "Reader", "keep"))
    assert items(company, id)["c4", "Reader"].reviewer == "max@x.example"
    decide(company, "max", id, ("c5", "Reader", "not_mine"))
    decide(company, "boss", id, ("c5", "Reader", "remove"))
    with pytest.raises(NotAllowed):
        decide(company, "max", id, ("c5", "Reader", "keep"))


def test_levels_follow_each_other_until_somebody_removes(company):
    plan = {**PLAN, "levels": [["application_owner"], ["manager"]]}
    id = running(company, {"entitlements": ["Seller"]}, plan)
    decide(company, "owner", id, ("c6", "Seller", "keep"), ("c7", "Seller", "remove"))
    found = items(company, id)
    assert (found["c6", "Seller"].reviewer, found["c6", "Seller"].level) == ("max@x.example", 2)
    assert (found["c7", "Seller"].decision, found["c7", "Seller"].level) == ("remove", 1)
    decide(company, "owner", id, ("c6", "Seller", "undo"))
    assert (items(company, id)["c6", "Seller"].reviewer, items(company, id)["c6", "Seller"].level) == (
        "owner@x.example",
        1,
    )
    decide(company, "owner", id, ("c6", "Seller", "keep"))
    decide(company, "max", id, ("c6", "Seller", "keep"))
    assert items(company, id)["c6", "Seller"].decision == "keep"
    with pytest.raises(NotAllowed):
        decide(company, "owner", id, ("c6", "Seller", "remove"))


def test_signing_needs_everything_decided_and_is_void_after_another_decision(company):
    id = running(company)
    with pytest.raises(DecisionError, match=r"of \d+ items are not decided"):
        campaigns.sign(company, actor(company, "max"), NOW, id)
    everything(company, id)
    assert campaigns.sign(company, actor(company, "max"), NOW, id).reviewer == "max@x.example"
    with pytest.raises(NotAllowed):
        campaigns.sign(company, actor(company, "audit"), NOW, id)


def test_what_is_told_again_voids_no_signature(company):
    id = running(company)
    number = items(company, id)["c5", "Reader"].number
    told = [Decision(number, "keep", nonce="a" * 26)]
    campaigns.decide(company, actor(company, "max"), NOW, id, told)
    everything(company, id)
    campaigns.sign(company, actor(company, "max"), NOW, id)
    assert campaigns.decide(company, actor(company, "max"), NOW, id, told) == []
    assert progress(company, actor(company, "sec"), id).signed == {"max@x.example"}


def test_items_are_given_to_an_address_and_to_nothing_else(company):
    id = running(company)
    number = items(company, id)["c7", "Reader"].number
    for nobody in ("lea", " "):
        with pytest.raises(DecisionError, match="expected the e-mail"):
            campaigns.reassign(company, actor(company, "sec"), NOW, id, [number], nobody, "Max is ill")


def test_who_was_given_more_since_they_signed_has_not_signed_that(company):
    id, sec = running(company), actor(company, "sec")
    lea, max_ = (actor(company, name) for name in ("lea", "max"))
    number = items(company, id)["c7", "Reader"].number
    everything(company, id)
    campaigns.decide(company, lea, NOW, id, [Decision(number, "undo")])
    campaigns.sign(company, max_, NOW, id)
    assert [one.signed for one in mine(company, max_, NOW)] == [True]
    campaigns.reassign(company, sec, NOW, id, [number], "max@x.example", "Lea is ill")
    assert [one.signed for one in mine(company, max_, NOW)] == [False]
    assert progress(company, sec, id).signed == frozenset()


def test_recommendations_follow_the_facts_and_the_first_one_is_kept(company):
    id = running(company)
    decide(company, "max", id, ("c6", "Reader", "keep"))
    write(
        company,
        people=PEOPLE.replace(
            "4,active,ann@x.example,Ann Roth,2021-01-01,", "4,terminated,ann@x.example,Ann Roth,2021-01-01,2026-11-24"
        ),
    )
    read(company, NOW + timedelta(days=3))
    changed = campaigns.refresh(company, NOW + timedelta(days=3))
    assert changed["recommendations"] >= 1
    item = items(company, id)["c4", "Reader"]
    assert (item.recommendation, item.first_recommendation) == ("remove", "keep")
    assert item.recommended_at == NOW + timedelta(days=3)
    assert items(company, id)["c6", "Reader"].recommended_at is None, "what is decided stays as it was shown"


def test_nobody_waits_for_a_reviewer_who_left(company):
    id = running(company)
    write(
        company,
        people=PEOPLE.replace(
            "2,active,max@x.example,Max Orth,2020-01-01,", "2,terminated,max@x.example,Max Orth,2020-01-01,2026-11-23"
        ),
    )
    read(company, NOW + timedelta(days=3))
    assert campaigns.refresh(company, NOW + timedelta(days=3))["reviewers"] == 5
    assert items(company, id)["c4", "Reader"].reviewer == "boss@x.example"
    with pytest.raises(NotAllowed, match="has left"):
        decide(company, "max", id, ("c4", "Reader", "keep"))


def test_five_hundred_decisions_in_ten_seconds_are_flagged(house):
    many = "".join(f"c{n},extra{n},,active,4,2026-11-20,human,Reader\n" for n in range(100, 600))
    write(house, crm=CRM + many)
    read(house, NOW - timedelta(hours=1))
    id = running(house)
    me = actor(house, "max")
    mine = [item for item in items(house, id).values() if item.reviewer == "max@x.example"][:500]
    for place, item in enumerate(mine):
        at = NOW + timedelta(seconds=place * 0.02)
        campaigns.decide(house, me, at, id, [Decision(item.number, "keep")])
    with house.store.read() as session:
        [found] = [q for q in campaigns.quality(session, id) if q.reviewer == "max@x.example"]
    assert found.decided == 500
    assert found.flags == ("500 decisions, 0.0 s each",)
