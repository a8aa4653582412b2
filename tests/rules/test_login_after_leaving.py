from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import account, fired, judge, leaver, reason, unknown, unowned

from governance.rules.login_after_leaving import login_after_leaving

ENDED = datetime(2026, 11, 4, 23, tzinfo=UTC)


@pytest.mark.parametrize("active", [True, False, None])
def test_fires_on_use_after_leaving_whether_active_or_not(active):
    verdict = judge(login_after_leaving, leaver(active=active, last_seen_at=datetime(2026, 11, 21, 8, tzinfo=UTC)))
    assert reason(verdict) == (
        "Marta Lindqvist left on 4 Nov 2026; the account m.lindqvist in Customer CRM was used after that,"
        " last on 21 Nov 2026."
    )


@pytest.mark.parametrize(("after", "fires"), [(-60, False), (0, False), (300, False), (301, True)])
def test_two_clocks_may_differ_by_five_minutes(after, fires):
    used = leaver(last_seen_at=ENDED + timedelta(seconds=after))
    assert fired(judge(login_after_leaving, used)) == (["a1"] if fires else [])


@pytest.mark.parametrize(
    "quiet",
    [
        account(),
        leaver(),
        leaver(last_seen_at=None),
        leaver(owner_state="leave", last_seen_at=ENDED + timedelta(days=1)),
        unowned(),
        unowned(last_seen_known=False, last_seen_at=None),
    ],
)
def test_quiet_without_use_after_leaving(quiet):
    verdict = judge(login_after_leaving, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (leaver(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (leaver(owner_ended_at=None), "the source of truth does not tell when the owner left"),
        (leaver(last_seen_at=None, last_seen_known=False), "the application does not tell the last use"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(login_after_leaving, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


def test_an_untold_last_use_of_somebody_who_works_here_is_no_question():
    assert unknown(judge(login_after_leaving, account(last_seen_at=None, last_seen_known=False))) is None


def test_not_evaluable_when_only_absence_says_that_the_owner_left():
    used = leaver(owner_ended_why="absence", last_seen_at=ENDED + timedelta(days=3))
    verdict = judge(login_after_leaving, used)
    assert fired(verdict) == []
    assert unknown(verdict) == "the source of truth only shows that the owner is absent, not on which day they left"
