"""Campaigns: what is reviewed, by whom, how it is frozen, decided and closed."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from conftest import NOW
from reviews import CRM, PEOPLE, PLAN, TOLD, WIKI, actor, carried_out, items, read, reviewed, write
from sqlmodel import select

from governance import campaigns, remediation
from governance.campaigns import Decision
from governance.errors import (
    AlreadyDecided,
    CampaignClosed,
    DecisionError,
    FourEyesRequired,
    NotAllowed,
)
from governance.house import House
from governance.tables import AuditEntry, EvidencePack, Remediation, Request, ReviewDecision, ReviewItem


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house)


def running(house: House, scope: dict[str, Any] | None = None, plan: dict[str, Any] | None = None) -> str:
    sec = actor(house, "sec")
    made = campaigns.create(house, sec, NOW, "Autumn", scope or {}, plan or PLAN)
    return campaigns.launch(house, sec, NOW, made.id).id


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


def decide(house: House, who: str, id: str, *choices: tuple[Any, ...], **more: Any) -> list[ReviewDecision]:
    found = items(house, id)
    wanted = [Decision(found[account, held].number, word, **more) for account, held, word in choices]
    return campaigns.decide(house, actor(house, who), NOW + timedelta(hours=1), id, wanted)


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


def everything(house: House, id: str, word: str = "keep", **other: str) -> None:
    """Every item decided by its reviewer: `word`, or what `other` says for an account."""
    for _ in range(3):
        by: dict[str, list[Decision]] = {}
        for item in items(house, id).values():
            if item.decision is None:
                chosen = other.get(item.account_id, word)
                by.setdefault(item.reviewer, []).append(Decision(item.number, chosen, reason="looked at"))
        for email, wanted in by.items():
            campaigns.decide(house, actor(house, email), NOW + timedelta(days=1), id, wanted)


def test_signing_needs_everything_decided_and_is_void_after_another_decision(company):
    id = running(company)
    with pytest.raises(DecisionError, match=r"of \d+ items are not decided"):
        campaigns.sign(company, actor(company, "max"), NOW, id)
    everything(company, id)
    assert campaigns.sign(company, actor(company, "max"), NOW, id).reviewer == "max@x.example"
    with pytest.raises(NotAllowed):
        campaigns.sign(company, actor(company, "audit"), NOW, id)


def test_closing_with_open_items_escalates_and_says_how_many(company):
    id = running(company)
    everything(company, id)
    decide(company, "max", id, ("c4", "Reader", "undo"))
    with pytest.raises(DecisionError, match=r"1 items are not decided: they are with boss"):
        campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=15), id)
    item = items(company, id)["c4", "Reader"]
    assert (item.reviewer, item.via) == ("boss@x.example", "escalated: not decided in time")
    decide(company, "boss", id, ("c4", "Reader", "keep"))
    assert campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=16), id).status == "closed"


def test_administrators_are_never_removed_by_silence(company):
    id = running(company, {"departments": ["Sales"]}, {**PLAN, "undecided": "remove"})
    with pytest.raises(DecisionError, match="3 items are not decided"):
        campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=15), id)
    assert items(company, id)["c7", "Seller"].decision is None, "nothing is decided while something waits"
    decide(company, "boss", id, ("c8", "Admin", "keep"), ("c3", "Admin", "keep"), ("c9", "Reader", "remove"))
    campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=16), id)
    found = items(company, id)
    assert found["c7", "Seller"].decision == "remove"
    assert found["c8", "Admin"].outcome == "kept"


def test_silence_keeps_where_the_plan_says_so_and_is_told_apart(company):
    id = running(company, {}, {**PLAN, "undecided": "keep"})
    campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=15), id)
    found = items(company, id)
    assert {row.decision for row in found.values()} == {"keep"}
    assert all("Nobody decided in time" in row.reason for row in found.values())


def closed_with_removals(house: House) -> tuple[str, dict[str, Remediation]]:
    id = running(house)
    everything(house, id, c9="remove", c5="remove", c10="remove", c8="change")
    campaigns.close(house, actor(house, "sec"), NOW + timedelta(days=2), id)
    with house.store.read() as session:
        rows = session.exec(select(Remediation)).all()
        session.expunge_all()
    return id, {f"{row.account_id}/{row.entitlement_id}": row for row in rows}


def test_removals_become_proposals_by_the_reviewer_and_refusals_are_said(company):
    id, found = closed_with_removals(company)
    assert set(found) == {"c9/Reader", "c5/Reader", "c8/Admin", "c8/Reader", "c8/Seller"}
    assert {row.status for row in found.values()} == {"proposed"}
    assert found["c5/Reader"].proposed_by == "max@x.example"
    told = items(company, id)
    assert told["c10", "Admin"].outcome.startswith("not carried out: crm/robot is a service account")
    assert told["c5", "Reader"].outcome == "removal proposed"
    assert told["c4", "Reader"].outcome == "kept"
    with company.store.read() as session:
        assert session.exec(select(EvidencePack)).one().status == "waiting"
        assert [one.verb for one in session.exec(select(Request))] == ["evidence"]
    with pytest.raises(CampaignClosed):
        decide(company, "max", id, ("c4", "Reader", "remove"))
    with pytest.raises(CampaignClosed):
        campaigns.close(company, actor(company, "sec"), NOW, id)


def test_a_removal_needs_somebody_else_and_is_proved_by_the_next_file(company):
    _, found = closed_with_removals(company)
    ids = [row.id for row in found.values()]
    with pytest.raises(FourEyesRequired):
        remediation.approve(company, actor(company, "max"), NOW + timedelta(days=2), [found["c5/Reader"].id], "yes")
    remediation.approve(company, actor(company, "other"), NOW + timedelta(days=2), ids, "as reviewed")
    later = NOW + timedelta(days=2, minutes=1)
    plan = remediation.plan(company, later)
    assert {share.limit for share in plan.shares} == {1}, "within the limits of a run"
    with_cap(company, later, ids)
    emptied = CRM.replace("2026-03-01,human,Reader", "2026-03-01,human,").replace("Reader;Seller;Admin!", "Seller")
    write(company, crm=emptied)
    read(company, NOW + timedelta(days=3))
    with company.store.read() as session:
        after = {f"{row.account_id}/{row.entitlement_id}": row.status for row in session.exec(select(Remediation))}
    assert after == {
        "c5/Reader": "verified",
        "c8/Admin": "verified",
        "c8/Reader": "verified",
        "c8/Seller": "executing",
        "c9/Reader": "executing",
    }


def with_cap(house: House, now, ids):
    """The run over its limit is held until two actors release exactly that one."""
    from governance import guards
    from governance.errors import GuardStopped

    with pytest.raises(GuardStopped, match="3 accounts"):
        carried_out(house, now)
    with house.store.read() as session:
        assert {row.status for row in session.exec(select(Remediation))} == {"approved"}
    from governance.tables import RunHold

    with house.store.read() as session:
        hold = session.exec(select(RunHold)).one().id
    guards.release(house, actor(house, "sec"), now, hold, "agreed with the owner")
    with pytest.raises(GuardStopped):
        carried_out(house, now)
    guards.release(house, actor(house, "adm"), now, hold, "agreed")
    outcomes = carried_out(house, now)
    assert {one.status for one in outcomes} == {"executing"}
    assert not any(one.call for one in outcomes)


def test_the_same_removal_is_planned_once(company):
    closed_with_removals(company)
    id = running(company)
    everything(company, id, c5="remove")
    campaigns.close(company, actor(company, "sec"), NOW + timedelta(days=3), id)
    assert items(company, id)["c5", "Reader"].outcome == "removal was under way already"
    with company.store.read() as session:
        rows = session.exec(select(Remediation).where(Remediation.account_id == "c5")).all()
    assert len(rows) == 1


def test_a_later_campaign_knows_what_changed_since(company):
    closed_with_removals(company)
    moved = PEOPLE.replace(
        "5,active,ben@x.example,Ben Kurz,2021-01-01,,Finance,Accountant",
        "5,active,ben@x.example,Ben Kurz,2021-01-01,,Finance,Controller",
    )
    write(company, people=moved, wiki=WIKI + "w5,ben,ben@x.example,active,5\n")
    read(company, NOW + timedelta(days=4))
    found = items(company, running(company))
    assert found["c5", "Reader"].facts["since_last"] == "changed"
    assert found["w5", None].facts["since_last"] == "new"
    assert found["c4", "Reader"].facts["since_last"] == "unused"
    only = running(company, {"since_last": ["new"]})
    assert set(items(company, only)) == {("w5", None)}


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


def test_control_rows_measure_attention_and_are_never_carried_out(house):
    many = "".join(f"c{n},extra{n},,active,4,2026-11-20,human,Reader\n" for n in range(100, 120))
    write(house, crm=CRM + many)
    read(house, NOW - timedelta(hours=1))
    id = running(house, {}, {**PLAN, "controls": 2})
    controls = [item for item in items(house, id).values() if item.control]
    assert {item.reviewer for item in controls} == {"max@x.example"}
    everything(house, id, **{controls[0].account_id: "remove"})
    campaigns.close(house, actor(house, "sec"), NOW + timedelta(days=2), id)
    with house.store.read() as session:
        [max_] = [q for q in campaigns.quality(session, id) if q.reviewer == "max@x.example"]
        assert session.exec(select(Remediation).where(Remediation.account_id == controls[0].account_id)).all() == []
    assert (max_.controls, max_.controls_missed) == (2, 1)
    assert "1 control row kept" in max_.flags


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


def test_every_step_is_in_the_audit(company):
    closed_with_removals(company)
    with company.store.read() as session:
        verbs = [entry.verb for entry in session.exec(select(AuditEntry).order_by(AuditEntry.seq))]
    wanted = ["campaign.create", "campaign.launch", "campaign.decide", "campaign.close", "propose"]
    assert [verb for verb in dict.fromkeys(verbs) if verb in wanted] == [
        "campaign.create",
        "campaign.launch",
        "campaign.decide",
        "propose",
        "campaign.close",
    ]


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
