"""NUL and half a character in what comes from outside: they stop nothing that is read or decided beside them."""

from datetime import timedelta

import polars as pl
import pytest
from sqlmodel import select

from connectors.kit.contract import Checked, Circumstances, Connector, Field
from governance.errors import DecisionError, IncompleteFeed, LeaverwatchError, StoreError
from governance.findings import exclude
from governance.guards import believe
from governance.records import Account, Entitlement, Gone, Grant, Identity, Reading, Rejected, Rows
from governance.remediation.refusals import check_same
from governance.snapshots import stage
from governance.subjects import AccountFacts
from governance.tables import JobRun
from jobs import work
from jobs.detect import detect
from jobs.pull import pull
from tests.one_ghost import ANA, SETTINGS, account, leaver, only, say

ODD = [pytest.param("\0", "\\x00", id="NUL"), pytest.param("\ud800", "\\ud800", id="half a character")]
LATER = timedelta(days=1)


@pytest.fixture
def house(make_house, store_url):
    return make_house(SETTINGS, url=store_url)


def read(house, now, feed, records, over=None, rejected=()):
    """What is known of a pull, after what it read is believed, and the snapshot."""
    reading = Reading(kept=len(records), rejected=list(rejected))
    staged = stage(house, house.settings.feed(feed), records, reading, now, now, over=over)
    return reading, believe(house, staged, now, "test")


def rows(house, snapshot, table="accounts"):
    found = pl.read_parquet(house.snapshots / snapshot.path / f"{table}.parquet").to_dicts()
    return {row["account_id"]: row for row in found}


@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_one_name_stops_neither_the_pull_nor_the_judging_of_all_others(house, now, odd, seen):
    say(house, now, "hr", leaver(now), Identity("hr", "2", state="ended", ended_at=now, display_name=f"Per{odd}son"))
    holds = Grant("crm", "a1", f"ro{odd}le")
    read(
        house,
        now,
        "crm",
        [account(), account("2", username=f"u{odd}2"), Entitlement("crm", f"ro{odd}le", f"R{odd}"), holds],
    )
    assert detect(house, now + LATER).counts["ghost"] == 2
    assert only(house, rule="ghost", account_id="a1").status == "open"
    found = only(house, rule="ghost", account_id="a2")
    assert (found.username, found.identity_name) == (f"u{seen}2", f"Per{seen}son")


@pytest.mark.parametrize("by_columns", [False, True], ids=["one by one", "by columns"])
@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_an_id_that_cannot_be_kept_is_quarantined_and_proves_nobody_gone(house, now, odd, seen, by_columns):
    first = [account(str(n)) for n in range(1, 6)]
    read(house, now, "crm", first)
    ids = [f"a{n}" for n in range(1, 5)]
    second: list[Account | Rows] = [account(str(n)) for n in range(1, 5)]
    broken = f"b{odd}"
    second = (
        [Rows(Account, {"application": ["crm"] * 5, "account_id": [*ids, broken]})]
        if by_columns
        else [*second, Account("crm", broken)]
    )
    reading, snapshot = read(house, now + LATER, "crm", second)
    reason = "holds NUL or half a character, which no store can keep"
    assert reading.rejected == [Rejected(f"b{seen}", "account_id", reason, f"b{seen}")]
    assert reading.kept == len(second) - 1
    assert {key: row["present"] for key, row in rows(house, snapshot).items()} == {
        **dict.fromkeys(ids, True),
        "a5": False,
    }


def test_what_was_kept_is_right_where_the_connector_counts_after_it_told(house, now):
    reading = Reading()

    def told():
        yield Rows(Account, {"application": ["crm"] * 2, "account_id": ["a1", "b\0"]})
        reading.rows_read = reading.kept = 2

    stage(house, house.settings.feed("crm"), told(), reading, now, now)
    assert (reading.rows_read, reading.kept, len(reading.rejected)) == (2, 1, 1)


