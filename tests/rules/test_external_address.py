from __future__ import annotations

import pytest
from estates import fired, identity, judge, reason, settings

from governance.declaration import SIGNALS, Remedy
from governance.rules.external_address import external_address


def crowd(many, domain="example.com", first=0, **values):
    return [
        identity(**{"identity_id": f"hr:{n}", "email": f"p{n}@{domain}", **values}) for n in range(first, first + many)
    ]


def moved(**values):
    address = {"email": "marta@partner.example", "former_emails": "m.lindqvist@example.com"}
    return identity(**{**address, **values})


def said(*people, **more):
    return judge(external_address, identities=[*crowd(20), *people], **more)


def test_fires_on_an_employee_whose_address_went_elsewhere():
    verdict = said(moved())
    assert reason(verdict) == (
        "HR gives Marta Lindqvist the address marta@partner.example, which is outside the organisation's own domains;"
        " before, it was m.lindqvist@example.com."
    )
    evidence = verdict.findings["evidence"].item()
    assert "HR: email marta@partner.example" in evidence
    assert "HR: former e-mail m.lindqvist@example.com" in evidence


def test_fires_whatever_stood_between_and_however_it_is_written():
    verdict = said(moved(email=" Marta@Partner.Example ", former_emails="a@other.example;M@EXAMPLE.com"))
    assert fired(verdict) == ["hr:10482"]


def test_keeps_the_person_and_only_the_source_is_corrected():
    assert external_address.remedy is Remedy.CORRECT_SOURCE


@pytest.mark.parametrize(
    "values",
    [
        {"email": "marta@example.com", "former_emails": "marta@partner.example"},
        {"email": "marta@EXAMPLE.com", "former_emails": "m.lindqvist@example.com"},
        {"former_emails": None},
        {"former_emails": "marta@another.example"},
        {"email": None},
        {"kind": "contractor"},
        {"kind": "guest"},
        {"state": "ended"},
        {"state": "missing"},
        {"present": False},
    ],
)
def test_quiet_for_changes_within_externals_leavers_and_who_was_always_elsewhere(values):
    verdict = said(moved(**values))
    assert fired(verdict) == []
    assert verdict.not_evaluable == {}


def test_quiet_where_the_settings_name_the_domain_as_own():
    named = settings(domain=[{"name": "example.com", "same_as": ["Partner.example"]}])
    assert fired(said(moved(), settings=named)) == []
    assert fired(said(moved(), settings=settings(domain=[{"name": "other.example"}]))) == ["hr:10482"]


def test_a_domain_is_own_once_five_employees_and_five_in_a_hundred_have_it():
    for here, expected in ((3, ["hr:10482"]), (4, [])):  # and the one who moved
        people = [*crowd(75), *crowd(here, "partner.example", 500), moved()]
        assert fired(judge(external_address, identities=people)) == expected
    many = [*crowd(95), *crowd(3, "partner.example", 500), moved()]
    assert fired(judge(external_address, identities=many)) == ["hr:10482"], "four are too few"
    sparse = [*crowd(195), *crowd(4, "partner.example", 500), moved()]
    assert fired(judge(external_address, identities=sparse)) == ["hr:10482"], "two in a hundred are too few"


def test_a_whole_company_that_takes_another_name_is_no_finding():
    renamed = crowd(50, "new.example", former_emails="x@example.com")
    assert fired(judge(external_address, identities=renamed)) == []


def test_not_evaluable_when_the_source_does_not_tell_who_works_here():
    verdict = said(moved(state="unknown"))
    assert fired(verdict) == []
    assert verdict.not_evaluable == {"hr": {"external_address": {SIGNALS["owner.state"]: 1}}}
