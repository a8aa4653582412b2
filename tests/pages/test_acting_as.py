"""Whom the demo's visitor acts as: told by an address, kept on the way to every other page, changed in the header."""

from __future__ import annotations

import pytest

from tests.screen import BOSS, SECURITY, show

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


def acting(app):
    return [box.value for box in app.main.selectbox if box.key == "acting-as"]


def elsewhere(app):
    """As a link to another page leads there: its address says nothing of who acts."""
    del app.query_params["as"]
    app.run()
    assert not app.exception
    return app


def test_whom_an_address_told_to_act_as_acts_on_every_page_that_follows(house):
    app = show(house, "approvals", BOSS)
    assert acting(elsewhere(app)) == [BOSS]


def test_a_choice_in_the_header_stands_against_the_address_it_was_made_at(house):
    app = show(house, "approvals", BOSS)
    next(box for box in app.main.selectbox if box.key == "acting-as").set_value(SECURITY).run()
    assert acting(app) == [SECURITY]
    assert acting(elsewhere(app)) == [SECURITY]


def test_an_address_that_tells_of_nobody_known_changes_nothing(house):
    first = acting(show(house, "overview", "nobody@example.com"))
    app = show(house, "approvals", BOSS)
    app.query_params["as"] = "nobody@example.com"
    assert acting(app.run()) == [BOSS] != first
