from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.rules.rehire_regained_access import rehire_regained_access

CLOSED = datetime(2026, 3, 2, 9, tzinfo=UTC)
REHIRED = datetime(2026, 11, 2, 4, tzinfo=UTC)
RETURNED = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def back(**values):
    dates = {"owner_rehired_at": REHIRED, "closed_at": CLOSED, "returned_at": RETURNED}
    return account(**{**dates, "created_at": datetime(2024, 1, 8, 9, tzinfo=UTC), **values})


def test_fires_on_an_account_of_the_former_engagement_that_is_open_again():
    verdict = judge(rehire_regained_access, back())
    assert reason(verdict) == (
        "Marta Lindqvist had left and works here again since 2 Nov 2026; the account m.lindqvist in Customer CRM from"
        " before, closed on 2 Mar 2026, is active again since 2 Nov 2026 with whatever it still held."
    )
    evidence = verdict.findings["evidence"].item()
    assert "Customer CRM: read closed 2 Mar 2026, 09:00 UTC" in evidence
    assert "HR: Marta Lindqvist had left and works here again since 2 Nov 2026, 04:00 UTC" in evidence


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"closed_at": REHIRED - SECOND}, ["a1"]),
        ({"closed_at": REHIRED}, []),
        ({"returned_at": REHIRED - timedelta(days=30)}, ["a1"]),
        ({"returned_at": REHIRED - timedelta(days=30) - SECOND}, []),
        ({"created_at": REHIRED - SECOND}, ["a1"]),
        ({"created_at": REHIRED}, []),
        ({"created_at": None}, ["a1"]),
        ({"returned_at": CLOSED - SECOND}, []),
    ],
)
def test_fires_exactly_on_what_was_closed_before_and_opened_for_the_return(values, expected):
    assert fired(judge(rehire_regained_access, back(**values))) == expected


@pytest.mark.parametrize(
    "quiet",
    [
        back(active=False),
        back(owner_rehired_at=None),
        back(closed_at=None, returned_at=None),
        back(returned_at=None),
        back(owner_state="ended", owner_ended_at=REHIRED),
        account(),
        unowned(),
    ],
)
def test_quiet_for_new_accounts_closed_ones_and_who_never_left(quiet):
    verdict = judge(rehire_regained_access, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (back(active=None), "the application does not tell whether the account is active"),
        (back(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(rehire_regained_access, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
