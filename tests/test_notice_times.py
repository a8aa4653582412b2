"""Quiet hours and the morning's digest, by the clock on the wall of any zone, over midnight and through changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.notices import Preference
from governance.notices.times import due_at, is_quiet, next_morning, out_of_quiet

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Pacific/Apia", "America/Santiago", "Africa/Casablanca", "Pacific/Kiritimati", "America/St_Johns"),
)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
CLOCK = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@st.composite
def wishes(draw) -> Preference:
    begin = draw(CLOCK)
    end = draw(CLOCK.filter(lambda t: t != begin))
    return Preference(
        digest=draw(st.sampled_from(["at_once", "daily"])),
        quiet_from=begin.isoformat("minutes"),
        quiet_until=end.isoformat("minutes"),
        time_zone=draw(st.sampled_from(ZONES)),
    )


@settings(max_examples=400, deadline=None)
@given(INSTANTS, wishes())
def test_nobody_is_told_within_quiet_hours_and_nobody_waits_longer_than_they_last(at, wish):
    free = out_of_quiet(at, wish)
    assert free >= at
    assert not is_quiet(free, wish)
    assert free == at or is_quiet(at, wish)
    assert free == at or is_quiet(free - MINUTE, wish), "the first minute that is free"
    assert free - at <= DAY + timedelta(hours=1)


@settings(max_examples=400, deadline=None)
@given(INSTANTS, wishes())
def test_a_digest_comes_at_the_next_eight_o_clock_and_never_in_quiet_hours(at, wish):
    morning = next_morning(at, wish)
    assert at <= morning <= at + DAY + timedelta(hours=1)
    assert morning.astimezone(ZoneInfo(wish.time_zone)).time() == time(8)
    due = due_at(at, wish, can_wait=True)
    assert not is_quiet(due, wish)
    assert due >= (morning if wish.digest == "daily" else at)
    assert due_at(at, wish, can_wait=False) == out_of_quiet(at, wish)


@settings(max_examples=200, deadline=None)
@given(INSTANTS, wishes())
def test_quiet_is_what_the_wall_says_also_over_midnight(at, wish):
    wall = at.astimezone(ZoneInfo(wish.time_zone)).time()
    begin, end = time.fromisoformat(wish.quiet_from), time.fromisoformat(wish.quiet_until)
    inside = begin <= wall < end if begin < end else not end <= wall < begin
    assert is_quiet(at, wish) is inside


@pytest.mark.parametrize(
    ("zone", "begin", "end", "at", "free"),
    [
        ("Europe/Berlin", "20:00", "07:00", "2026-11-23T22:30+01:00", "2026-11-24T07:00+01:00"),
        ("Europe/Berlin", "20:00", "07:00", "2026-11-24T06:59+01:00", "2026-11-24T07:00+01:00"),
        ("Europe/Berlin", "20:00", "07:00", "2026-11-24T07:00+01:00", "2026-11-24T07:00+01:00"),
        # The night of 29 March is an hour shorter, that of 25 October an hour longer.
        ("Europe/Berlin", "20:00", "07:00", "2026-03-28T22:00+01:00", "2026-03-29T07:00+02:00"),
        ("Europe/Berlin", "20:00", "07:00", "2026-10-24T22:00+02:00", "2026-10-25T07:00+01:00"),
        # 02:30 does not exist on 29 March: the clock jumps from 02:00 to 03:00, and with it out of the quiet hours.
        ("Europe/Berlin", "01:00", "02:30", "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"),
        # 02:30 comes twice on 25 October, and between the two it is quiet once more.
        ("Europe/Berlin", "02:10", "02:30", "2026-10-25T02:15+02:00", "2026-10-25T02:30+02:00"),
        ("Europe/Berlin", "02:10", "02:30", "2026-10-25T02:15+01:00", "2026-10-25T02:30+01:00"),
        ("Australia/Lord_Howe", "01:00", "02:15", "2026-10-04T01:30+10:30", "2026-10-04T02:30+11:00"),
    ],
)
def test_days_on_which_the_clock_is_changed(zone, begin, end, at, free):
    wish = Preference(quiet_from=begin, quiet_until=end, time_zone=zone)
    assert out_of_quiet(datetime.fromisoformat(at), wish) == datetime.fromisoformat(free)
