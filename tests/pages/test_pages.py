"""Every page, run as Streamlit runs it: on an empty house, on a filled one, while a guard holds, and when it fails."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from governance.access import RIGHTS
from governance.house import install
from governance.pages import GROUPS, all_pages
from governance.parts.text import plain
from governance.settings import parse
from governance.tables import Finding, JobRun, Request, Snapshot
from jobs.detect import detect
from tests.screen import ADMIN, BOSS, NOW, PAGES, ROOT, SECURITY, listed, rows_of, show, text_of
from tests.seeded import put_remediation, put_snapshot

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


# --- The catalogue ----------------------------------------------------------------------------------------------------


def test_every_page_declares_itself_and_knows_only_roles_that_exist():
    assert set(PAGES) >= {
        "overview",
        "findings",
        "identities",
        "accounts",
        "approvals",
        "applications",
        "jobs",
        "audit",
    }
    for name, (page, render) in all_pages().items():
        assert page.group in GROUPS, name
        assert page.roles <= set(RIGHTS), name
        assert page.icon.startswith(":material/"), "an icon is local, and never stands without a word"
        assert (render.__doc__ or "").strip(), name
        source = ROOT / "governance" / "pages" / f"{name}.py"
        assert len(source.read_text().splitlines()) <= 120, name
    assert next(iter(all_pages())) == "overview"


def test_pages_take_their_data_from_views_and_write_by_verbs_alone():
    for path in (ROOT / "governance" / "pages").glob("*.py"):
        source = path.read_text()
        for forbidden in (
            "sqlmodel",
            "sqlalchemy",
            "polars",
            "import requests",
            "unsafe_allow_html=True",
            "datetime.now",
        ):
            assert forbidden not in source, f"{path.name}: {forbidden}"
    for path in (ROOT / "governance" / "parts").glob("*.py"):
        assert "unsafe_allow" not in path.read_text(), path.name


def test_pages_ask_for_the_worker_when_nothing_it_was_asked_for_begins(house):
    put_remediation(house, "r1", NOW, status="approved", action="deactivate", approved_at=NOW - timedelta(minutes=2))
    with house.store.write() as session:
        session.add(Request(id="b", at=NOW - timedelta(minutes=2), actor=ADMIN, verb="pull", arguments={}))
        session.add(
            JobRun(id="j", job="pull", feed="crm", started_at=NOW, finished_at=NOW, status="ok", by="scheduler")
        )
    said = text_of(show(house, "approvals", BOSS)).replace("\\", "")
    assert "Approved, waits" in said
    assert "starts within seconds" not in said
    assert "the worker does not run (`leaverwatch up`)" in said
    sentence = show(house, "jobs", ADMIN).header[0].value.replace("\\", "")
    assert "Is the worker running? leaverwatch up starts it." in sentence


# --- Every page, in every state ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_house_is_explained_not_shown_as_zero(house, name):
    app = show(house, name)
    assert not app.exception
    assert not app.error
    assert "never read" in text_of(app), "the age of the data stands on every page"
    assert app.header[0].value.strip(), "every page opens with a sentence"
    for metric in app.metric:
        assert metric.value in ("–", "0"), metric.label
        assert metric.label == "Ghosts open" or metric.value == "–"


@pytest.mark.parametrize("name", PAGES)
def test_a_house_without_any_feed_is_explained(make_house, name):
    app = show(make_house({}), name)
    assert not app.exception
    assert not app.error
    assert "Read-only" in "".join(str(m.value) for m in app.sidebar.markdown), "nobody is named who could act"


@pytest.mark.parametrize("name", PAGES)
def test_rules_that_ran_over_nothing_say_nothing_was_read_and_where_to_begin(make_house, name):
    house = make_house(parse({"actor": [{"email": ADMIN, "roles": ["admin", "security"]}]}))
    detect(house, NOW)  # as the worker does as soon as it starts
    app = show(house, name, ADMIN)
    assert not app.exception
    assert not app.error
    said = text_of(app)
    assert "No feed is configured, so nothing can be judged." in said
    assert "Connect one" in [one.proto.label for one in app.get("page_link")]
    for metric in app.metric:
        assert metric.value == "–", f"{metric.label}: nothing was looked at"
    assert "with nothing" not in said
    assert "over nothing" not in said
    for comfort in ("every one has an owner", "none of them could still get in", "No finding is open"):
        assert comfort not in said
    assert ("Three steps to the first answer" in said) is (app.title[0].value == "Overview")


@pytest.mark.parametrize("name", PAGES)
def test_a_filled_house_shows_its_pages_to_everybody_who_may(company, name):
    for entry in company.settings.actor:
        app = show(company, name, entry.email)
        assert not app.exception
        assert not app.error
        assert app.header[0].value.strip()
        assert "HR file" in text_of(app)


def test_one_identity_is_shown_with_its_lanes_and_its_access(company):
    install(company)
    app = show(company, "identities", "a.kovac@nwl.example", id="hr:10482")
    assert app.title[0].value == "Marta Lindqvist"
    assert "can still sign in" in app.header[0].value
    columns = list(app.dataframe[0].value)
    assert columns.index("Data age") < columns.index("How it came"), "what is long must not push the short ones out"
    assert "All identities" in [button.label for button in app.button], "the way back is a button, as on other pages"
    assert list(app.dataframe[0].value["State"]) == ["▲ Active"] * len(app.dataframe[0].value)
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["layout"]
    overlap = {drawn[axis]["ticklabeloverflow"] for axis in ("xaxis", "xaxis2")}
    assert overlap == {"hide past domain"}, "where both scales meet one day would be written over the other"


def test_the_overview_says_the_same_numbers_as_the_findings(company):
    front = show(company, "overview", "a.kovac@nwl.example")
    ghosts = next(metric.value for metric in front.metric if metric.label == "Ghosts open")
    found = show(company, "findings", "a.kovac@nwl.example", rule="ghost")
    assert len(listed(found)) == int(ghosts)
    assert f"{ghosts} of " in text_of(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_fails_says_one_sentence_and_nothing_of_its_inside(company, name, caplog):
    estates = sorted((company.snapshots / "estates").iterdir())
    for table in ("accounts.parquet", "identities.parquet"):
        (estates[-1] / table).write_bytes(b"PAR1 secret-canary PAR1")
    app = show(company, name, "a.kovac@nwl.example", id="hr:10482", scope="ended")
    assert not app.exception
    said = text_of(app)
    assert "canary" not in said + caplog.text
    assert "polars" not in said.lower()
    for error in app.error:
        assert "cannot be shown now" in error.value
        incident = error.value.split("Incident **")[1].split("**")[0]
        assert f"incident {incident}" in caplog.text


def test_some_page_does_fail_on_a_damaged_estate(company):
    """The test above would prove nothing if all of them went on."""
    estate = sorted((company.snapshots / "estates").iterdir())[-1]
    (estate / "accounts.parquet").write_bytes(b"no parquet")
    assert show(company, "accounts", "a.kovac@nwl.example").error


def test_an_outdated_feed_is_amber_on_every_page(house):
    for feed in ("hr", "crm"):
        put_snapshot(house, feed, NOW)
    put_snapshot(house, "wiki", NOW - timedelta(hours=5))
    for name in PAGES:
        said = text_of(show(house, name))
        assert re.search(r":orange\[\*\*◆ Wiki 5 h( \d+ min)?\\, outdated\*\*\]", said), name


# --- Guards -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_what_a_guard_holds_stands_on_every_page_with_its_limit(house, name):
    put_snapshot(house, "hr", NOW, "held", held_why="40 of 500 were removed; the guard stops at 25", sha256="a" * 64)
    said = text_of(show(house, name))
    assert "Held by a guard" in said
    assert "HR file" in said
    assert plain("40 of 500 were removed; the guard stops at 25") in said
    assert "Two different actors may release exactly this" in said


def test_two_actors_release_what_is_held_and_one_alone_cannot(house):
    put_snapshot(house, "hr", NOW, "held", held_why="too many", sha256="a" * 64, id="S1")

    def release(who):
        app = show(house, "overview", who)
        app.text_input(key="release-why-S1").set_value("HR confirmed it")
        next(b for b in app.button if b.label == "Release").click().run()
        return app

    release(SECURITY)
    assert "has released it; one more actor is needed" in text_of(show(house, "overview", SECURITY))
    assert not [b for b in show(house, "overview", SECURITY).button if b.label == "Release"], "not twice by one actor"
    release(ADMIN)
    assert "Held by a guard" not in text_of(show(house, "overview", SECURITY))


def test_who_may_not_release_sees_no_button(house):
    put_snapshot(house, "hr", NOW, "held", held_why="too many", sha256="a" * 64)
    app = show(house, "overview", BOSS)
    assert "Held by a guard" in text_of(app)
    assert not [b for b in app.button if b.label == "Release"]
    assert "guard release" not in text_of(app).replace("\\", ""), "nor a command that would refuse them"
    assert "guard release" in text_of(show(house, "overview", SECURITY)).replace("\\", "")


# --- Acting as --------------------------------------------------------------------------------------------------------


def test_acting_as_is_offered_on_this_machine(house):
    app = show(house, "overview")
    assert [box.label for box in app.main.selectbox if box.key == "acting-as"] == ["Acting as"]
    assert not app.sidebar.selectbox, "it stands in the header"


def test_the_choice_stands_in_the_header_whatever_the_role(house):
    app = show(house, "approvals", BOSS)
    assert not app.sidebar.selectbox
    assert [box.value for box in app.main.selectbox if box.label == "Acting as"] == [BOSS]
    next(box for box in app.main.selectbox if box.label == "Acting as").set_value(SECURITY).run()
    assert [box.value for box in app.main.selectbox if box.label == "Acting as"] == [SECURITY]


def test_a_server_that_others_can_reach_shows_nothing_without_sign_in(house, ghost):
    import streamlit as st

    before = st.get_option("server.address")
    st.config.set_option("server.address", "0.0.0.0")
    try:
        app = show(house, "findings", SECURITY)
        assert app.title[0].value == "Not open here"
        assert "sign_in.provider" in text_of(app)
        assert not app.selectbox
        assert not app.button
        assert not app.get("bidi_component"), "not even the list is read"
    finally:
        st.config.set_option("server.address", before)


def test_pages_are_shown_by_role(house):
    def open_to(who):
        app = show(house, "jobs", who)
        return app.title[0].value == "Jobs"

    assert open_to(ADMIN)
    assert not open_to(BOSS)


# --- Who is there


def test_who_reads_only_about_their_own_has_only_pages_that_are_narrowed(company):
    """Lena owns applications and nothing else: no list of everybody, and in the findings only hers."""
    app = show(company, "findings", "l.roth@nwl.example")
    owned = {a.name for a in company.settings.application if a.owner == "l.roth@nwl.example"}
    everything = show(company, "findings", "a.kovac@nwl.example")
    where = {f.fingerprint: f.application for f in rows_of(company, Finding)}
    hers, all_of_them = ({where[row["id"]] for row in listed(seen)} for seen in (app, everything))
    assert hers
    assert hers <= owned
    assert not all_of_them <= owned
    for name in ("overview", "identities", "accounts"):
        assert show(company, name, "l.roth@nwl.example").title[0].value == "Findings", "not offered, so not shown"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_whose_store_fails_says_one_sentence_and_nothing_of_its_inside(house, ghost, name, caplog):
    """Tables that are gone: every query on every page fails in the middle."""
    with house.store.write() as session:
        for table in (
            "snapshot",
            "finding",
            "remediation",
            "jobrun",
            "connector",
            "auditentry",
            "policyversion",
            "campaign",
        ):
            session.connection().exec_driver_sql(f"DROP TABLE {table}")
    app = show(house, name, SECURITY)
    assert not app.exception
    said = text_of(app)
    assert app.error, "it does fail"
    for inside in ("SELECT", "sqlite", "no such table", "Traceback", "governance", str(house.home)):
        assert inside not in said, inside
    for error in app.error:
        incident = error.value.split("Incident **")[1].split("**")[0]
        assert f"incident {incident}" in caplog.text


def test_the_card_of_a_source_promises_nothing_of_absence_while_it_does_not_count(company):
    settings = company.settings
    leaving = tuple(one.model_copy(update={"absence_means": "leaver"}) for one in settings.source)
    house = replace(company, settings=settings.model_copy(update={"source": leaving}))
    promise = plain("A missing row means that somebody left.")
    assert promise in text_of(show(house, "applications"))
    with house.store.write() as session:
        for row in session.exec(select(Snapshot).where(Snapshot.feed == leaving[0].name)):
            row.change = {**row.change, "unsure": 2}
            session.add(row)
    said = text_of(show(house, "applications"))
    assert plain("2 people missing from it are not taken for leavers") in said
    assert said.count(promise) == len(leaving) - 1
