"""What a source said later about an earlier day: leavings told late, taken back or put off, and nothing about rehires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.records import Identity
from governance.snapshots.frames import frames_of
from governance.snapshots.hindsight import corrected
from governance.snapshots.memory import Absence, remember_identities

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)  # the first reading; one every ten days
HIRED = START - 900 * DAY
KEEP = timedelta(days=400)


def day(number):
    return START + number * DAY


def believed(*said, absence=None):
    """The snapshots of a source that said these things of one person, one every ten days; None: not in it."""
    snapshots, last = [], None
    for number, told in enumerate(said):
        records = [Identity(source="hr", employee_id="0", state="current")]
        if told is not None:
            records.append(Identity(source="hr", employee_id="1", **{"hire_at": HIRED, **told}))
        read = frames_of(records)["identities"]
        last = remember_identities(read, last, day(10 * number), absence or Absence(), KEEP)
        snapshots.append(last)
    return snapshots


def known_now(snapshots, number):
    """What is known now of that person on a day between the readings."""
    before = number // 10
    found = corrected(snapshots[before], [s.lazy() for s in snapshots[:before:-1]], int(day(number).timestamp()))
    assert found.columns == snapshots[0].columns
    assert found.height == snapshots[before].height
    [row] = found.filter(found["employee_id"] == "1").to_dicts()
    assert (row["ended_at"] is None) == (row["ended_at_s"] is None)
    return row["state"], row["ended_at"]


WORKS = {"state": "current"}


def left(number, **more):
    return {"state": "ended", "ended_at": day(number), **more}


def announced(number):
    return {"state": "current", "ended_at": day(number)}


def test_a_leaving_told_later_counts_from_its_day_on():
    told = believed(WORKS, WORKS, left(13))
    assert known_now(told, 12) == ("current", day(13))
    assert known_now(told, 13) == ("ended", day(13))
    assert known_now(told, 15) == ("ended", day(13))


def test_the_second_of_the_end_is_the_first_without_work():
    told = believed(WORKS, left(5))
    moment = int(day(5).timestamp())
    later = [told[1].lazy()]
    for second, state in ((-1, "current"), (0, "ended"), (1, "ended")):
        rows = corrected(told[0], later, moment + second)
        assert rows.filter(rows["employee_id"] == "1")["state"].item() == state


@pytest.mark.parametrize(("then", "said"), [(WORKS, None), (announced(40), day(40))])
def test_a_leaving_that_was_taken_back_or_put_off_before_anybody_called_it_done(then, said):
    told = believed(announced(5), then)
    assert known_now(told, 7) == ("current", said)


def test_an_end_moved_to_an_earlier_day_is_the_newest_word():
    told = believed(announced(8), left(4))
    assert known_now(told, 5) == ("ended", day(4))


@pytest.mark.parametrize("hired", [day(25), HIRED], ids=["a new date of hire", "the old date of hire is kept"])
def test_a_rehire_says_nothing_of_the_time_before_it(hired):
    told = believed(WORKS, left(3), left(3), {"state": "current", "hire_at": hired})
    assert known_now(told, 2) == ("current", day(3))
    assert known_now(told, 5) == ("ended", day(3))
    assert known_now(told, 15) == ("ended", day(3))


def test_a_rehire_told_later_counts_from_its_day_on():
    told = believed(WORKS, left(8), {"state": "current", "hire_at": day(14)})
    assert known_now(told, 13) == ("ended", day(8))
    assert known_now(told, 14) == ("current", None)


def test_a_rehire_that_left_again_before_anybody_read_of_it_counts_too():
    told = believed(WORKS, left(3), {"state": "current", "hire_at": day(15)}, left(18, hire_at=day(15)))
    assert known_now(told, 16) == ("current", day(18))
    assert known_now(told, 19) == ("ended", day(18))


def test_who_says_active_with_an_end_that_had_passed_says_nothing():
    told = believed(WORKS, {"state": "current", "ended_at": day(4)})
    assert known_now(told, 6) == ("current", None)


def test_an_absence_that_means_a_leaving_ended_at_the_last_reading_that_held_them():
    told = believed(WORKS, WORKS, None, absence=Absence(means_leaver=True))
    assert known_now(told, 15) == ("ended", day(10))
    assert known_now(told, 5) == ("current", day(10))


def test_an_absence_that_was_none_is_forgotten():
    told = believed(WORKS, None, WORKS, absence=Absence(means_leaver=True))
    assert known_now(told, 15) == ("current", None)


def test_who_is_absent_from_then_on_is_only_missing():
    told = believed(WORKS, None, None)
    assert known_now(told, 15) == ("missing", None)


def test_an_end_of_contract_told_later_counts():
    told = believed(WORKS, {"state": "current", "contract_end": day(2)})
    found = corrected(told[0], [told[1].lazy()], int(day(5).timestamp()))
    assert found.filter(found["employee_id"] == "1")["contract_end"].item() == day(2)


def test_nothing_said_later_changes_nothing():
    [told] = believed(left(-3))
    assert corrected(told, [], int(day(5).timestamp())) is told
