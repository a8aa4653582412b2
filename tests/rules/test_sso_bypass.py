from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, settings, unknown, unowned

from governance.rules.sso_bypass import sso_bypass


def where(provisioning=("jit",), **more):
    crm = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", "provisioning": list(provisioning), **more}
    return settings(application=[crm])


def judged(row, **more):
    return judge(sso_bypass, row, settings=where(**more))


@pytest.mark.parametrize(
    "more",
    [{}, {"provisioning": ["scim"]}, {"provisioning": [], "single_sign_on": "required"}],
    ids=["fed by jit", "fed by scim", "single sign-on required"],
)
def test_fires_on_a_password_of_its_own(more):
    assert reason(judged(account(password=True), **more)) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM, where people come in by single sign-on, can also be"
        " opened with a password of its own."
    )


def test_fires_whoever_owns_it():
    assert reason(judged(unowned(password=True, kind=None))).startswith(
        "The account m.lindqvist in Customer CRM, where"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"provenance": "local", "provenance_confidence": 0.92}, "was made by hand."),
        ({"provenance": "invited", "provenance_confidence": 0.9}, "was made by an invitation."),
        ({"sign_on_accounts": 0}, "is active though no identity provider knows Marta Lindqvist."),
    ],
)
def test_fires_on_an_account_that_single_sign_on_does_not_explain(values, words):
    assert reason(judged(account(**values))) == (
        "People come into Customer CRM by single sign-on; the account m.lindqvist of Marta Lindqvist in Customer CRM "
        + words
    )


def test_does_not_say_how_an_account_came_to_be_that_is_not_sure():
    verdict = judged(account(sign_on_accounts=0, provenance="local", provenance_confidence=0.8))
    assert "is active though no identity provider knows Marta Lindqvist." in reason(verdict)
    assert "made by hand" not in verdict.findings["evidence"].item()


@pytest.mark.parametrize(
    "values",
    [
        {"password": False},
        {"password": False, "provenance": "local", "provenance_confidence": 0.92},
        {"password": True, "active": False},
        {"password": True, "kind": "service"},
        {"password": True, "kind": "bot"},
        {"password": True, "protected": True},
    ],
)
def test_quiet_without_a_password_for_programs_for_protected_and_inactive_ones(values):
    verdict = judged(account(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    "more",
    [
        {"provisioning": []},
        {"provisioning": ["invited", "local"]},
        {"single_sign_on": "optional"},
        {"single_sign_on": "none"},
        {"identity_provider": True},
    ],
)
def test_quiet_where_people_need_not_come_in_by_single_sign_on(more):
    verdict = judged(account(password=True), **more)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"active": None, "password": True}, "the application does not tell whether the account is active"),
        ({}, "neither whether a password of its own opens the account nor how it was made is told"),
        (
            {"provenance": "local", "provenance_confidence": 0.89},
            "neither whether a password of its own opens the account nor how it was made is told",
        ),
        ({"provenance": "jit"}, "neither whether a password of its own opens the account nor how it was made is told"),
        (
            {"sign_on_accounts": 0, "owner_state": "missing"},
            "neither whether a password of its own opens the account nor how it was made is told",
        ),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(values, why):
    verdict = judged(account(**values))
    assert fired(verdict) == []
    assert unknown(verdict) == why
