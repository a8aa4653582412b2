from __future__ import annotations

from datetime import UTC, datetime

from estates import estate, fired, identity, judge, leaver, reason

from governance.declaration import Remedy
from governance.rulebook import run
from governance.rules.contradictory_source import contradictory_source

ENDED = datetime(2026, 10, 31, 23, tzinfo=UTC)


def contradictory(**values):
    return identity(**{"contradictory": True, "ended_at": ENDED, **values})


def test_fires_on_an_identity_and_shows_both_facts():
    verdict = judge(contradictory_source, identities=[contradictory()])
    assert reason(verdict) == (
        "HR says that Marta Lindqvist works here, and also that Marta Lindqvist left on 31 Oct 2026:"
        " one of the two must be corrected."
    )
    evidence = verdict.findings["evidence"].item()
    assert "HR: Marta Lindqvist works here" in evidence
    assert "HR: last working day 31 Oct 2026; the engagement ended 31 Oct 2026, 23:00 UTC" in evidence


def test_is_about_a_person_in_a_source_and_no_account():
    found = judge(contradictory_source, identities=[contradictory()]).findings.row(0, named=True)
    assert (found["application"], found["account_id"], found["username"]) == ("hr", None, None)
    assert (found["identity_id"], found["identity_name"]) == ("hr:10482", "Marta Lindqvist")


def test_never_acts():
    assert contradictory_source.remedy is Remedy.CORRECT_SOURCE


def test_one_finding_however_many_accounts_the_person_has():
    verdict = judge(contradictory_source, leaver(), leaver(account_id="a2"), identities=[contradictory()])
    assert fired(verdict) == ["hr:10482"]


def test_quiet_for_everybody_else_in_a_file_with_every_fifth_row_contradictory():
    people = [contradictory(identity_id=f"hr:{n}", contradictory=n % 5 == 0) for n in range(100)]
    assert len(fired(judge(contradictory_source, identities=people))) == 20


def test_always_evaluable_and_checked_once_for_each_present_identity():
    judged = estate(identities=[identity(), identity(identity_id="hr:2"), identity(identity_id="hr:3", present=False)])
    verdict = run(judged, judged.settings.policy, ENDED, {"contradictory_source": contradictory_source})
    assert (verdict.checks, verdict.not_evaluable) == (2, {})
