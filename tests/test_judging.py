"""Precedence, and what could not be judged: never a finding and never a clean bill."""

from __future__ import annotations

import functools
from datetime import timedelta

import hypothesis
import polars as pl
import pytest
from estates import MAPPING, NOW, account, estate, fired, judge, leaver, settings, unowned
from hypothesis import given
from hypothesis import strategies as st
from mixed_estate import HELD, MIXED, PEOPLE, RULES, mixed, verdict_on

from governance.declaration import LIFECYCLE, SIGNALS
from governance.findings.evaluation import unjudged_checks
from governance.rulebook import run

# --- precedence ----------------------------------------------------------------------------------------------------


ANY_ACCOUNT = st.fixed_dictionaries(
    {},
    optional={
        "active": st.sampled_from([True, True, True, None, False]),
        "kind": st.sampled_from([None, "human", "guest", "service"]),
        "owner_state": st.sampled_from(["current", "leave", "future", "ended", "missing", "unknown"]),
        "owner_kind": st.sampled_from(["employee", "contractor", "guest"]),
        "owner_ended_at": st.sampled_from([None, NOW - timedelta(days=3), NOW, NOW + timedelta(days=3)]),
        "owner_contract_end": st.sampled_from([None, NOW - timedelta(days=3), NOW + timedelta(days=3)]),
        "match": st.sampled_from(["matched", "matched", "pinned", "ambiguous", "unmatched"]),
        "last_seen_at": st.sampled_from([None, NOW - timedelta(days=200), NOW - timedelta(days=1), NOW]),
        "last_seen_known": st.booleans(),
        "created_at": st.sampled_from([None, NOW - timedelta(days=1), NOW - timedelta(days=100)]),
        "mfa": st.sampled_from([None, True, False]),
        "privileged": st.sampled_from([None, True, False]),
        "source_read": st.sampled_from([True, True, True, False]),
    },
)


def coherent(values):
    """The same account as correlation would leave it: no owner's facts without an owner."""
    lonely = values.get("match") in {"ambiguous", "unmatched"} or not values.get("source_read", True)
    if not lonely:
        return account(**values)
    own = {name: value for name, value in values.items() if not name.startswith("owner_")}
    return unowned(**{**own, "match": own.get("match", "unmatched") if own.get("source_read", True) else "unmatched"})


@hypothesis.settings(deadline=None, max_examples=10)
@given(st.lists(ANY_ACCOUNT, min_size=60, max_size=120))
def test_at_most_one_lifecycle_finding_stands_and_nobody_is_both_found_and_not_evaluable(drawn):
    accounts = [{**coherent(values), "account_id": f"a{number}"} for number, values in enumerate(drawn)]
    keys = pl.DataFrame({"application": "crm", "account_id": [row["account_id"] for row in accounts]})
    on_accounts = {name: rule for name, rule in RULES.items() if rule.subject == "account"}
    judged = estate(accounts)
    together = run(judged, judged.settings.policy, NOW, on_accounts)
    # Under another name no rule gives way to another.
    alone = run(judged, judged.settings.policy, NOW, {f"alone {name}": rule for name, rule in on_accounts.items()})
    fits, stand = (
        {name: set(v.bare.filter(pl.col("rule") == name)["account_id"]) for name in on_accounts}
        for v in (alone, together)
    )
    for row in accounts:
        fitting = [name for name in LIFECYCLE if row["account_id"] in fits.get(name, ())]
        assert [name for name in LIFECYCLE if row["account_id"] in stand.get(name, ())] == fitting[:1]
    for name, found in fits.items():
        assert name in LIFECYCLE or stand[name] == found
        if found:
            assert found.isdisjoint(together.unjudged(name, keys)["account_id"])


