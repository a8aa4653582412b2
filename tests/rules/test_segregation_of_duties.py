from __future__ import annotations

import json

import pytest
from estates import account, judge, reason, settings, unowned

from governance.errors import ConfigurationError
from governance.rules.segregation_of_duties import segregation_of_duties

NAMES = ("Vendor Editor", "Payment Approver", "Reader")
ENTITLEMENTS = [
    {"application": application, "entitlement_id": name.lower(), "name": name}
    for application in ("crm", "wiki")
    for name in NAMES
]
PAYING = {
    "name": "Make and pay a vendor",
    "one": [{"application": "crm", "entitlement": "Vendor Editor"}],
    "other": [
        {"application": "crm", "entitlement": "Payment Approver"},
        {"application": "wiki", "entitlement": "Payment Approver"},
    ],
}
READING = {
    "name": "Read and approve",
    "one": [{"application": "crm", "entitlement": "Reader"}],
    "other": [{"application": "wiki", "entitlement": "Payment Approver"}],
}


def holding(*held, pairs=(PAYING,)):
    """`held`: an account and the names it holds, several times."""
    grants = [
        {"application": row["application"], "account_id": row["account_id"], "entitlement_id": name.lower()}
        for row, *names in held
        for name in names
    ]
    rows = [row for row, *_ in held]
    return judge(
        segregation_of_duties, *rows, entitlements=ENTITLEMENTS, grants=grants, settings=settings(segregation=pairs)
    )


def test_fires_on_a_person_across_applications():
    verdict = holding((account(), "Vendor Editor"), (account(application="wiki"), "Payment Approver", "Reader"))
    assert reason(verdict) == (
        "Marta Lindqvist holds “Vendor Editor” in Customer CRM and “Payment Approver” in Wiki; by “Make and pay a"
        " vendor” nobody may hold both."
    )
    assert verdict.findings.select("application", "account_id", "identity_id").row(0) == ("crm", None, "hr:10482")
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Policy: Nobody may hold both sides of “Make and pay a vendor”",
        "Marta Lindqvist holds “Vendor Editor” in Customer CRM",
        "Marta Lindqvist holds “Payment Approver” in Wiki",
    ]


def test_fires_once_for_each_pair_however_many_accounts_and_entitlements():
    crm, second, wiki = account(), account(account_id="a2"), account(application="wiki")
    held = ((crm, *NAMES), (second, *NAMES), (wiki, "Payment Approver"))
    assert holding(*held).findings.height == 1
    both = holding(*held, pairs=(PAYING, READING))
    assert both.findings.height == both.findings["fingerprint"].n_unique() == 2


def test_fires_for_each_person_and_for_one_on_leave():
    other = account(account_id="a2", owner_id="hr:2", owner_state="leave")
    verdict = holding((account(), *NAMES), (other, *NAMES))
    assert sorted(verdict.findings["identity_id"]) == ["hr:10482", "hr:2"]


@pytest.mark.parametrize("names", [("Vendor Editor", "Reader"), ("Payment Approver",), ()])
def test_quiet_for_one_side_alone(names):
    assert holding((account(), *names)).findings.is_empty()


def test_quiet_when_each_side_is_somebody_elses():
    other = account(account_id="a2", owner_id="hr:2")
    assert holding((account(), "Vendor Editor"), (other, "Payment Approver")).findings.is_empty()


@pytest.mark.parametrize("values", [{"active": False}, {"owner_state": "ended"}, {"owner_state": "missing"}])
def test_quiet_for_inactive_accounts_and_who_does_not_work_here(values):
    verdict = holding((account(**values), *NAMES))
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {}


def test_quiet_without_an_owner_and_without_any_pair():
    assert holding((unowned(), *NAMES)).findings.is_empty()
    without = holding((account(), *NAMES), pairs=())
    assert without.findings.is_empty()
    assert without.not_evaluable == {}


def test_the_same_name_in_another_application_is_another_entitlement():
    assert holding((account(application="wiki"), "Vendor Editor", "Payment Approver")).findings.is_empty()


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (account(active=None), "the application does not tell whether the account is active"),
        (account(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(privileged=None), "the application does not tell what the account holds"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = holding((judged, *NAMES))
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {"crm": {"segregation_of_duties": {why: 1}}}


def test_an_application_that_no_pair_names_is_no_question():
    assert (
        holding(
            (account(application="wiki", active=None),), pairs=({**PAYING, "other": PAYING["other"][:1]},)
        ).not_evaluable
        == {}
    )


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([{**PAYING, "other": PAYING["one"]}], "is on both sides of 'Make and pay a vendor'"),
        ([{**PAYING, "one": [{"application": "erp", "entitlement": "x"}]}], "names the application 'erp'"),
        ([PAYING, PAYING], "the same name"),
    ],
)
def test_pairs_that_cannot_be_meant_are_refused(pairs, why):
    with pytest.raises(ConfigurationError, match=why):
        settings(segregation=pairs)
