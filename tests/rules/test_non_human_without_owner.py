from __future__ import annotations

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.declaration import Remedy
from governance.rules.non_human_without_owner import non_human_without_owner


def program(**values):
    return unowned(**{"kind": "service", "username": "backup", **values})


@pytest.mark.parametrize("kind", ["service", "bot", "shared"])
def test_fires_on_an_account_of_a_program_that_nobody_answers_for(kind):
    assert reason(judge(non_human_without_owner, program(kind=kind))) == (
        f"The {kind} account backup in Customer CRM is active and nobody answers for it."
    )


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"responsible": "r@example.com", "responsible_name": "Rosa Díaz", "responsible_state": "ended"}, "Rosa Díaz, who should answer for it, has left"),
        ({"responsible": "x@example.com"}, "x@example.com, who should answer for it, is not in the source of truth"),
        ({"responsible_name": "Rosa Díaz", "responsible_state": "missing"}, "Rosa Díaz, who should answer for it, is not in the source of truth"),
    ],
)  # fmt: skip
def test_fires_when_the_one_who_is_named_left_or_is_unknown(values, why):
    assert reason(judge(non_human_without_owner, program(**values))) == (
        f"The service account backup in Customer CRM is active and {why}."
    )


def test_an_owner_is_decided_and_nothing_is_deactivated():
    assert non_human_without_owner.remedy is Remedy.DECIDE_OWNER
    assert non_human_without_owner.lifecycle


@pytest.mark.parametrize(
    "quiet",
    [
        *(program(responsible_state=state) for state in ("current", "leave", "future")),
        program(active=False),
        program(protected=True),
        program(match="ambiguous"),
        program(kind="human"),
        program(kind=None),
        account(kind="service"),
    ],
)
def test_quiet_for_accounted_inactive_registered_and_persons_accounts(quiet):
    verdict = judge(non_human_without_owner, quiet)
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
    verdict = judge(non_human_without_owner, program(**untold))
    assert fired(verdict) == []
    assert unknown(verdict) == why