@hypothesis.settings(deadline=None, max_examples=10)
@given(st.lists(ANY_ACCOUNT, min_size=1, max_size=2))
def test_a_rule_that_is_not_asked_would_have_found_nothing(drawn):
    accounts = [{**coherent(values), "account_id": f"a{number}"} for number, values in enumerate(drawn)]
    judged = estate(accounts)
    # Under another name no rule gives way to another.
    found = run(judged, judged.settings.policy, NOW, {f"alone {name}": rule for name, rule in RULES.items()})
    for held in found.held:
        rows = held.rule(judged, judged.settings.policy, NOW).collect("polars")
        assert held.bare.height == rows.select(held.rule.identity).unique().shape[0], held.rule.name


@pytest.mark.parametrize("state", ["current", "leave", "future", "missing", "unknown", None])
def test_nobody_but_a_leaver_is_ever_a_ghost(state):
    endings = [None, NOW - timedelta(days=900), NOW, NOW + timedelta(days=1)]
    rows = [account(account_id=f"a{n}", owner_state=state, owner_ended_at=end) for n, end in enumerate(endings)]
    assert fired(judge(RULES["ghost"], *rows)) == []


# --- what could not be judged --------------------------------------------------------------------------------------


def test_without_a_source_of_truth_nothing_about_owners_is_found_and_nothing_is_called_clean():
    verdict = verdict_on(
        unowned(source_read=False), unowned(account_id="a2", source_read=False, privileged=True, mfa=False)
    )
    assert set(verdict.findings["rule"]) == {"admin_without_mfa", "last_privileged"}
    assert not any("source.read" in RULES[name].needs for name in verdict.findings["rule"])
    about_owners = {name for name, rule in RULES.items() if "source.read" in rule.needs and rule.counted == "accounts"}
    assert verdict.not_evaluable == {"crm": {name: {SIGNALS["source.read"]: 2} for name in about_owners}}


def test_no_more_checks_could_not_be_judged_than_there_are():
    accounts = [unowned(account_id=f"a{n}", source_read=False, kind=None) for n in range(5)]
    verdict = verdict_on(*accounts, *(unowned(application="wiki", source_read=False) for _ in range(1)))
    lacking = {
        name: sum(sum(rules.get(name, {}).values()) for rules in verdict.not_evaluable.values()) for name in RULES
    }
    assert lacking["dual_provisioning"] == lacking["segregation_of_duties"] == 6
    assert unjudged_checks(verdict, identities=0) == sum(
        {"account": lacking[name], "application": min(2, lacking[name]), "identity": 0}[rule.subject]
        for name, rule in RULES.items()
    )
    assert unjudged_checks(verdict, identities=0) <= verdict.checks


def test_counts_are_kept_for_each_application_rule_and_reason():
    accounts = [
        *(account(account_id=f"m{n}", privileged=True, mfa=None) for n in range(3)),
        account(account_id="p", privileged=None),
        account(account_id="off", privileged=True, mfa=None, active=False),
        account(account_id="w", application="wiki", active=None),
    ]
    verdict = judge(RULES["admin_without_mfa"], *accounts)
    assert verdict.not_evaluable == {
        "crm": {"admin_without_mfa": {SIGNALS["account.mfa"]: 3, SIGNALS["account.grants"]: 1}}
    }
    assert verdict.checks == 5  # the inactive one is no question


def test_checks_are_accounts_times_rules_and_identities_for_rules_about_them():
    verdict = mixed()
    many = {"account": len(MIXED), "identity": len(PEOPLE), "application": len({row["application"] for row in MIXED})}
    assert verdict.checks == sum(many[rule.subject] for rule in RULES.values())


def test_the_first_missing_signal_is_the_reason():
    verdict = judge(
        RULES["stale"], account(active=None, owner_state="unknown", last_seen_at=None, last_seen_known=False)
    )
    assert verdict.not_evaluable == {"crm": {"stale": {SIGNALS["account.active"]: 1}}}


def test_more_rules_than_one_number_has_bits_are_counted_too():
    many = {f"stale{number}": RULES["stale"] for number in range(70)} | {"ghost": RULES["ghost"]}
    judged = estate([account(active=None)])
    verdict = run(judged, judged.settings.policy, NOW, many)
    assert len(verdict.not_evaluable["crm"]) == 71


