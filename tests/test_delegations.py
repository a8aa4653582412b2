"""Who decides in somebody's place: ten shapes of deputies, leavers and circles, and nobody decides about themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from reviews import PEOPLE, PLAN, TOLD, actor, everything, items, read, reviewed, write

from governance import campaigns
from governance.campaigns import Decision
from governance.errors import AlreadyDecided, DecisionError, FourEyesRequired, NotAllowed
from governance.house import House
from governance.views import campaigns as views
from governance.views import packs, reviews

LATER = NOW + timedelta(days=7)


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house)


def running(house: House, **plan: Any) -> str:
    sec = actor(house, "sec")
    made = campaigns.create(house, sec, NOW, "Autumn", {}, {**PLAN, **plan})
    return campaigns.launch(house, sec, NOW, made.id).id


def away(house: House, who: str, deputy: str, **more: Any) -> Any:
    return campaigns.delegate(house, actor(house, who), NOW, f"{deputy}@x.example", LATER, "holiday", **more)


def decide(house: House, who: str, id: str, account: str, held: str | None, at: Any = NOW) -> None:
    number = items(house, id)[account, held].number
    campaigns.decide(house, actor(house, who), at, id, [Decision(number, "keep")])


def test_a_deputy_is_asked_from_the_beginning(company: House) -> None:
    away(company, "max", "lea")
    item = items(company, running(company))["c5", "Reader"]
    assert (item.reviewer, item.via) == ("lea@x.example", "manager, for max@x.example")


def test_who_stands_in_later_decides_what_was_given_before(company: House) -> None:
    id = running(company)
    with pytest.raises(NotAllowed):
        decide(company, "lea", id, "c5", "Reader")
    away(company, "max", "lea")
    decide(company, "lea", id, "c5", "Reader")
    item = items(company, id)["c5", "Reader"]
    assert (item.reviewer, item.decided_by) == ("max@x.example", "lea@x.example")
    assert [one.campaign.id for one in reviews.mine(company, actor(company, "lea"), NOW)] == [id]


def test_what_a_reviewer_signed_is_void_once_their_deputy_decides_anew(company: House) -> None:
    id, sec = running(company), actor(company, "sec")
    everything(company, id)
    for who in ("max", "lea"):
        campaigns.sign(company, actor(company, who), NOW, id)
    away(company, "max", "ann")
    decide(company, "ann", id, "c5", "Reader")
    campaigns.decide(
        company, actor(company, "ann"), NOW, id, [Decision(items(company, id)["c6", "Reader"].number, "undo")]
    )
    campaigns.end_delegation(company, sec, NOW, campaigns.delegations(company, NOW)[0].id)
    away(company, "max", "lea")
    assert [one.signed for one in reviews.mine(company, actor(company, "lea"), NOW)] == [True], "of her own"
    assert views.progress(company, sec, id).signed == {"lea@x.example"}


def test_a_deputy_decides_nothing_about_themselves(company: House) -> None:
    away(company, "max", "ann")
    id = running(company)
    assert items(company, id)["c4", "Reader"].reviewer == "max@x.example", "Ann's own access stays with her manager"
    assert items(company, id)["c5", "Reader"].reviewer == "ann@x.example"
    with pytest.raises(FourEyesRequired):
        decide(company, "ann", id, "c4", "Reader")


def test_it_ends_with_its_day_and_when_it_is_taken_back(company: House) -> None:
    id = running(company)
    row = away(company, "max", "lea")
    with pytest.raises(NotAllowed):
        decide(company, "lea", id, "c5", "Reader", LATER)
    campaigns.end_delegation(company, actor(company, "max"), NOW, row.id)
    with pytest.raises(NotAllowed):
        decide(company, "lea", id, "c5", "Reader")
    with pytest.raises(AlreadyDecided):
        campaigns.end_delegation(company, actor(company, "max"), NOW, row.id)


def test_no_chain_in_either_direction(company: House) -> None:
    away(company, "max", "lea")
    with pytest.raises(DecisionError, match="no chains"):
        away(company, "lea", "eva")
    with pytest.raises(DecisionError, match="no chains"):
        away(company, "eva", "max")
    with pytest.raises(DecisionError, match="no chains"):
        away(company, "max", "eva")
    assert [(row.actor, row.deputy) for row in campaigns.delegations(company, NOW)] == [
        ("max@x.example", "lea@x.example")
    ]


@pytest.mark.parametrize(
    ("deputy", "until", "reason", "error"),
    [
        ("max", LATER, "holiday", DecisionError),  # oneself
        ("ida", LATER, "holiday", NotAllowed),  # a leaver
        ("lea", NOW, "holiday", DecisionError),  # over before it begins
        ("lea", NOW + timedelta(days=91), "holiday", DecisionError),  # too long
        ("lea", LATER, " ", DecisionError),
    ],
)
def test_what_is_no_delegation(company: House, deputy: str, until: Any, reason: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        campaigns.delegate(company, actor(company, "max"), NOW, f"{deputy}@x.example", until, reason)
    assert campaigns.delegations(company, NOW) == []


def test_only_security_arranges_it_for_others(company: House) -> None:
    with pytest.raises(NotAllowed):
        away(company, "lea", "eva", of="max@x.example")
    assert away(company, "sec", "eva", of="max@x.example").by == "sec@x.example"


def test_a_deputy_who_left_is_not_asked(house: House) -> None:
    write(house)
    read(house, NOW - timedelta(days=2))
    away(house, "max", "lea")
    left = "3,terminated,lea@x.example,Lea Bach,2020-01-01,2026-11-21"
    write(house, people=PEOPLE.replace("3,active,lea@x.example,Lea Bach,2020-01-01,", left))
    read(house, NOW - timedelta(days=1))
    assert items(house, running(house))["c5", "Reader"].reviewer == "max@x.example"


def test_a_circle_of_managers_ends_with_the_fallback(house: House) -> None:
    everybody_left = PEOPLE.replace(
        "1,active,eva@x.example,Eva Lind,2020-01-01,,Board,Director,,",
        "1,terminated,eva@x.example,Eva Lind,2020-01-01,2026-09-30,Board,Director,2,",
    )
    everybody_left = everybody_left.replace(
        "2,active,max@x.example,Max Orth,2020-01-01,", "2,terminated,max@x.example,Max Orth,2020-01-01,2026-09-30"
    )
    write(house, people=everybody_left)
    read(house, NOW - timedelta(days=1))
    item = items(house, running(house, levels=[["manager"]]))["c4", "Reader"]
    assert (item.reviewer, item.via) == ("boss@x.example", "fallback: no manager is known")


def test_items_are_given_to_somebody_else_with_a_reason_but_never_their_own(company: House) -> None:
    id = running(company)
    sec = actor(company, "sec")
    numbers = campaigns.open_numbers(company, id, "max@x.example")
    with pytest.raises(FourEyesRequired):
        campaigns.reassign(company, sec, NOW, id, numbers, "ann@x.example", "on leave")
    with pytest.raises(NotAllowed):
        campaigns.reassign(company, sec, NOW, id, numbers, "ida@x.example", "on leave")
    with pytest.raises(DecisionError):
        campaigns.reassign(company, sec, NOW, id, numbers, "lea@x.example", " ")
    assert campaigns.reassign(company, sec, NOW, id, numbers, "lea@x.example", "on leave") == len(numbers) == 5


def test_the_one_removal_of_many_that_nobody_carried_out_is_found(company: House) -> None:
    """FAULTS.md H7: a decision alone closes nothing."""
    from governance import remediation
    from governance.remediation.execution import prove

    id = running(company, undecided="keep")
    wanted = {"c4": "ann", "c5": "ben", "c6": "tom"}
    found = items(company, id)
    chosen = [Decision(found[account, "Reader"].number, "remove", "not needed") for account in wanted]
    campaigns.decide(company, actor(company, "max"), NOW, id, chosen)
    campaigns.close(company, actor(company, "sec"), NOW, id)
    waiting = packs.not_carried_out(company, actor(company, "audit"))
    assert {r.account_id for r in waiting} == set(wanted)
    remediation.approve(company, actor(company, "other"), NOW, [r.id for r in waiting], "yes")
    with company.store.write() as session:
        for r in waiting[:2]:
            prove(session, session.merge(r), NOW, "worker", {"active": None, "gone": False, "entitlement_held": False})
    [left] = packs.not_carried_out(company, actor(company, "audit"))
    assert left.id == waiting[2].id
    [card] = views.cards(company, actor(company, "sec"))
    assert card.not_proved == 1
