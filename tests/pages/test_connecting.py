"""Connecting from a page: every connector's form, what is said about mistakes, secrets that leave no trace, and the steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.kit.contract import connector_class, connector_names
from governance import secrets, sessions
from governance.errors import LeaverwatchError
from governance.parts.text import plain
from governance.tables import JobRun, Pull, Request, StoredSecret
from governance.views import connecting
from jobs import home, work
from tests import seeded
from tests.screen import ADMIN, AUDITOR, NOW, press, rows_of, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
CANARY = "canary-token-0123456789"
TOML = """
[[application]]
name = "crm"
title = "Customer CRM"
connector = "app_csv"
path = "crm.csv"
every = "1d"
[[actor]]
email = "admin@example.com"
roles = ["admin"]
[[actor]]
email = "audit@example.com"
roles = ["auditor"]
"""


@pytest.fixture
def written(tmp_path):
    """A house whose settings stand in a file, with every connector announced."""
    (tmp_path / "leaverwatch.toml").write_text(TOML)
    (tmp_path / "crm.csv").write_text("account_id,status\na1,active\n")
    house = home.open_house(tmp_path, {}, NOW)
    home.announce(house, NOW)
    yield house
    house.store.close()


def fill(app, **values):
    for key, value in values.items():
        next(box for box in app.text_input if box.key.split("-")[-1] == key or f"-{key}-" in box.key).set_value(value)
    return app


def test_every_connector_stands_under_its_heading(written):
    app = show(written, "connect", ADMIN)
    assert [one.value for one in app.subheader] == list(connecting.FAMILIES.values())
    assert {b.key for b in app.button if b.key} >= {f"choose-{name}" for name in connector_names()}
    assert "Okta" in [d.title for d in connecting.catalogue(written)["Identity providers"]]
    assert "1 in use" in text_of(app)


@pytest.mark.parametrize("name", connector_names())
def test_the_form_of_every_connector_is_made_from_its_declaration(written, name):
    kind = connector_class(name)
    app = show(written, "connect", ADMIN, connector=name)
    assert not app.exception
    said = text_of(app)
    asked = {str(w.key) for w in (*app.text_input, *app.number_input, *app.checkbox, *app.text_area)}
    for one in kind.fields:
        assert any(f"-{one.name}" in key for key in asked), one.name
    for plan in kind.plans:
        assert plain(plan) in said
    fill(app, name="")
    press(app, f"Connect {plain(kind.title)}")
    for one in kind.fields:
        if one.required:
            assert connecting.label(one.name) in app.error[0].value.replace("\\", ""), one.name
    assert rows_of(written, Request) == []


def test_what_it_cannot_tell_names_the_rules_that_then_cannot_judge(written):
    said = text_of(show(written, "connect", ADMIN, connector="ldap"))
    assert "Multi\\-factor authentication\\: 1 rule is not evaluable \\(Admin without MFA\\)" in said


def test_who_may_not_configure_reads_but_gets_no_form(written):
    app = show(written, "connect", AUDITOR, connector="okta")
    assert "an administrator connects it" in text_of(app)
    assert not app.text_input
    assert not [b for b in app.button if b.label.startswith("Connect")]


def test_a_mistake_is_said_beside_its_field_and_the_secret_is_gone(written):
    app = show(written, "connect", ADMIN, connector="scim")
    fill(app, base_url="nowhere", name="wiki", token=CANARY)
    press(app, f"Connect {plain('SCIM 2.0')}")
    assert "expected an address" in text_of(app)
    assert "connect-wrong-into-view" in str(app.get("bidi_component")), "the button stands a screen below what it says"
    assert next(box for box in app.text_input if box.label == "Base URL *").value == "nowhere"
    assert next(box for box in app.text_input if box.label == "Token *").value == ""
    assert CANARY not in repr(app.session_state._state.filtered_state)
    assert rows_of(written, StoredSecret) == []


def test_a_secret_is_sealed_asked_without_it_and_in_no_widget(written):
    app = show(written, "connect", ADMIN, connector="scim")
    fill(app, base_url="http://127.0.0.1:9/", name="wiki", token=CANARY)
    press(app, f"Connect {plain('SCIM 2.0')}")
    [request] = rows_of(written, Request)
    assert request.arguments["table"]["token"] == {"store": "wiki.token"}
    assert [one.name for one in rows_of(written, StoredSecret)] == ["wiki.token"]
    assert CANARY not in repr(request) + repr(app.session_state._state.filtered_state) + text_of(app)
    assert "Being written" in text_of(app)


def test_the_way_from_the_form_to_the_first_pull(written):
    (written.home / "ledger.csv").write_text("account_id,status\nb1,active\nb2,active\n")
    app = show(written, "connect", ADMIN, connector="app_csv")
    fill(app, title="Ledger", name="ledger", path="ledger.csv")
    press(app, f"Connect {plain('Account file (CSV)')}")
    del app.query_params["feed"]
    app.query_params["connector"] = "app_csv"  # the second press of a double click comes from the page of the first
    app.run()
    fill(app, title="Ledger", name="ledger", path="ledger.csv")
    press(app, f"Connect {plain('Account file (CSV)')}")
    assert (app.query_params["feed"], list(app.error)) == ("ledger", [])
    [request] = rows_of(written, Request)
    work.run(written, "configure", request.arguments, ADMIN, {})
    with written.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status = "done"
        session.add(row)
    fresh = home.open_house(written.home, {}, NOW)
    app = show(fresh, "connect", ADMIN, feed="ledger")
    assert plain("Written into leaverwatch.toml") in text_of(app)
    assert "Not checked yet" in text_of(app)
    press(app, "Check")
    assert [(r.verb, r.arguments) for r in rows_of(fresh, Request)][-1] == ("check", {"feeds": ["ledger"]})
    work.run(fresh, "check", {"feeds": ["ledger"]}, ADMIN, {})
    work.run(fresh, "pull", {"feeds": ["ledger"]}, ADMIN, {})
    said = text_of(show(fresh, "connect", ADMIN, feed="ledger"))
    assert "2 rows read" in said
    fresh.store.close()


def test_a_feed_that_cannot_be_read_says_where_to_correct_it(written):
    (written.home / "crm.csv").write_text("login,state\nb1,active\n")
    with pytest.raises(LeaverwatchError):
        work.run(written, "pull", {"feeds": ["crm"]}, ADMIN, {})
    said = text_of(show(written, "connect", ADMIN, feed="crm")).replace("\\", "")
    assert "expected the column account_id" in said
    assert 'Its settings stand in `leaverwatch.toml` under `name = "crm"`' in said
    assert said.count("Set up wrongly?") == 1


def test_what_the_worker_refused_is_said_and_can_be_corrected(written):
    app = show(written, "connect", ADMIN, connector="app_csv")
    fill(app, title="Ledger", name="ledger", path="ledger.csv", delimiter="long")
    press(app, f"Connect {plain('Account file (CSV)')}")
    [request] = rows_of(written, Request)
    with written.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status, row.error = "failed", "nothing was written: delimiter: expected one character"
        session.add(row)
    app = show(written, "connect", ADMIN, feed="ledger")
    assert "expected one character" in text_of(app)
    press(app, "Correct it")
    assert next(box for box in app.text_input if box.label == "Path *").value == "ledger.csv"


def test_where_the_file_cannot_be_written_its_lines_are_shown(written):
    (written.home / "leaverwatch.toml").rename(written.home / "kept.toml")
    (written.home / "leaverwatch.toml").symlink_to("kept.toml")
    app = show(written, "connect", ADMIN, connector="scim")
    assert "cannot be written from here" in app.warning[0].value
    assert not [b for b in app.button if b.label.startswith("Connect")]
    fill(app, base_url="http://127.0.0.1:9/", name="wiki", token=CANARY)
    press(app, "Show as TOML")
    assert 'token = { env = "WIKI_TOKEN" }' in app.code[0].value
    assert CANARY not in app.code[0].value
    assert rows_of(written, StoredSecret) == []


def test_what_a_check_found_is_shown_with_one_application(written):
    with written.store.write() as session:
        session.add(
            JobRun(
                id="01C", job="check", feed="crm", started_at=NOW, finished_at=NOW, status="ok", by="a",
                counts={"missing": ["users:read"], "excess": ["admin"], "notes": ["the free plan tells no last use"]},
            )
        )  # fmt: skip
    with written.store.write() as session:
        session.add(
            Pull(id="01P", feed="crm", at=NOW, started_at=NOW, status="ok", notes=["licences hide it"], rejects=[])
        )
    said = text_of(show(written, "applications", ADMIN, feed="crm"))
    for words in ("1 missing, 1 too many", "users\\:read", "the free plan tells no last use", "licences hide"):
        assert words in said
    assert "Whether an account is active" in said, "the declaration stands beside it"


def test_a_refused_credential_is_said_on_the_card_and_from_near(written):
    for number in range(1, 4):
        seeded.put_pull(written, "crm", number, NOW, "failed", error="401", error_kind="AuthenticationFailed")
    assert len(rows_of(written, Pull)) == 3
    assert "Credential refused" in text_of(show(written, "applications", ADMIN))
    assert "renew the credential" in text_of(show(written, "applications", ADMIN, feed="crm"))


def test_adding_is_offered_to_who_may_configure(written):
    assert [b for b in show(written, "applications", ADMIN).button if b.label == "Add application"]
    assert not [b for b in show(written, "applications", AUDITOR).button if b.label == "Add application"]


def box(app, label):
    return next(one for one in (*app.text_input, *app.text_area) if one.label == label)


def test_a_feed_is_changed_where_it_was_added_and_the_worker_writes_it(written):
    (written.home / "other.csv").write_text("account_id,status\nb1,active\n")
    near = show(written, "applications", ADMIN, feed="crm")
    assert [b for b in near.button if b.label == "Change its settings"]
    app = show(written, "connect", ADMIN, change="crm")
    assert (box(app, "Path *").value, box(app, "Title").value, box(app, "Every").value) == (
        *("crm.csv", "Customer CRM", "1d"),
    )
    assert box(app, "Name").disabled
    box(app, "Path *").set_value("")
    press(app, "Save the change")
    assert "1 thing to correct: Path" in app.error[0].value
    box(app, "Path *").set_value("other.csv")
    press(app, "Save the change")
    [request] = rows_of(written, Request)
    assert "Being written" in text_of(app)
    work.run(written, "configure", request.arguments, ADMIN, {})
    text = (written.home / "leaverwatch.toml").read_text()
    assert text == TOML.replace("crm.csv", "other.csv")
    with written.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status, row.finished_at = "done", datetime.now(UTC)
        session.add(row)
    assert "is written. Check it, or pull now" in text_of(show(written, "connect", ADMIN, feed="crm"))
    work.run(written, "check", {"feeds": ["crm"]}, ADMIN, {})
    assert "is written. Check it" not in text_of(show(written, "connect", ADMIN, feed="crm"))


def test_who_may_not_configure_changes_nothing(written):
    assert not [b for b in show(written, "applications", AUDITOR, feed="crm").button if "Change" in b.label]
    app = show(written, "connect", AUDITOR, change="crm")
    assert "an administrator changes it" in text_of(app)
    assert not app.text_input


def test_a_secret_that_is_there_is_never_shown_and_stays_where_nothing_is_typed(written):
    with (written.home / "leaverwatch.toml").open("a") as file:
        file.write('[[application]]\nname = "wiki"\nconnector = "scim"\nbase_url = "http://127.0.0.1:9/"\n')
        file.write('token = { store = "wiki.token" }\n')
    secrets.put(written, sessions.local_administrator(), NOW, "wiki.token", CANARY)
    app = show(written, "connect", ADMIN, change="wiki")
    assert CANARY not in text_of(app) + repr(app.session_state._state.filtered_state)
    assert box(app, "Token *").value == ""
    box(app, "Title").set_value("Wiki")
    press(app, "Save the change")
    [request] = rows_of(written, Request)
    assert request.arguments["table"]["token"] == {"store": "wiki.token"}
    with written.store.write() as session:
        session.delete(session.get_one(Request, request.id))
    app = show(written, "connect", ADMIN, change="wiki")
    box(app, "Base URL *").set_value("http://elsewhere.example/")
    press(app, "Save the change")
    assert "it must be given again: it would be sent there" in text_of(app).replace("\\", "")
    assert rows_of(written, Request) == []


def test_what_the_worker_refused_to_change_is_corrected_in_the_same_form(written):
    app = show(written, "connect", ADMIN, change="crm")
    box(app, "Delimiter").set_value("long")
    press(app, "Save the change")
    [request] = rows_of(written, Request)
    with written.store.write() as session:
        row = session.get_one(Request, request.id)
        row.status, row.error = "failed", "nothing was written: delimiter: expected one character"
        session.add(row)
    app = show(written, "connect", ADMIN, feed="crm")
    assert "was not changed; it is read as before" in text_of(app)
    press(app, "Correct it")
    assert (box(app, "Delimiter").value, box(app, "Path *").value) == ("long", "crm.csv")
    assert [b for b in app.button if b.label == "Save the change"]


def test_names_with_a_comma_stay_privileged_when_something_else_is_changed(written):
    file = written.home / "leaverwatch.toml"
    named = file.read_text().replace('path = "crm.csv"', 'path = "crm.csv"\nprivileged = ["Admins, EMEA", "Owner*"]')
    file.write_text(named)
    app = show(written, "connect", ADMIN, change="crm")
    box(app, "Title").set_value("The CRM")
    press(app, "Save the change")
    [request] = rows_of(written, Request)
    assert request.arguments["table"]["privileged"] == ["Admins, EMEA", "Owner*"]
    assert request.arguments["table"]["title"] == "The CRM"


def test_what_is_set_from_outside_is_said_before_it_is_changed_in_vain(written):
    told = replace(written, origin={"application.crm.path": "LEAVERWATCH_APPLICATION__CRM__PATH"})
    app = show(told, "connect", ADMIN, change="crm")
    assert "LEAVERWATCH" in app.warning[0].value
    assert "No feed" in text_of(show(written, "connect", ADMIN, change="nothing"))