BLANK = {
    "account.active": {"active": None},
    "owner.state": {"owner_state": "unknown"},
    "owner.ended_at": {"owner_ended_at": None},
    "owner.left_on": {"owner_ended_why": "absence"},
    "owner.attributes": {"owner_department": None},
    "account.last_seen": {"last_seen_at": None, "last_seen_known": False},
    "account.created_at": {"created_at": None},
    "account.mfa": {"mfa": None},
    "account.grants": {"privileged": None},
    "account.kind": {"kind": None},
    "account.credentials": {"credentials": None},
    "owner.manager": {"owner_manager_told": False},
    "sign_on.account": {"sign_on_accounts": 0, "sign_on_active": None},
    "sign_on.active": {"sign_on_active": None},
    "sign_on.assigned": {"sign_on_assigned": None},
    "owner.position": {"owner_department": None, "owner_title": None},
    "account.attributes": {"department": None, "title": None},
    "account.way_in": {"password": None},
    "owner.peers": {"owner_title": None},
    "grants.last_used": {"grants_used_told": False},
}


FIRING = {
    "ghost": leaver(),
    "contract_expired": account(owner_kind="guest", owner_contract_end=NOW),
    "login_after_leaving": leaver(last_seen_at=NOW),
    "missing_from_source": account(owner_state="missing"),
    "orphaned": unowned(),
    "ambiguous_owner": unowned(match="ambiguous"),
    "stale": account(last_seen_at=NOW - timedelta(days=200)),
    "never_used": account(last_seen_at=None),
    "over_privileged": account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
    "admin_without_mfa": account(privileged=True, mfa=False),
    "created_after_leaving": leaver(created_at=NOW),
    "identity_provider_disabled_application_active": account(sign_on_active=False),
    "leaver_owns_credentials": leaver(credentials=2),
    "leaving_soon_with_privilege": account(owner_ended_at=NOW + timedelta(days=3), privileged=True),
    "on_leave_active": account(owner_state="leave"),
    "rehire_regained_access": account(
        owner_rehired_at=NOW - timedelta(days=9),
        closed_at=NOW - timedelta(days=90),
        returned_at=NOW - timedelta(days=8),
    ),
    "external_without_sponsor": account(owner_kind="guest", owner_manager_id=None, owner_manager_state=None),
    "non_human_without_owner": unowned(kind="service"),
    "shared_account": account(kind="shared"),
    "duplicate_account": account(account_id="a2", created_at=NOW - timedelta(days=9)),
    "recycled_identifier": account(address_holders="hr:1;hr:2"),
    "similar_username": unowned(candidates="hr:1"),
    "attribute_drift": account(department="Sales"),
    "sso_bypass": account(password=True),
    "unassigned_in_identity_provider": account(sign_on_assigned=False),
    "default_role_fallback": account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
    "privileged_unused": account(privileged=True, last_seen_at=NOW - timedelta(days=40)),
    "break_glass_used": account(),
    "privilege_creep": account(
        account_id="a9", owner_department="Sales", owner_title="Clerk", owner_former_department="Finance"
    ),
    "peer_outlier": account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
    "entitlement_never_used": account(account_id="a10"),
    "reborn": leaver(closed_at=NOW - timedelta(days=9), returned_at=NOW - timedelta(days=2)),
}
BY_SIGN_ON = settings(
    application=[{"name": "crm", "connector": "app_csv", "provisioning": ["jit"], "default_role": ["Reader"]}],
    role_mapping=MAPPING,
)
REGISTER = [{"application": "crm", "account": "a1", "why": "break_glass", "owner": "sec@example.com"}]
SETTLED = {  # what the settings must say for it
    "sso_bypass": BY_SIGN_ON,
    "default_role_fallback": BY_SIGN_ON,
    "break_glass_used": settings(protected=REGISTER),
    "peer_outlier": settings(role_mapping=MAPPING[:1]),
}
PEERS = [
    account(account_id=f"p{n}", owner_id=f"hr:p{n}", owner_department="Sales", owner_title="Clerk") for n in range(10)
]
BESIDE = {"duplicate_account": [account()], "peer_outlier": PEERS}  # what must be there for a rule to fire at all


