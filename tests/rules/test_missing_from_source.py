from __future__ import annotations

from datetime import UTC, datetime

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.missing_from_source import missing_from_source


def vanished(**values):
    last = datetime(2026, 11, 1, tzinfo=UTC)
    return account(**{"owner_state": "missing", "owner_last_present_at": last, **values})


def test_fires_on_an_active_account_of_somebody_who_vanished():
    assert reason(judge(missing_from_source, vanished())) == (
        "Marta Lindqvist is no longer in HR, last seen there on 1 Nov 2026, without a word that they left;"
        " the account m.lindqvist in Customer CRM is active."
    )


def test_is_a_suspicion_that_deactivates_nothing():
    assert missing_from_source.remedy is not Remedy.DEACTIVATE
    assert missing_from_source.severity == "medium"


@pytest.mark.parametrize("values", [{"active": False}, {"owner_state": "current"}, {"owner_state": "ended"}])
def test_quiet_for_inactive_accounts_and_where_the_source_speaks(values):
    verdict = judge(missing_from_source, vanished(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (vanished(active=None), "the application does not tell whether the account is active"),
        (vanished(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(missing_from_source, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
