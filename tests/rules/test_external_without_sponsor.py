from __future__ import annotations

import pytest
from estates import account, fired, judge, leaver, reason, unknown, unowned

from governance.rules.external_without_sponsor import external_without_sponsor

NOBODY = {"owner_manager_id": None, "owner_manager_name": None, "owner_manager_state": None}


def external(**values):
    return account(**{"owner_kind": "contractor", **NOBODY, **values})


def guest(**values):
    return unowned(kind="guest", username="k.stern@agency.example", **values)


@pytest.mark.parametrize(
    ("judged", "sentence"),
    [
        (
            external(),
            "Marta Lindqvist, a contractor, has no manager; the account m.lindqvist in Customer CRM is active, and"
            " nobody here answers for it.",
        ),
        (
            external(owner_kind="guest", owner_manager_id="hr:1", owner_manager_name="Ana Ruiz", owner_manager_state="ended"),
            "Marta Lindqvist, a guest, has a manager who left, Ana Ruiz; the account m.lindqvist in Customer CRM is"
            " active, and nobody here answers for it.",
        ),
        (
            external(owner_manager_id="hr:1", owner_manager_name="Ana Ruiz", owner_manager_state="missing"),
            "Marta Lindqvist, a contractor, has a manager who is not in the source of truth, Ana Ruiz; the account"
            " m.lindqvist in Customer CRM is active, and nobody here answers for it.",
        ),
        (
            external(owner_manager_id="hr:1"),
            "Marta Lindqvist, a contractor, has a manager who is not in the source of truth, hr:1; the account"
            " m.lindqvist in Customer CRM is active, and nobody here answers for it.",
        ),
        (
            guest(),
            "A guest has no manager; the account k.stern@agency.example in Customer CRM is active, and nobody here"
            " answers for it.",
        ),
    ],
)  # fmt: skip
def test_fires_on_externals_without_anybody_who_works_here(judged, sentence):
    assert reason(judge(external_without_sponsor, judged)) == sentence


def test_fires_also_when_the_application_names_somebody_who_left():
    assert fired(judge(external_without_sponsor, external(responsible="hr:9", responsible_state="ended"))) == ["a1"]


@pytest.mark.parametrize("state", ["current", "leave", "future"])
def test_quiet_when_the_manager_or_whom_the_application_names_works_here(state):
    managed = external(owner_manager_id="hr:1", owner_manager_name="Ana Ruiz", owner_manager_state=state)
    for judged in (managed, external(responsible_state=state), guest(responsible_state=state)):
        verdict = judge(external_without_sponsor, judged)
        assert fired(verdict) == []
        assert unknown(verdict) is None


@pytest.mark.parametrize(
    "quiet",
    [account(**NOBODY), external(active=False), leaver(owner_kind="contractor", **NOBODY), guest(active=False), unowned()],
)  # fmt: skip
def test_quiet_for_employees_inactive_accounts_and_leavers(quiet):
    verdict = judge(external_without_sponsor, quiet)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (external(active=None), "the application does not tell whether the account is active"),
        (external(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (external(owner_manager_told=False), "the source of truth does not tell who manages whom"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(external_without_sponsor, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
