"""The pages of campaigns and evidence: begun with a preview, followed, closed, and proved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reviews import PLAN, TOLD, actor, items, reviewed
from sqlmodel import select

from governance import campaigns, evidence
from governance.campaigns import Decision
from governance.tables import Campaign, EvidencePack, Notice, Remediation
from governance.views.words import day
from jobs import work
from tests.screen import NOW, press, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
SEC, AUDIT, OWNER = "sec@x.example", "audit@x.example", "owner@x.example"


@pytest.fixture
def settings():
    return TOLD


@pytest.fixture
def company(house):
    return reviewed(house, NOW - timedelta(hours=1))


def begun(house, title="Autumn"):
    sec = actor(house, "sec")
    made = campaigns.create(house, sec, NOW, title, {}, PLAN)
    return campaigns.launch(house, sec, NOW, made.id).id


def decided(house, id, **words):
    by: dict[str, list[Decision]] = {}
    for item in items(house, id).values():
        by.setdefault(item.reviewer, []).append(Decision(item.number, words.get(item.account_id, "keep"), "seen"))
    for email, wanted in by.items():
        campaigns.decide(house, actor(house, email), NOW, id, wanted)


def field(app, kind, label):
    return next(box for box in getattr(app, kind) if box.label == label)


def test_nothing_was_begun_yet(company):
    app = show(company, "campaigns", SEC)
    assert not app.exception
    assert app.header[0].value == "No review is running."
    assert "No review was begun yet" in text_of(app)


def test_a_second_review_over_the_same_items_is_not_begun_without_a_warning(company):
    assert not show(company, "campaigns", SEC, new="1").warning
    begun(company)
    app = show(company, "campaigns", SEC, new="1")
    with company.store.read() as session:
        due = day(session.exec(select(Campaign)).one().due_at, NOW)
    said = app.warning[0].value.replace("\\", "")
    assert f"19 of these items are under review already: “Autumn”, due {due}. They would be" in said
    scope = {"privileged": True, "departments": ["Sales"], "movers_days": 30, "kinds": ["human", "bot"]}
    narrow = campaigns.create(company, actor(company, "sec"), NOW, "Movers", scope, PLAN)
    said = text_of(show(company, "campaigns", SEC, campaign=narrow.id)).replace("\\", "")
    for words in (
        "Privileged access",
        "Sales",
        "30 days",
        "human, bot",
        "manager, else the application's owner",
        "boss@x.example",
    ):
        assert words in said, "the plan of a draft is told in words"
    draft = campaigns.create(company, actor(company, "sec"), NOW, "Again", {}, PLAN)
    assert "They would be asked about twice" in show(company, "campaigns", SEC, campaign=draft.id).warning[0].value


def test_a_review_is_begun_with_what_the_preview_said(company):
    app = show(company, "campaigns", SEC, new="1")
    assert not app.exception
    assert "**19** items" in text_of(app)
    field(app, "selectbox", "Begin with").set_value("quarterly-privileged").run()
    assert not app.exception
    said = text_of(app)
    assert "**4** items" in said
    assert "owner@x.example" in said
    field(app, "selectbox", "Fallback").set_value("boss@x.example").run()
    press(app, "Freeze and begin")
    assert not app.exception
    with company.store.read() as session:
        made = session.exec(select(Campaign)).one()
    assert (made.status, made.template, made.plan["fallback"]) == ("running", "quarterly-privileged", "boss@x.example")
    assert len(items(company, made.id)) == 4


def test_what_nobody_may_decide_is_named_and_cannot_begin(company):
    app = show(company, "campaigns", SEC, new="1")
    field(app, "multiselect", "Applications").set_value(["wiki"]).run()
    field(app, "multiselect", "First found").set_value(["application_owner"]).run()
    field(app, "selectbox", "Fallback").set_value("ann@x.example").run()
    assert "Nobody may decide 1 item" in text_of(app).replace("\\", "")
    [button] = [one for one in app.button if one.label == "Freeze and begin"]
    assert button.disabled


def test_a_running_review_shows_how_far_it_is_and_who_waits(company):
    id = begun(company)
    me = actor(company, "max")
    mine = [item for item in items(company, id).values() if item.reviewer == "max@x.example"]
    campaigns.decide(company, me, NOW, id, [Decision(item.number, "keep") for item in mine])
    app = show(company, "campaigns", SEC, campaign=id)
    assert not app.exception
    assert "**5** of 19 items decided by 4 reviewers" in app.header[0].value
    assert "Closing now hands 14 open items" in text_of(app)
    assert [metric.value for metric in app.metric][:2] == ["26.3 %", "0"]
    press(app, "Close with 14 open")
    assert "14 items are not decided" in app.error[0].value.replace("\\", "")
    assert {item.reviewer for item in items(company, id).values() if item.decision is None} == {"boss@x.example"}


def test_reviewers_are_reminded_from_the_page(make_house, company):
    id = begun(company)
    app = show(company, "campaigns", SEC, campaign=id)
    assert next(one for one in app.button if one.label == "Remind").disabled
    assert "No channel reaches persons" in text_of(app)
    mail = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "lw@x.example"}
    reached = make_house({**TOLD, "notify": {"channel": [mail]}})
    app = show(reached, "campaigns", SEC, campaign=id)
    press(app, "Remind")
    assert not app.exception
    with reached.store.read() as session:
        told = session.exec(select(Notice)).all()
    assert {notice.to for notice in told} == {item.reviewer for item in items(reached, id).values()}
    assert {notice.kind for notice in told} == {"review_reminder"}
    press(app, "Remind")
    assert "Everybody was reminded within the last hour" in app.error[0].value.replace("\\", "")


def test_a_closed_review_says_what_became_of_it(company):
    id = begun(company)
    decided(company, id, c5="remove", c10="remove")
    app = show(company, "campaigns", SEC, campaign=id)
    press(app, "Close the review")
    app = show(company, "campaigns", SEC, campaign=id)
    assert not app.exception
    said = text_of(app)
    assert "0 of 1 removal proved" in app.header[0].value
    assert "**1 item**: removal proposed" in said
    assert "not carried out: crm" in said.replace("\\", "")
    with company.store.read() as session:
        assert session.exec(select(Remediation.status)).all() == ["proposed"]


def test_an_auditor_sees_and_cannot_begin_or_close(company):
    id = begun(company)
    app = show(company, "campaigns", AUDIT)
    assert not [one for one in app.button if one.label == "New review"]
    app = show(company, "campaigns", AUDIT, campaign=id)
    assert not app.exception
    assert not [one for one in app.button if one.label.startswith("Close")]
    app = show(company, "campaigns", AUDIT, new="1")
    assert "Who decides" not in text_of(app)


def test_the_page_is_not_shown_to_reviewers(company):
    begun(company)
    app = show(company, "campaigns", OWNER)
    assert "items" not in text_of(app)


def test_evidence_is_there_once_the_worker_built_it(company):
    id = begun(company)
    decided(company, id, c5="remove")
    campaigns.close(company, actor(company, "sec"), NOW, id)
    app = show(company, "evidence", AUDIT)
    assert not app.exception
    assert "Waits for the worker" in text_of(app)
    assert [one.label for one in app.get("download_button")] == ["Public key"]
    work.run(company, "evidence", {})
    app = show(company, "evidence", AUDIT)
    assert "**1** of 1 closed review with signed evidence" in app.header[0].value
    key = evidence.public_key_file(company.home).read_bytes()
    assert evidence.fingerprint(evidence.public_key(key)) in text_of(app)
    assert "Decided, not proved (1)" in [one.value for one in app.subheader]
    assert "in Customer CRM: Reader :small[:gray[Waiting for approval]]" in text_of(app).replace("\\", "")
    assert "downloads it" not in text_of(app)
    app = show(company, "evidence", SEC)
    assert "Who may export, such as an auditor, downloads it" in text_of(app).replace("\\", "")
    press(show(company, "evidence", AUDIT), "Build anew")
    with company.store.read() as session:
        assert sorted(pack.status for pack in session.exec(select(EvidencePack))) == ["ready", "waiting"]


def test_nothing_is_closed_yet(company):
    app = show(company, "evidence", AUDIT)
    assert not app.exception
    assert "nothing to prove" in app.header[0].value


def test_a_review_that_is_not_there(company):
    app = show(company, "campaigns", SEC, campaign="01ABSENT")
    assert not app.exception
    assert app.header[0].value == "There is no such review any more."