def on(name, **values):
    """The verdict of one rule on the example that fires, with other values."""
    more = {**HELD, "settings": SETTLED.get(name, HELD["settings"])}
    return judge(RULES[name], {**FIRING[name], **values}, *BESIDE.get(name, ()), **more)


@functools.cache
def firing(name):
    """The verdict on the example as it is: what the tests below change is compared with it again and again."""
    return on(name)


LOST = [(name, signal) for name in FIRING for signal in RULES[name].needs if signal != "source.read"]


def test_every_rule_about_accounts_has_an_example_that_fires():
    assert set(FIRING) == {name for name, rule in RULES.items() if "account_id" in rule.identity}
    for name, row in FIRING.items():
        assert fired(firing(name)) == [row["account_id"]], name


OTHER = {
    "username": ["other", None],
    "email": ["other@example.com", None],
    "employee_id": ["7", None],
    "external_id": ["7"],
    "kind": ["guest", None],
    "privileged": [True, None],
    "criticality": ["high"],
    "active": [False],
    "mfa": [None],
    "last_seen_at": [NOW, NOW - timedelta(days=300), None],
    "last_seen_known": [False],
    "created_at": [NOW - timedelta(days=401)],
    "match": ["pinned"],
    "match_key": ["pinned", "email", "external_id", None],
    "candidates": ["hr:3", "hr:3;hr:4"],
    "owner_id": ["hr:7", "other:7"],
    "owner_name": ["Other", None],
    "owner_kind": ["contractor"],
    "owner_department": ["Legal"],
    "owner_title": ["Other"],
    "owner_state": ["leave"],
    "owner_ended_at": [NOW - timedelta(days=300)],
    "owner_ended_why": ["absence"],
    "owner_contract_end": [NOW - timedelta(days=300)],
    "owner_last_present_at": [NOW - timedelta(days=300)],
    "stale_days": [91],
    "never_used_days": [15],
}


@pytest.mark.parametrize("name", FIRING)
def test_a_finding_that_reads_differently_has_another_digest(name):
    first = firing(name).findings
    changed = 0
    for column, values in OTHER.items():
        for value in values:
            found = on(name, **{column: value}).findings
            if found.height and not found.drop("digest").equals(first.drop("digest")):
                assert found["digest"].item() != first["digest"].item(), (column, value)
                changed += 1
    assert changed > 5


@pytest.mark.parametrize(("name", "signal"), LOST)
def test_a_finding_whose_signal_goes_missing_is_neither_found_nor_judged(name, signal):
    before = firing(name).findings.select("application", "account_id")
    verdict = on(name, **BLANK[signal])
    assert verdict.findings.is_empty()
    unjudged = verdict.unjudged(name, before)
    assert unjudged.select("application", "account_id").equals(before)
    assert unjudged["reason"].to_list() == [SIGNALS[signal]]


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_says_of_what_it_was_asked_about_whether_it_could_be_judged(name):
    verdict = judge(RULES[name], account(), identities=PEOPLE)
    asked = pl.DataFrame({"application": ["crm"], "account_id": ["gone"], "identity_id": ["hr:gone"]})
    assert verdict.unjudged(name, asked).is_empty()


def test_what_was_judged_or_is_gone_or_was_not_asked_for_is_not_unjudged():
    rows = [account(account_id="ok"), account(account_id="dark", active=None), account(account_id="other", active=None)]
    asked = pl.DataFrame({"application": ["crm"] * 4, "account_id": ["ok", "dark", "dark", "gone"]})
    verdict = judge(RULES["ghost"], *rows)
    assert verdict.unjudged("ghost", asked)["account_id"].to_list() == ["dark"]
    assert verdict.unjudged("ghost", asked.clear()).is_empty()
    assert verdict.unjudged("a rule that was removed", asked).is_empty()
    many = pl.DataFrame({"application": "crm", "account_id": [*(f"x{n}" for n in range(2_000)), "dark"]})
    assert verdict.unjudged("ghost", many)["account_id"].to_list() == ["dark"]
