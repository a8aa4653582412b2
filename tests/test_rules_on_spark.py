"""One implementation, two engines: every rule gives equal rows on Polars and on Spark, and so does the demo company.

All that Spark does in the tests' own process stands here: to start it takes longer than most of these tests.
"""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import product
from typing import Any

import narwhals as nw
import polars as pl
import provenance_scene as scene
import pytest
import radar_scenes
import spark_session
from estates import MAPPING, NOW, account, estate, identity, leaver, settings, unowned
from provisioned_estate import APPLICATIONS, happened, provisioned

from connectors.sandbox.company import build as demo_company
from connectors.sandbox.scim_server import serve
from governance.estate import Estate
from governance.findings import evaluate
from governance.findings.kept import table
from governance.provisioning.acts import acts
from governance.provisioning.bursts import bursts, with_bursts
from governance.provisioning.leaving import leaving
from governance.provisioning.provenance import COLUMNS as PROVENANCE
from governance.provisioning.provenance import Surroundings, known_now
from governance.provisioning.radar import radar
from governance.provisioning.remembered import of_accounts, with_memory
from governance.records import Account
from governance.rulebook import Verdict, all_rules, run
from governance.snapshots import PolarsEngine, SparkEngine
from governance.snapshots.frames import frames_of
from jobs import home
from jobs.pull import pull

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
    baseline=[{"application": "crm", "entitlements": ["Extra 1"], "when": {"department": "Finance"}}],
    segregation=[
        {
            "name": name,
            "one": [{"application": "crm", "entitlement": one}],
            "other": [{"application": where, "entitlement": other}],
        }
        for name, one, where, other in (
            ("first", "Finance User", "wiki", "Reader"),
            ("second", "Sales Lead", "crm", "Root"),
        )
    ],
    protected=[{"application": "crm", "account": "root", "why": "break_glass", "owner": "sec@example.com"}],
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
    rows += _of_use_and_privilege()
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


def _of_use_and_privilege() -> list[dict[str, Any]]:
    """`rare` holds what no peer holds; `told` are those of whose grants the last use is told (see `_used`)."""
    day = timedelta(days=1)
    counsel = {"owner_department": "Legal", "owner_title": "Counsel"}
    was = {"owner_former_department": "Finance", "owner_moved_at": NOW - 9 * day}
    return [
        *(account(owner_id=f"hr:c{n}", username=f"c{n}" if n else "rare", **counsel) for n in range(12)),
        *(account(owner_department="Sales", owner_title="Lead", **was) for _ in range(2)),
        *(account(privileged=True, last_seen_at=seen) for seen in (NOW - 30 * day, None)),
        *(account(username="told", privileged=privileged, grants_used_told=True) for privileged in (True, False)),
        account(last_seen_at=None, last_seen_known=False),
        account(username="root", privileged=True),
        account(application="erp", privileged=True),
        account(application="erp"),
    ]


