from __future__ import annotations

import json

import pytest
from estates import account, judge, reason, settings

from governance.rules.too_many_privileged import too_many_privileged


def verdict_on(privileged, ordinary=0, policy=None, others=(), **values):
    rows = [account(account_id=f"p{n}", privileged=True, **values) for n in range(privileged)]
    rows += [account(account_id=f"o{n}") for n in range(ordinary)]
    rows += [account(account_id=f"x{n}", **other) for n, other in enumerate(others)]
    return judge(too_many_privileged, *rows, settings=settings(policy=policy or {}))


def fires(*numbers, **more):
    return verdict_on(*numbers, **more).findings.height == 1


def test_fires_once_with_the_numbers():
    verdict = verdict_on(6, 14)
    assert reason(verdict) == (
        "6 of the 20 active accounts in Customer CRM are people's with privileged access; the policy allows 5."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Customer CRM: 6 active accounts of people with privileged access",
        "Policy: 5 accounts of people with privileged access are allowed in this application",
        "Customer CRM: 20 active accounts in all",
    ]


@pytest.mark.parametrize(
    ("privileged", "ordinary", "expected"),
    [(5, 0, False), (6, 0, True), (6, 113, True), (6, 114, False), (7, 132, True), (7, 133, False)],
)
def test_the_number_or_the_share_rounded_down_whichever_is_more(privileged, ordinary, expected):
    assert fires(privileged, ordinary) is expected


def test_both_thresholds_are_the_policys():
    assert fires(3, policy={"most_privileged": 2})
    assert not fires(3, policy={"most_privileged": 3})
    assert not fires(3, 7, policy={"most_privileged": 1, "most_privileged_share": 0.3})
    assert fires(3, 6, policy={"most_privileged": 1, "most_privileged_share": 0.3})


@pytest.mark.parametrize("values", [{"active": False}, {"active": None}, {"kind": "service"}, {"kind": "shared"}])
def test_quiet_for_inactive_accounts_and_for_programs(values):
    assert not fires(20, **values)


def test_what_is_not_told_raises_what_is_allowed_and_never_the_count():
    assert fires(6, others=[{"privileged": None}])
    assert not fires(5, others=[{"privileged": None}, {"active": None, "privileged": True}])
    assert not fires(6, others=[{"active": None}] * 114)


def test_not_evaluable_where_it_is_not_told_what_an_account_holds_or_whether_it_is_active():
    verdict = verdict_on(0, others=[{"privileged": None}, {"active": None}])
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable["crm"]["too_many_privileged"] == {
        "the application does not tell what the account holds": 1,
        "the application does not tell whether the account is active": 1,
    }
