"""Truncated real HR files (FAULTS.md A2-A4): what is lost is stopped, or is at most a suspicion."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from governance.tables import Finding, Remediation
from jobs.detect import detect
from jobs.pull import pull
from tests.real_data import real
from tests.test_hr_replay import configured

AT = datetime(2010, 1, 1, tzinfo=UTC)
BLIND_SPOT = "activity_unknown"  # the file of accounts tells no last use: that is said, once, and nothing follows


def lines():
    return (real("hr_feed_cert_r52") / "2009-12.csv").read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.fixture
def believed(make_house):
    """A house that has believed one whole real file, with an account for everybody."""
    house = make_house(configured({}))
    people = lines()
    house.home.joinpath("hr.csv").write_text("".join(people))
    ids = [line.split(",")[1] for line in people[1:]]
    accounts = "".join(f"acc-{id},{id},active\n" for id in ids)
    house.home.joinpath("portal.csv").write_text("account_id,employee_id,status\n" + accounts)
    assert {result.status for result in pull(house, [], AT, at=AT)} == {"published"}
    return house


def say(house, rows, number):
    house.home.joinpath("hr.csv").write_text("".join(rows))
    at = AT + timedelta(days=30, minutes=number)
    return pull(house, ["hr"], at, at=at)[0], at


def test_a_real_file_that_lost_two_percent_is_always_stopped(believed):
    people, chance = lines(), random.Random(2)
    body = people[1:]
    for number in range(200):
        kept = int(len(body) * chance.choice([0.98, 0.97, 0.9, 0.5, 0.1]))
        result, _ = say(believed, [people[0], *body[:kept]], number)
        assert result.status == "held", f"{len(body) - kept} of {len(body)} lost"
    detect(believed, AT + timedelta(days=31))
    with believed.store.read() as session:
        assert [found.rule for found in session.exec(select(Finding))] == [BLIND_SPOT]


@pytest.mark.parametrize("seed", range(5))
def test_one_percent_missing_is_a_suspicion_and_proposes_nobody(believed, seed):
    people, chance = lines(), random.Random(seed)
    body = people[1:]
    gone = set(chance.sample(range(len(body)), len(body) // 100))
    result, at = say(believed, [people[0], *(row for n, row in enumerate(body) if n not in gone)], seed)
    assert result.status == "published", "no percentage catches so little"
    detect(believed, at, as_of=at)
    with believed.store.read() as session:
        findings = session.exec(select(Finding)).all()
        assert session.exec(select(Remediation)).all() == []
    assert {finding.rule for finding in findings} == {"missing_from_source", BLIND_SPOT}
    assert {f.account_id for f in findings if f.rule != BLIND_SPOT} == {f"acc-{body[n].split(',')[1]}" for n in gone}


def test_a_column_that_was_filtered_away_is_stopped(believed):
    people = [line.replace("@dtaa.com", "@elsewhere.example") for line in lines()]
    result, _ = say(believed, people, 0)
    assert result.status == "held"
    assert "changed their address" in (result.error or "")
