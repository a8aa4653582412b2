"""The mapping lab: a waiting change, one sign-in, what is edited, and the second person."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from connectors.sandbox.signing import Claims, IdentityProvider
from governance import mappings
from governance.provisioning import Condition, Line
from governance.tables import MappingVersion, Request
from tests.screen import press, rows_of, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
SEC, ADM = "a.kovac@nwl.example", "t.hale@nwl.example"
WIDE = Line((Condition("title", ("Admin", "Analyst"), "contains", folded=False),), ("System Administrator",))


JONAS = Claims(
    "00u1",
    "j.weidmann@nwl.example",
    {"email": "j.weidmann@nwl.example", "department": "Sales", "title": "Account Executive"},
    ("sales",),
)


@pytest.fixture
def signed(company):
    """What the identity provider of the demo asserts of Jonas; the house knows its certificate and keys."""
    now = datetime.now(UTC)
    idp = IdentityProvider("https://nwl.okta.example", now)
    (company.home / "okta-signing.pem").write_text(idp.certificate)
    (company.home / "okta-keys.json").write_text(json.dumps(idp.keys))
    return idp.saml(JONAS, "salesforce", now)


def actor(house, email):
    from jobs import home

    return home.actor_named(house, email)


@pytest.fixture
def asked(company):
    """The demo company, with a change of Salesforce's mapping that waits for a second person."""
    from governance.views.mappings import changes, compared

    now = datetime.now(UTC)
    mappings.note(company, now)
    live = mappings.live(company, "salesforce")
    draft = replace(live, lines=(*live.lines, WIDE))
    kept = mappings.save(company, actor(company, ADM), now, "salesforce", draft)
    mappings.ask(company, actor(company, ADM), now, kept.id, "Analysts need reports",
                 changes(compared(company, "salesforce", draft)))  # fmt: skip
    return company


def test_what_is_live_covers_whom_it_covers(company):
    app = show(company, "mapping_lab", SEC)
    assert not app.exception
    assert "The mapping of **Salesforce** covers" in app.header[0].value
    said = text_of(app)
    assert "`department` is **Finance** → Finance User" in said
    assert "Nobody would gain privilege" not in said, "nothing changes, so nothing is said about changes"
    assert "Edit the lines to see here what that would change" in said


def test_a_waiting_change_is_shown_with_whom_it_makes_an_administrator(asked):
    app = show(asked, "mapping_lab", SEC, version="2")
    assert not app.exception
    assert "Version 2 (waiting) for **Salesforce** changes the role of" in app.header[0].value.replace("\\", "")
    said = text_of(app)
    assert "would gain privilege" in said
    assert ":blue-badge[new]" in said
    assert "Analysts need reports" in said


def test_a_second_person_agrees_and_nobody_agrees_to_their_own(asked):
    own = show(asked, "mapping_lab", ADM, version="2")
    assert not [one for one in own.button if one.label == "Approve"]
    assert [one for one in own.button if one.label == "Withdraw"]
    app = show(asked, "mapping_lab", SEC, version="2")
    app.text_input(key="mapping-why").set_value("I looked at the list").run()
    press(app, "Approve")
    kept = next(one for one in rows_of(asked, MappingVersion) if one.number == 2)
    assert (kept.status, kept.decided_by, kept.decided_why) == ("approved", SEC, "I looked at the list")
    assert "Being written into `leaverwatch.toml`" in text_of(app), "the page looks again until it is live"
    with asked.store.write() as session:
        request = session.exec(select(Request)).one()
        request.status, request.error = "failed", "nothing was written: the role mapping changed since"
    [warning] = show(asked, "mapping_lab", SEC, version="2").warning
    assert "was not written: the role mapping changed since" in warning.value


def test_who_may_only_read_changes_nothing_and_others_do_not_see_it(asked):
    looked = show(asked, "mapping_lab", "i.chen@nwl.example", version="2")
    assert "Your roles do not include changing role mappings" in text_of(looked)
    assert not [one for one in looked.button if one.label in ("Edit", "Approve", "Reject")]
    assert show(asked, "mapping_lab", "i.solberg@nwl.example").title[0].value != "Mapping lab"


