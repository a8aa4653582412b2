from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from estates import NOW, account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.rules.reborn import reborn

LEFT = datetime(2026, 11, 4, 23, tzinfo=UTC)
CLOSED = datetime(2026, 11, 5, 9, tzinfo=UTC)
AGAIN = datetime(2026, 11, 9, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def returned(make=leaver, **values):
    return make(**{"closed_at": CLOSED, "returned_at": AGAIN, **values})


def closed(make=leaver, **values):
    """An earlier account of the same owner, read inactive."""
    return make(**{"account_id": "old", "active": False, "closed_at": CLOSED, **values})


def vanished(make=leaver, **values):
    """An earlier account of the same owner that was last read at CLOSED and then was gone."""
    own = {"account_id": "old", "present": False, "last_present_at": CLOSED, "closed_at": CLOSED + timedelta(hours=1)}
    return make(**{**own, **values})


def anew(make=leaver, **values):
    return make(**{"account_id": "new", "username": "m.lindqvist2", "created_at": AGAIN, **values})


def test_fires_on_a_leaver_s_account_that_came_back():
    verdict = judge(reborn, returned())
    assert reason(verdict) == (
        "Marta Lindqvist left on 4 Nov 2026; the account m.lindqvist in Customer CRM was closed by 5 Nov 2026 and is"
        " active again since 9 Nov 2026."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Customer CRM: read closed 5 Nov 2026, 09:00 UTC" in texts
    assert "Customer CRM: read active again 9 Nov 2026, 08:00 UTC" in texts


@pytest.mark.parametrize("earlier", [closed(), vanished()], ids=["closed", "gone"])
def test_fires_on_one_made_anew_under_another_id(earlier):
    verdict = judge(reborn, anew(), earlier)
    assert fired(verdict) == ["new"]
    assert reason(verdict) == (
        "Marta Lindqvist left on 4 Nov 2026; an earlier account of theirs in Customer CRM was closed by 5 Nov 2026, and"
        " the account m.lindqvist2 was made anew on 9 Nov 2026."
    )


def test_fires_for_the_missing_and_for_accounts_of_nobody_known():
    gone = returned(account, owner_state="missing", owner_last_present_at=LEFT)
    assert reason(judge(reborn, gone)).startswith("Marta Lindqvist is no longer in HR; the account m.lindqvist in")
    assert reason(judge(reborn, returned(unowned))) == (
        "No identity is known for the account m.lindqvist in Customer CRM; it was closed by 5 Nov 2026 and is active"
        " again since 9 Nov 2026."
    )


def test_fires_for_somebody_who_works_here_only_when_not_assigned():
    assert reason(judge(reborn, returned(account, sign_on_assigned=False))).startswith(
        "Marta Lindqvist is not assigned to Customer CRM in any identity provider; the account m.lindqvist"
    )
    for assigned in (True, None):
        verdict = judge(reborn, returned(account, sign_on_assigned=assigned))
        assert fired(verdict) == []
        assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("created", "expected"), [(CLOSED - SECOND, []), (CLOSED, ["new"]), (CLOSED + SECOND, ["new"])]
)
@pytest.mark.parametrize("earlier", [closed, vanished])
def test_what_was_made_anew_came_after_the_closing_to_the_second(earlier, created, expected):
    missing = {"owner_state": "missing", "owner_last_present_at": LEFT, "owner_ended_at": None}
    assert fired(judge(reborn, anew(created_at=created, **missing), earlier(**missing))) == expected


@pytest.mark.parametrize(("moment", "expected"), [(LEFT - SECOND, []), (LEFT, []), (LEFT + SECOND, ["a1"])])
@pytest.mark.parametrize(
    "owner",
    [{}, {"owner_state": "missing", "owner_last_present_at": LEFT, "owner_ended_at": None}],
    ids=["left", "missing"],
)
def test_what_came_back_while_the_owner_worked_here_is_no_rebirth_to_the_second(moment, expected, owner):
    early = CLOSED - timedelta(days=300)
    assert fired(judge(reborn, leaver(closed_at=early, returned_at=moment, **owner))) == expected
    again = anew(account_id="a1", created_at=moment, **owner)
    assert fired(judge(reborn, again, closed(closed_at=early, **owner))) == expected


@pytest.mark.parametrize(("created", "expected"), [(LEFT - SECOND, []), (LEFT, []), (LEFT + SECOND, ["new"])])
def test_one_made_after_the_owner_left_counts_though_both_were_read_in_the_same_pull(created, expected):
    same_pull = closed(closed_at=NOW)
    assert fired(judge(reborn, anew(created_at=created), same_pull)) == expected


@pytest.mark.parametrize(
    "rows",
    [
        [leaver()],
        [returned(active=False)],
        [leaver(closed_at=AGAIN, returned_at=CLOSED)],
        [returned(account, owner_state="future", sign_on_assigned=False)],
        [returned(unowned, kind="service")],
        [anew(), closed(application="wiki")],
        [anew(), closed(owner_id="hr:2")],
        [anew(created_at=None), closed()],
        [anew(), leaver(account_id="old", active=False)],
        [anew(created_at=LEFT - timedelta(days=9)), closed()],
    ],
    ids=[
        "never closed",
        "closed again",
        "closed after it had returned",
        "starts later",
        "a program of nobody",
        "closed in another application",
        "closed of somebody else",
        "nobody tells when it was made",
        "the other one was never open",
        "made while the other was open",
    ],
)
def test_quiet_where_nothing_came_back_that_had_gone(rows):
    assert fired(judge(reborn, *rows)) == []


def test_quiet_within_the_policy_s_grace():
    graceful = settings(policy={"leaver_grace": "30d"})
    assert fired(judge(reborn, returned(), settings=graceful)) == []


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (returned(unowned, source_read=False), "no source of truth has been read yet"),
        (returned(active=None), "the application does not tell whether the account is active"),
        (
            returned(account, owner_state="unknown"),
            "the source of truth does not tell whether the owner still works here",
        ),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(reborn, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
