"""My reviews: whose rows are shown, and what becomes of what is decided on them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from reviews import PLAN, TOLD, actor, reviewed
from sqlmodel import select

from governance import campaigns
from governance.parts.review_grid import Decided
from governance.parts.reviewing import store
from governance.store import put_rows
from governance.tables import AuditEntry, ReviewDecision, ReviewItem, ReviewSignature
from tests.screen import press, rows_of, show, text_of, without_key

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
BOSS = "boss@x.example"  # reviews everything here: in these tests nobody is a manager
HERS = PLAN | {"levels": [[BOSS]], "fallback": "other@x.example"}


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


@pytest.fixture
def company(house):
    return reviewed(house)


def begun(house, title="Autumn", plan=HERS, scope=None):
    sec = actor(house, "sec")
    made = campaigns.create(house, sec, NOW - timedelta(hours=5), title, scope or {}, plan)
    return campaigns.launch(house, sec, NOW - timedelta(hours=5), made.id).id


def drawn(app):
    """What the browser gets: the rows and what is said of them."""
    [grid] = app.get("bidi_component")
    return json.loads(grid.proto.json)


def tell(app, campaign, *decisions, who=BOSS):
    """What the browser tells of the rows it shows."""
    whole = [{"reason": "", "seconds": 1.5, "bulk": False} | one for one in decisions]
    app.session_state[f"review-{campaign} {who}"] = {"batch": {"count": 1, "decisions": whole}}
    app.run()
    assert not app.exception
    return app


def entry(number, decision, nonce, **more):
    return {"number": number, "decision": decision, "nonce": nonce * 24} | more


def item(house, campaign, number):
    with house.store.read() as session:
        return session.exec(
            select(ReviewItem).where(ReviewItem.campaign == campaign, ReviewItem.number == number)
        ).one()


def test_nothing_to_review_is_said(company):
    app = show(company, "my_reviews", BOSS)
    assert "Nothing waits for your review" in app.header[0].value
    assert "Nothing is given to you to review" in text_of(app)


def test_what_is_kept_and_goes_on_to_the_next_level_is_not_simply_gone(company):
    id = begun(company, plan=HERS | {"levels": [[BOSS], ["application_owner"]]})
    numbers = sorted(one["number"] for one in drawn(show(company, "my_reviews", BOSS))["rows"])
    app = tell(show(company, "my_reviews", BOSS), id, entry(numbers[0], "keep", "a"))
    assert "Kept, and with the next reviewer 1" in text_of(app)
    rest = [entry(number, "keep", chr(98 + place)) for place, number in enumerate(numbers[1:])]
    app = tell(show(company, "my_reviews", BOSS, campaign=id), id, *rest)
    assert f"{len(numbers)} items you kept are with the next reviewer" in app.success[0].value


def test_the_only_review_opens_at_once_and_of_several_each_has_its_card(company):
    first = begun(company)
    app = show(company, "my_reviews", BOSS)
    assert app.title[0].value == "Autumn"
    assert len(drawn(app)["rows"]) == 19
    begun(company, "Winter")
    app = show(company, "my_reviews", BOSS)
    assert app.title[0].value == "My reviews"
    assert "**38** left to decide in 2 reviews" in app.header[0].value
    app = show(company, "my_reviews", BOSS, campaign=first)
    assert app.title[0].value == "Autumn"


def test_rows_say_everything_a_decision_needs(company):
    begun(company)
    rows = {(row["account"], row["entitlement"]): row for row in drawn(show(company, "my_reviews", BOSS))["rows"]}
    row = rows["ida", "Reader"]
    assert (row["who"], row["recommendation"], row["notable"]) == ("Ida Fern", "remove", True)
    assert row["because"] == "No longer works here since 1 Nov"
    assert row["employment"] == "Leaver since 1 Nov"
    assert rows["ann", "Reader"]["notable"] is False
    assert all(isinstance(row["earlier_decisions"], list) for row in rows.values())


@pytest.mark.parametrize("who", ["other@x.example", "audit@x.example", "adm@x.example"])
def test_nobody_sees_the_rows_of_others(company, who):
    campaign = begun(company)
    app = show(company, "my_reviews", who, campaign=campaign)
    assert app.title[0].value == "My reviews"
    assert not app.get("bidi_component")
    assert "Autumn" not in text_of(app)


def test_an_address_of_no_campaign_shows_the_list(company):
    assert show(company, "my_reviews", BOSS, campaign="nothing").title[0].value == "My reviews"


def test_what_the_browser_tells_is_stored_once_and_it_hears_so(company):
    campaign = begun(company)
    app = show(company, "my_reviews", BOSS)
    batch = [entry(1, "keep", "a"), entry(2, "remove", "b"), entry(3, "change", "c", reason="read only")]
    tell(app, campaign, *batch)
    assert drawn(app)["saved"] == ["a" * 24, "b" * 24, "c" * 24]
    assert [row["decision"] for row in drawn(app)["rows"][:3]] == ["keep", "remove", "change"]
    assert "**16** left to decide" in app.header[0].value
    tell(app, campaign, *batch, entry(1, "undo", "d"))  # told again with one more: the answer had not arrived
    made = {(one.number, one.decision, one.by) for one in rows_of(company, ReviewDecision)}
    assert made == {(1, "keep", BOSS), (2, "remove", BOSS), (3, "change", BOSS), (1, "undo", BOSS)}
    assert len(rows_of(company, ReviewDecision)) == 4
    assert item(company, campaign, 1).decision is None
    lines = [line for line in rows_of(company, AuditEntry) if line.verb == "campaign.decide"]
    assert [line.reason for line in lines] == ["1 keep, 1 remove, 1 change", "1 undo"]


def test_another_browser_that_tells_the_same_stores_nothing(company):
    campaign = begun(company)
    for _ in range(2):
        app = tell(show(company, "my_reviews", BOSS), campaign, entry(1, "keep", "a"))
        assert drawn(app)["saved"] == ["a" * 24]
    assert len(rows_of(company, ReviewDecision)) == 1


def test_what_cannot_be_is_refused_by_name_and_holds_up_nothing(company):
    campaign = begun(company)
    app = show(company, "my_reviews", BOSS)
    tell(
        app, campaign,
        entry(1, "keep", "a"), entry(900, "keep", "b"), entry(2, "delete", "c"), entry(2, "keep", "d", reason="x" * 501),
        entry(3, "change", "e"), entry(4, "remove", "f"),
    )  # fmt: skip
    assert [(one.number, one.decision) for one in rows_of(company, ReviewDecision)] == [(1, "keep"), (4, "remove")]
    seen = drawn(app)
    assert seen["saved"] == ["a" * 24, "f" * 24]
    assert {nonce[0]: why for nonce, why in seen["refused"].items()} == {
        "b": "there is no item 900 in this campaign",
        "c": "this is no decision",
        "d": "a reason has at most 500 characters",
        "e": "a change says what it should be instead",
    }


def test_several_of_one_press_are_stored_together_or_not_at_all(company):
    campaign = begun(company)
    rows = {row["number"]: row for row in drawn(show(company, "my_reviews", BOSS))["rows"] if not row["critical"]}
    groups: dict[str, list[int]] = {}
    for number, row in rows.items():
        groups.setdefault(row["recommendation"], []).append(number)
    keeps, others = groups["keep"][:3], groups["remove"][:1]
    boss = actor(company, "boss")

    def together(press, numbers):
        return [Decided(n, "keep", "same reason", 1.0, True, f"{press * 24}.{at}") for at, n in enumerate(numbers)]

    told = [*together("a", keeps[:2]), *together("b", [keeps[2], *others])]
    saved, refused = store(company, boss, NOW, campaign, told)
    assert saved == [f"{'a' * 24}.0", f"{'a' * 24}.1"]
    assert set(refused.values()) == {"only items with the same recommendation are decided together"}
    assert len(refused) == 2
    assert {one.number for one in rows_of(company, ReviewDecision)} == set(keeps[:2])


def test_it_says_when_it_is_done_at_this_pace_once_something_is_decided(company):
    campaign = begun(company)
    app = show(company, "my_reviews", BOSS)
    assert "at this pace" not in app.header[0].value
    tell(app, campaign, entry(1, "keep", "a"))
    assert "at this pace done on" in app.header[0].value


def test_filters_narrow_the_list_and_say_how_many(company):
    campaign = begun(company)
    app = show(company, "my_reviews", BOSS)
    tell(app, campaign, entry(1, "keep", "a"), entry(2, "keep", "b"))
    app = show(company, "my_reviews", BOSS, show="to_decide")
    assert len(drawn(app)["rows"]) == 17
    app = show(company, "my_reviews", BOSS, show="decided", by="application")
    assert {row["decision"] for row in drawn(app)["rows"]} == {"keep"}
    app = show(company, "my_reviews", BOSS, show="changed")
    assert not app.get("bidi_component")
    assert "No row is left under" in text_of(app)


def test_a_review_of_several_pages_is_searched_as_a_whole(company):
    campaign = begun(company)
    assert not show(company, "my_reviews", BOSS).text_input, "one page needs no search beside the list's own filter"
    last = item(company, campaign, 19).model_dump()
    with company.store.write() as session:
        more = [last | {"number": number, "identity_name": f"Uwe Grün {number}"} for number in range(20, 131)]
        put_rows(session, ReviewItem, more)
    app = show(company, "my_reviews", BOSS)
    assert "1 to 100 of 130" in text_of(app)
    app.text_input[0].set_value("130 uwe").run()
    assert [row["who"] for row in drawn(app)["rows"]] == ["Uwe Grün 130"]
    assert app.query_params["find"] == "130 uwe"
    app = show(company, "my_reviews", BOSS, find="130 nobody", show="to_decide")
    assert "No row under “To decide” has “130 nobody”." in text_of(app)
    assert app.text_input[0].value == "130 nobody"


def test_it_is_signed_when_nothing_is_open(company):
    campaign = begun(company, scope={"leavers": True})
    app = show(company, "my_reviews", BOSS)
    [button] = [b for b in app.button if b.key == "sign"]
    assert (button.label, button.disabled) == ("Sign and submit, 1 to decide", True)
    tell(app, campaign, entry(1, "remove", "a"))
    press(app, "Sign and submit")
    assert [(row.campaign, row.reviewer) for row in rows_of(company, ReviewSignature)] == [(campaign, BOSS)]
    assert "You have signed this review" in text_of(app)
    tell(app, campaign, entry(1, "keep", "b"))
    assert rows_of(company, ReviewSignature) == [], "who decides anew has not signed that"


def test_a_closed_review_is_shown_and_takes_no_decision(company):
    campaign = begun(company, scope={"leavers": True})
    app = show(company, "my_reviews", BOSS)
    tell(app, campaign, entry(1, "remove", "a"))
    campaigns.close(company, actor(company, "sec"), NOW, campaign)
    app = show(company, "my_reviews", BOSS, campaign=campaign)
    assert drawn(app)["closed"] is True
    assert not [b for b in app.button if without_key(b).startswith("Sign")]
    tell(app, campaign, entry(1, "keep", "b"))
    assert "takes no decisions" in drawn(app)["refused"]["b" * 24]
    assert item(company, campaign, 1).decision == "remove"


def test_a_hostile_name_reaches_the_browser_as_text(company):
    begun(company)
    with company.store.write() as session:
        row = session.exec(select(ReviewItem).where(ReviewItem.number == 1)).one()
        row.identity_name = "Ev\u202eil\x00 <b>"
        session.add(row)
    assert drawn(show(company, "my_reviews", BOSS))["rows"][0]["who"] == "Ev\ufffdil\ufffd <b>"
