"""Closing a review: nothing by silence, removals under their own approval, and what a later one knows."""

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
    WIKI,
    actor,
    closed_with_removals,
    decide,
    everything,
    items,
    read,
    reviewed,
    running,
    through_its_cap,
    write,
)
from sqlmodel import select

from governance import campaigns, remediation
from governance.errors import CampaignClosed, DecisionError, FourEyesRequired
from governance.house import House
from governance.tables import AuditEntry, EvidencePack, Remediation, Request


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house: House) -> House:
    return reviewed(house)


def test_closing_with_open_items_escalates_and_says_how_many(company):
    id = running(company)
    everything(company, id)
    decide(company, "max", id, ("c4", "Reader", "undo"))
    with pytest.raises(DecisionError, match=r"1 item is not decided: it is with boss"):
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
    through_its_cap(company, later)
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
