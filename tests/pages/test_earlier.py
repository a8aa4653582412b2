"""An identity's page on an earlier day: what it had, as known then and as known now; the address holds both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from governance.tables import Snapshot
from tests.screen import show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
WHO = "a.kovac@nwl.example"


@pytest.fixture
def earlier(company):
    """A day between the two readings of the demo company, both of which were made today."""
    with company.store.read() as session:
        read = session.exec(select(Snapshot.at)).all()
    first = min(read)
    assert max(read) - first > timedelta(days=2)
    return (first + timedelta(days=1)).date().isoformat()


def marta(company, **query):
    app = show(company, "identities", WHO, id="hr:10482", **query)
    assert not app.exception
    assert not app.error
    return app


def test_a_day_is_asked_for_first(company):
    app = marta(company)
    assert "On an earlier day" in text_of(app)
    assert "Choose a day" in text_of(app)


def test_as_known_now_the_accounts_of_that_day_are_listed(company, earlier):
    app = marta(company, as_of=earlier, known="now")
    assert "as known now" in text_of(app)
    assert "Choose a day" not in text_of(app)
    rows = app.dataframe[-1].value
    assert list(rows.columns) == ["Application", "Account", "State", "Entitlements", "Matched by", "Last use"]
    assert len(rows) >= 1


def test_as_known_then_nothing_was_known_of_what_was_read_later(company, earlier):
    assert "no source of truth had told of this identity" in text_of(marta(company, as_of=earlier))


@pytest.mark.parametrize("day", ["2999-01-01", "nonsense", str(datetime.now(UTC).date() + timedelta(days=3))])
def test_a_day_that_is_none_or_to_come_is_no_day(company, day):
    assert "Choose a day" in text_of(marta(company, as_of=day))


def test_a_chosen_day_stands_in_the_address(company, earlier):
    app = marta(company, known="now")
    app.date_input[0].set_value(datetime.fromisoformat(earlier).date()).run()
    assert app.query_params["as_of"] == earlier
    assert "as known now" in text_of(app)