def test_nobody_is_left_of_a_feed_of_ids_that_cannot_be_kept(house, now):
    with pytest.raises(IncompleteFeed):
        read(house, now, "hr", [Identity("hr", "\0", state="current")])


@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_what_a_connector_quarantines_or_tells_to_be_gone_may_have_any_id(house, now, odd, seen):
    read(house, now, "crm", [account(str(n)) for n in range(1, 5)])
    gone = Rejected("line 9", "active", "is neither true nor false", odd)
    _, whole = read(house, now + LATER, "crm", [account(str(n)) for n in range(1, 4)], rejected=[gone])
    assert not rows(house, whole)["a4"]["present"]
    _, changed = read(house, now + 2 * LATER, "crm", [Gone(odd), Gone("a3"), account("1", username="new")], over=whole)
    found = {key: row["present"] for key, row in rows(house, changed).items()}
    assert found == {"a1": True, "a2": True, "a3": False, "a4": False}
    people = [Identity("hr", str(n), state="current") for n in range(3)]
    say(house, now, "hr", *people)
    read(house, now + LATER, "hr", people, rejected=[gone])


class Refusing(Connector):
    """An application that answers with an error and whatever it says; `said` belongs to the test."""

    title, kind, fields = "Refusing", "application", (Field("path", "Where it is."),)
    said: str

    def check(self):
        return Checked()

    def records(self):
        raise IncompleteFeed(f"{self.feed.name}: {self.said}")


@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_an_error_in_whatever_words_ends_its_own_pull_alone(house, now, odd, seen):
    def connect(house, name, at):
        made = Refusing(house.settings.feed(name), Circumstances(now=at, home=house.home))
        made.said = f"not{odd}now"
        return made

    results = pull(house, ["hr", "crm"], now, connect=connect)
    assert [(one.status, one.error) for one in results] == [
        ("failed", f"{name}: not{seen}now") for name in ("hr", "crm")
    ]
    with house.store.read() as session:
        kept = [(run.status, run.error) for run in session.exec(select(JobRun).order_by(JobRun.id))]
    assert kept == [("failed", one.error) for one in results]


@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_a_job_that_fails_in_whatever_words_stands_among_the_runs_as_failed(house, odd, seen):
    with pytest.raises(LeaverwatchError, match="not"), work.recorded(house, "verify", "test"):
        raise LeaverwatchError(f"not{odd}now")
    with house.store.read() as session:
        [run] = session.exec(select(JobRun)).all()
    assert (run.status, run.error) == ("failed", f"not{seen}now")


@pytest.mark.parametrize(("odd", "seen"), ODD)
def test_an_account_read_again_is_the_one_that_was_decided_about(odd, seen):
    known = AccountFacts("crm", "a1", username=f"u{seen}1")
    check_same(known, Account("crm", "a1", username=f"u{odd}1"))


def test_a_reason_that_is_no_unicode_is_refused_and_nothing_is_written(house, now):
    say(house, now, "hr", leaver(now))
    say(house, now, "crm", account())
    detect(house, now)
    ghost = only(house, rule="ghost")
    with pytest.raises(StoreError, match=r"'\\udcfc' is no text in Unicode, write it in UTF-8; nothing was written"):
        exclude(house, ANA, now, ghost.fingerprint, now + LATER, "geh\udcfcrt")
    assert only(house, rule="ghost").status == "open"


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True)
def test_postgresql_refuses_a_reason_with_nul_in_words(house, now):
    say(house, now, "hr", leaver(now))
    say(house, now, "crm", account())
    detect(house, now)
    ghost = only(house, rule="ghost")
    with pytest.raises(DecisionError, match="a text holds the character NUL, leave it out; nothing was written"):
        exclude(house, ANA, now, ghost.fingerprint, now + LATER, "no\0thing")
    assert only(house, rule="ghost").status == "open"
