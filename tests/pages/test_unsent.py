"""What was typed when a session ended stands in its field again: in the tabs that are there, until it was sent in one."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


def tab():
    from datetime import UTC, datetime

    import streamlit as st

    from governance.parts.unsent import keep_typed, put_back

    who, now = st.session_state["who"], datetime(2026, 11, 27, 12, tzinfo=UTC)
    if st.session_state.get("out"):
        keep_typed(who, now)
        return
    put_back(who, now)
    for key in ("why-one", "why-two"):
        if key not in st.session_state.get("sent", ()):
            st.text_input(key, key=key)


def opened(who):
    app = AppTest.from_function(tab)
    app.session_state["who"] = who
    return app.run()


def fields(app):
    return {field.key: field.value for field in app.text_input}


def ended(who):
    """A tab in which two fields were filled in when its session ended."""
    app = opened(who)
    app.text_input(key="why-one").set_value("left, HR confirmed")
    app.text_input(key="why-two").set_value("agreed until May").run()
    app.session_state["out"] = True
    app.run()
    assert not app.exception


BOTH = {"why-one": "left, HR confirmed", "why-two": "agreed until May"}


def test_it_stands_in_its_field_in_every_tab_until_it_was_sent():
    ended("ann@example.com")
    assert fields(opened("bob@example.com")) == {"why-one": "", "why-two": ""}
    app, other = opened("ann@example.com"), opened("ann@example.com")
    assert fields(app) == fields(other) == BOTH
    assert fields(app.run()) == BOTH


def test_what_was_sent_is_offered_in_no_tab_that_is_opened_later():
    ended("cyd@example.com")
    app = opened("cyd@example.com")
    app.session_state["sent"] = ("why-one",)
    app.run()
    app.run()
    assert fields(opened("cyd@example.com")) == {"why-one": "", "why-two": "agreed until May"}


def test_what_was_changed_is_not_offered_as_it_was():
    ended("dee@example.com")
    app = opened("dee@example.com")
    app.text_input(key="why-two").set_value("agreed until June").run()
    assert fields(app) == {"why-one": "left, HR confirmed", "why-two": "agreed until June"}
    assert fields(opened("dee@example.com")) == {"why-one": "left, HR confirmed", "why-two": ""}
