"""Eighteen months of a real company's HR files: every leaver becomes a ghost in the right month, and nobody else."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest
from sqlmodel import select

from governance.tables import DetectRun, Finding
from jobs.detect import detect
from jobs.pull import pull
from tests.hr_files import CERT
from tests.real_data import real

FEED = "hr_feed_cert_r52"


def months():
    return sorted(path for path in real(FEED).glob("20*.csv"))


def leavers():
    with (real(FEED) / "leavers_truth.csv").open() as file:
        return {row["user_id"]: row["gone_in"] for row in csv.DictReader(file)}


def configured(absence):
    return {
        "policy": {"leaver_grace": "0h"},
        "source": [
            {
                "name": "hr",
                "connector": "hr_csv",
                "path": "hr.csv",
                **CERT,
                **absence,
            }
        ],
        "application": [{"name": "portal", "connector": "app_csv", "path": "portal.csv"}],
    }


def replay(house):
    """Pull and detect month by month; yields the month and the findings that opened in it."""
    known: set[str] = set()
    before = None
    for path in months():
        at = datetime.strptime(path.stem, "%Y-%m").replace(tzinfo=UTC)
        house.home.joinpath("hr.csv").write_bytes(path.read_bytes())
        with (before or path).open(encoding="utf-8") as people, (house.home / "portal.csv").open("w") as accounts:
            accounts.write("account_id,employee_id,username,status\n")
            accounts.writelines(
                f"acc-{row['user_id']},{row['user_id']},{row['user_id']},active\n" for row in csv.DictReader(people)
            )
        before = path
        results = pull(house, [], at, at=at)
        assert {result.status for result in results} == {"published"}, results
        detect(house, at, as_of=at)
        with house.store.read() as session:
            findings = session.exec(select(Finding)).all()
        fresh = [finding for finding in findings if finding.fingerprint not in known]
        known |= {finding.fingerprint for finding in findings}
        yield path.stem, fresh


@pytest.mark.parametrize(
    ("absence", "rule", "none_of"),
    [
        ({"absence_means": "leaver", "absence_pulls": 1}, "ghost", "missing_from_source"),
        ({}, "missing_from_source", "ghost"),
    ],
)
def test_every_leaver_is_found_in_the_right_month_and_nobody_else(make_house, absence, rule, none_of):
    house = make_house(configured(absence))
    found, moved = {}, set()
    counts = Counter()
    for month, fresh in replay(house):
        for finding in fresh:
            counts[finding.rule] += 1
            if finding.rule == "external_address":
                moved.add(finding.identity_id)
            elif finding.account_id is not None:
                found[finding.account_id.removeprefix("acc-")] = month
    # The file of accounts tells no last use: one blind spot of the application, for the whole time.
    assert counts == {rule: 238, "external_address": 2, "activity_unknown": 1}
    assert found == leavers()
    assert counts[none_of] == 0
    with house.store.read() as session:
        run = session.exec(select(DetectRun).order_by(DetectRun.id.desc())).first()
    people = pl.read_parquet(house.snapshots / run.estate / "identities.parquet")
    renamed = people.filter(pl.col("former_emails").is_not_null())
    assert renamed.height == 2, "the two e-mail changes stay one person"
    assert set(renamed["identity_id"]) == moved, "both went to other companies' domains"
    assert people["identity_id"].is_unique().all()
    if rule == "ghost":
        assert run.sentence == (
            "16 people left in the last 30 days; 16 of them still hold 16 active accounts, the oldest for 30 days."
        )
    else:
        assert run.sentence == "0 people left in the last 30 days; no leaver is known to hold an active account."
