"""What another policy would open and close: the same as judging everything twice, without doing so."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlmodel import select

from governance import findings
from governance.access import Actor
from governance.errors import ConfigurationError, DecisionError
from governance.findings import evaluated, record
from governance.findings.what_if import what_if
from governance.house import House
from governance.policies import changed
from governance.settings import Policy
from governance.store import open_store, put_rows
from governance.tables import Finding, Remediation
from jobs import home
from jobs.bench import write
from jobs.seeded import Seeded
from tests.homes import CRM, HR, SETTINGS, Home
from tests.kept_houses import beginning

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=20)
SECURITY = Actor("sec@example.com", "Sam", frozenset({"security"}))


def judged_once(folder):
    """500 accounts in ten applications, read twice (the second time 20 days later) and judged once."""
    house = House(folder, Seeded(500, NOW).settings(), open_store("sqlite:///x.db", folder, NOW), folder / "s", {})
    house.snapshots.mkdir()
    return beginning(house, read_twice)


def read_twice(house):
    for at in (EARLIER, NOW):
        write(house, Seeded(500, at), at)
    with evaluated(house, NOW) as evaluation:
        record(house, evaluation, NOW, NOW)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The company that is only looked at."""
    house = judged_once(tmp_path_factory.mktemp("company"))
    yield house
    house.store.close()


@pytest.fixture
def own(tmp_path):
    """A company in which something is decided."""
    house = judged_once(tmp_path)
    yield house
    house.store.close()


@functools.cache
def everything(house_of, at, changes):
    """Every finding under this policy, by judging everything."""
    [house] = house_of
    policy = changed(house, dict(changes))
    with evaluated(house, at, settings=house.settings.model_copy(update={"policy": policy})) as evaluation:
        return {
            (row["rule"], row["fingerprint"]): (row["application"], row["account_id"], row["identity_id"])
            for row in evaluation.verdict.bare.iter_rows(named=True)
        }


class Only(list):
    """A house that can be remembered by."""

    def __hash__(self):
        return id(self[0])


def judged(house, changes=None, at=NOW):
    frozen = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in (changes or {}).items())
    return everything(Only([house]), at, frozen)


CHANGES = [
    {"stale_days": 10},
    {"leaver_grace": "400d", "never_used_days": 0},
    {"preset": "fedramp-high", "rules_off": ["over_privileged"]},
    {"most_privileged": 1, "most_privileged_share": 0.0, "privileged_unused_days": 1, "leaving_soon_days": 400},
]


@pytest.mark.parametrize(("changes", "at"), [*((one, NOW) for one in CHANGES), (CHANGES[1], EARLIER)], ids=str)
def test_it_says_what_judging_everything_twice_says(company, changes, at):
    told = what_if(company, changed(company, changes), None if at == NOW else at)
    before, after = judged(company, at=at), judged(company, changes, at)
    opens, closes = set(after) - set(before), set(before) - set(after)
    assert (told.as_of, told.stored) == (at, at == NOW)
    assert {c.rule: c.opens.findings for c in told.changes if c.opens.findings} == by_rule(opens)
    assert {c.rule: c.closes.findings for c in told.changes if c.closes.findings} == by_rule(closes)
    assert told.opens.findings == len(opens)
    assert told.closes.findings == len(closes)
    assert told.opens.people == len({after[key][2] for key in opens} - {None})
    assert told.closes.people == len({before[key][2] for key in closes} - {None})


def by_rule(keys):
    found = {}
    for rule, _ in keys:
        found[rule] = found.get(rule, 0) + 1
    return found


def test_the_changes_of_the_test_above_do_move_something(company):
    assert what_if(company, changed(company, {"stale_days": 10})).opens.findings > 10
    assert what_if(company, changed(company, {"leaver_grace": "400d"})).closes.findings > 3
    assert what_if(company, changed(company, {"rules_off": ["stale"]})).closes.findings > 3


def test_only_rules_that_would_answer_differently_are_run(company):
    assert what_if(company, company.settings.policy).looked_at == ()
    assert "over_privileged" not in what_if(company, changed(company, {"stale_days": 10})).looked_at
    assert what_if(company, changed(company, {"severity.over_privileged": "low"})).looked_at == ("over_privileged",)


def test_privileged_accounts_and_people_are_counted_once(company):
    told = what_if(company, changed(company, {"rules_off": sorted(company.rules)}))
    accounts = pl.scan_parquet(next(iter((company.snapshots / "estates").iterdir())) / "accounts.parquet")
    found = judged(company)
    admins = set(accounts.filter(pl.col("privileged")).select("application", "account_id").collect().iter_rows())
    assert told.closes.findings == len(found)
    assert told.closes.privileged == len({(where, account) for where, account, _ in found.values()} & admins) > 0
    assert told.closes.people == len({person for *_, person in found.values() if person})


def test_a_changed_severity_is_said_and_closes_nothing(company):
    told = what_if(company, changed(company, {"severity.stale": "critical"}))
    [change] = told.changes
    assert (change.rule, change.severity) == ("stale", ("medium", "critical"))
    assert change.regraded == by_rule(judged(company))["stale"]
    assert (told.opens.findings, told.closes.findings) == (0, 0)


