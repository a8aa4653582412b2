from __future__ import annotations

import json

import pytest
from estates import account, judge, reason, settings, unowned

from governance.rules.no_removal_path import no_removal_path


def verdict_on(*accounts, **more):
    crm = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", "provisioning": ["jit"], **more}
    return judge(no_removal_path, *(accounts or [account()]), settings=settings(application=[crm]))


def test_fires_once_where_a_sign_in_makes_accounts_and_nothing_takes_them_away():
    verdict = verdict_on(account(), account(account_id="a2", active=None), account(account_id="a3", active=False))
    assert reason(verdict) == (
        "Customer CRM makes accounts at the first single sign-on (JIT), and nothing takes them away: no push (SCIM) and"
        " no write credential here; it holds 2 active accounts that stay when their owners leave."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Settings: Customer CRM is provisioned by jit, not by scim, and no write_token is given",
        "Customer CRM: 2 accounts are active",
    ]


def test_fires_on_hand_made_accounts_beside_jit_too():
    assert verdict_on(provisioning=["invited", "jit", "local"]).findings.height == 1


@pytest.mark.parametrize(
    "more",
    [
        {"provisioning": ["jit", "scim"]},
        {"provisioning": ["scim"]},
        {"provisioning": ["invited", "local"]},
        {"provisioning": []},
        {"write_token": {"env": "CRM_TOKEN"}},
    ],
)
def test_quiet_where_something_closes_accounts_or_no_sign_in_makes_them(more):
    verdict = verdict_on(**more)
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {}


def test_quiet_where_there_is_no_account():
    assert judge(no_removal_path, settings=settings()).findings.is_empty()


def test_not_evaluable_before_a_source_of_truth_is_read():
    verdict = verdict_on(unowned(source_read=False))
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {"crm": {"no_removal_path": {"no source of truth has been read yet": 1}}}
