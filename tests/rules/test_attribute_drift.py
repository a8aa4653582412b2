from __future__ import annotations

import json

import pytest
from estates import account, fired, judge, reason, unknown, unowned

from governance.rules.attribute_drift import attribute_drift


def drifted(**values):
    return account(**{"department": "Sales", "title": "Analyst", **values})


def test_fires_when_the_department_differs_and_says_both():
    verdict = judge(attribute_drift, drifted())
    assert reason(verdict) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM has department “Sales” where HR says “Finance”."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Customer CRM: department Sales" in texts
    assert "HR: department Finance" in texts


def test_fires_once_for_both_attributes():
    assert reason(judge(attribute_drift, drifted(title="Lead", owner_state="leave"))) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM has department “Sales” where HR says “Finance”"
        " and title “Lead” where HR says “Analyst”."
    )


@pytest.mark.parametrize(
    "values",
    [
        {"department": " finance "},
        {"department": "FINANCE", "title": "analyst\t"},
        {"department": "Finance", "title": None},
        {"department": None, "title": "Analyst"},
        {"department": "", "title": "Analyst"},
        {"owner_department": None},
        {"active": False},
        {"owner_state": "ended"},
        {"owner_state": "missing"},
        {"owner_state": "future"},
    ],
)
def test_quiet_for_case_blanks_what_is_empty_and_whoever_does_not_work_here(values):
    verdict = judge(attribute_drift, drifted(**values))
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_quiet_without_an_owner():
    verdict = judge(attribute_drift, unowned(department="Sales"))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False, department="Sales"), "no source of truth has been read yet"),
        (drifted(active=None), "the application does not tell whether the account is active"),
        (drifted(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (
            drifted(owner_department=None, owner_title=None),
            "the source of truth tells neither the owner's department nor title",
        ),
        (account(), "the application does not tell the account's department or title"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = judge(attribute_drift, judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
