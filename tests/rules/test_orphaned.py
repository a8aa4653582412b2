from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.orphaned import orphaned


@pytest.mark.parametrize("kind", ["human", "guest", None])
def test_fires_on_an_active_account_of_a_person_without_owner(kind):
    assert reason(judge(orphaned, unowned(kind=kind))) == (
        "The account m.lindqvist in Customer CRM is active and belongs to nobody in the source of truth."
    )


def test_shows_whom_the_name_suggests_and_leaves_the_decision_to_a_person():
    verdict = judge(orphaned, unowned(candidates="hr:1;hr:2"))
    assert "Its name or address looks like hr:1, hr:2" in verdict.findings["evidence"].item()
    assert orphaned.remedy is Remedy.DECIDE_OWNER


@pytest.mark.parametrize("kind", ["service", "bot", "shared"])
def test_quiet_for_non_human_accounts(kind):
    verdict = judge(orphaned, unowned(kind=kind))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize("quiet", [account(), unowned(active=False), unowned(match="ambiguous")])
def test_quiet_for_owned_inactive_and_ambiguous_accounts(quiet):
    verdict = judge(orphaned, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("untold", "why"),
    [
        ({"source_read": False}, "no source of truth has been read yet"),
        ({"active": None}, "the application does not tell whether the account is active"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(untold, why):
    verdict = judge(orphaned, unowned(**untold))
    assert fired(verdict) == []
    assert unknown(verdict) == why


@pytest.mark.parametrize("other", [unowned(kind="service", active=None), account(active=None)])
def test_an_untold_state_of_an_account_it_is_not_about_is_no_question(other):
    assert unknown(judge(orphaned, other)) is None
