"""A review before it begins, as one of its reviewers would see it: their rows, and nothing can be decided."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from reviews import CRM, PLAN, TOLD, actor, items, read, reviewed, write
from sqlmodel import select

from governance import campaigns
from governance.errors import NotAllowed
from governance.tables import AuditEntry, Campaign, ReviewDecision, ReviewItem
from governance.views.previews import as_reviewer
from tests.screen import NOW, press, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
SEC, AUDIT, BOSS = "sec@x.example", "audit@x.example", "boss@x.example"
TO_BOSS = PLAN | {"levels": [[BOSS]], "fallback": "other@x.example"}


@pytest.fixture
def settings():
    return TOLD


@pytest.fixture
def company(house):
    return reviewed(house, NOW - timedelta(hours=1))


def drafted(house, plan=PLAN):
    return campaigns.create(house, actor(house, "sec"), NOW, "Autumn", {}, plan).id


def chosen(app, email):
    next(box for box in app.selectbox if box.label == "Reviewer").set_value(email).run()
    assert not app.exception
    [grid] = app.get("bidi_component")
    return json.loads(grid.proto.json)


def test_each_reviewer_of_a_draft_sees_exactly_what_the_launch_gives_them(company):
    id = drafted(company)
    app = show(company, "campaigns", SEC, campaign=id)
    assert not app.get("bidi_component"), "nobody is chosen yet"
    box = next(box for box in app.selectbox if box.label == "Reviewer")
    assert "max@x.example (5 items)" in box.options
    seen = {who: chosen(app, who) for who in ("max@x.example", "lea@x.example", "owner@x.example", "eva@x.example")}
    assert all((told["closed"], told["preview"]) == (True, True) for told in seen.values())
    foreseen = {
        (who, row["account"], row["entitlement"], row["recommendation"], row["because"])
        for who, told in seen.items()
        for row in told["rows"]
    }
    campaigns.launch(company, actor(company, "sec"), datetime.now(UTC), id)  # days are told: NOW may be of yesterday
    assert foreseen == {
        (one.reviewer, one.username, one.entitlement or "The account itself", one.recommendation, one.because)
        for one in items(company, id).values()
    }


def test_nothing_can_be_decided_in_it_whatever_the_browser_tells(company):
    id = drafted(company)
    app = show(company, "campaigns", SEC, campaign=id)
    number = chosen(app, "max@x.example")["rows"][0]["number"]
    told = {"number": number, "decision": "remove", "nonce": "a" * 24, "reason": "", "seconds": 1.5, "bulk": False}
    app.session_state["review-preview max@x.example"] = {"batch": {"count": 1, "decisions": [told]}}
    app.run()
    assert not app.exception
    with company.store.read() as session:
        assert session.exec(select(ReviewItem)).all() == session.exec(select(ReviewDecision)).all() == []
        assert [one.verb for one in session.exec(select(AuditEntry)) if one.object.startswith("campaign")] == [
            "campaign.create"
        ]


def test_it_is_seen_before_there_is_a_draft_and_follows_the_form(company):
    app = show(company, "campaigns", SEC, new="1")
    assert {row["application"] for row in chosen(app, "lea@x.example")["rows"]} == {"Customer CRM", "wiki"}
    next(box for box in app.multiselect if box.label == "Applications").set_value(["wiki"]).run()
    assert not app.exception
    assert {row["application"] for row in chosen(app, "lea@x.example")["rows"]} == {"wiki"}
    with company.store.read() as session:
        assert session.exec(select(Campaign)).all() == []


def test_a_long_list_is_seen_page_by_page(house):
    write(house, crm=CRM + "".join(f"m{n},m{n},,active,,2026-11-20,service,Reader\n" for n in range(110)))
    company = read(house, NOW)
    sec = actor(company, "sec")
    first, second = (as_reviewer(company, sec, NOW, {}, TO_BOSS, BOSS, page) for page in (1, 9))
    assert (first.pages, first.at, second.at) == (2, 1, 2)
    assert len(first.rows) + len(second.rows) == first.total
    numbers = [row["number"] for row in [*first.rows, *second.rows]]
    assert numbers == sorted(set(numbers))


def test_only_who_may_begin_a_review_sees_it(company):
    id = drafted(company)
    app = show(company, "campaigns", AUDIT, campaign=id)
    assert not app.exception
    assert "As a reviewer would see it" not in text_of(app)
    as_reviewer(company, actor(company, "sec"), NOW, {}, PLAN, "lea@x.example", 1)
    with pytest.raises(NotAllowed):
        as_reviewer(company, actor(company, "audit"), NOW, {}, PLAN, "lea@x.example", 1)


def test_before_anything_was_read_there_is_nobody_to_choose(house):
    write(house)
    app = show(house, "campaigns", SEC, new="1")
    assert not app.exception
    assert not [box for box in app.selectbox if box.label == "Reviewer"]
    read(house, NOW)
    press(show(house, "campaigns", SEC, new="1"), "Keep as a draft")
