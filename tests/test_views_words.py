"""The words of the pages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from governance.tables import Finding
from governance.views import words
from tests import seeded
from tests.seeded import put_findings


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=8), "8 s"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(days=1, hours=4), "1 d 4 h"),
        (timedelta(days=19, hours=5), "19 d"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_spans_are_said_in_two_units_at_most(length, said):
    assert words.span(length) == said


def test_unknown_has_a_sign_of_its_own(now):
    assert (words.day(None, now), words.moment(None, now), words.share(1, 0)) == ("–", "–", "–")
    assert words.day(datetime(2025, 3, 1, tzinfo=now.tzinfo), now) == "1 Mar 2025"


def test_every_finding_has_a_status_that_the_pages_know(house, now):
    put_findings(house, now, *({"status": status} for status in words.STATUSES))
    with house.store.read() as session:
        assert set(session.exec(select(Finding.status))) == set(words.STATUSES)