def _used(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    day, key = timedelta(days=1), ("application", "account_id")
    told = [{name: row[name] for name in key} for row in rows if row["username"] == "told"]
    uses = (None, NOW - 90 * day, NOW - 89 * day)
    return [
        *({name: row[name] for name in key} | {"entitlement_id": "rare"} for row in rows if row["username"] == "rare"),
        *(
            row | {"entitlement_id": name, "last_used_at": at, "last_used_known": True}
            for row in told
            for name, at in zip(("extra 0", "extra 2", "extra 3"), uses, strict=True)
        ),
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
        ]
        + [{"application": "crm", "entitlement_id": "rare", "name": "Rare"}],
        grants=[
            {"application": row["application"], "account_id": row["account_id"], "entitlement_id": name.lower()}
            for number, row in enumerate(rows)
            for place, name in enumerate(NAMES)
            if (number + place) % 2
        ]
        + _used(rows),
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
        events=[
            *happened(rows),
            *(
                {"application": "crm", "account_id": row["account_id"], "event_id": f"bg{n}", "kind": kind}
                | {"at": NOW - timedelta(days=n), "success": True}
                for row in rows
                if row["username"] == "root"
                for n, kind in enumerate(("sign_in", "sign_in", "token_used", "updated"))
            ),
        ],
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


def test_the_radar_and_what_leavers_show_are_the_same_on_both_engines():
    world = radar_scenes.company()
    for change in (radar_scenes.duplicate, radar_scenes.reborn, radar_scenes.lets_leavers_in):
        world = change(world)
    for number in "456":
        held = next(a for a in world.accounts if a["account_id"] == f"crm{number}")
        held |= {"owner_state": "ended", "owner_ended_at": NOW - timedelta(days=9)}

    def concluded(spark: Any = None) -> tuple[Any, Any]:
        seen = world.estate(spark=spark)
        done = acts(seen, NOW).collect("polars")
        return radar(seen, NOW, radar_scenes.MANNERS, done), leaving(seen, done, NOW, {})

    here = concluded()
    assert {one.kind for one in here[0]["crm"].consequences} >= {"duplicates", "reborn_by_sign_in"}
    assert here == concluded(spark_session.session())


def test_the_demo_company_is_judged_alike_on_both_engines(tmp_path, now):
    company = demo_company(tmp_path, now, wiki_port=0)
    server = serve(company.scim_state, token=company.token_file.read_text().strip(), port=0)
    try:
        configuration = tmp_path / "leaverwatch.toml"
        configuration.write_text(configuration.read_text().replace("http://127.0.0.1:0/scim/v2/", server.url))
        house = home.open_house(tmp_path, os.environ, now)
        assert {result.status for result in pull(house, [], now)} == {"published"}
    finally:
        server.stop()
    engine = SparkEngine(spark_session.session())
    told = {}
    for name, either in (("polars", PolarsEngine()), ("spark", engine)):
        evaluation = evaluate(house, now, tmp_path / name, either, house.settings)
        summary = {key: value for key, value in evaluation.summary.items() if key != "feeds"}
        told[name] = (evaluation.verdict.findings, evaluation.not_evaluable, summary)
        accounts = pl.scan_parquet(tmp_path / name / "accounts.parquet")
        told[name] += (accounts.select(sorted(accounts.collect_schema().names())).collect(),)
    house.store.close()
    assert told["polars"][0].height > 80
    assert told["spark"][0].equals(told["polars"][0])
    assert told["spark"][1:3] == told["polars"][1:3]
    columns = ["application", "account_id", "owner_id", "match", "match_key", "candidates", "owner_state", "stale_days"]
    pairs = [told[name][3].select(columns).sort("application", "account_id") for name in ("polars", "spark")]
    assert pairs[0].equals(pairs[1])


def test_how_accounts_came_to_be_is_the_same_on_both_engines(tmp_path):
    """From the logs on: whose an account is was found before, and is compared elsewhere."""
    key = ["application", "account_id"]
    _, made, events = scene.mixed()
    made, events = [*made[:80], scene.account(900, None)], [*events, scene.made(900, "a900")]
    crowd = [
        scene.account(n, scene.NOW - 400 * scene.DAY + timedelta(seconds=n % 60), employee_id=None)
        for n in range(1000, 1030)
    ]
    theirs = [Account("sso", f"s{a.employee_id}", employee_id=a.employee_id) for a in made]
    frames = frames_of([*made, *crowd, *theirs, scene.START, *events])
    here = frames["accounts"].with_columns(owner_id=pl.col("employee_id"))
    was = here.head(9).select("application", "account_id", "created_at_s", provenance=pl.lit("jit"))
    texts = {f"provenance_{name}": pl.lit("itself") for name in ("because", "by", "event", "subject")}
    was = was.with_columns(provenance_confidence=pl.lit(0.93), provenance_at_s=pl.lit(9, pl.Int64), **texts)
    tables = {"accounts": here, "events": frames["events"], "was": was}
    engine, told = SparkEngine(spark_session.session()), []
    for on_spark in (False, True):

        def frame_of(name, on_spark=on_spark):
            return nw.from_native(
                engine.session.createDataFrame(tables[name].to_arrow()) if on_spark else tables[name].lazy()
            )

        def keep(name, frame, on_spark=on_spark):
            return (engine if on_spark else PolarsEngine()).persist(frame, tmp_path / f"{on_spark}-{name}.parquet")

        all_ = frame_of("accounts")
        own = all_.filter(nw.col("application") == "sso")
        now, windows = known_now(Surroundings(all_, own, frame_of("events"), scene.SETTINGS), lambda some: some, keep)
        born = keep("born", with_memory(now, frame_of("was")))
        found = bursts(all_, born.filter(nw.col("provenance") != "unknown"))
        whole = with_bursts(of_accounts(all_, born), found, scene.SETTINGS).select(
            *key, *PROVENANCE, "provenance_together"
        )
        told.append((windows, whole.collect("polars").to_native().sort(key).rows()))
    assert told[0] == told[1]
    assert {row[2] for row in told[0][1]} >= {"jit", "scim", "local", "imported", "unknown"}


def test_a_column_that_came_after_a_snapshot_was_written_is_not_told_on_both_engines(tmp_path):
    feeds, later = {}, ("mfa", "created_at", "created_at_s", "credentials")
    for number, (name, missing) in enumerate({"crm": later, "wiki": ()}.items()):
        held = [Account(name, f"a{n}", username=f"u{n}", active=n > 0, mfa=True, created_at=NOW) for n in range(3)]
        feeds[name] = tmp_path / f"{name}.parquet", number
        frames_of(held)["accounts"].drop(missing).write_parquet(feeds[name][0])
    told = []
    for engine in (PolarsEngine(), SparkEngine(spark_session.session())):
        read = engine.united("accounts", feeds, tmp_path / "all.parquet").collect("polars").to_native()
        told.append((read.columns, read.sort("application", "account_id").rows(named=True)))
    assert told[0] == told[1]
    assert [row["mfa"] for row in told[1][1]] == [None, None, None, True, True, True]
    assert [row["created_at"] for row in told[1][1]] == [*[None] * 3, *[NOW] * 3]


def test_a_process_keeps_its_session_and_portions_it_writes_are_read_as_one(tmp_path):
    """A worker asks for the engine every run; an estate of many accounts is written in portions, each a folder."""
    own = spark_session.session()
    engine = SparkEngine.connected("local[2]")
    assert engine.session.sparkContext is own.sparkContext
    rows = pl.DataFrame(accounts()).select("application", "account_id", "owner_state")
    rows.write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "accounts.parquet").mkdir()
    for number in range(2):
        engine.persist(
            engine.scan([tmp_path / "rows.parquet"]),
            tmp_path / "accounts.parquet" / f"{number:04}.parquet",
        )
    written = table(tmp_path, "accounts")
    assert written is not None
    assert written.collect().sort("account_id").unique(maintain_order=True).equals(rows)
    assert written.collect().height == 2 * rows.height
