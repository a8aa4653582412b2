from __future__ import annotations

import json

import pytest
from estates import account, judge, reason

from governance.rules.activity_unknown import activity_unknown

UNKNOWN = {"last_seen_at": None, "last_seen_known": False}


def test_fires_once_for_an_application_and_says_how_many():
    rows = [account(account_id=f"a{n}", **(UNKNOWN if n < 3 else {})) for n in range(5)]
    verdict = judge(activity_unknown, *rows, account(account_id="w", application="wiki"))
    assert reason(verdict) == (
        "Customer CRM does not tell the last use of 3 of its 5 active accounts: whether they are stale or were never"
        " used is not known."
    )
    assert verdict.findings["severity"].item() == "informational"
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Customer CRM: 3 active accounts of which the last use is not told",
        "Customer CRM: 5 active accounts in all",
    ]


def test_fires_for_each_application_that_is_blind():
    rows = [account(**UNKNOWN), account(application="wiki", last_seen_at=None, last_seen_known=None)]
    assert sorted(judge(activity_unknown, *rows).findings["application"]) == ["crm", "wiki"]


@pytest.mark.parametrize(
    "values", [{}, {"last_seen_at": None}, {"last_seen_known": False}, {"active": False, **UNKNOWN}]
)
def test_quiet_where_a_date_or_never_is_told_and_for_inactive_accounts(values):
    verdict = judge(activity_unknown, account(**values))
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {}


def test_not_evaluable_where_it_is_not_told_whether_an_account_is_active():
    verdict = judge(activity_unknown, account(active=None, **UNKNOWN))
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {
        "crm": {"activity_unknown": {"the application does not tell whether the account is active": 1}}
    }