def test_a_pasted_assertion_says_which_line_fires_and_what_it_would_make(company, signed):
    sample = base64.b64encode(signed).decode()
    app = show(company, "mapping_lab", SEC)
    app.text_area(key="assertion").set_value(sample).run()
    assert not app.exception
    said = text_of(app)
    assert "Signature verified with what is registered for okta" in said
    assert "Line 3 fires: department is Sales" in said.replace("\\", "")
    assert "Jonas Weidmann holds" in said
    app.text_area(key="assertion").set_value(sample[: len(sample) // 2]).run()
    assert not app.exception
    assert app.error, "half an assertion is refused in words"


def test_a_forged_one_is_refused_in_words(company, signed):
    sample = signed.decode().replace(">Sales<", ">Finance<")
    app = show(company, "mapping_lab", SEC)
    app.text_area(key="assertion").set_value(sample).run()
    assert any("changed after it was signed" in error.value for error in app.error)


def test_what_is_edited_is_compared_at_once_and_kept_when_asked_for(company):
    live = mappings.live(company, "salesforce")
    app = show(company, "mapping_lab", SEC)
    app.session_state["mapping-edited-salesforce"] = replace(live, lines=(*live.lines, WIDE))
    app.run()
    assert not app.exception
    assert "This draft for **Salesforce** changes the role of" in app.header[0].value
    app.text_input(key="mapping-reason").set_value("Analysts need reports").run()
    press(app, "Ask for approval")
    [kept] = [one for one in rows_of(company, MappingVersion) if one.status == "waiting"]
    assert (kept.actor, kept.reason) == (SEC, "Analysts need reports")
    assert kept.changes["effects"]["gains_privilege"] > 0
    assert f"Version {kept.number} (waiting)" in app.header[0].value.replace("\\", ""), "the page shows what waits now"
    assert not [one for one in app.button if one.label == "Ask for approval"], "nobody asks for the same twice"
    assert [one for one in app.button if one.label == "Withdraw"]


def test_a_draft_that_was_kept_is_what_the_page_shows(company):
    app = show(company, "mapping_lab", SEC)
    live = mappings.live(company, "salesforce")
    app.session_state["mapping-edited-salesforce"] = replace(live, lines=(*live.lines, WIDE))
    app.run()
    press(app, "Save draft")
    [kept] = [one for one in rows_of(company, MappingVersion) if one.status == "draft"]
    assert f"Version {kept.number} (draft)" in app.header[0].value.replace("\\", "")
    assert "Drop changes" not in [one.label for one in app.button], "nothing is left that was not kept"
    assert "Ask for approval" in [one.label for one in app.button]


def test_the_editor_opens_with_the_lines_as_a_table(company):
    app = show(company, "mapping_lab", SEC)
    press(app, "Edit")
    assert "A cell says how its attribute is compared" in text_of(app)
    assert [one for one in app.button if one.label == "Use these lines"], "pressed in test_demo_in_chromium"


def test_an_application_without_a_mapping_says_what_to_do(company):
    app = show(company, "mapping_lab", SEC)
    names = app.selectbox(key="mapping-application").options
    assert names[0] == "Salesforce", "what has a mapping stands first"
    app.selectbox(key="mapping-application").set_value(
        next(a.name for a in company.settings.application if a.label == names[1])
    ).run()
    assert not app.exception
    assert "has no role mapping yet" in app.header[0].value


@pytest.fixture
def connected(company):
    """The demo company with an Okta org beside it."""
    from jobs import home

    told = """
[[application]]
name = "org"
title = "Our Okta"
connector = "okta"
base_url = "https://example.okta.com/"
token = { env = "ORG_TOKEN" }
"""
    with (company.home / "leaverwatch.toml").open("a") as file:
        file.write(told)
    house = home.open_house(company.home, {"ORG_TOKEN": "t"}, datetime.now(UTC))
    yield house
    house.store.close()


def test_what_a_system_is_set_up_to_give_is_asked_for_and_put_on_the_page_when_it_was_read(connected):
    app = show(connected, "mapping_lab", SEC)
    press(app, "Edit")
    assert [one.label for one in app.button if one.label == "Read it now"], "a dialog answers in a browser only"
    now = datetime.now(UTC)
    request = mappings.ask_import(connected, actor(connected, SEC), now, "salesforce", "org")
    app.run()
    assert "Reading what **Our Okta** is set up to give" in text_of(app)
    # As the worker does it.
    live = mappings.live(connected, "salesforce")
    read = {"from": "org", "left_out": ["rule Fill Sellers: it leaves out some people, and a line cannot"]}
    draft = replace(live, lines=(*live.lines, WIDE))
    mappings.note(connected, now)
    kept = mappings.save(connected, actor(connected, SEC), now, "salesforce", draft, "read from org", imported=read)
    with connected.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status = "done"
        session.add(row)
    app.run()
    app.run()
    said = text_of(app)
    assert not app.exception
    assert "Reading what" not in said
    app = show(connected, "mapping_lab", SEC, version=str(kept.number))
    assert "Read from **Our Okta**: 1 thing no line says" in text_of(app)
    assert "it leaves out some people" in text_of(app)


def test_why_a_reading_failed_is_said(connected):
    now = datetime.now(UTC)
    request = mappings.ask_import(connected, actor(connected, SEC), now, "salesforce", "org")
    with connected.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status, row.error, row.finished_at = "failed", "org: no application is called so there", now
        session.add(row)
    app = show(connected, "mapping_lab", SEC)
    assert "no application is called so there" in text_of(app)