def test_nothing_is_stored(company):
    before = sorted(company.snapshots.rglob("*"))
    for as_of in (None, EARLIER):
        what_if(company, changed(company, {"stale_days": 10}), as_of)
    assert sorted(company.snapshots.rglob("*")) == before


# --- what people decided before


def test_past_decisions_are_set_against_the_change(own):
    with own.store.read() as session:
        wanted = select(Finding.fingerprint).where(Finding.rule == "stale").order_by(Finding.fingerprint)
        stale = session.exec(wanted).all()
    findings.exclude(own, SECURITY, NOW, stale[0], NOW + timedelta(days=30), "On a ship")
    closed = {"id": "R1", "application": "app00", "account_id": "x", "finding": stale[1], "rule": "stale"}
    with own.store.write() as session:
        session.add(Remediation(**closed, status="verified", verified_at=NOW, proposed_at=NOW))
        for fingerprint, status, why in ((stale[1], "resolved", "verified"), (stale[2], "resolved", "no_longer_true")):
            row = session.get_one(Finding, fingerprint)
            row.status, row.resolved_why = status, why
    told = what_if(own, changed(own, {"rules_off": ["stale"]}))
    closes = told.closes
    assert closes.findings == len(stale)
    assert (closes.excluded, closes.verified, closes.no_longer_true) == (1, 1, 1)
    assert (closes.open, closes.unknown) == (len(stale) - 3, 0)
    assert (told.agree, told.disagree) == (1, 1)


def test_what_would_open_again_names_what_was_decided_then(own):
    told = what_if(own, changed(own, {"stale_days": 10}))
    assert told.opens.unknown == told.opens.findings
    keys = set(judged(own, {"stale_days": 10})) - set(judged(own))
    fingerprint = sorted(keys)[0][1]
    row = {"fingerprint": fingerprint, "rule": "stale", "severity": "medium", "score": 40, "status": "resolved",
           "first_seen": NOW, "opened_at": NOW, "resolved_at": NOW, "resolved_why": "no_longer_true", "reopened": 0,
           "reason": "", "search": "", "digest": ""}  # fmt: skip
    with own.store.write() as session:
        put_rows(session, Finding, [row])
    again = what_if(own, changed(own, {"stale_days": 10})).opens
    assert (again.unknown, again.no_longer_true) == (told.opens.findings - 1, 1)


# --- refusals and the command line


def test_before_the_first_detect_run_there_is_nothing_to_compare(make_house):
    with pytest.raises(DecisionError, match="nothing was judged yet"):
        what_if(make_house(Seeded(10, NOW).settings()), Policy(stale_days=10))


def test_a_wrong_threshold_is_named(company):
    with pytest.raises(ConfigurationError, match="no threshold is named 'stale'"):
        changed(company, {"stale": 10})
    with pytest.raises(ConfigurationError, match="no rule is named 'nothing'"):
        changed(company, {"rules_off": ["nothing"]})


@pytest.fixture
def at(tmp_path):
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    here = Home(tmp_path)
    here.do("pull")
    here.do("detect")
    return here


def test_the_command_line_tells_it_in_words_and_as_json(at):
    days = (home.clock() - datetime(2026, 1, 31, tzinfo=UTC)).days + 30
    told = at.do("rules", "what-if", "--set", f"leaver_grace={days}d", "--format", "json").json
    [ghost] = [one for one in told["rules"] if one["rule"] == "ghost"]
    assert (ghost["closes"]["findings"], ghost["closes"]["people"], ghost["closes"]["open"]) == (1, 1, 1)
    assert told["changes"] == [{"key": "leaver_grace", "before": "0h", "after": f"{days * 24}h"}]
    said = at.do("rules", "what-if", "--set", f"leaver_grace={days}d")
    assert "1 finding of 1 person (0 on privileged accounts) would close" in said.err
    assert "ghost" in said.out
    nothing = at.do("rules", "what-if", "--set", "max_exclusion_days=7")
    assert "nothing would open or close" in nothing.err


def test_a_preset_and_a_past_day_can_be_asked_for(at):
    told = at.do(
        "rules", "what-if", "--preset", "cis", "--as-of", f"{home.clock():%Y-%m-%dT%H:%M:%S}Z", "--format", "json"
    )
    assert {"key": "preset", "before": "default", "after": "cis"} in told.json["changes"]
    assert told.json["stored"] is False
    assert at.run("rules", "what-if", "--preset", "iso").code == 2
    long_ago = at.do("rules", "what-if", "--preset", "cis", "--as-of", "2020-01-01")
    assert "no feed had been read by 2020-01-01 00:00Z" in long_ago.err
    assert at.run("rules", "what-if").code == 2


def test_very_many_findings_are_looked_up_by_their_rules_with_the_same_answer(company, monkeypatch):
    wanted = {"stale_days": 10, "rules_off": ["over_privileged"]}
    one_by_one = what_if(company, changed(company, wanted))
    monkeypatch.setattr("governance.findings.what_if.MANY", 3)
    assert what_if(company, changed(company, wanted)) == one_by_one
    assert one_by_one.closes.open > 0
