from __future__ import annotations

from datetime import timedelta

import pytest
from estates import NOW, account, fired, judge, reason, unknown, unowned

from governance.rules.never_used import never_used


def untouched(days=15, **values):
    return account(**{"last_seen_at": None, "created_at": NOW - timedelta(days=days), **values})


@pytest.mark.parametrize("kind", ["human", "guest", None])
def test_fires_on_a_persons_account_that_nobody_ever_used(kind):
    assert reason(judge(never_used, untouched(kind=kind))) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM was created on 8 Nov 2026 and has never been used;"
        " the policy allows 14 days."
    )


@pytest.mark.parametrize(("days", "fires"), [(13, False), (14, True)])
def test_a_new_account_has_time_to_be_used(days, fires):
    assert fired(judge(never_used, untouched(days))) == (["a1"] if fires else [])


@pytest.mark.parametrize(
    "values",
    [
        {"active": False},
        {"owner_state": "future"},
        {"owner_state": "leave"},
        {"owner_state": "ended"},
        {"kind": "service"},
        {"last_seen_at": NOW - timedelta(days=300)},
        {"last_seen_at": NOW - timedelta(days=300), "created_at": None},
    ],
)
def test_quiet_for_others_and_for_accounts_that_were_used(values):
    verdict = judge(never_used, untouched(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (untouched(active=None), "the application does not tell whether the account is active"),
        (untouched(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (untouched(last_seen_known=False), "the application does not tell the last use"),
        (untouched(created_at=None), "the application does not tell when the account was created"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(never_used, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


@pytest.mark.parametrize("values", [{"kind": "service"}, {"owner_state": "ended"}])
def test_an_untold_state_of_an_account_it_is_not_about_is_no_question(values):
    assert unknown(judge(never_used, untouched(active=None, **values))) is None
