from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.rules.shared_account import shared_account


def test_fires_on_a_shared_account_whoever_owns_it():
    for judged in (account(kind="shared"), unowned(kind="shared"), unowned(kind="shared", source_read=False)):
        assert reason(judge(shared_account, judged)) == (
            "The account m.lindqvist in Customer CRM is active and shared: what is done with it cannot be traced to one"
            " person."
        )


@pytest.mark.parametrize(
    "quiet",
    [
        account(kind="shared", protected=True),
        account(kind="shared", active=False),
        account(kind=None, protected=True),
        *(account(kind=kind) for kind in ("human", "guest", "service", "bot")),
        unowned(match="ambiguous", candidates="hr:1;hr:2"),
    ],
)
def test_quiet_for_registered_inactive_and_other_accounts(quiet):
    verdict = judge(shared_account, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("untold", "why"),
    [
        ({"active": None}, "the application does not tell whether the account is active"),
        ({"kind": None}, "the application does not tell whether the account is a person's"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(untold, why):
    verdict = judge(shared_account, account(**{"kind": "shared", **untold}))
    assert fired(verdict) == []
    assert unknown(verdict) == why
