"""What staging a feed remarks beside its facts."""

import pytest

from governance.records import Account, Entitlement, Reading
from governance.snapshots import stage

WORDS = "known to be privileged"


@pytest.fixture
def settings():
    own = {"connector": "app_csv", "path": "a.csv"}
    return {"application": [{"name": "crm", **own}, {"name": "erp", "privileged": ["admin*"], **own}]}


def remarks(house, now, application, *privileged):
    held = [Entitlement(application, f"e{n}", f"Role {n}", "role", known) for n, known in enumerate(privileged)]
    reading = Reading()
    stage(house, house.settings.feed(application), [*held, Account(application, "a1")], reading, now, now)
    return reading.notes


@pytest.mark.parametrize(
    ("application", "privileged", "many"),
    [
        pytest.param("crm", (False, False), "2", id="none is"),
        pytest.param("crm", (None, False), "2", id="none is known to be"),
        pytest.param("crm", (False, True), None, id="one is"),
        pytest.param("crm", (), None, id="nothing is held"),
        pytest.param("erp", (False,), None, id="the settings say what would be"),
    ],
)
def test_that_nothing_is_known_to_be_privileged_is_said_where_nobody_named_what_is(
    house, now, application, privileged, many
):
    found = remarks(house, now, application, *privileged)
    assert len(found) == (many is not None)
    assert all(WORDS in words and f"({many} here)" in words and "`privileged`" in words for words in found)
