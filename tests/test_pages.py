"""Every page, run as Streamlit runs it: on an empty house, on a filled one, while a guard holds, and when it fails."""

from __future__ import annotations

import re
import shutil
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from governance.access import RIGHTS
from governance.house import install
from governance.pages import GROUPS, all_pages
from governance.parts.text import plain
from governance.tables import AuditEntry, Exclusion, Finding, Remediation, Request
from tests import seeded
from tests.seeded import put_findings, put_pull, put_remediation, put_run, put_snapshot

ROOT = Path(__file__).parents[1]
NOW = datetime.now(UTC)  # the pages read the clock themselves
PAGES = tuple(all_pages())
SECURITY, BOSS, OWNER, ADMIN, AUDITOR = (f"{name}@example.com" for name in ("sec", "boss", "owner", "admin", "audit"))
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def script() -> None:
    from governance.shell import main

    main()


@pytest.fixture(autouse=True)
def _in_the_clone(monkeypatch):
    """Streamlit reads .streamlit/config.toml from where it is started."""
    monkeypatch.chdir(ROOT)


def show(house, name, who=SECURITY, **query):
    """The page as this actor sees it."""
    install(house)
    app = AppTest.from_function(script, default_timeout=60)
    app._page_hash = calc_hash("" if name == "overview" else name)
    for key, value in {"as": who, **query}.items():
        app.query_params[key] = value
    app.run()
    return app


def text_of(app):
    """Everything a reader sees as words."""
    kinds = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.error,
        app.warning,
        app.info,
        app.success,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo company, read and judged once."""
    folder = tmp_path_factory.mktemp("demo") / "home"
    folder.mkdir()
    seeded.demo_company(folder, datetime.now(UTC))
    return folder


@pytest.fixture
def company(demo, tmp_path):
    """A copy of the demo company of one's own."""
    from jobs import home

    folder = tmp_path / "home"
    shutil.copytree(demo, folder)
    house = home.open_house(folder, {}, datetime.now(UTC))
    yield house
    house.store.close()


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
    assert list(app.dataframe[0].value["State"]) == ["▲ Active"] * len(app.dataframe[0].value)


def test_the_overview_says_the_same_numbers_as_the_findings(company):
    front = show(company, "overview", "a.kovac@nwl.example")
    ghosts = next(metric.value for metric in front.metric if metric.label == "Ghosts open")
    listed = show(company, "findings", "a.kovac@nwl.example", rule="ghost")
    assert len(listed.dataframe[0].value) == int(ghosts)
    assert f"{ghosts} of " in text_of(listed)


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


# --- Deciding ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ghost(house):
    """A ghost in the wiki, which can be closed from here, in an estate that knows its account."""
    seeded.put_connectors(house)
    put_run(
        house, NOW, [seeded.account("wiki", "a0", owner_id="hr:0", owner_state="ended"), seeded.account("wiki", "a9")]
    )
    return put_findings(house, NOW, {"application": "wiki", "account_id": "a0"})[0]


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def rows_of(house, model):
    from sqlmodel import select

    with house.store.read() as session:
        return list(session.exec(select(model)))


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


def test_who_may_not_propose_or_exclude_gets_no_button(house, ghost):
    labels = {button.label for button in show(house, "findings", AUDITOR).button}
    assert not labels & {"Propose deactivation", "Exclude"}


def test_an_exclusion_needs_a_reason_and_ends(house, ghost):
    app = press(show(house, "findings", SECURITY), "Exclude")
    app.text_input(key=f"why-exclude-{ghost}").set_value("agreed with HR until the handover ends")
    press(app, "Exclude until then")
    [made] = rows_of(house, Exclusion)
    assert timedelta(days=20) < made.until - NOW < timedelta(days=31)
    assert "agreed with HR" in text_of(show(house, "findings", SECURITY, status="excluded"))


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
    [row] = rows_of(house, Remediation)
    assert (row.id, row.status, row.approved_by) == (made.id, "approved", BOSS)
    assert ":green[✓ Approved]" in text_of(show(house, "approvals", BOSS))


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
    assert "Every entry follows the one before: 1 entries hold" in app.success[0].value
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


# --- Acting as --------------------------------------------------------------------------------------------------------


def test_acting_as_is_offered_on_this_machine(house):
    assert [box.label for box in show(house, "overview").sidebar.selectbox] == ["Acting as"]


