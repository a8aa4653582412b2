from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from estates import NOW, account, fired, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.duplicate_account import duplicate_account

FIRST = account(created_at=NOW - timedelta(days=400))
SECOND = account(account_id="a2", username="marta", created_at=NOW - timedelta(days=20))
UNTOLD = account(account_id="a0", username="ml", created_at=None)


def test_fires_on_the_younger_of_two_accounts():
    verdict = judge(duplicate_account, FIRST, SECOND)
    assert fired(verdict) == ["a2"]
    assert reason(verdict) == (
        "Marta Lindqvist has 2 active accounts in Customer CRM: marta stands beside the older m.lindqvist."
    )
    assert "Customer CRM: 2 active accounts of Marta Lindqvist" in verdict.findings["evidence"].item()


def test_fires_once_for_each_account_beyond_the_oldest_whatever_their_order():
    for rows in permutations([FIRST, SECOND, UNTOLD]):
        verdict = judge(duplicate_account, *rows)
        assert fired(verdict) == ["a0", "a2"], "what is not told counts as youngest"
        assert all("3 active accounts" in text for text in verdict.findings["reason"])


def test_of_equally_old_accounts_the_first_by_id_stands():
    rows = [{**FIRST, "account_id": number} for number in ("c", "a", "b")]
    assert fired(judge(duplicate_account, *rows)) == ["b", "c"]


def test_a_sign_in_changes_nothing():
    used = {**SECOND, "last_seen_at": NOW}
    before, after = (judge(duplicate_account, FIRST, other).findings for other in (SECOND, used))
    assert before["digest"].item() == after["digest"].item()


def test_a_guest_s_account_is_a_person_s():
    assert fired(judge(duplicate_account, FIRST, {**SECOND, "kind": "guest"})) == ["a2"]


def test_somebody_decides_which_goes():
    assert duplicate_account.remedy is Remedy.DECIDE


@pytest.mark.parametrize(
    "other",
    [
        {"active": False},
        {"kind": "service"},
        {"kind": "shared"},
        {"application": "wiki"},
        {"owner_id": "hr:2"},
        {"protected": True},
        {"present": False},
    ],
)
def test_quiet_for_one_active_account_of_a_person_in_an_application(other):
    verdict = judge(duplicate_account, FIRST, {**SECOND, **other})
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_quiet_for_accounts_without_an_owner():
    assert fired(judge(duplicate_account, unowned(), unowned(account_id="a2"))) == []


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (account(active=None), "the application does not tell whether the account is active"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(duplicate_account, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
