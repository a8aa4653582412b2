from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.ambiguous_owner import ambiguous_owner


def ambiguous(**values):
    return unowned(**{"match": "ambiguous", "match_key": "email", "candidates": "hr:10482;hr:7", **values})


def test_fires_and_names_everybody_it_could_be():
    assert reason(judge(ambiguous_owner, ambiguous())) == (
        "The account m.lindqvist in Customer CRM is active and may belong to several people: hr:10482, hr:7."
    )
    assert ambiguous_owner.remedy is Remedy.DECIDE_OWNER


def test_fires_and_says_so_where_the_address_was_given_up_before_the_account_was_made():
    assert reason(judge(ambiguous_owner, ambiguous(match_key="former_email", candidates="hr:7"))) == (
        "The account m.lindqvist in Customer CRM is active and was made with an address that hr:7 had given up before:"
        " it may be somebody else's."
    )


@pytest.mark.parametrize("quiet", [account(), account(match="pinned"), unowned(), ambiguous(active=False)])
def test_quiet_for_matched_pinned_unmatched_and_inactive_accounts(quiet):
    verdict = judge(ambiguous_owner, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_not_evaluable_when_it_is_not_told_whether_the_account_is_active():
    verdict = judge(ambiguous_owner, ambiguous(active=None))
    assert fired(verdict) == []
    assert unknown(verdict) == "the application does not tell whether the account is active"
