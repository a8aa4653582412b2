from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import account, fired, judge, leaver, reason, unknown, unowned

from governance.rules.created_after_leaving import created_after_leaving

ENDED = datetime(2026, 11, 4, 23, tzinfo=UTC)


def made(**values):
    return leaver(**{"created_at": datetime(2026, 11, 9, 8, tzinfo=UTC), "last_seen_at": None, **values})


def test_fires_on_an_account_that_was_made_for_a_leaver():
    verdict = judge(created_after_leaving, made())
    assert reason(verdict) == (
        "Marta Lindqvist left on 4 Nov 2026; the account m.lindqvist in Customer CRM was created after that, on"
        " 9 Nov 2026, and is active."
    )
    assert "Customer CRM: created 9 Nov 2026, 08:00 UTC" in verdict.findings["evidence"].item()


def test_fires_a_second_after_what_two_clocks_may_differ_by():
    assert fired(judge(created_after_leaving, made(created_at=ENDED + timedelta(seconds=301)))) == ["a1"]
    assert fired(judge(created_after_leaving, made(created_at=ENDED + timedelta(seconds=300)))) == []


@pytest.mark.parametrize(
    "quiet",
    [
        made(active=False),
        made(present=False),
        made(created_at=ENDED - timedelta(days=400)),
        made(owner_state="current"),
        made(owner_state="missing"),
        account(),
        unowned(),
    ],
)
def test_quiet_for_inactive_and_older_accounts_and_for_owners_who_work_here(quiet):
    verdict = judge(created_after_leaving, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (made(active=None), "the application does not tell whether the account is active"),
        (made(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (made(owner_ended_at=None), "the source of truth does not tell when the owner left"),
        (
            made(owner_ended_why="absence"),
            "the source of truth only shows that the owner is absent, not on which day they left",
        ),
        (made(created_at=None), "the application does not tell when the account was created"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(created_after_leaving, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
