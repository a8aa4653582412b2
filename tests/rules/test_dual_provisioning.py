"""JIT and SCIM side by side: the twelve scenarios of FAULTS.md C15, and applications where only one is at work."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from estates import NOW, account, judge, reason, settings, unowned

from governance.rules.dual_provisioning import dual_provisioning

BORN = NOW - timedelta(days=10)
PEOPLE = ("1", "2", "3")


def configured(*ways, writes=None, known_as=(), provider=True):
    crm = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", "provisioning": list(ways)}
    crm |= {"writes": writes or {}, "known_as": list(known_as)}
    there = {"name": "sso", "title": "Sign-on", "connector": "app_csv", "identity_provider": provider}
    return settings(application=[crm, {"name": "wiki", "title": "Wiki", "connector": "scim"}, there])


def of(person, application="crm", **values):
    """The account of a person in an application."""
    own = {"account_id": f"{application}{person}", "owner_id": f"hr:{person}", "employee_id": person}
    return account(application=application, created_at=BORN, **{**own, **values})


def event(kind, person, application="crm", at=BORN, **values):
    own = {"account_id": f"{application}{person}", "event_id": f"{application}-{kind}-{person}", "success": True}
    return {"application": application, "kind": kind, "at": at, **own, **values}


def signs_in(person, at=BORN, target="Customer CRM", **values):
    """A single sign-on through the identity provider."""
    return event("sso", person, "sso", at=at, target=target, **values)


def pushed(person, **values):
    """A push that the application itself tells of."""
    return event("provisioned", person, **values)


def pushed_there(person, target="Customer CRM", **values):
    """A push that the identity provider tells of."""
    return event("provisioned", person, "sso", target=target, **values)


def verdict_on(events=(), *, ways=(), accounts=None, **more):
    everybody = [of(p, a) for p in PEOPLE for a in ("crm", "sso")] if accounts is None else accounts
    return judge(dual_provisioning, *everybody, events=events, settings=configured(*ways, **more))


def applications(verdict):
    return verdict.findings["application"].to_list()


ON_BOTH = {
    "the settings say both": ([], {"ways": ("jit", "scim")}),
    "the settings say both, and others beside": ([], {"ways": ("invited", "scim", "local", "jit")}),
    "one was pushed by the application's own log, one was born by a sign-on": ([pushed("1"), signs_in("2")], {}),
    "the identity provider tells of both": ([pushed_there("1"), signs_in("2")], {}),
    "settings that say jit, and pushes nobody knew of": ([pushed("1"), signs_in("2")], {"ways": ("jit",)}),
    "settings that say scim, and accounts it never made": ([pushed_there("1"), signs_in("2")], {"ways": ("scim",)}),
    "the identity provider calls the application otherwise": (
        [pushed_there("1", target=" CRM (PROD) "), signs_in("2", target="crm (prod)")],
        {"known_as": ["CRM (prod)"]},
    ),
    "the sign-on is noted five minutes after the account": (
        [pushed("1"), signs_in("2", at=BORN + timedelta(seconds=300))],
        {},
    ),
    "the account is noted five minutes after the sign-on": (
        [pushed("1"), signs_in("2", at=BORN - timedelta(seconds=300))],
        {},
    ),
    "the application says that an account made itself": ([pushed("1"), event("created", "2", actor="crm2")], {}),
    "a push long after the births, when SCIM was switched on late": (
        [signs_in("1"), signs_in("2"), pushed("3", at=NOW - timedelta(hours=1))],
        {},
    ),
    "how an account came to be is known already": (
        [pushed("1")],
        {"accounts": [of("1"), of("2", provenance="jit", provenance_confidence=0.95), of("1", "sso")]},
    ),
}
ON_ONE = {
    "nothing is told": ([], {}),
    "jit alone": ([signs_in(p) for p in PEOPLE], {"ways": ("jit",)}),
    "scim alone": ([pushed(p) for p in PEOPLE], {"ways": ("scim",)}),
    "scim alone, whoever was pushed signs in at once": (
        [*(pushed(p) for p in PEOPLE), *(signs_in(p) for p in PEOPLE)],
        {"ways": ("scim",)},
    ),
    "scim alone, told by the identity provider, and sign-ons at once": (
        [*(pushed_there(p) for p in PEOPLE), *(signs_in(p) for p in PEOPLE)],
        {"ways": ("scim",)},
    ),
    "scim alone, and sign-ons of accounts that are older": (
        [pushed("1"), *(signs_in(p, at=BORN + timedelta(days=2)) for p in PEOPLE)],
        {},
    ),
    "the sign-on is a second too late": ([pushed("1"), signs_in("2", at=BORN + timedelta(seconds=301))], {}),
    "the sign-on is a second too early": ([pushed("1"), signs_in("2", at=BORN - timedelta(seconds=301))], {}),
    "jit alone, and a push that failed": ([pushed("1", success=False), signs_in("2")], {}),
    "scim alone, and a sign-on that failed": ([pushed("1"), signs_in("2", success=False)], {}),
    "scim alone, and accounts an administrator made": ([pushed("1"), event("created", "2", actor="admin")], {}),
    "scim alone, and invitations": (
        [pushed("1"), event("created", "2", actor="admin"), event("sign_in", "2", actor="crm2")],
        {"ways": ("scim", "invited")},
    ),
    "jit here, and pushes to another application": ([pushed_there("1", target="Wiki"), signs_in("2")], {}),
    "scim here, and a sign-on to another application": ([pushed("1"), signs_in("2", target="Wiki")], {}),
    "a sign-on of somebody nobody knows": (
        [pushed("1"), signs_in("2")],
        {"accounts": [of("1"), of("1", "sso"), of("2"), unowned(application="sso", account_id="sso2")]},
    ),
}


@pytest.mark.parametrize("scenario", ON_BOTH)
def test_fires_in_every_scenario_where_both_are_at_work(scenario):
    events, more = ON_BOTH[scenario]
    verdict = verdict_on(events, **more)
    assert applications(verdict) == ["crm"]
    assert "owns which attribute is not told" in reason(verdict)


def test_there_are_twelve_scenarios():
    assert len(ON_BOTH) == 12


@pytest.mark.parametrize("scenario", ON_ONE)
def test_quiet_where_only_one_is_at_work(scenario):
    events, more = ON_ONE[scenario]
    verdict = verdict_on(events, **more)
    assert applications(verdict) == []
    assert verdict.not_evaluable == {}


def test_the_sentence_counts_what_was_seen_and_says_whose_the_attributes_are():
    writes = {"jit": ["title", "department", "email"], "scim": ["department", "title", "phone"]}
    events = [pushed("1"), pushed("3"), signs_in("2")]
    verdict = verdict_on(events, ways=("scim", "jit"), writes=writes)
    assert reason(verdict) == (
        "Customer CRM is filled by single sign-on (JIT) and by SCIM at the same time; its events show 2 accounts pushed"
        " by SCIM and 1 account made by a sign-in without a push; both write department, title, JIT alone writes email,"
        " SCIM alone writes phone: what one writes the other may overwrite, and SCIM does not close what it did not"
        " make."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Settings: Customer CRM is provisioned by jit and by scim" in texts
    assert "Customer CRM: 2 accounts were pushed" in texts


def test_one_finding_an_application_however_many_accounts():
    everybody = [of(p, a) for p in PEOPLE for a in ("crm", "wiki", "sso")]
    verdict = verdict_on([pushed(p) for p in PEOPLE[:2]] + [signs_in("3")], ways=("jit", "scim"), accounts=everybody)
    assert applications(verdict) == ["crm"]


def test_without_an_identity_provider_only_the_application_itself_can_tell():
    assert applications(verdict_on([pushed("1"), signs_in("2")], provider=False)) == []
    assert applications(verdict_on([pushed("1"), event("created", "2", actor="crm2")], provider=False)) == ["crm"]


def test_before_a_source_of_truth_is_read_nobody_s_sign_on_is_known():
    verdict = verdict_on(accounts=[unowned(source_read=False)])
    assert verdict.not_evaluable == {"crm": {"dual_provisioning": {"no source of truth has been read yet": 1}}}
