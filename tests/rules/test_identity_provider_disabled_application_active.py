from __future__ import annotations

import pytest
from estates import account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.rules.identity_provider_disabled_application_active import (
    identity_provider_disabled_application_active as rule,
)

SETTINGS = settings(
    application=[
        {"name": "crm", "title": "Customer CRM", "connector": "app_csv"},
        {"name": "sso", "title": "Sign-on", "connector": "okta", "identity_provider": True},
    ]
)


def closed(**values):
    return account(**{"sign_on_accounts": 1, "sign_on_active": False, **values})


def said(*accounts):
    return judge(rule, *accounts, settings=SETTINGS)


def test_fires_when_all_accounts_in_identity_providers_are_inactive():
    verdict = said(closed())
    assert reason(verdict) == (
        "Marta Lindqvist can no longer sign in to the identity provider; the account m.lindqvist in Customer CRM is"
        " still active."
    )
    assert "Identity provider: Marta Lindqvist cannot sign in" in verdict.findings["evidence"].item()


@pytest.mark.parametrize("state", ["current", "leave", "future", "missing", "unknown"])
def test_fires_whatever_the_source_says_but_that_the_owner_left(state):
    assert fired(said(closed(owner_state=state))) == ["a1"]


@pytest.mark.parametrize(
    "quiet",
    [
        closed(active=False),
        closed(sign_on_active=True),
        closed(application="sso"),
        leaver(sign_on_active=False),
        account(),
        unowned(),
    ],
)
def test_quiet_for_open_sign_on_inactive_accounts_the_provider_itself_and_leavers(quiet):
    verdict = said(quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (closed(active=None), "the application does not tell whether the account is active"),
        (closed(sign_on_accounts=0, sign_on_active=None), "no identity provider was read that knows the owner"),
        (closed(sign_on_accounts=None, sign_on_active=None), "no identity provider was read that knows the owner"),
        (closed(sign_on_active=None), "no identity provider tells whether the owner can sign in"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = said(judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


def test_without_an_identity_provider_in_the_settings_all_is_quiet_or_unknown():
    assert unknown(judge(rule, closed(sign_on_accounts=None, sign_on_active=None))) is not None
    assert fired(judge(rule, account())) == []
