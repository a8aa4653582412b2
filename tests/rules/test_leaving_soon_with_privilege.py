from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import NOW, account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.rules.leaving_soon_with_privilege import leaving_soon_with_privilege

LEAVES = datetime(2026, 11, 30, 23, tzinfo=UTC)


def leaving(**values):
    return account(**{"owner_ended_at": LEAVES, "owner_ended_why": "source", "privileged": True, **values})


def test_fires_on_a_privileged_account_of_whoever_leaves_soon():
    verdict = judge(leaving_soon_with_privilege, leaving())
    assert reason(verdict) == (
        "Marta Lindqvist leaves, the last working day being 30 Nov 2026, and the account m.lindqvist in Customer CRM"
        " is still active and privileged."
    )
    assert "HR: the engagement ends 30 Nov 2026, 23:00 UTC" in verdict.findings["evidence"].item()


def test_fires_exactly_within_the_days_of_the_policy():
    for ahead, expected in ((0, []), (1, ["a1"]), (14 * 86_400, ["a1"]), (14 * 86_400 + 1, [])):
        judged = leaving(owner_ended_at=NOW + timedelta(seconds=ahead))
        assert fired(judge(leaving_soon_with_privilege, judged)) == expected, ahead


def test_fires_within_other_days_where_the_policy_says_so():
    far = leaving(owner_ended_at=NOW + timedelta(days=30))
    assert fired(judge(leaving_soon_with_privilege, far, settings=settings(policy={"leaving_soon_days": 30}))) == ["a1"]
    assert (
        fired(judge(leaving_soon_with_privilege, leaving(), settings=settings(policy={"leaving_soon_days": 0}))) == []
    )


@pytest.mark.parametrize(
    "quiet",
    [
        leaving(active=False),
        leaving(privileged=False),
        leaving(owner_ended_at=NOW - timedelta(days=3)),
        leaver(privileged=True),
        account(privileged=True),
        unowned(privileged=True),
    ],
)
def test_quiet_for_leavers_who_stays_inactive_and_ordinary_accounts(quiet):
    verdict = judge(leaving_soon_with_privilege, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (leaving(active=None), "the application does not tell whether the account is active"),
        (leaving(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (leaving(privileged=None), "the application does not tell what the account holds"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(leaving_soon_with_privilege, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
