"""A reviewer is one person under all their addresses, however these are written where a review names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW, MakeHouse
from reviews import PEOPLE, PLAN, TOLD, actor, items, read, running, write

from governance import campaigns
from governance.campaigns import Decision
from governance.campaigns.delegating import decides_for
from governance.errors import DecisionError, FourEyesRequired, NotAllowed
from governance.house import House
from governance.settings import ActorSettings
from governance.views.campaigns import progress
from governance.views.reviews import mine

LATER = NOW + timedelta(hours=1)
OWNERS = {"levels": [["application_owner"]]}


def company(make_house: MakeHouse, owner: str = "ann@x.example", *, people: str = PEOPLE, **aliases: str) -> House:
    """The company read once; `owner` of the wiki; `aliases` by the name before the @."""
    told: dict[str, Any] = {**TOLD, "application": [TOLD["application"][0], {**TOLD["application"][1], "owner": owner}]}
    head, *rows = people.strip().split("\n")
    known = {name: f"{alias}@x.example" for name, alias in aliases.items()}
    named = [f"{row},{known.get(row.split(',')[2].partition('@')[0].lower(), '')}" for row in rows]
    house = make_house(told)
    write(house, people="\n".join([f"{head},aliases", *named, ""]))
    return read(house, NOW - timedelta(days=1))


def named_twice(make_house: MakeHouse) -> House:
    """The same, where the settings name Ann under two addresses."""
    house = company(make_house, ann="a.roth")
    entries = (*house.settings.actor, ActorSettings(email="a.roth@x.example", roles=("auditor",)))
    return replace(house, settings=house.settings.model_copy(update={"actor": entries}))


def given(house: House, name: str) -> int:
    """How many items this person finds on their page."""
    return sum(one.given for one in mine(house, actor(house, name), LATER))


@pytest.mark.parametrize(
    ("owner", "aliases"),
    [("Ann@X.example", {}), ("a.roth@x.example", {"ann": "a.roth"}), ("A.Roth@x.example ", {"ann": "a.roth"})],
)
def test_an_owner_finds_and_decides_what_is_theirs_but_their_own(
    make_house: MakeHouse, owner: str, aliases: dict[str, str]
) -> None:
    house = company(make_house, owner, **aliases)
    id = running(house, plan={**PLAN, **OWNERS})
    found = items(house, id)
    assert (found["w7", None].reviewer, given(house, "ann")) == ("ann@x.example", 1)
    assert (found["w4", None].reviewer, found["w4", None].via) == (
        "boss@x.example",
        "fallback: the application owner would review their own access",
    )
    campaigns.decide(house, actor(house, "ann"), LATER, id, [Decision(found["w7", None].number, "keep")])
    campaigns.sign(house, actor(house, "ann"), LATER, id)


def test_a_manager_whose_source_writes_them_in_another_case_finds_their_items(make_house: MakeHouse) -> None:
    house = company(
        make_house, people=PEOPLE.replace("ann@x.example,", "Ann@X.example,").replace(",2,employee", ",4,employee")
    )
    id = running(house)
    assert {item.reviewer for item in items(house, id).values() if item.via == "manager"} >= {"ann@x.example"}
    assert given(house, "ann") == 3


def test_a_fallback_is_known_by_an_alias_too(make_house: MakeHouse) -> None:
    house = company(make_house, ida="i.fern", eva="e.lind")
    with pytest.raises(DecisionError, match="the fallback has left"):
        running(house, plan={**PLAN, "fallback": "i.fern@x.example", "levels": [["manager"]]})
    with pytest.raises(DecisionError, match="the fallback would review their own access"):
        running(house, plan={**PLAN, "fallback": "E.Lind@x.example", "levels": [["manager"]]})
    id = running(house, plan={**PLAN, "fallback": "Boss@X.example"})
    first = next(item for item in items(house, id).values() if item.reviewer == "max@x.example")
    campaigns.decide(house, actor(house, "max"), LATER, id, [Decision(first.number, "not_mine", "no report of mine")])
    assert given(house, "boss") == 1


def test_a_deputy_and_who_is_given_items_are_known_by_an_alias_too(make_house: MakeHouse) -> None:
    house = company(make_house, ann="a.roth", max="m.orth", ida="i.fern")
    until, sec = NOW + timedelta(days=9), actor(house, "sec")
    with pytest.raises(DecisionError, match="somebody else"):
        campaigns.delegate(house, actor(house, "max"), NOW, "M.Orth@x.example", until, "away")
    with pytest.raises(NotAllowed, match="has left"):
        campaigns.delegate(house, actor(house, "max"), NOW, "i.fern@x.example", until, "away")
    campaigns.delegate(house, actor(house, "max"), NOW, "A.Roth@x.example", until, "away")
    with pytest.raises(DecisionError, match="no chains"):
        campaigns.delegate(house, sec, NOW, "lea@x.example", until, "away", of="a.roth@x.example")
    id = running(house)
    found = items(house, id)
    assert (found["c5", "Reader"].reviewer, found["c4", "Reader"].reviewer) == ("ann@x.example", "max@x.example")
    assert given(house, "ann") == 5
    with pytest.raises(FourEyesRequired):
        campaigns.reassign(house, sec, NOW, id, [found["c4", "Reader"].number], "a.roth@x.example", "on leave")
    campaigns.reassign(house, sec, NOW, id, [found["c7", "Reader"].number], "a.roth@x.example", "on leave")
    campaigns.decide(house, actor(house, "ann"), LATER, id, [Decision(found["c7", "Reader"].number, "keep")])


def test_who_decides_anew_under_another_of_their_addresses_has_not_signed_that(make_house: MakeHouse) -> None:
    both = named_twice(make_house)
    id = running(both, plan={**PLAN, **OWNERS})
    own, one, other = items(both, id)["w7", None], actor(both, "ann"), actor(both, "a.roth")
    assert one.email != other.email
    campaigns.decide(both, one, LATER, id, [Decision(own.number, "remove")])
    campaigns.sign(both, one, LATER, id)
    campaigns.decide(both, other, LATER, id, [Decision(own.number, "keep")])
    assert [told.signed for told in mine(both, other, LATER)] == [False]
    campaigns.sign(both, other, LATER, id)
    assert progress(both, actor(both, "sec"), id).signed == {own.reviewer}, "as the list of reviewers names them"


def test_whom_the_settings_name_twice_is_one_reviewer_and_has_one_deputy(make_house: MakeHouse) -> None:
    both = named_twice(make_house)
    id = running(both, plan={**PLAN, "levels": [["application_owner"], ["a.roth@x.example"]]})
    own = items(both, id)["w7", None]
    assert (own.reviewer, own.later) == ("ann@x.example", [])
    other, max_ = actor(both, "a.roth"), actor(both, "max")
    campaigns.delegate(both, other, NOW, "max@x.example", NOW + timedelta(days=9), "away")
    assert decides_for(both, max_, LATER) == {"ann@x.example", "max@x.example"}
    campaigns.decide(both, max_, LATER, id, [Decision(own.number, "keep")])


def test_an_alias_that_is_somebody_else_s_own_address_gives_nothing_that_is_theirs(make_house: MakeHouse) -> None:
    house = company(make_house, ann="max", sue="max")
    id = running(house)
    number = items(house, id)["c5", "Reader"].number
    assert items(house, id)["c5", "Reader"].reviewer == "max@x.example"
    assert (given(house, "ann"), given(house, "max")) == (0, 3)
    with pytest.raises(NotAllowed, match=r"reviewed by max@x.example"):
        campaigns.decide(house, actor(house, "ann"), LATER, id, [Decision(number, "keep")])
    sec, until = actor(house, "sec"), NOW + timedelta(days=9)
    campaigns.delegate(house, sec, NOW, "max@x.example", until, "away", of="lea@x.example")
    assert decides_for(house, actor(house, "ann"), LATER) == {"ann@x.example"}
    with pytest.raises(NotAllowed):
        campaigns.delegate(house, actor(house, "ann"), NOW, "boss@x.example", until, "away", of="max@x.example")


def test_who_has_an_alias_that_is_an_actor_s_own_address_keeps_what_is_theirs(make_house: MakeHouse) -> None:
    house = company(make_house, max="ann")
    assert items(house, running(house))["c5", "Reader"].reviewer == "max@x.example"
