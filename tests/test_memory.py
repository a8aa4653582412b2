"""What a feed remembers between snapshots, and how much changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from msgspec import structs

from governance.persons import resolve
from governance.records import Account, Identity
from governance.snapshots.frames import INSTANT, frames_of, schema
from governance.snapshots.memory import (
    AT_ONCE,
    Absence,
    Change,
    account_change,
    identity_change,
    remember_accounts,
    remember_identities,
    remembered_identities,
)

MAY = datetime(2026, 5, 1, tzinfo=UTC)
KEEP = timedelta(days=400)
HOUR = timedelta(hours=1)
SUSPICION = Absence()
LEAVER = Absence(means_leaver=True)


def person(number="1", **facts):
    return structs.replace(Identity(source="hr", employee_id=number, state="current"), **facts)


def frame(*people):
    return frames_of(people)["identities"]


def months(*pulls, absence=SUSPICION):
    """The memory after a series of monthly pulls, each a list of identities."""
    last = None
    for number, pull in enumerate(pulls):
        last = remember_identities(frame(*pull), last, MAY + timedelta(days=30 * number), absence, KEEP)
    return {row["employee_id"]: row for row in last.iter_rows(named=True)}


def state_at(row, now):
    """The state of one remembered identity as the estate resolves it."""
    one = pl.DataFrame([row], schema_overrides={"ended_at": INSTANT, "ended_at_s": pl.Int64, "hire_at_s": pl.Int64})
    resolved = nw.to_native(resolve(nw.from_native(one.lazy()), now)).collect()
    return resolved["state"][0], resolved["contradictory"][0]


def test_absence_is_a_suspicion_by_default():
    gone = months([person("1"), person("2")], [person("1")])["2"]
    assert (gone["state"], gone["present"], gone["ended_at"]) == ("missing", False, None)
    assert gone["last_present_at"] == MAY


def test_declared_absence_is_a_leaving_at_the_last_snapshot_that_held_them():
    gone = months([person("1"), person("2")], [person("1")], absence=LEAVER)["2"]
    assert (gone["state"], gone["ended_at"], gone["ended_why"]) == ("ended", MAY, "absence")


def test_two_absences_are_needed_when_two_are_declared():
    twice = Absence(means_leaver=True, pulls=2)
    pulls = [[person("1"), person("2")], [person("1")], [person("1")]]
    assert months(*pulls[:2], absence=twice)["2"]["state"] == "missing"
    assert months(*pulls, absence=twice)["2"]["state"] == "ended"


def test_an_announced_end_has_come_though_the_same_file_is_read_again_afterwards():
    leaving = person("1", ended_at=MAY + timedelta(days=9, hours=22))
    after = MAY + timedelta(days=10)
    first = remember_identities(frame(leaving), None, MAY, SUSPICION, KEEP)
    again = remember_identities(frame(leaving), first, after, replace(SUSPICION, counts=False), KEEP)
    once_more = remember_identities(frame(leaving), again, after + HOUR, replace(SUSPICION, counts=False), KEEP)
    for memory in (first, again, once_more):
        assert state_at(memory.row(0, named=True), after + 2 * HOUR) == ("ended", False)
    assert state_at(once_more.row(0, named=True), MAY + timedelta(days=9)) == ("current", False)
    gone = remember_identities(frame(person("2")), once_more, after + 3 * HOUR, SUSPICION, KEEP)
    assert state_at(gone.filter(pl.col("employee_id") == "1").row(0, named=True), after + 4 * HOUR)[0] == "ended"


def test_another_file_or_other_words_for_the_same_file_say_it_anew():
    leaving = person("1", ended_at=MAY + timedelta(days=9, hours=22))
    after = MAY + timedelta(days=10)
    first = remember_identities(frame(leaving), None, MAY, SUSPICION, KEEP)
    other = remember_identities(frame(leaving), first, after, SUSPICION, KEEP)
    assert state_at(other.row(0, named=True), after + HOUR) == ("current", True)
    called_left = remember_identities(
        frame(structs.replace(leaving, state="ended")), first, after, replace(SUSPICION, counts=False), KEEP
    )
    corrected = remember_identities(frame(leaving), called_left, after + HOUR, replace(SUSPICION, counts=False), KEEP)
    assert state_at(corrected.row(0, named=True), after + 2 * HOUR) == ("current", True)


@pytest.mark.parametrize(
    ("began", "ends", "rehired"),
    [(timedelta(days=18), None, True), (timedelta(days=-900), None, False), (None, timedelta(days=90), False)],
)
@pytest.mark.parametrize("again", [True, False], ids=["the first file read once more", "two files"])
def test_who_begins_anew_after_an_announced_end_is_rehired(began, ends, rehired, again):
    leaving = person("1", ended_at=MAY + timedelta(days=9), hire_at=MAY - timedelta(days=900))
    memory = remember_identities(frame(leaving), None, MAY, SUSPICION, KEEP)
    if again:
        reading = replace(SUSPICION, counts=False)
        memory = remember_identities(frame(leaving), memory, MAY + timedelta(days=12), reading, KEEP)
    back = person("1", hire_at=began and MAY + began, ended_at=ends and MAY + ends)
    memory = remember_identities(frame(back), memory, MAY + timedelta(days=20), SUSPICION, KEEP)
    assert memory["rehired_at"].to_list() == [MAY + timedelta(days=20) if rehired else None]


def test_the_same_file_again_is_no_second_absence():
    first = remember_identities(frame(person("1"), person("2")), None, MAY, LEAVER, KEEP)
    twice = Absence(means_leaver=True, pulls=2)
    second = remember_identities(frame(person("1")), first, MAY + timedelta(days=1), twice, KEEP)
    again = replace(twice, counts=False)
    third = remember_identities(frame(person("1")), second, MAY + timedelta(days=2), again, KEEP)
    assert third.filter(pl.col("employee_id") == "2")["state"].to_list() == ["missing"]


def test_terminated_without_a_date_ended_at_the_first_snapshot_that_says_so():
    ended = person("1", state="ended")
    assert months([person("1")], [ended], [ended])["1"]["ended_at"] == MAY + timedelta(days=30)


def test_a_leaver_who_is_purged_from_the_file_stays_a_leaver():
    ended = person("1", state="ended", ended_at=MAY)
    gone = months([ended, person("2")], [person("2")])["1"]
    assert (gone["state"], gone["ended_at"]) == ("ended", MAY)


def test_who_comes_back_is_current_again():
    back = months([person("1"), person("2")], [person("2")], [person("1"), person("2")], absence=LEAVER)["1"]
    assert (back["state"], back["ended_at"], back["absences"], back["present"]) == ("current", None, 0, True)


def test_a_new_address_keeps_the_former_ones():
    emails = ("a@x.example", "B@x.example", "c@x.example", "c@x.example")
    row = months(*([person("1", email=email)] for email in emails))["1"]
    assert row["former_emails"] == "B@x.example;a@x.example"
    assert row["former_email_keys"] == "b@x.example;a@x.example"


def test_a_move_is_remembered_with_its_department():
    row = months(
        [person("1", department="Sales")], [person("1", department="Finance")], [person("1", department="Finance")]
    )
    assert (row["1"]["former_department"], row["1"]["moved_at"]) == ("Sales", MAY + timedelta(days=30))


def test_memory_ends_after_keep_days():
    pulls = [[person("1"), person("2")]] + [[person("1")]] * 15
    assert "2" not in months(*pulls)


@pytest.mark.parametrize(
    ("state", "ended", "resolved"),
    [
        ("current", None, ("current", False)),
        ("current", MAY - timedelta(days=3), ("current", True)),  # the source says active and gone at once
        ("current", MAY + timedelta(days=3), ("ended", False)),  # announced, and the day has passed since
        ("current", MAY + timedelta(days=30), ("current", False)),
        ("leave", None, ("leave", False)),
        ("ended", MAY - timedelta(days=3), ("ended", False)),
    ],
)
def test_state_is_resolved_at_the_time_of_asking(state, ended, resolved):
    row = months([person("1", state=state, ended_at=ended)])["1"]
    assert state_at(row, MAY + timedelta(days=10)) == resolved


def test_who_starts_later_is_future_until_the_day():
    row = months([person("1", state="future", hire_at=MAY + timedelta(days=5))])["1"]
    assert state_at(row, MAY)[0] == "future"
    assert state_at(row, MAY + timedelta(days=5))[0] == "current"


def test_an_announced_leaving_holds_when_the_person_vanishes_early():
    going = person("1", ended_at=MAY + timedelta(days=40))
    row = months([going, person("2")], [person("2")])["1"]
    assert state_at(row, MAY + timedelta(days=35))[0] == "missing"
    assert state_at(row, MAY + timedelta(days=40))[0] == "ended"


HISTORIES = st.lists(st.sampled_from(["current", "absent", "leave", "terminated"]), min_size=2, max_size=8)


@given(HISTORIES)
@budget(max_examples=300, deadline=None)
def test_nobody_who_works_here_is_ever_a_leaver(history):
    pulls = []
    for number, word in enumerate(history):
        others = [person("0")]
        if word == "terminated":
            others.append(person("1", state="ended", ended_at=MAY + timedelta(days=30 * number - 1)))
        elif word != "absent":
            others.append(person("1", state=word))
        pulls.append(others)
    row = months(*pulls, absence=LEAVER).get("1")
    if row is None:
        assert set(history) == {"absent"}
        return
    now = MAY + timedelta(days=30 * (len(history) - 1))
    state = state_at(row, now)[0]
    seen = [word for word in history if word != "absent"]
    if history[-1] in ("current", "leave"):
        assert state == history[-1]
    elif seen:
        assert state == "ended"


def test_vanished_accounts_are_told_from_inactive_ones():
    accounts = [Account("crm", number, active=True) for number in "12"]
    first = remember_accounts(frames_of(accounts)["accounts"].lazy(), None, MAY, KEEP)
    later = [Account("crm", "1", active=False)]
    second = remember_accounts(frames_of(later)["accounts"].lazy(), first, MAY + timedelta(days=1), KEEP).collect()
    rows = {row["account_id"]: row for row in second.iter_rows(named=True)}
    assert (rows["1"]["present"], rows["1"]["active"]) == (True, False)
    assert (rows["2"]["present"], rows["2"]["active"], rows["2"]["last_present_at"]) == (False, True, MAY)


def test_change_counts_vanished_and_ended_people_once_and_purged_leavers_never():
    before = [person(str(n), email=f"{n}@x.example") for n in range(10)] + [person("old", state="ended", ended_at=MAY)]
    last = remember_identities(frame(*before), None, MAY, SUSPICION, KEEP)
    now = [person(str(n), email=f"{n}@x.example") for n in range(2, 9)]
    now += [person("1", state="ended", ended_at=MAY), person("9", email="other@x.example"), person("new")]
    change = identity_change(frame(*now), last)
    assert (change.base, change.removed, change.added, change.changed_key) == (10, 2, 1, 1)


def test_who_has_two_numbers_under_one_address_or_two_addresses_changed_nothing():
    rows = [
        person("1", email="a@x.example", state="ended"), person("2", email="a@x.example"),
        person("3", email="b@x.example"), person("4", email="b@x.example"), person("5", email=None),
    ]  # fmt: skip
    last = remember_identities(frame(*rows), None, MAY, SUSPICION, KEEP)
    assert identity_change(frame(*rows), last).changed_key == 0
    rows[1] = person("2", email="c@x.example")
    assert identity_change(frame(*rows), last).changed_key == 1
    rows[2] = person("6", email="b@x.example")
    assert identity_change(frame(*rows), last).changed_key == 2


def test_an_address_that_moves_to_another_employee_id_is_a_changed_key():
    last = remember_identities(frame(person("1", email="a@x.example")), None, MAY, SUSPICION, KEEP)
    assert identity_change(frame(person("2", email="A@x.example")), last).changed_key == 1


def test_accounts_closed_from_here_are_not_a_change_of_the_feed():
    accounts = [Account("crm", str(n), active=True) for n in range(10)]
    last = remember_accounts(frames_of(accounts)["accounts"].lazy(), None, MAY, KEEP)
    now = [Account("crm", str(n), active=n > 3) for n in range(9)]
    closed = pl.DataFrame({"account_id": ["0", "1"]})
    change = account_change(frames_of(now)["accounts"].lazy(), last, closed.lazy())
    assert (change.base, change.removed, change.added) == (8, 3, 0)


def _told(*accounts):
    return frames_of(list(accounts))["accounts"].lazy()


def _rows(frame):
    return {row["account_id"]: (row["closed_at"], row["returned_at"]) for row in frame.collect().iter_rows(named=True)}


def test_an_account_closed_from_here_and_active_again_at_the_next_pull_has_returned():
    names = ("again", "closed", "untold", "undone")
    last = remember_accounts(_told(*(Account("crm", n, active=True) for n in names)), None, MAY, KEEP)
    proved, at = MAY + timedelta(hours=1), MAY + timedelta(days=1)
    read = [Account("crm", n, active=a) for n, a in zip(names, (True, False, None, True), strict=True)]
    next_one = remember_accounts(_told(*read), last, at, KEEP, dict.fromkeys(names[:3], proved))
    assert _rows(next_one) == {
        "again": (proved, at),
        "closed": (at, None),
        "untold": (None, None),
        "undone": (None, None),
    }


def test_one_that_was_read_closed_in_between_returns_when_it_is_read_active():
    last = remember_accounts(_told(Account("crm", "1", active=True)), None, MAY, KEEP)
    days = [MAY + timedelta(days=n) for n in (1, 2, 3)]
    closed = remember_accounts(_told(Account("crm", "1", active=False)), last, days[0], KEEP)
    again = remember_accounts(_told(Account("crm", "1", active=True)), closed, days[1], KEEP, {"1": MAY})
    later = remember_accounts(_told(Account("crm", "1", active=True)), again, days[2], KEEP)
    assert _rows(again) == _rows(later) == {"1": (days[0], days[1])}


# --- many are compared in pieces


MANY = 2 * AT_ONCE + 7


def of_many(table, **columns):
    """A frame of that table with MANY rows, of which only these columns are told."""
    told = pl.select(number=pl.int_range(MANY)).with_columns(**columns)
    return told.lazy().select(
        [
            (pl.col(name) if name in columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in schema(table).items()
        ]
    )


def test_what_changed_among_many_accounts_is_what_changed_in_each_piece_of_them():
    told = {"application": pl.lit("crm"), "account_id": pl.format("a{}", "number"), "active": pl.lit(True)}
    last = of_many("accounts", **told, present=pl.lit(True), last_present_at=pl.lit(MAY, INSTANT))
    off = pl.col("account_id").is_in(["a3", f"a{MANY - 1}"])
    new = last.with_columns(active=~off).filter(~pl.col("account_id").is_in(["a0", "a9"]))
    new = pl.concat([new, new.head(1).with_columns(account_id=pl.lit("b"))])
    nobody = pl.LazyFrame(schema={"account_id": pl.String})
    assert account_change(new, last, nobody) == Change(base=MANY, removed=4, added=1, changed_key=0)
    kept = remember_accounts(new, last, MAY + HOUR, KEEP).collect()
    assert kept.height == MANY + 1
    assert set(kept.filter(~pl.col("present"))["account_id"]) == {"a0", "a9"}
    assert set(kept.filter(pl.col("closed_at") == MAY + HOUR)["account_id"]) == {"a0", "a9", "a3", f"a{MANY - 1}"}


def test_what_changed_among_many_people_is_what_changed_in_each_piece_of_them():
    number, address = pl.format("{}", "number"), pl.format("p{}@x.example", "number")
    told = {"source": pl.lit("hr"), "state": pl.lit("current"), "department": pl.lit("Sales")}
    last = of_many(
        "identities", **told, identity_id=pl.format("hr:{}", "number"), employee_id=number, email_key=address,
        present=pl.lit(True), absences=pl.lit(0), last_present_at=pl.lit(MAY, INSTANT),
    )  # fmt: skip
    moved = pl.col("employee_id").is_in(["4", f"{MANY - 2}"])
    renamed = pl.col("employee_id") == "6"
    new = last.filter(pl.col("employee_id") != "0").with_columns(
        department=pl.when(moved).then(pl.lit("Finance")).otherwise("department"),
        email_key=pl.when(renamed).then(pl.lit("new@x.example")).otherwise("email_key"),
    )
    assert identity_change(new, last) == Change(base=MANY, removed=1, added=0, changed_key=1)
    kept = remembered_identities(new, last, MAY + HOUR, SUSPICION, KEEP).collect()
    assert kept.height == MANY
    assert set(kept.filter(pl.col("state") == "missing")["employee_id"]) == {"0"}
    assert set(kept.filter(pl.col("moved_at").is_not_null())["employee_id"]) == {"4", f"{MANY - 2}"}
