from __future__ import annotations

import json

import pytest
from estates import MAPPING, account, fired, judge, reason, settings, unknown, unowned

from governance.rules.default_role_fallback import default_role_fallback

CRM = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", "default_role": ["Basic", "Viewer"]}
WIKI = {"name": "wiki", "title": "Wiki", "connector": "scim", "default_role": ["Basic"]}
MAPPED = settings(application=[CRM, WIKI], role_mapping=MAPPING)
ENTITLEMENTS = [
    {"application": application, "entitlement_id": name.lower(), "name": name}
    for application in ("crm", "wiki")
    for name in ("Basic", "Viewer", "Reader")
]


def holding(*names, judged=None, settings=MAPPED, **values):
    held = judged or account(**{"owner_department": "Legal", "owner_title": "Counsel", **values})
    key = {"application": held["application"], "account_id": held["account_id"]}
    grants = [{**key, "entitlement_id": name.lower()} for name in names]
    return judge(default_role_fallback, held, entitlements=ENTITLEMENTS, grants=grants, settings=settings)


def test_fires_on_the_default_role_of_somebody_no_line_fits():
    verdict = holding("Basic", "Reader")
    assert reason(verdict) == (
        "Marta Lindqvist (Legal, Counsel) holds the default role “Basic” with the account m.lindqvist in Customer CRM:"
        " no line of the role mapping fits them."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Customer CRM: holds the default role “Basic”" in texts


def test_fires_once_for_several_default_roles():
    assert "the default role “Basic” and “Viewer” with" in reason(holding("Viewer", "Basic", owner_state="leave"))


def test_every_default_role_counts_however_many_there_are():
    many = settings(application=[{**CRM, "default_role": ["A", "B", "C", "D", "Reader"]}, WIKI], role_mapping=MAPPING)
    assert "the default role “Reader” with" in reason(holding("Reader", settings=many))


def test_fires_where_only_a_part_of_a_line_fits():
    assert fired(holding("Basic", owner_department="Sales", owner_title="Clerk")) == ["a1"]


def test_fires_where_the_value_is_written_otherwise_as_the_mapping_does_not_know_it():
    assert fired(holding("Basic", owner_department="finance")) == ["a1"]


@pytest.mark.parametrize(
    ("held", "values"),
    [
        (("Basic",), {"owner_department": "Finance"}),
        (("Basic",), {"owner_department": "Sales", "owner_title": "Lead"}),
        (("Reader",), {}),
        ((), {}),
        (("Basic",), {"active": False}),
        (("Basic",), {"owner_state": "ended"}),
        (("Basic",), {"owner_state": "missing"}),
        (("Basic",), {"application": "wiki"}),
        (("Basic",), {"judged": unowned()}),
    ],
)
def test_quiet_where_a_line_fits_the_role_is_not_held_or_nothing_is_mapped(held, values):
    verdict = holding(*held, **values)
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_quiet_without_a_default_role():
    verdict = holding("Basic", settings=settings(role_mapping=MAPPING))
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (account(active=None), "the application does not tell whether the account is active"),
        (account(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(owner_department=None), "the source of truth does not tell the owner's department or title"),
        (account(privileged=None), "the application does not tell what the account holds"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = holding("Basic", judged=judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why