def test_a_server_that_others_can_reach_is_read_only(house, ghost):
    import streamlit as st

    before = st.get_option("server.address")
    st.config.set_option("server.address", "0.0.0.0")
    try:
        app = show(house, "findings", SECURITY)
        assert not app.sidebar.selectbox
        assert "Read-only" in "".join(str(m.value) for m in app.sidebar.markdown)
        assert not [b for b in app.button if b.label in ("Propose deactivation", "Exclude", "Release")]
    finally:
        st.config.set_option("server.address", before)


def test_pages_are_shown_by_role(house):
    def open_to(who):
        app = show(house, "jobs", who)
        return app.title[0].value == "Jobs"

    assert open_to(ADMIN)
    assert not open_to(BOSS)


# --- Text from outside ------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>bold</b>", "[click](http://evil.example)",
    "![x](http://evil.example/x.png)", "**bold**", "__bold__", "`code`", "``` code", "# title", "- item", "1. item",
    "> quote", "| a | b |", "~~gone~~", "$x^2$", "$$x$$", ":red[alarm]", ":material/home:", ":smile:", "---", "***",
    "http://evil.example", "https://evil.example/a?b=c", "www.evil.example", "a@evil.example`<b>", "[ref]: http://x",
    "&lt;script&gt;", "&#60;", "\\*", "a\\", "x\ny", "x\r\n# y", "\ttab", "    code", "a\u202eb", "a\u200bb", "a\x00b",
    "a\x1b[31mb", "{{7*7}}", "%s%n", "{0}", "<!-- c -->", "<a href=javascript:1>x</a>", "javascript:alert(1)",
    "[x](javascript:alert(1))", "<iframe src=//x>", ":blue-badge[x]", ":gray[x]", "::: warning", "H~2~O", "==mark==",
    "^sup^", "[^1]", "- [ ] task", "<details>", "\u2066x\u2069", "|:-|", "+ plus", "* star",
]  # fmt: skip


def test_text_from_outside_is_shown_sign_by_sign():
    assert len(HOSTILE) == 60
    for payload in HOSTILE:
        shown = plain(payload)
        bare = "".join(part for place, part in enumerate(shown.split("`")) if place % 2 == 0) if "`" in shown else shown
        unescaped = bare.replace("\\\\", "")
        for sign in string.punctuation:
            if sign != "\\":
                assert unescaped.count(sign) == unescaped.count(f"\\{sign}"), (payload, shown, sign)
        assert "\n" not in shown, payload
        assert not shown.startswith((" ", "\t")), payload
        for turner in "\u202e\u2066\u2069\u200b\x00\x1b":
            assert turner not in shown, payload
        assert "http:" not in shown.replace("\\", "").replace("\u2060", "|"), payload


def test_hostile_names_reach_no_page_unescaped(house):
    name = "<img src=x onerror=alert(1)> [click](http://evil.example) :red[x]"
    put_run(house, NOW, [seeded.account("wiki", "a0", owner_id="hr:0", username=name)],
            [{"identity_id": "hr:0", "display_name": name, "state": "ended", "present": True}])  # fmt: skip
    [print_] = put_findings(
        house, NOW,
        {"identity_name": name, "username": name, "reason": f"{name} left.", "application": "wiki", "account_id": "a0",
         "evidence": {"facts": [{"text": name, "source": "hr", "at": None}], "values": {}}},
    )  # fmt: skip
    put_remediation(house, "r1", NOW, identity_name=name, reason=name, error=name, finding=print_,
                    evidence={"finding": {"reason": name, "severity": "critical"}})  # fmt: skip
    put_snapshot(house, "hr", NOW, "held", held_why=name)
    for page in PAGES:
        app = show(
            house,
            page,
            BOSS if page == "approvals" else SECURITY,
            finding=print_,
            id="hr:0" if page == "identities" else "r1",
        )
        assert not app.exception
        said = text_of(app)
        outside_code = re.sub(r"`[^`]*`", "", said)
        assert not re.search(r"(?<!\\)(<img|\[click|:red\[x)", outside_code), page


def test_what_is_done_is_audited_under_the_name_that_acted(house, ghost):
    propose(house, ghost)
    press(show(house, "approvals", BOSS), "Approve deactivation")
    assert [(entry.verb, entry.actor) for entry in rows_of(house, AuditEntry)] == [
        ("propose", SECURITY),
        ("approve", BOSS),
    ]
