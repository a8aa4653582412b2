"""Naming a deputy where one's notifications are, and the count of exclusions on the first page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reviews import PEOPLE, TOLD, actor, read, reviewed, write
from sqlmodel import select

from governance import campaigns
from governance.findings import exclude
from governance.tables import Finding
from governance.views.words import day
from tests.screen import NOW, press, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


@pytest.fixture
def settings():
    return TOLD


@pytest.fixture
def company(house):
    return reviewed(house, NOW - timedelta(hours=1))


def test_a_deputy_is_named_shown_and_taken_back(company):
    app = show(company, "notifications", "owner@x.example")
    assert not app.exception
    next(box for box in app.selectbox if box.label == "Who decides your reviews").set_value("boss@x.example")
    next(box for box in app.text_input if box.label == "Why").set_value("Holiday")
    press(app, "Name the deputy")
    [row] = campaigns.delegations(company, NOW)
    assert (row.actor, row.deputy, row.reason) == ("owner@x.example", "boss@x.example", "Holiday")
    last = day(row.until - timedelta(days=1), NOW)
    app = show(company, "notifications", "boss@x.example")
    assert f"You decide the reviews of `owner@x.example` until {last}." in text_of(app)
    said = text_of(show(company, "my_reviews", "boss@x.example"))
    assert f"With the reviews of `owner@x.example`, whose deputy you are until {last}." in said
    said = text_of(show(company, "my_reviews", "owner@x.example"))
    assert f"`boss@x.example` decides them too, as your deputy, until {last}." in said
    assert "deputy" not in text_of(show(company, "my_reviews", "sec@x.example"))
    app = show(company, "notifications", "owner@x.example")
    press(app, "End it")
    assert campaigns.delegations(company, NOW) == []


def test_a_refusal_is_said(company):
    app = show(company, "notifications", "owner@x.example")
    next(box for box in app.selectbox if box.label == "Who decides your reviews").set_value("boss@x.example")
    next(button for button in app.button if button.label == "Name the deputy").click().run()
    assert "needs a reason" in app.error[0].value


def test_deputies_are_shown_under_every_address_of_who_they_concern(make_house):
    named = [{"email": f"{name}@x.example", "roles": ["auditor"]} for name in ("a.roth", "max", "m.orth")]
    house = make_house({**TOLD, "actor": [*TOLD["actor"], *named]})
    head, *rows = PEOPLE.strip().split("\n")
    aliases = {"ann": "a.roth@x.example", "max": "m.orth@x.example"}
    people = [f"{head},aliases", *(f"{row},{aliases.get(row.split(',')[2].partition('@')[0], '')}" for row in rows)]
    write(house, people="\n".join(people))
    read(house, NOW - timedelta(hours=1))
    until = NOW + timedelta(days=9)
    campaigns.delegate(house, actor(house, "ann"), NOW, "max@x.example", until, "Holiday")
    own, others = (text_of(show(house, "notifications", f"{name}@x.example")) for name in ("a.roth", "m.orth"))
    assert "decides your reviews until" in own
    assert "You decide the reviews of `ann@x.example` until" in others
    own, others = (text_of(show(house, "my_reviews", f"{name}@x.example")) for name in ("a.roth", "m.orth"))
    assert "`max@x.example` decides them too, as your deputy" in own
    assert "With the reviews of `ann@x.example`, whose deputy you are" in others


def test_exclusions_are_counted_on_the_first_page(company):
    with company.store.read() as session:
        fingerprint = session.exec(select(Finding.fingerprint).where(Finding.rule == "ghost")).one()
    exclude(company, actor(company, "sec"), NOW, fingerprint, NOW + timedelta(days=5), "hold")
    app = show(company, "overview", "sec@x.example")
    assert not app.exception
    assert "1 excluded" in "\n".join(str(link.proto) for link in app.get("page_link"))
