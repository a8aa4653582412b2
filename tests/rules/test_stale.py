from __future__ import annotations

from datetime import timedelta

import pytest
from estates import NOW, account, fired, judge, reason, unknown, unowned

from governance.rules.stale import stale


def unused(days=91, **values):
    return account(**{"last_seen_at": NOW - timedelta(days=days), **values})


@pytest.mark.parametrize("kind", ["human", "guest", None])
def test_fires_on_a_persons_account_unused_for_too_long(kind):
    assert reason(judge(stale, unused(kind=kind))) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM is active and was last used on 24 Aug 2026;"
        " the policy allows 90 days without use."
    )


@pytest.mark.parametrize(
    ("days", "allowed", "fires"), [(30, 30, True), (29, 30, False), (45, 45, True), (89, 90, False)]
)
def test_fires_from_the_last_allowed_day_of_this_account_on(days, allowed, fires):
    assert fired(judge(stale, unused(days, stale_days=allowed))) == (["a1"] if fires else [])


@pytest.mark.parametrize(
    "values",
    [
        {"active": False},
        {"owner_state": "leave"},
        {"owner_state": "ended"},
        {"owner_state": "missing"},
        {"kind": "service"},
        {"kind": "bot"},
        {"kind": "shared"},
        {"last_seen_at": None},
        {"last_seen_at": NOW + timedelta(minutes=4)},
    ],
)
def test_quiet_for_others_and_for_accounts_that_were_never_used(values):
    verdict = judge(stale, unused(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (unused(active=None), "the application does not tell whether the account is active"),
        (unused(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(last_seen_at=None, last_seen_known=False), "the application does not tell the last use"),
        (account(last_seen_at=None, last_seen_known=None), "the application does not tell the last use"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(stale, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


@pytest.mark.parametrize("values", [{"kind": "service"}, {"owner_state": "ended"}])
def test_an_untold_state_of_an_account_it_is_not_about_is_no_question(values):
    assert unknown(judge(stale, unused(active=None, **values))) is None
