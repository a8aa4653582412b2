from __future__ import annotations

import pytest
from estates import account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.declaration import Remedy
from governance.rules.on_leave_active import on_leave_active

FLAG = settings(policy={"on_leave": "flag"})


def away(**values):
    return account(**{"owner_state": "leave", **values})


def test_fires_where_the_policy_flags_it():
    assert reason(judge(on_leave_active, away(), settings=FLAG)) == (
        "Marta Lindqvist is on leave, and the account m.lindqvist in Customer CRM is active, which the policy does not"
        " allow."
    )


def test_never_deactivates_by_itself():
    assert on_leave_active.remedy is Remedy.DECIDE


def test_quiet_where_the_policy_allows_it_which_is_the_default():
    for policy in ({}, {"policy": {"on_leave": "allow"}}):
        verdict = judge(on_leave_active, away(), away(account_id="a2", active=None), settings=settings(**policy))
        assert fired(verdict) == []
        assert unknown(verdict) is None


@pytest.mark.parametrize("quiet", [away(active=False), away(kind="service"), account(), leaver(), unowned()])
def test_quiet_for_inactive_accounts_programs_and_everybody_else(quiet):
    verdict = judge(on_leave_active, quiet, settings=FLAG)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (away(active=None), "the application does not tell whether the account is active"),
        (away(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(on_leave_active, judged, settings=FLAG)
    assert fired(verdict) == []
    assert unknown(verdict) == why
