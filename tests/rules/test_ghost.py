from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import NOW, account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.rules.ghost import ghost

ENDED = datetime(2026, 11, 4, 23, tzinfo=UTC)


def test_fires_on_an_active_account_of_a_leaver():
    assert reason(judge(ghost, leaver())) == (
        "Marta Lindqvist left on 4 Nov 2026; the account m.lindqvist in Customer CRM is still active."
    )


def test_says_that_the_account_was_used_after_leaving():
    assert reason(judge(ghost, leaver(last_seen_at=datetime(2026, 11, 21, 8, tzinfo=UTC)))) == (
        "Marta Lindqvist left on 4 Nov 2026; the account m.lindqvist in Customer CRM is still active"
        " and was used after that, last on 21 Nov 2026."
    )


def test_fires_exactly_when_the_engagement_ended_and_not_a_second_before():
    assert fired(judge(ghost, leaver(), now=ENDED)) == ["a1"]
    assert fired(judge(ghost, leaver(), now=ENDED - timedelta(seconds=1))) == []


def test_fires_exactly_when_the_grace_has_passed():
    grace = settings(policy={"leaver_grace": "24h"})
    assert fired(judge(ghost, leaver(), now=ENDED + timedelta(hours=24), settings=grace)) == ["a1"]
    assert fired(judge(ghost, leaver(), now=ENDED + timedelta(hours=24, seconds=-1), settings=grace)) == []


def test_a_declared_absence_is_a_leaving_whose_evidence_says_so():
    verdict = judge(ghost, leaver(owner_ended_why="absence"))
    assert reason(verdict).startswith("Marta Lindqvist left after 4 Nov 2026;")
    assert "HR: absence from this feed is declared to mean that somebody left" in verdict.findings["evidence"].item()


@pytest.mark.parametrize("state", ["current", "leave", "future", "missing"])
def test_quiet_for_owners_who_did_not_leave(state):
    verdict = judge(ghost, leaver(owner_state=state))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize("quiet", [leaver(active=False), leaver(present=False), account(), unowned()])
def test_quiet_for_inactive_vanished_unowned_and_blameless_accounts(quiet):
    verdict = judge(ghost, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("untold", "why"),
    [
        ({"source_read": False}, "no source of truth has been read yet"),
        ({"active": None}, "the application does not tell whether the account is active"),
        ({"owner_state": "unknown"}, "the source of truth does not tell whether the owner still works here"),
        ({"owner_ended_at": None}, "the source of truth does not tell when the owner left"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(untold, why):
    judged = unowned(**untold) if "source_read" in untold else leaver(**untold)
    verdict = judge(ghost, judged, now=NOW)
    assert fired(verdict) == []
    assert unknown(verdict) == why
