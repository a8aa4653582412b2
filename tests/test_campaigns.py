"""Campaigns: what is reviewed, by whom, how it is frozen, and who may run one."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from conftest import NOW
from reviews import (
    CRM,
    PEOPLE,
    PLAN,
    TOLD,
    actor,
    items,
    read,
    reviewed,
    running,
    write,
)

from governance import campaigns
from governance.errors import AlreadyDecided, DecisionError, NotAllowed
from governance.house import House
from tests.seeded import put_whole_before


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house)


def test_every_grant_of_every_live_account_is_an_item(company):
    found = items(company, running(company))
    assert ("c12", "Reader") not in found, "an inactive account opens nothing"
    assert {key for key in found if key[0] == "c8"} == {("c8", "Admin"), ("c8", "Reader"), ("c8", "Seller")}
    assert ("w4", None) in found, "an account of which no grant is told is reviewed itself"
    assert [row.number for row in found.values()] == list(range(1, len(found) + 1))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"applications": ["wiki"]}, {("w4", None), ("w7", None)}),
        ({"privileged": True}, {("c2", "Admin"), ("c3", "Admin"), ("c8", "Admin"), ("c10", "Admin")}),
        ({"entitlements": ["sel*"]}, {("c6", "Seller"), ("c7", "Seller"), ("c8", "Seller")}),
        ({"leavers": True}, {("c9", "Reader")}),
        ({"orphans": True}, {("c11", "Reader")}),
        ({"non_human": True}, {("c10", "Admin")}),
        ({"workers": ["contractor"]}, {("c8", "Admin"), ("c8", "Reader"), ("c8", "Seller")}),
        ({"rules": ["ghost"]}, {("c9", "Reader")}),
        ({"departments": ["Sales"], "privileged": True}, {("c3", "Admin"), ("c8", "Admin")}),
        ({"items": "accounts", "applications": ["crm"], "departments": ["Board"]}, {("c1", None)}),
        ({"identities": ["hr:5"]}, {("c5", "Reader")}),
        ({"movers_days": 30}, None),
    ],
)
def test_a_scope_takes_exactly_this(company, scope, expected):
    if expected is None:
        with pytest.raises(DecisionError, match="holds nothing"):
            running(company, scope)
    else:
        assert set(items(company, running(company, scope))) == expected


def test_who_must_decide(company):
    found = items(company, running(company))
    assert (found["c4", "Reader"].reviewer, found["c4", "Reader"].via) == ("max@x.example", "manager")
    assert found["c9", "Reader"].reviewer == "lea@x.example", "a leaver's manager still knows"
    assert (found["c10", "Admin"].reviewer, found["c10", "Admin"].via) == ("owner@x.example", "application owner")
    assert (found["c1", "Reader"].reviewer, found["c1", "Reader"].via) == ("owner@x.example", "application owner")


def test_nobody_reviews_their_own_access(company):
    plan = {**PLAN, "levels": [["application_owner"]], "fallback": "boss@x.example"}
    found = items(company, running(company, {"applications": ["wiki"]}, plan))
    assert found["w4", None].reviewer == "boss@x.example"
    assert found["w4", None].via == "fallback: the application owner would review their own access"
    assert found["w7", None].reviewer == "ann@x.example"


def test_a_manager_who_left_is_passed_over(house):
    write(
        house,
        people=PEOPLE.replace(
            "2,active,max@x.example,Max Orth,2020-01-01,", "2,terminated,max@x.example,Max Orth,2020-01-01,2026-09-30"
        ),
    )
    read(house, NOW - timedelta(days=1))
    assert items(house, running(house))["c4", "Reader"].reviewer == "eva@x.example"


def test_what_nobody_may_decide_stops_the_launch_and_is_named_before(company):
    plan = {**PLAN, "levels": [["application_owner"]], "fallback": "ann@x.example"}
    sec = actor(company, "sec")
    seen = campaigns.preview(company, sec, NOW, {"applications": ["wiki"]}, plan)
    assert [(row["application"], row["username"]) for row in seen.unresolved] == [("wiki", "ann")]
    made = campaigns.create(company, sec, NOW, "Wiki", {"applications": ["wiki"]}, plan)
    with pytest.raises(DecisionError, match=r"wiki/ann.*own access.*name another fallback"):
        campaigns.launch(company, sec, NOW, made.id)
    assert campaigns.load(company, made.id).status == "draft"
    assert items(company, made.id) == {}


def test_what_another_review_asks_about_already_is_said_before_a_second_one_begins(company):
    sec = actor(company, "sec")
    assert campaigns.preview(company, sec, NOW, {}, PLAN).asked == ()
    first = running(company, {"applications": ["wiki"]})
    [said] = campaigns.preview(company, sec, NOW, {}, PLAN).asked
    assert (said.campaign, said.title, said.items) == (first, "Autumn", 2)
    assert said.said.startswith("2 of these items are under review already: “Autumn”, due 2026-")
    assert campaigns.preview(company, sec, NOW, {"applications": ["crm"]}, PLAN).asked == ()
    second = running(company)
    assert [(one.campaign, one.items) for one in campaigns.asked_besides(company, second)] == [(first, 2)]
    campaigns.cancel(company, sec, NOW, first, "one is enough")
    assert campaigns.asked_besides(company, second) == (), "what does not run asks nobody"


def test_preview_counts_what_launch_freezes(company):
    sec = actor(company, "sec")
    seen = campaigns.preview(company, sec, NOW, {}, PLAN)
    found = items(company, running(company))
    assert seen.items == len(found)
    assert sum(seen.reviewers.values()) == len(found)
    assert seen.applications == {"crm": len(found) - 2, "wiki": 2}
    assert seen.privileged == 4
    assert seen.unknown == ()
    assert seen.fallbacks == {}


def test_recommendations_say_one_reason(company):
    found = items(company, running(company))
    told = {key: (row.recommendation, row.because) for key, row in found.items()}
    assert told["c9", "Reader"] == ("remove", "No longer works here since 1 Nov")
    assert told["c4", "Reader"] == ("keep", "Role mapping grants it; used this week")
    assert told["c5", "Reader"] == ("remove", "Unused 267 days")
    assert told["c8", "Admin"] == ("change", "Privileged, and the role mapping does not give it")
    assert told["c11", "Reader"] == ("judge", "No owner is known")
    assert told["w7", None] == ("judge", "Last use unknown")


def test_left_out_accounts_are_named_and_counted(company):
    out = [
        {"application": "crm", "account": "eva", "owner": "boss@x.example", "why": "board, reviewed by the auditors"}
    ]
    id = running(company, {"applications": ["crm"], "left_out": out})
    assert ("c1", "Reader") not in items(company, id)
    said = campaigns.load(company, id).statement
    assert [(row["username"], row["owner"], row["left_out"]) for row in said["left_out"]] == [
        ("eva", "boss@x.example", "board, reviewed by the auditors")
    ]
    assert said["accounts"] == {"read": 12, "inactive": 1, "reviewed": 10, "left_out": 1, "outside_scope": 0}


def test_the_population_is_frozen_with_its_hash_and_where_it_came_from(company):
    id = running(company)
    made = campaigns.load(company, id)
    file = company.home / made.population
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made.population_sha256
    frame = pl.read_parquet(file)
    assert frame.height == len(items(company, id))
    sources = {one["feed"]: one for one in made.statement["sources"]}
    assert set(sources) == {"hr", "crm", "wiki"}
    assert (sources["crm"]["rows_read"], sources["crm"]["kept"], sources["crm"]["rejected"]) == (12, 12, 0)
    assert len(sources["crm"]["sha256"]) == 64
    write(company, crm=CRM.replace("c4,ann", "c4,anna"))
    read(company, NOW + timedelta(days=1))
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made.population_sha256
    assert items(company, id)["c4", "Reader"].username == "ann"


def test_a_population_read_as_changes_says_when_everything_was_read(company):
    put_whole_before(company, "crm", timedelta(hours=3), rows_read=11, rejected=2)
    made = campaigns.load(company, running(company))
    sources = {one["feed"]: one for one in made.statement["sources"]}
    crm = sources["crm"]
    assert crm["whole_at"] == (NOW - timedelta(days=1, hours=3)).isoformat()
    assert crm["whole"] == {"rows_read": 11, "duplicates": 0, "rejected": 2}
    assert crm["changes"] == {"rows_read": 12, "duplicates": 0, "rejected": 0}
    assert "whole_at" not in sources["wiki"], "read whole"


@pytest.mark.parametrize("who", ["max", "owner", "boss", "audit", "adm"])
def test_only_security_runs_campaigns(company, who):
    id = running(company)
    me = actor(company, who)
    for verb in (
        lambda: campaigns.create(company, me, NOW, "x", {}, PLAN),
        lambda: campaigns.preview(company, me, NOW, {}, PLAN),
        lambda: campaigns.launch(company, me, NOW, id),
        lambda: campaigns.close(company, me, NOW, id),
        lambda: campaigns.cancel(company, me, NOW, id, "x"),
        lambda: campaigns.reassign(company, me, NOW, id, [1], "boss@x.example", "x"),
        lambda: campaigns.schedule(company, me, NOW, "x", {}, PLAN, 3),
    ):
        with pytest.raises(NotAllowed):
            verb()


def test_a_launch_is_made_once(company):
    id = running(company)
    with pytest.raises(AlreadyDecided):
        campaigns.launch(company, actor(company, "sec"), NOW, id)


@pytest.mark.parametrize(
    ("scope", "plan", "said"),
    [
        ({"aplications": ["crm"]}, PLAN, "aplications: this key is not known"),
        ({}, {**PLAN, "levels": [["boss"]]}, "'boss': expected manager"),
        ({}, {"levels": [["manager"]]}, "fallback"),
        ({}, {**PLAN, "levels": []}, "levels"),
        ({}, {**PLAN, "days": 0}, "days"),
    ],
)
def test_a_wrong_campaign_is_refused_with_the_key(company, scope, plan, said):
    with pytest.raises(DecisionError, match=said):
        campaigns.create(company, actor(company, "sec"), NOW, "x", scope, plan)


def test_reviewers_are_given_more_time_with_a_reason(company):
    id = running(company)
    sec = actor(company, "sec")
    more = NOW + timedelta(days=30)
    assert campaigns.extend(company, sec, NOW, id, more, "half the team was ill").due_at == more
    for until, reason in ((NOW + timedelta(days=20), "earlier"), (NOW + timedelta(days=181), "too long"), (more, " ")):
        with pytest.raises(DecisionError):
            campaigns.extend(company, sec, NOW, id, until, reason)
    assert campaigns.load(company, id).due_at == more
    with pytest.raises(NotAllowed):
        campaigns.extend(company, actor(company, "max"), NOW, id, more + timedelta(days=1), "please")
