from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import NOW, account, fired, judge, leaver, reason, settings, unknown, unowned

from governance.rules.leaver_owns_credentials import leaver_owns_credentials

ENDED = datetime(2026, 11, 4, 23, tzinfo=UTC)
LEFT = {"responsible": "r.diaz@example.com", "responsible_id": "hr:7", "responsible_name": "Rosa Díaz"}
LEFT |= {"responsible_state": "ended", "responsible_ended_at": ENDED}


def holder(**values):
    return leaver(**{"credentials": 2, **values})


def token(number=1, **values):
    return {"application": "crm", "account_id": "a1", "credential_id": f"t{number}", "kind": "token", **values}


def test_fires_on_tokens_of_a_leaver_also_where_the_account_is_inactive():
    assert reason(judge(leaver_owns_credentials, holder(active=False))) == (
        "Marta Lindqvist left on 4 Nov 2026; 2 tokens, keys or consents still open the account m.lindqvist in"
        " Customer CRM although it is inactive."
    )
    assert reason(judge(leaver_owns_credentials, holder(credentials=1))) == (
        "Marta Lindqvist left on 4 Nov 2026; 1 token, key or consent still opens the account m.lindqvist in"
        " Customer CRM."
    )


def test_fires_on_what_the_table_of_credentials_lists_and_shows_when_it_was_used():
    used = datetime(2026, 11, 21, 8, tzinfo=UTC)
    listed = [token(1, last_used_at=used), token(2), token(3, expires_at=NOW + timedelta(seconds=1))]
    verdict = judge(leaver_owns_credentials, holder(credentials=1), credentials=listed)
    assert "3 tokens, keys or consents still open the account" in reason(verdict)
    assert "Customer CRM: a token or key was last used 21 Nov 2026, 08:00 UTC" in verdict.findings["evidence"].item()


def test_quiet_when_all_that_is_listed_has_expired_this_second():
    listed = [token(1, expires_at=NOW)]
    assert fired(judge(leaver_owns_credentials, holder(credentials=0), credentials=listed)) == []


@pytest.mark.parametrize("kind", ["service", "bot", "shared"])
def test_fires_on_a_program_s_account_whose_owner_left_whatever_is_told_of_credentials(kind):
    for credentials in (None, 0, 2):
        verdict = judge(leaver_owns_credentials, leaver(kind=kind, credentials=credentials))
        assert reason(verdict) == (
            f"Marta Lindqvist, who answers for the {kind} account m.lindqvist in Customer CRM, has left; the account"
            " is still active."
        )
        assert unknown(verdict) is None


def test_fires_on_a_program_s_account_of_which_the_application_names_a_leaver():
    verdict = judge(leaver_owns_credentials, unowned(kind="service", username="ci", **LEFT))
    assert reason(verdict) == (
        "Rosa Díaz, who answers for the service account ci in Customer CRM, has left; the account is still active."
    )
    assert "the engagement of Rosa Díaz ended 4 Nov 2026, 23:00 UTC" in verdict.findings["evidence"].item()


def test_fires_exactly_when_the_grace_has_passed():
    grace = settings(policy={"leaver_grace": "24h"})
    late = ENDED + timedelta(hours=24)
    assert fired(judge(leaver_owns_credentials, holder(), now=late, settings=grace)) == ["a1"]
    assert fired(judge(leaver_owns_credentials, holder(), now=late - timedelta(seconds=1), settings=grace)) == []


@pytest.mark.parametrize(
    "quiet",
    [
        account(credentials=3),
        leaver(credentials=0),
        leaver(kind="service", active=False, credentials=0),
        account(kind="human", **LEFT),
        unowned(kind="service", active=False, **LEFT),
        unowned(kind="service", **{**LEFT, "responsible_state": "current"}),
        holder(owner_state="current"),
        holder(owner_state="missing"),
    ],
)
def test_quiet_for_who_works_here_and_for_what_nothing_opens(quiet):
    verdict = judge(leaver_owns_credentials, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (holder(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (holder(owner_ended_at=None), "the source of truth does not tell when the owner left"),
        (leaver(), "the application does not tell which tokens and keys open the account"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(leaver_owns_credentials, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
