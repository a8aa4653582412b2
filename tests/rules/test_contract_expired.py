from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.rules.contract_expired import contract_expired

END = datetime(2026, 10, 31, 23, tzinfo=UTC)


def external(**values):
    return account(**{"owner_kind": "contractor", "owner_contract_end": END, **values})


@pytest.mark.parametrize("kind", ["contractor", "guest"])
@pytest.mark.parametrize("state", ["current", "leave"])
def test_fires_on_an_external_whose_contract_is_over(kind, state):
    assert reason(judge(contract_expired, external(owner_kind=kind, owner_state=state))) == (
        "The contract of Marta Lindqvist ended on 31 Oct 2026 without an extension;"
        " the account m.lindqvist in Customer CRM is still active."
    )


def test_fires_exactly_when_the_contract_ends():
    assert fired(judge(contract_expired, external(), now=END)) == ["a1"]
    assert fired(judge(contract_expired, external(), now=END - timedelta(seconds=1))) == []


@pytest.mark.parametrize(
    "values",
    [
        {"owner_kind": "employee"},
        {"owner_contract_end": None},
        {"owner_state": "ended"},
        {"owner_state": "future"},
        {"owner_state": "missing"},
        {"active": False},
    ],
)
def test_quiet_for_employees_open_ends_leavers_and_inactive_accounts(values):
    verdict = judge(contract_expired, external(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (external(active=None), "the application does not tell whether the account is active"),
        (external(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(contract_expired, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


def test_says_nothing_of_employees_whose_state_is_not_told():
    assert unknown(judge(contract_expired, external(owner_kind="employee", owner_state="unknown"))) is None


@pytest.mark.parametrize("kind", ["contractor", "guest"])
def test_every_kind_of_external_may_be_not_evaluable(kind):
    assert unknown(judge(contract_expired, external(owner_kind=kind, active=None))) is not None
