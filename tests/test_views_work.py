"""Applications, approvals, jobs and the audit, as pages read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import audit
from governance.access import Actor
from governance.campaigns.launching import frozen_facts
from governance.provisioning.telling import window_said
from governance.tables import Request, ReviewItem
from governance.views import applications, approvals, evidence, jobs, trail
from governance.views.reviews import in_words
from jobs.work import JOBS
from tests import seeded
from tests.listing import actor, walk
from tests.seeded import account, put_pull, put_remediation, put_run

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def test_an_application_says_what_happens_when_somebody_leaves(house, now):
    seeded.put_connectors(house)
    said = {card.name: (*applications.leaving(card), card.closing.how) for card in applications.cards(house, now)}
    assert said["wiki"] == ("Deactivated after approval, by the API, and read again to prove it.", "good", "call")
    assert said["crm"][0].startswith("Nothing happens by itself. A task goes to owner@example.com")
    assert said["crm"][2] == "task"
    assert applications.closing(house, "wiki").call == "Deactivate through SCIM 2.0 (write Users)"


def test_what_the_application_refused_to_call_for_is_a_task_on_every_page_as_its_proposal_is(house, now):
    seeded.put_connectors(house)
    put_remediation(house, "r0", now, status="failed", error="NotSupported: wiki: only an owner can remove them")
    assert applications.closing(house, "wiki", "a0").how == "task"
    assert applications.closing(house, "wiki", "a1").how == "call"
    [fingerprint] = seeded.put_findings(house, now, {"application": "wiki", "account_id": "a0"})
    assert evidence.detail(house, actor(house, "sec@example.com"), now, fingerprint).closing.how == "task"
    put_remediation(house, "r1", now, action="manual", account_id="a1")
    [card] = approvals.waiting(house, actor(house, "boss@example.com"), now)
    assert card.closing.reversible.startswith("Nothing is called from here"), "what was proposed is a task"


def test_a_tick_is_what_was_told_not_what_was_promised(house, now):
    seeded.put_connectors(house)
    put_run(house, now, [account("crm", "a", last_seen_known=True), account("wiki", "b", mfa=False, privileged=None)])
    ticks = {card.name: dict(card.ticks) for card in applications.cards(house, now)}
    assert ticks["crm"] == {"Last use": True, "MFA": False, "Deactivate": False, "Entitlements": True}
    assert ticks["wiki"] == {"Last use": False, "MFA": True, "Deactivate": True, "Entitlements": False}


def test_pulls_stand_oldest_first_and_end_after_thirty(house, now):
    for n in range(35):
        put_pull(house, "crm", n, now, "failed" if n == 34 else "ok")
    card = next(card for card in applications.cards(house, now) if card.name == "crm")
    assert (len(card.pulls), card.pulls[-1], card.last.status) == (30, "failed", "failed")


@pytest.mark.parametrize(
    ("email", "values", "bar"),
    [
        ("boss@example.com", {}, None),
        ("sec@example.com", {}, "own proposal"),
        ("boss@example.com", {"approved_by": "boss@example.com"}, "own approval"),
        ("admin@example.com", {}, "no right"),
    ],
)
def test_an_approver_is_told_why_they_may_not_decide(house, now, email, values, bar):
    put_remediation(house, "r1", now, **values)
    [card] = approvals.waiting(house, actor(house, email), now)
    assert card.bar == bar
    assert bool(card.others) == (bar is not None)


@pytest.mark.parametrize(("status", "shown"), [("open", True), ("excluded", True), ("resolved", False)])
def test_an_approver_sees_that_somebody_else_has_the_address_of_the_account_too(house, now, status, shown):
    """Who was hired again under another number is a leaver under the old one, and would be locked out."""
    said = "The active account person0 in Wiki has an address that several people held, hr:0, hr:9."
    told = {"rule": "recycled_identifier", "application": "wiki", "account_id": "a0", "reason": said, "status": status}
    seeded.put_findings(house, now, told, {**told, "application": "crm", "reason": "another account"})
    put_remediation(house, "r1", now)
    [card] = approvals.waiting(house, actor(house, "boss@example.com"), now)
    assert [fact.text for fact in card.facts if "several people" in fact.text or "another" in fact.text] == [
        said
    ] * shown


def test_nobody_decides_about_their_own_account(house, now):
    put_remediation(house, "r1", now, identity_id="hr:7")
    own = Actor("x@example.com", "X", frozenset({"approver"}), identity_id="hr:7")
    assert [card.bar for card in approvals.waiting(house, own, now)] == ["own account"]


def test_whoever_proposed_something_follows_it_under_their_other_addresses_too(house, now):
    put_remediation(house, "r1", now, status="approved", approved_at=now, proposed_by="S.Ly@example.com")
    own = Actor("sal@example.com", "Sal", frozenset({"application_owner"}), applications=frozenset({"crm"}))
    assert approvals.under_way(house, own) == []
    both = replace(own, addresses=frozenset({"s.ly@example.com"}), spelled=frozenset({"S.Ly@example.com"}))
    assert [r.id for r in approvals.under_way(house, both)] == ["r1"]


SAM = Actor("sam@example.com", "Sam", frozenset({"security"}))


def test_the_page_looks_again_only_while_something_moves(house, now):
    put_remediation(house, "r1", now, status="executing", action="manual", executing_at=now)
    assert not approvals.moving(approvals.under_way(house, SAM), now), "a person needs days, not seconds"
    put_remediation(house, "r2", now, status="approved", approved_at=now)
    assert approvals.moving(approvals.under_way(house, SAM), now)
    assert not approvals.moving(approvals.under_way(house, SAM), now + timedelta(hours=1)), (
        "it is stuck: no use in looking"
    )


def test_what_was_approved_and_has_not_begun_is_overdue_after_a_minute(house, now):
    approved = {"status": "approved", "action": "deactivate", "approved_at": now}
    r = put_remediation(house, "r1", now, **approved)
    assert not approvals.overdue(r, now + timedelta(seconds=60))
    assert approvals.overdue(r, now + timedelta(seconds=61))
    assert not approvals.overdue(put_remediation(house, "r2", now, **{**approved, "action": "manual"}), now + DAY)
    assert not approvals.overdue(put_remediation(house, "r3", now, **{**approved, "status": "executed"}), now + DAY)


def test_a_request_that_nobody_takes_up_raises_the_question_for_the_worker(house, now):
    assert not jobs.today(house, now).stuck(now + DAY)
    with house.store.write() as session:
        session.add(Request(id="a", at=now, actor="sec@example.com", verb="pull", arguments={}, status="done"))
        session.add(Request(id="b", at=now, actor="sec@example.com", verb="pull", arguments={}))
    assert not jobs.today(house, now).stuck(now + timedelta(seconds=30))
    assert jobs.today(house, now).stuck(now + timedelta(seconds=31))


def test_undo_is_offered_for_thirty_days_and_only_for_what_was_done_from_here(house, now):
    done = {"status": "verified", "executing_at": now, "attempts": 1}
    r = put_remediation(house, "r1", now, **done)
    assert approvals.can_undo(r, now + 30 * DAY)
    assert not approvals.can_undo(r, now + 31 * DAY)
    assert not approvals.can_undo(put_remediation(house, "r2", now, **{**done, "attempts": 0}), now)
    assert not approvals.can_undo(put_remediation(house, "r3", now, **{**done, "action": "manual"}), now)


def test_jobs_are_listed_newest_first_and_planned_by_when_they_are_due(house, now):
    from governance.tables import JobRun

    with house.store.write() as session:
        for n in range(60):
            session.add(
                JobRun(
                    id=f"{n:026}", job="pull", feed="crm", started_at=now - (60 - n) * timedelta(minutes=1), status="ok"
                )
            )
    pages = walk(lambda at: jobs.page(house, cursor=at), jobs.KEY)
    assert [row["id"] for page in pages for row in page.rows] == [f"{n:026}" for n in reversed(range(60))]
    assert [plan.feed for plan in jobs.planned(house)][:2] == ["hr", "wiki"], "never read is due first"
    assert jobs.today(house, now).runs == 60


def test_the_audit_is_listed_and_searched(house, now):
    with house.store.write() as session:
        for n in range(70):
            audit.append(
                session,
                now=now,
                actor=f"p{n % 2}@example.com",
                verb=("propose", "verified")[n % 2],
                object=f"remediation/{n}",
            )
    pages = walk(lambda at: trail.page(house, trail.Filters(), at), trail.KEY)
    assert [row["seq"] for page in pages for row in page.rows] == list(range(70, 0, -1))
    assert trail.page(house, trail.Filters(scope="decisions")).total == 35
    assert trail.page(house, trail.Filters(text="P1@example remediation/3")).total == 6
    assert [row["seq"] for row in trail.export(house, trail.Filters())] == list(range(70, 0, -1))
    assert trail.chain(house, now).today == 70


def test_an_application_s_card_says_how_far_logs_reach_and_what_window_is_fitted(house, now):
    logs = {"crm": "2026-10-24T08:00:00Z", "sso": "2026-08-25T08:00:00Z"}
    making = {"low": 0, "high": 3, "accounts": 812, "logs": logs}
    put_run(house, now, summary={"by_application": {"crm": {"accounts": 1, "making": making}}})
    told = {card.name: card for card in applications.cards(house, now)}
    assert applications.horizon(told["crm"], {"sso": "Okta"}) == (
        "Logs reach back: its own log to 24 Oct 2026, the log of Okta to 25 Aug 2026."
    )
    assert window_said(told["crm"].making) == "A JIT account appears 0 to 3 s after the sign-on, seen on 812."
    assert applications.horizon(told["wiki"], {}).startswith("No log was read")


def test_a_row_of_a_review_says_how_the_account_came_to_be_and_what_says_so(now):
    born = {"provenance_confidence": 0.97, "provenance_because": "sign_on", "provenance_by": "okta"}
    signed = int((now - timedelta(seconds=2)).timestamp())
    item = {"provenance": "jit", "created_at": now, "provenance_at_s": signed, "provenance_subject": None, **born}
    facts = frozen_facts(item)
    assert "provenance_subject" not in facts, "what is not told takes no room in each of many rows"
    row = ReviewItem(campaign="c", number=1, application="crm", account_id="a", facts=facts)
    told = in_words({"okta": "Okta"}, row, {}, now)["came"]
    assert told.startswith("JIT, 97 % sure: made 2 s after its owner's first sign-on through Okta, ")
    row.facts = {"provenance": "jit"}
    assert in_words({}, row, {}, now)["came"] == "", "frozen by a version that did not keep it"


def test_every_job_has_a_title_of_its_own():
    assert set(JOBS) <= set(jobs.TITLES), "a code is no title"
