from __future__ import annotations

import pytest
from estates import account, fired, identity, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.similar_username import similar_username


def alike(**values):
    return unowned(**{"username": "mаrta", "candidates": "hr:10482", **values})


def test_fires_on_an_account_that_looks_like_one_person_s():
    verdict = judge(similar_username, alike(), identities=[identity()])
    assert reason(verdict) == (
        "The account mаrta in Customer CRM is active and belongs to nobody, but its name or address looks like that of"
        " Marta Lindqvist (hr:10482)."
    )
    assert "Its name or address looks like hr:10482" in verdict.findings["evidence"].item()


def test_says_that_the_one_it_looks_like_has_left():
    verdict = judge(similar_username, alike(), identities=[identity(state="ended", present=False)])
    assert reason(verdict).endswith("looks like that of Marta Lindqvist (hr:10482), who has left.")


def test_fires_also_when_nothing_but_the_number_of_the_one_it_looks_like_is_known():
    assert reason(judge(similar_username, alike())).endswith("looks like that of hr:10482.")


def test_only_suggests():
    assert similar_username.remedy is Remedy.DECIDE_OWNER
    assert similar_username.severity == "low"
    assert not similar_username.lifecycle


@pytest.mark.parametrize(
    "quiet",
    [
        alike(candidates=None),
        alike(candidates="hr:1;hr:2"),
        alike(active=False),
        alike(match="ambiguous"),
        account(candidates="hr:1"),
    ],
)
def test_quiet_without_one_candidate_and_for_owned_and_inactive_accounts(quiet):
    verdict = judge(similar_username, quiet)
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
    verdict = judge(similar_username, alike(**untold))
    assert fired(verdict) == []
    assert unknown(verdict) == why
