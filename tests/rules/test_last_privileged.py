from __future__ import annotations

import json

import pytest
from estates import account, judge, reason

from governance.rules.last_privileged import last_privileged


def verdict_on(*others, **values):
    rows = [account(privileged=True, **values), *(account(account_id=f"x{n}", **o) for n, o in enumerate(others))]
    return judge(last_privileged, *rows)


def test_fires_once_where_one_account_alone_administers():
    verdict = verdict_on({}, {"active": False, "privileged": True}, {"kind": "service", "privileged": True})
    assert reason(verdict) == (
        "m.lindqvist is the only active privileged account of a person in Customer CRM: losing it locks everybody out"
        " of its administration."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == ["Customer CRM: m.lindqvist is the only active privileged account of a person"]


def test_an_account_without_a_username_is_named_by_its_id():
    assert reason(verdict_on(username=None)).startswith("a1 is the only")


@pytest.mark.parametrize("values", [{"active": False}, {"kind": "service"}, {"kind": "bot"}])
def test_quiet_where_no_account_of_a_person_is_privileged(values):
    assert verdict_on({}, **values).findings.is_empty()


def test_quiet_where_there_are_two_and_each_application_is_its_own():
    assert verdict_on({"privileged": True}).findings.is_empty()
    assert verdict_on({"privileged": True, "application": "wiki"}).findings.height == 2


@pytest.mark.parametrize("other", [{"privileged": None}, {"active": None, "privileged": True}])
def test_quiet_as_long_as_another_account_could_be_a_second_one_which_is_not_evaluable(other):
    verdict = verdict_on(other)
    assert verdict.findings.is_empty()
    assert list(verdict.not_evaluable["crm"]) == ["last_privileged"]


def test_an_untold_state_of_an_account_that_holds_nothing_privileged_is_no_second_one():
    assert verdict_on({"active": None, "privileged": False}).findings.height == 1
