from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.rules.admin_without_mfa import admin_without_mfa


def admin(**values):
    return account(**{"privileged": True, "mfa": False, **values})


@pytest.mark.parametrize("judged", [admin(), unowned(privileged=True, mfa=False)])
def test_fires_on_a_privileged_account_without_a_second_factor_whoever_owns_it(judged):
    assert reason(judge(admin_without_mfa, judged)) == (
        "The account m.lindqvist in Customer CRM is privileged and active, and multi-factor authentication is off."
    )


@pytest.mark.parametrize("values", [{"mfa": True}, {"privileged": False}, {"active": False}])
def test_quiet_with_mfa_without_privilege_and_when_inactive(values):
    verdict = judge(admin_without_mfa, admin(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("untold", "why"),
    [
        ({"active": None}, "the application does not tell whether the account is active"),
        ({"privileged": None}, "the application does not tell what the account holds"),
        ({"mfa": None}, "the application does not tell whether multi-factor authentication is on"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(untold, why):
    verdict = judge(admin_without_mfa, admin(**untold))
    assert fired(verdict) == []
    assert unknown(verdict) == why


def test_an_untold_second_factor_of_an_ordinary_account_is_no_question():
    assert unknown(judge(admin_without_mfa, account(mfa=None))) is None
