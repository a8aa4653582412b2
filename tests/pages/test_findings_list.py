"""The list of findings: what is current, what is selected, and deciding about several with one reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance import findings, remediation
from governance.access import find_actor
from governance.tables import AuditEntry, Exclusion, Finding, Remediation
from tests import seeded
from tests.screen import AUDITOR, BOSS, NOW, SECURITY, listed, point_at, press, rows_of, show, text_of
from tests.seeded import put_findings, put_remediation, put_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")

PRIVILEGE = {"part": "privilege", "points": 6, "most": 6, "why": "holds privileged access"}


@pytest.fixture
def ghosts(house):
    """Five ghosts of the wiki, the last of them not to be proposed: a change of its owner is asked for instead."""
    seeded.put_connectors(house)
    put_run(house, NOW, [seeded.account("wiki", f"a{n}", owner_id=f"hr:{n}", owner_state="ended") for n in range(5)])
    rows = [
        {"application": "wiki", "account_id": f"a{n}", "identity_name": f"Person {n}", "reason": f"Person {n} left."}
        for n in range(5)
    ]
    rows[4] |= {"rule": "over_privileged"}
    return put_findings(house, NOW, *rows)


def current(app):
    """Whose evidence is shown."""
    return app.subheader[0].value


def status_of(house):
    return {finding.fingerprint: finding.status for finding in rows_of(house, Finding)}


def test_the_first_row_is_current_and_the_address_says_so(house, ghosts):
    app = show(house, "findings")
    assert [row["id"] for row in listed(app)] == ghosts
    assert current(app) == "Person 0 in Wiki"
    assert app.query_params["finding"] == ghosts[0]


def test_what_the_browser_tells_becomes_current(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[2])
    assert current(app) == "Person 2 in Wiki"
    assert app.query_params["finding"] == ghosts[2]


def test_rows_that_are_not_shown_cannot_be_told(house, ghosts):
    app = point_at(show(house, "findings"), "finding", "no such row", ["no such row", "<script>"])
    assert current(app) == "Person 0 in Wiki"


def test_an_address_opens_its_finding_wherever_it_stands(house, ghosts):
    assert current(show(house, "findings", finding=ghosts[3])) == "Person 3 in Wiki"
    shown = show(house, "findings", finding=ghosts[3], rule="over_privileged")
    assert [row["id"] for row in listed(shown)] == [ghosts[4]]
    assert current(shown) == "Person 3 in Wiki"


def test_an_address_later_on_wins_over_what_was_pointed_at(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[2])
    app.query_params["finding"] = ghosts[1]
    assert current(app.run()) == "Person 1 in Wiki"


def test_after_a_proposal_the_next_row_is_current(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[1])
    press(app, "Propose deactivation")
    app.text_input(key=f"why-propose-{ghosts[1]}").set_value("left")
    press(app, "Send the proposal")
    assert current(app) == "Person 2 in Wiki"


def test_several_are_proposed_with_one_reason_each_by_itself(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[0], ghosts[:3])
    said = text_of(app)
    assert "3 findings selected" in said
    assert "**Wiki**: Deactivate through SCIM 2\\.0" in said
    press(app, "Propose deactivation of 3")
    assert "needs a reason" in app.error[0].value
    assert rows_of(house, Remediation) == []
    app.text_input(key="why-propose-many").set_value("left, HR confirmed")
    press(app, "Propose deactivation of 3")
    made = rows_of(house, Remediation)
    assert {(r.finding, r.status, r.proposed_by, r.reason) for r in made} == {
        (print_, "proposed", SECURITY, "left, HR confirmed") for print_ in ghosts[:3]
    }
    assert [entry.verb for entry in rows_of(house, AuditEntry)] == ["propose"] * 3
    assert [row["id"] for row in listed(app)] == ghosts[3:]


def test_what_cannot_be_proposed_is_said_by_name_before(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[0], [ghosts[0], ghosts[4]])
    assert "1 cannot be proposed" in text_of(app)
    assert "**Person 4\\, Wiki\\, Over\\-privileged**" in text_of(app)
    app.text_input(key="why-propose-many").set_value("left")
    press(app, "Propose deactivation of 1")
    assert [r.finding for r in rows_of(house, Remediation)] == [ghosts[0]]


def test_several_excluded_at_once_say_how_many_wait_for_a_second_person(house, ghosts):
    with house.store.write() as session:
        privileged = session.get_one(Finding, ghosts[0])
        privileged.evidence = {**(privileged.evidence or {}), "score": [PRIVILEGE]}
        session.add(privileged)
    app = point_at(show(house, "findings"), "finding", ghosts[0], ghosts[:3])
    press(app, "Exclude 3")
    app.text_input(key="why-exclude-many").set_value("agreed with HR")
    press(app, "Exclude 3 until then")
    assert {print_ for print_, status in status_of(house).items() if status == "excluded"} == set(ghosts[1:3])
    assert "2 excluded until then\\; 1 more once a second person agrees" in [toast.value for toast in app.toast]


def test_what_somebody_else_decided_meanwhile_is_refused_by_name_and_the_rest_goes_through(house, ghosts):
    app = point_at(show(house, "findings"), "finding", ghosts[0], ghosts[:3])
    press(app, "Exclude 3")
    findings.exclude(house, find_actor(house.settings, SECURITY), NOW, ghosts[1], NOW + timedelta(days=5), "meanwhile")
    app.text_input(key="why-exclude-many").set_value("agreed with HR")
    press(app, "Exclude 3 until then")
    assert {print_ for print_, status in status_of(house).items() if status == "excluded"} == set(ghosts[:3])
    assert sorted(e.reason for e in rows_of(house, Exclusion)) == ["agreed with HR", "agreed with HR", "meanwhile"]
    said = text_of(app)
    assert "1 refused" in said
    assert "Person 1\\, Wiki\\, Ghost" in said


def test_a_selection_needs_rights(house, ghosts):
    app = point_at(show(house, "findings", AUDITOR), "finding", ghosts[0], ghosts[:3])
    assert not [b for b in app.button if b.label.startswith(("Propose", "Exclude"))]
    assert "3 cannot be proposed" in text_of(app)


def test_one_being_closed_is_approved_on_the_spot_by_somebody_else(house, ghosts):
    made = remediation.propose(house, find_actor(house.settings, SECURITY), NOW, [ghosts[0]], "left")[0]
    own = show(house, "findings", SECURITY, status="in_remediation", finding=ghosts[0])
    assert not [b for b in own.button if b.label == "Approve deactivation"]
    press(show(house, "findings", BOSS, status="in_remediation", finding=ghosts[0]), "Approve deactivation")
    assert [(r.id, r.status, r.approved_by) for r in rows_of(house, Remediation)] == [(made.id, "approved", BOSS)]


def test_nothing_is_selected_where_nothing_can_be_decided(house, ghosts):
    put_remediation(house, "r1", NOW, finding=ghosts[0], status="executing", executing_at=NOW)
    app = point_at(show(house, "findings", SECURITY, status="resolved"), "finding", ghosts[0], ghosts[:2])
    assert "selected" not in text_of(app)


def test_a_row_does_not_say_again_what_its_columns_say(house):
    seeded.put_connectors(house)
    reasons = {
        "The account ann in Wiki is privileged and active.": "Privileged and active.",
        "The account ann of Ann Lee in Wiki holds 1 entitlement.": "Holds 1 entitlement.",
        "The contract of Ann Lee ended on 1 Nov 2020; the account ann in Wiki is still active.": (
            "Contract ended on 1 Nov 2020; still active."
        ),
        "Ann Lee is no longer in HR file.": "Is no longer in HR file.",
        "HR file says two things.": "HR file says two things.",
    }
    row = {"username": "ann", "identity_name": "Ann Lee", "application": "wiki"}
    put_findings(house, NOW, *({**row, "reason": reason} for reason in reasons))
    assert [row["why"] for row in listed(show(house, "findings"))] == list(reasons.values())


def test_an_account_selected_for_two_reasons_is_counted_once(house, ghosts):
    app = show(house, "findings")
    again = [row["id"] for row in listed(app)]
    with house.store.write() as session:
        session.get(Finding, ghosts[1]).account_id = "a0"
    assert "2 accounts" in text_of(point_at(app, "finding", again[0], again[:3]))
