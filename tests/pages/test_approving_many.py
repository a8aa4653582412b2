"""Approving several at once: by review or rule, each named and chosen, one reason, four eyes for each by itself."""

from __future__ import annotations

import pytest

from governance import remediation
from governance.access import find_actor
from governance.errors import StoreError
from governance.parts.each import each
from governance.tables import AuditEntry, Campaign, Remediation
from tests import seeded
from tests.screen import BOSS, NOW, SECURITY, press, rows_of, show, text_of
from tests.seeded import put_findings, put_remediation, put_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
MEDIUM = {"finding": {"reason": "An access review decided so.", "severity": "medium", "facts": {}}}


@pytest.fixture
def proposed(house):
    """Five accounts nobody uses, proposed one by one; what they are about is known."""
    seeded.put_connectors(house)
    people = [{"identity_id": f"hr:{n}", "display_name": f"Person {n}", "state": "current"} for n in range(5)]
    put_run(house, NOW, [seeded.account("wiki", f"a{n}", owner_id=f"hr:{n}") for n in range(7)], people)
    stale = {"application": "wiki", "rule": "stale", "severity": "medium"}
    prints = put_findings(
        house, NOW, *({**stale, "account_id": f"a{n}", "identity_name": f"Person {n}"} for n in range(5))
    )
    sec = find_actor(house.settings, SECURITY)
    return [remediation.propose(house, sec, NOW, [one], "not used")[0].id for one in prints]


def boxes(app):
    return {box.key.removeprefix("chosen-"): box for box in app.checkbox if box.key.startswith("chosen-")}


def status_of(house):
    return {r.id: r.status for r in rows_of(house, Remediation)}


def test_those_of_one_rule_are_approved_with_one_reason_each_by_itself(house, proposed):
    app = show(house, "approvals", BOSS)
    first, *rest = proposed
    assert sorted(boxes(app)) == sorted(rest), "one card is shown in full, the others can be chosen"
    assert not any(box.value for box in boxes(app).values()), "nobody approves what they did not choose"
    press(app, "Choose all 4")
    boxes(app)[rest[0]].uncheck().run()
    press(app, "Approve 3")
    assert "needs a reason" in app.error[0].value
    assert set(status_of(house).values()) == {"proposed"}
    app.text_input(key="agree-many-stale").set_value("asked each of them")
    press(app, "Approve 3")
    assert status_of(house) == {first: "proposed", rest[0]: "proposed"} | dict.fromkeys(rest[1:], "approved")
    signed = [(e.actor, e.reason) for e in rows_of(house, AuditEntry) if e.verb == "approve"]
    assert signed == [(BOSS, "asked each of them")] * 3
    assert "3 approved" in [toast.value for toast in app.toast]


def test_nobody_is_offered_to_approve_several_of_their_own(house, proposed):
    app = show(house, "approvals", SECURITY)
    assert boxes(app) == {}
    assert not [button for button in app.button if button.label.startswith("Approve")]
    assert len([b for b in app.button if b.label == "Open"]) == len(proposed) - 1, "and the others are announced"


def test_what_was_decided_meanwhile_is_refused_by_name_and_the_rest_goes_through(house, proposed):
    app = press(show(house, "approvals", BOSS), "Choose all 4")
    app.text_input(key="agree-many-stale").set_value("asked each of them").run()
    sec = find_actor(house.settings, SECURITY)
    remediation.cancel(house, sec, NOW, [proposed[2]], "a mistake")
    press(app, "Approve 4")
    assert status_of(house)[proposed[2]] == "cancelled"
    assert sum(status == "approved" for status in status_of(house).values()) == 3
    said = text_of(app).replace("\\", "")
    assert "1 refused" in said
    assert "Person 2, Wiki" in said


def test_what_is_critical_is_approved_by_itself_and_groups_bear_the_name_of_their_review(house):
    with house.store.write() as session:
        session.add(Campaign(id="c1", title="Q4: Finance", status="closed", created_at=NOW))
    critical = {"finding": {**MEDIUM["finding"], "severity": "critical"}}
    for number in range(4):
        put_remediation(house, f"m{number}", NOW, campaign="c1", number=number, rule="access_review",
                        identity_name=f"Person {number}", evidence=MEDIUM)  # fmt: skip
    for number in range(2):
        put_remediation(house, f"c{number}", NOW, evidence=critical)
    app = show(house, "approvals", BOSS)
    assert sorted(boxes(app)) == ["m0", "m1", "m2", "m3"]
    assert "Q4: Finance: 4 more" in text_of(app).replace("\\", "")


def test_whoever_was_unticked_in_the_same_moment_is_not_approved(house, proposed):
    app = press(show(house, "approvals", BOSS), "Choose all 4")
    app.text_input(key="agree-many-stale").set_value("asked each of them").run()
    boxes(app)[proposed[2]].uncheck()
    press(app, "Approve 4")  # both reach the program before it draws anything
    assert status_of(house)[proposed[2]] == "proposed"
    assert sum(status == "approved" for status in status_of(house).values()) == 3


def test_what_names_a_file_is_said_to_nobody_who_decides_about_several(caplog):
    def verb(_):
        raise StoreError("/srv/leaverwatch.db: disk I/O error; nothing was written")

    assert each(["a1"], verb, str) == (0, [("a1", "The store cannot be read or written now.")])
    assert "/srv/leaverwatch.db: disk I/O error" in caplog.text
