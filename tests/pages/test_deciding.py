"""Deciding on the pages: by preview and reason, by those who may, and under the name that acted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance import findings, guards
from governance.access import Actor
from governance.tables import AuditEntry, Exclusion, Finding, Remediation, Request
from governance.views.history import history
from governance.views.words import day
from tests import seeded
from tests.screen import ADMIN, AUDITOR, BOSS, NOW, OWNER, SECURITY, press, rows_of, show, text_of, without_key
from tests.seeded import put_findings, put_pull, put_remediation, put_run, put_snapshot

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
ALIAS = "s.alias@example.com"


def test_a_proposal_goes_by_preview_and_reason(house, ghost):
    app = show(house, "findings", SECURITY)
    assert not [b for b in app.button if b.label == "Send the proposal"], "one click never proposes"
    press(app, "Propose deactivation")
    assert "after approval, deactivate through SCIM 2\\.0" in text_of(app)
    press(app, "Send the proposal")
    assert "needs a reason" in app.error[0].value
    assert rows_of(house, Remediation) == []
    app.text_input(key=f"why-propose-{ghost}").set_value("left, not needed")
    press(app, "Send the proposal")
    [made] = rows_of(house, Remediation)
    assert (made.status, made.proposed_by, made.reason) == ("proposed", SECURITY, "left, not needed")
    assert rows_of(house, Finding)[0].status == "in_remediation"


def test_of_several_removals_of_one_person_each_is_announced_by_what_goes(house):
    for number, held in enumerate(("Reader", "Editor")):
        told = {"entitlement": held, "finding": {"severity": "high", "facts": {}}}
        put_remediation(house, f"r{number}", NOW, entitlement_id=held.lower(), action="revoke", evidence=told)
    assert "Next: **Person 0**, Wiki: Editor" in text_of(show(house, "approvals", BOSS)).replace("\\", "")


def test_who_may_not_propose_or_exclude_gets_no_button(house, ghost):
    offered = {"Propose deactivation", "Exclude"}
    assert offered <= {without_key(button) for button in show(house, "findings", SECURITY).button}
    labels = {without_key(button) for button in show(house, "findings", AUDITOR).button}
    assert not labels & offered


def test_an_exclusion_needs_a_reason_and_ends(house, ghost):
    app = press(show(house, "findings", SECURITY), "Exclude")
    app.text_input(key=f"why-exclude-{ghost}").set_value("agreed with HR until the handover ends")
    press(app, "Exclude until then")
    [made] = rows_of(house, Exclusion)
    assert app.toast[0].value.startswith(f"Excluded until {day(made.until, NOW)}")
    assert timedelta(days=20) < made.until - NOW < timedelta(days=31)
    assert "agreed with HR" in text_of(show(house, "findings", SECURITY, status="excluded"))


def test_who_asks_for_a_long_exclusion_is_told_that_it_takes_two(house, ghost):
    app = press(show(house, "findings", SECURITY), "Exclude")
    app.text_input(key=f"why-exclude-{ghost}").set_value("until the merger is over")
    app.date_input(key=f"until-exclude-{ghost}").set_value((NOW + timedelta(days=120)).date())
    press(app, "Exclude until then")
    assert app.toast[0].value == "Asked\\: it stays open until a second person agrees"


def test_an_exclusion_can_be_ended_on_its_page(house, ghost):
    actor = Actor(SECURITY, "Sam", frozenset({"security"}))
    findings.exclude(house, actor, NOW, ghost, NOW + timedelta(days=20), "a mistake")
    looked = show(house, "findings", AUDITOR, status="excluded", finding=ghost)
    assert not [button for button in looked.button if button.label == "End the exclusion"]
    app = press(show(house, "findings", SECURITY, status="excluded", finding=ghost), "End the exclusion")
    app.text_input(key=f"why-end-{ghost}").set_value("it was the wrong account")
    press(app, "End it now")
    assert rows_of(house, Finding)[0].status == "open"
    assert rows_of(house, Exclusion)[0].ended_at is not None
    with house.store.read() as session:
        [end] = [e for e in history(session, rows_of(house, Finding)[0]) if e.what == "The exclusion ended"]
    assert (end.by, end.why) == (SECURITY, "it was the wrong account"), "a person decided it, not a detect run"


def test_who_asked_for_an_exclusion_may_withdraw_it_and_the_other_may_refuse_it(house, ghost):
    actor = Actor(SECURITY, "Sam", frozenset({"security"}))
    findings.exclude(house, actor, NOW, ghost, NOW + timedelta(days=120), "long")
    labels = {button.label for button in show(house, "findings", SECURITY, finding=ghost).button}
    assert "Withdraw" in labels
    findings.end_exclusion(house, actor, NOW, ghost, "a mistake")
    other = Actor("second@example.com", "Sue", frozenset({"security"}))
    findings.exclude(house, other, NOW, ghost, NOW + timedelta(days=120), "long")
    app = show(house, "findings", SECURITY, finding=ghost)
    assert f"asked to exclude this until {day(NOW + timedelta(days=120), NOW)}: long" in text_of(app)
    labels = {without_key(button) for button in app.button}
    assert {"Refuse the exclusion", "Agree to the exclusion"} <= labels


def test_approval_is_not_offered_to_the_proposer_and_says_who_may(house, ghost):
    put_remediation(house, "r1", NOW)
    app = show(house, "approvals", SECURITY)
    assert not [b for b in app.button if b.label == "Approve deactivation"]
    assert "You proposed this\\. Four eyes" in text_of(app)
    assert "Bea Boss" in text_of(app)


def propose(house, ghost):
    from governance import remediation
    from governance.access import find_actor

    return remediation.propose(house, find_actor(house.settings, SECURITY), NOW, [ghost], "left")[0]


def test_another_actor_approves_on_the_card(house, ghost):
    made = propose(house, ghost)
    app = show(house, "approvals", BOSS)
    assert "**1** waits for your decision" in app.header[0].value
    press(app, "Approve deactivation")
    assert "cards-into-view" in str(app.get("bidi_component")), "keys go on with the next card, not at the top"
    [row] = rows_of(house, Remediation)
    assert (row.id, row.status, row.approved_by) == (made.id, "approved", BOSS)
    assert ":green[✓ Approved]" in text_of(show(house, "approvals", BOSS))


def test_who_presses_on_a_card_that_was_decided_in_another_tab_is_told_so(house, ghost):
    made = propose(house, ghost)
    late = show(house, "approvals", BOSS)
    press(show(house, "approvals", BOSS), "Approve deactivation")
    for number in range(21):  # proposed later, and under way as well: more than the page lists
        put_remediation(house, f"Z{number}", NOW, status="approved", approved_at=NOW, account_id=f"b{number}")
    late.button(key=f"approve-{made.id}").click().run()
    assert "it is decided already" in late.info[0].value
    assert not late.run().info


def test_keeping_an_account_asks_for_a_reason(house, ghost):
    made = propose(house, ghost)
    app = press(show(house, "approvals", BOSS), "Keep active, with a reason")
    press(app, "Keep it active")
    assert "needs a reason" in app.error[0].value
    app.text_input(key=f"text-keep-{made.id}").set_value("still needed for the handover")
    press(app, "Keep it active")
    assert rows_of(house, Remediation)[0].status == "rejected"
    assert rows_of(house, Finding)[0].status == "open"


def test_a_manual_task_is_claimed_by_its_owner_and_not_called_verified(house, ghost):
    put_remediation(
        house, "r1", NOW, application="crm", action="manual", status="executing", executing_at=NOW, approved_at=NOW
    )
    press(show(house, "approvals", OWNER), "I have done it")
    assert rows_of(house, Remediation)[0].status == "executing"
    said = text_of(show(house, "approvals", BOSS))
    assert "says it is done; the next file of the application proves it" in said
    assert "Verified inactive" not in said


@pytest.mark.parametrize(("who", "shown"), [(SECURITY, True), (BOSS, False)])
def test_who_only_decides_is_not_shown_the_call_that_was_made(house, ghost, who, shown):
    put_remediation(
        house, "r1", NOW, status="verified", approved_at=NOW, executed_at=NOW, verified_at=NOW + timedelta(seconds=4),
        evidence={"receipt": {"call": "PATCH /scim/v2/Users/a0 active=false", "answer": "204"}},
    )  # fmt: skip
    said = text_of(show(house, "approvals", who))
    assert "4 s after the approval" in said
    assert ("PATCH /scim/v2" in said.replace("\\", "")) is shown


def test_the_address_of_a_card_opens_exactly_that_one(house, ghost):
    for number in range(3):
        put_remediation(house, f"r{number}", NOW, identity_name=f"Person {number}", finding=f"{number:016x}",
                        evidence={"finding": {"reason": f"Person {number} left.", "severity": "critical"}})  # fmt: skip
    headers = [h.value for h in show(house, "approvals", BOSS, id="r2").header]
    assert headers[1:] == ["**Person 2** left\\."]


def test_pull_now_asks_the_worker_and_only_an_admin_may(house, ghost):
    press(show(house, "applications", ADMIN), "Pull now")
    [asked] = rows_of(house, Request)
    assert (asked.verb, asked.actor, list(asked.arguments)) == ("pull", ADMIN, ["feeds"])
    assert not [b for b in show(house, "applications", SECURITY).button if b.label == "Pull now"]


def test_rejected_rows_are_named_by_place_column_and_reason(house):
    rejects = [{"where": "crm.csv:7", "column": "created_at", "reason": "is no time"}]
    put_pull(house, "crm", 1, NOW, rows_read=9, kept=8, rejected=1, rejects=rejects)
    app = show(house, "applications", ADMIN, feed="crm")
    assert app.dataframe[-1].value.to_dict("records") == [
        {"Where": "crm.csv:7", "Column": "created_at", "Reason": "is no time"}
    ]


def test_the_chain_is_proved_and_a_change_is_named(house, ghost):
    import sqlite3

    propose(house, ghost)
    app = press(show(house, "audit", AUDITOR), "Verify the chain")
    assert "Every entry follows the one before: 1 entry holds" in app.success[0].value
    with sqlite3.connect(house.home / "leaverwatch.db") as raw:
        raw.execute("DROP TRIGGER auditentry_update")
        raw.execute("UPDATE auditentry SET reason = 'something else' WHERE seq = 1")
    app = press(show(house, "audit", AUDITOR), "Verify the chain")
    assert "entry 1 was changed" in app.error[0].value


def test_an_ambiguous_account_is_pinned_to_a_candidate(house):
    put_run(
        house,
        NOW,
        [seeded.account("crm", "a0", match="ambiguous", owner_id=None, candidates="hr:1;hr:2")],
        [{"identity_id": f"hr:{n}", "display_name": "Ann Lee", "state": "current", "present": True} for n in (1, 2)],
    )
    [print_] = put_findings(
        house, NOW, {"rule": "ambiguous_owner", "evidence": {"facts": [], "values": {"candidates": "hr:1;hr:2"}}}
    )
    app = show(house, "findings", SECURITY)
    app.radio(key=f"who-pin-{print_}").set_value("hr:2")
    app.text_input(key=f"why-pin-{print_}").set_value("asked her")
    press(app, "Pin the account to this identity")
    from governance.tables import Pin

    assert [(p.account_id, p.identity_id) for p in rows_of(house, Pin)] == [("a0", "hr:2")]


def test_what_is_done_is_audited_under_the_name_that_acted(house, ghost):
    propose(house, ghost)
    press(show(house, "approvals", BOSS), "Approve deactivation")
    assert [(entry.verb, entry.actor) for entry in rows_of(house, AuditEntry)] == [
        ("propose", SECURITY),
        ("approve", BOSS),
    ]


def test_who_asked_under_another_address_of_theirs_is_offered_what_the_verbs_would_let_them(house, ghost):
    me = {"identity_id": "hr:s", "state": "current", "email": SECURITY, "email_key": SECURITY, "aliases": ALIAS}
    put_run(house, NOW, [seeded.account("wiki", "a0", owner_id="hr:0", owner_state="ended")], [me], id="02")
    put_snapshot(house, "hr", NOW, "held", held_why="too many", sha256="a" * 64, id="S1")
    other = Actor(ALIAS, "Sam", frozenset({"security"}))
    findings.exclude(house, other, NOW, ghost, NOW + timedelta(days=120), "long")
    guards.release(house, other, NOW, "S1", "confirmed")
    labels = {without_key(button) for button in show(house, "findings", SECURITY, finding=ghost).button}
    assert "Withdraw" in labels
    assert not {"Agree to the exclusion", "Release"} & labels


def test_a_fact_of_the_policy_has_no_age_and_says_none_on_a_card(house, ghost):
    facts = {"facts": [{"text": "90 days without use are allowed", "source": "policy"}]}
    put_remediation(house, "r1", NOW, evidence={"finding": {"severity": "high", "facts": facts}})
    assert ":gray[· Policy]" in text_of(show(house, "approvals", BOSS)).replace("\\", "")


def test_an_application_from_near_leads_to_its_findings_and_accounts(house, ghost):
    near = show(house, "applications", SECURITY, feed="wiki")
    ways = {one.proto.label: one.proto.query_string for one in near.get("page_link")}
    assert ways["Its open findings"] == ways["Its accounts"] == "application=wiki"
