from __future__ import annotations

from datetime import timedelta

import pytest
from estates import NOW, fired, identity, judge, reason

from governance.declaration import SIGNALS, Remedy
from governance.rules.no_end_date import no_end_date


def external(**values):
    return identity(**{"kind": "contractor", "contract_end_told": True, **values})


@pytest.mark.parametrize("state", ["current", "leave", "future"])
def test_fires_on_an_external_whom_nothing_will_ever_close(state):
    verdict = judge(no_end_date, identities=[external(state=state)])
    assert reason(verdict) == (
        "Marta Lindqvist is a contractor in HR, which states no end of the contract or the engagement."
    )
    assert "HR: kind contractor" in verdict.findings["evidence"].item()


def test_fires_on_a_guest_too_and_only_the_source_can_be_corrected():
    assert fired(judge(no_end_date, identities=[external(kind="guest")])) == ["hr:10482"]
    assert no_end_date.remedy is Remedy.CORRECT_SOURCE


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "employee"},
        {"kind": "non_human"},
        {"contract_end": NOW + timedelta(days=9)},
        {"contract_end": NOW - timedelta(days=9)},
        {"ended_at": NOW + timedelta(days=9)},
        {"state": "ended"},
        {"state": "missing"},
        {"present": False},
    ],
)
def test_quiet_for_employees_dated_ends_and_who_is_gone(values):
    verdict = judge(no_end_date, identities=[external(**values)])
    assert fired(verdict) == []
    assert verdict.not_evaluable == {}


@pytest.mark.parametrize(
    ("untold", "signal"),
    [({"state": "unknown"}, "owner.state"), ({"contract_end_told": False}, "owner.contract_end")],
)
def test_not_evaluable_when_a_signal_is_missing(untold, signal):
    verdict = judge(no_end_date, identities=[external(**untold), identity(identity_id="hr:2")])
    assert fired(verdict) == []
    assert verdict.not_evaluable == {"hr": {"no_end_date": {SIGNALS[signal]: 1}}}
