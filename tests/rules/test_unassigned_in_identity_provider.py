from __future__ import annotations

import json

import pytest
from estates import account, fired, judge, reason, settings, unknown, unowned

from governance.rules.unassigned_in_identity_provider import unassigned_in_identity_provider


def unassigned(**values):
    return account(**{"sign_on_assigned": False, **values})


def test_fires_on_an_active_account_of_somebody_who_is_not_assigned():
    verdict = judge(unassigned_in_identity_provider, unassigned())
    assert reason(verdict) == (
        "Marta Lindqvist has the active account m.lindqvist in Customer CRM, but is not assigned to Customer CRM in any"
        " identity provider."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Identity provider: Marta Lindqvist is not assigned to Customer CRM" in texts
    assert "Identity provider: Marta Lindqvist can sign in" in texts


def test_fires_for_an_owner_on_leave():
    assert fired(judge(unassigned_in_identity_provider, unassigned(owner_state="leave"))) == ["a1"]


@pytest.mark.parametrize(
    "values",
    [
        {"sign_on_assigned": True},
        {"active": False},
        {"owner_state": "ended"},
        {"owner_state": "missing"},
        {"owner_state": "future"},
    ],
)
def test_quiet_for_who_is_assigned_and_for_inactive_accounts_and_who_does_not_work_here(values):
    verdict = judge(unassigned_in_identity_provider, unassigned(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize("more", [{"identity_provider": True}, {"single_sign_on": "none"}])
def test_quiet_where_nobody_comes_through_an_identity_provider(more):
    crm = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", **more}
    for row in (unassigned(), unassigned(sign_on_assigned=None)):
        verdict = judge(unassigned_in_identity_provider, row, settings=settings(application=[crm]))
        assert fired(verdict) == []
        assert unknown(verdict) is None


def test_quiet_without_an_owner():
    verdict = judge(unassigned_in_identity_provider, unowned(sign_on_assigned=None))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (unassigned(active=None), "the application does not tell whether the account is active"),
        (unassigned(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(sign_on_assigned=None), "no identity provider tells who is assigned to this application"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(unassigned_in_identity_provider, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
