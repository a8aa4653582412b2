"""Every rule gives equal rows on Polars and on Spark: one implementation, two engines."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import polars as pl
import pytest
import spark_session
from estates import MAPPING, NOW, account, estate, identity, leaver, settings, unowned
from provisioned_estate import APPLICATIONS, happened, provisioned

from governance.estate import Estate
from governance.rulebook import Verdict, all_rules, run

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(spark_session.missing() is not None, reason=str(spark_session.missing())),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

RULES = all_rules()
SETTINGS = settings(
    application=APPLICATIONS,
    role_mapping=[*MAPPING, {"application": "wiki", "when": {"kind": "employee"}, "gives": ["Reader"]}],
    policy={"on_leave": "flag"},
)
NAMES = ("Finance User", "Reader", "Sales Lead", "Root", "Newsletter", *(f"Extra {n}" for n in range(4)))


def accounts() -> list[dict[str, Any]]:
    """Every state beside every other: 96 owned accounts, the edges of each threshold, unowned and ambiguous ones."""
    rows = [
        account(active=active, owner_state=state, owner_kind=kind, owner_ended_at=NOW, owner_contract_end=NOW, mfa=mfa)
        for active, state, kind, mfa in product(
            [True, False, None],
            ["current", "leave", "future", "ended", "missing", "unknown", None, "ended"],
            ["employee", "contractor"],
            [True, False],
        )
    ]
    for seconds in (-86_401, -301, -300, -1, 0, 1, 300, 301):
        moment = NOW + timedelta(seconds=seconds)
        rows += [
            leaver(owner_ended_at=moment, last_seen_at=NOW),
            account(owner_kind="guest", owner_contract_end=moment),
            account(last_seen_at=moment - timedelta(days=90)),
            account(last_seen_at=None, created_at=moment - timedelta(days=14)),
        ]
    for kind, match in product([None, "human", "guest", "service", "bot", "shared"], ["unmatched", "ambiguous"]):
        rows += [
            unowned(kind=kind, match=match, candidates="hr:1;hr:2", privileged=True, mfa=False),
            unowned(kind=kind, match=match, source_read=False, active=None),
        ]
    rows += [
        account(owner_department=department, owner_title=title, privileged=privileged, application=application)
        for department, title, privileged, application in product(
            ["Finance", "Sales", None], ["Lead", "Clerk", None], [True, None], ["crm", "wiki"]
        )
    ]
    rows += [account(present=False, active=True, owner_state="missing"), leaver(owner_name="Zoë ＡＢＣ", username=None)]
    rows += provisioned()
    rows += _of_leavers_and_owners()
    return [{**row, "account_id": f"a{number:03}"} for number, row in enumerate(rows)]


def _of_leavers_and_owners() -> list[dict[str, Any]]:
    day = timedelta(days=1)
    back = {"owner_rehired_at": NOW - 9 * day, "closed_at": NOW - 90 * day, "returned_at": NOW - 8 * day}
    gone = {"responsible": "hr:7", "responsible_name": "Rosa Díaz", "responsible_state": "ended"}
    return [
        *(leaver(created_at=moment) for moment in (NOW, NOW - 400 * day, None)),
        *(account(sign_on_active=active) for active in (False, None)),
        *(leaver(credentials=many, active=active) for many, active in product([0, 2, None], [True, False])),
        unowned(kind="service", **gone),
        *(account(privileged=True, owner_ended_at=NOW + many * day) for many in (1, 14, 15)),
        *(account(**{**back, **more}) for more in ({}, {"returned_at": None}, {"closed_at": NOW - 8 * day})),
        *(account(owner_kind="guest", owner_manager_id=None, owner_manager_state=state) for state in (None, "ended")),
        *(account(address_holders=holders) for holders in ("hr:1;hr:2", None)),
        *(unowned(candidates=candidates) for candidates in ("hr:1", "hr:99", None)),
    ]


def build(spark: Any = None) -> Estate:
    rows = accounts()
    return estate(
        rows,
        identities=[
            identity(
                identity_id=f"hr:{n}", contradictory=n % 5 == 0, present=n % 7 != 0, ended_at=NOW - timedelta(days=n)
            )
            for n in range(60)
        ]
        + [
            identity(identity_id="hr:60", kind="contractor"),
            identity(identity_id="hr:61", email="M@partner.example", former_emails="a@b.example;m@example.com"),
        ],
        entitlements=[
            {"application": application, "entitlement_id": name.lower(), "name": name, "privileged": privileged}
            for application in ("crm", "wiki")
            for name, privileged in zip(NAMES, (False, None, False, *[True] * 6), strict=True)
        ],
        grants=[
            {"application": row["application"], "account_id": row["account_id"], "entitlement_id": name.lower()}
            for number, row in enumerate(rows)
            for place, name in enumerate(NAMES)
            if (number + place) % 2
        ],
        credentials=[
            {
                "application": row["application"],
                "account_id": row["account_id"],
                "credential_id": f"t{n}",
                "kind": "token",
            }
            | {"expires_at": expires, "last_used_at": NOW - timedelta(days=n)}
            for row in rows[-30:]
            for n, expires in enumerate((None, NOW, NOW + timedelta(seconds=1)))
        ],
        events=happened(rows),
        settings=SETTINGS,
        spark=spark,
    )


def judged(spark: Any = None) -> Verdict:
    return run(build(spark), SETTINGS.policy, NOW, RULES)


@pytest.fixture(scope="module")
def on_polars() -> Verdict:
    return judged()


@pytest.fixture(scope="module")
def on_spark() -> Verdict:
    return judged(spark_session.session())


def test_the_estate_makes_every_rule_fire():
    """Each rule alone, since of the lifecycle rules only one stands for an account."""
    for name, rule in RULES.items():
        assert run(build(), SETTINGS.policy, NOW, {name: rule}).findings.height > 0, name


@pytest.mark.parametrize("name", RULES)
def test_a_rule_finds_the_same_rows_on_both_engines(name, on_polars, on_spark):
    of_this = pl.col("rule") == name
    expected = on_polars.findings.filter(of_this)
    assert expected.height > 0
    assert on_spark.findings.filter(of_this).to_dicts() == expected.to_dicts()


def test_what_could_not_be_judged_is_the_same_on_both_engines(on_polars, on_spark):
    assert on_spark.not_evaluable == on_polars.not_evaluable
    assert on_spark.checks == on_polars.checks > 50 * len(RULES)


@pytest.mark.parametrize("name", RULES)
def test_which_accounts_a_rule_cannot_judge_is_the_same_on_both_engines(name, on_polars, on_spark):
    asked = pl.DataFrame(accounts()).select("application", "account_id")
    assert sorted(on_spark.unjudged(name, asked).rows()) == sorted(on_polars.unjudged(name, asked).rows())


@pytest.mark.parametrize("mapping", [[], MAPPING])
def test_an_empty_estate_and_an_empty_mapping_are_no_special_cases(mapping):
    without = settings(role_mapping=mapping)
    empty = estate(settings=without, spark=spark_session.session())
    verdict = run(empty, without.policy, NOW, RULES)
    assert (verdict.findings.height, verdict.not_evaluable, verdict.checks) == (0, {}, 0)
