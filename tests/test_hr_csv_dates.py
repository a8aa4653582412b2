"""Dates in HR files: the right instant in every zone, one declared format, and what reads two ways is not guessed."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.instants import Calendar
from governance.errors import UnexpectedAnswer
from tests.feeds import hr
from tests.hr_files import one, utc

# A7: zones with every kind of jump: at midnight, by half an hour, over a whole day, southern, none.
ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul",
    "Africa/Cairo", "Africa/Casablanca", "Africa/Lagos", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Tehran",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Asia/Shanghai", "Asia/Dubai", "Asia/Yangon", "Australia/Melbourne",
    "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia",
    "Pacific/Kiritimati", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Havana",
    "America/Santiago", "America/Sao_Paulo", "America/Asuncion", "America/Scoresbysund", "America/Nuuk",
    "Antarctica/Troll", "Atlantic/Azores",
)  # fmt: skip


def first_moment_after(day, zone):
    """By another way than the program's: the first instant whose local date lies after `day`, found by halving."""
    low = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    high = low + timedelta(days=5)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (low, middle) if middle.astimezone(zone).date() > day else (middle, high)
    return high.replace(microsecond=0)


def edge_days(zone):
    """Days around every jump of the clock from 2025 to 2027, some older ones, and some ordinary ones."""
    days = {date(2026, 6, 15), date(2028, 2, 28), date(2028, 2, 29), date(2025, 12, 31), date(2011, 12, 29)}
    day = datetime(2025, 1, 1, tzinfo=UTC)
    while day.year < 2028:
        after = day + timedelta(days=1)
        if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            days |= {day.date() + timedelta(days=n) for n in (-1, 0, 1)}
        day = after
    return sorted(days)


class TestZones:
    def test_a_last_day_ends_at_the_first_moment_of_the_next_in_38_zones(self, tmp_path):
        wanted, rows = {}, []
        for name in ZONES:
            zone = ZoneInfo(name)
            for day in edge_days(zone):
                noon = datetime(day.year, day.month, day.day, 12, 30, tzinfo=zone)
                forms = {
                    f"{day}": first_moment_after(day, zone),
                    f"{day}T12:30:00": noon.astimezone(UTC),
                    f"{day} 12:30": noon.astimezone(UTC),
                    noon.isoformat(): noon.astimezone(UTC),
                    f"{noon.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}": noon.astimezone(UTC),
                }
                for text, instant in forms.items():
                    wanted[f"{name} {text}"] = instant
                    rows.append(f"{name} {text},terminated,{text},{name}")
        assert len(ZONES) == 38
        assert len(rows) > 1500
        pulled = hr(tmp_path, "employee_id,status,last_day_of_work,time_zone\n" + "\n".join(rows) + "\n")
        wrong = {e: p.ended_at for e, p in pulled.people.items() if p.ended_at != wanted[e]}
        assert wrong == {}
        assert len(pulled.people) == len(wanted)

    def test_the_zone_of_the_row_goes_before_that_of_the_source(self, tmp_path):
        content = "employee_id,status,last_day_of_work,time_zone\n1,terminated,2026-11-20,Australia/Melbourne\n2,terminated,2026-11-20,\n"
        people = hr(tmp_path, content, time_zone="America/Los_Angeles").people
        assert people["1"].ended_at == datetime(2026, 11, 20, 13, tzinfo=UTC)
        assert people["2"].ended_at == datetime(2026, 11, 21, 8, tzinfo=UTC)

    @pytest.mark.parametrize("zone", ["Europe/Atlantis", "Europe", "../../etc/passwd", "W. Europe Standard Time"])
    def test_an_unknown_zone_is_noted_and_the_source_s_is_used(self, tmp_path, zone):
        pulled = hr(
            tmp_path,
            f"employee_id,status,last_day_of_work,time_zone\n1,terminated,2026-11-20,{zone}\n2,active,,{zone}\n",
            time_zone="Europe/Berlin",
        )
        assert pulled.people["1"].ended_at == datetime(2026, 11, 20, 23, tzinfo=UTC)
        assert any(zone in note and "2 rows" in note for note in pulled.reading.notes)


FORMATS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y",
    "%B %d, %Y", "%Y%m%d", "%Y.%m.%d",
)  # fmt: skip
REFUSED_FORMS = ("%d.%m.%y", "%m/%d/%y", "%y-%m-%d")
TRUE_DAYS = [date(1990, 1, 1) + timedelta(days=random.Random(n).randrange(16_000)) for n in range(2000)]


def days_read(tmp_path, written, days, **options):
    """Which day each row was read as; None where it was refused. An empty list when the whole file was."""
    rows = "".join(f"{n}|active|{day.strftime(written) if written else serial(day)}\n" for n, day in enumerate(days))
    try:
        pulled = hr(tmp_path, "employee_id|status|hire_date\n" + rows, **options)
    except UnexpectedAnswer as error:
        refusal = error
    else:
        refusal = None
    if refusal:
        assert "hire_date" in str(refusal)
        assert refusal.path.startswith("hr.csv:")
        return []
    assert all(column == "hire_date" and 2 <= line <= len(days) + 1 for line, column in pulled.refusals)
    people = pulled.people
    return [people[str(n)].hire_at.date() if str(n) in people else None for n in range(len(days))]


def serial(day):
    return (day - date(1899, 12, 30)).days


class TestDates:
    """A10: one declared format; what could be read two ways is refused, never guessed."""

    @pytest.mark.parametrize("form", FORMATS)
    def test_the_declared_format_reads_every_day_right(self, tmp_path, form):
        assert days_read(tmp_path, form, TRUE_DAYS, date_format=form) == TRUE_DAYS

    @pytest.mark.parametrize("form", [*FORMATS, *REFUSED_FORMS, None])
    def test_without_a_declaration_only_iso_is_read(self, tmp_path, form):
        expected = TRUE_DAYS if form == "%Y-%m-%d" else []
        assert days_read(tmp_path, form, TRUE_DAYS) == expected

    @pytest.mark.parametrize("declared", FORMATS)
    def test_no_other_format_is_silently_misread(self, tmp_path, declared):
        for written in (*FORMATS, *REFUSED_FORMS, None):
            if written != declared:
                found = days_read(tmp_path, written, TRUE_DAYS[:120], date_format=declared)
                assert all(day in (None, true) for day, true in zip(found, TRUE_DAYS, strict=False)), written

    def test_a_column_that_mixes_day_and_month_loses_only_what_reads_two_ways(self, tmp_path):
        content = "employee_id,status,hire_date\n1,active,13/04/2026\n2,active,03/04/2026\n3,active,04/13/2026\n4,active,05/05/2026\n5,active,\n"
        pulled = hr(tmp_path, content, date_format="%d/%m/%Y")
        assert set(pulled.people) == {"1", "4", "5"}
        assert sorted(pulled.refusals) == [(3, "hire_date"), (4, "hire_date")]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("45962", "serial number"),
            ("45962.5", "serial number"),
            ("31.12.26", "two digits"),
            ("26-12-31", "two digits"),
            ("03/04/2026", "which is the day"),
            ("2026-02-30", "calendar"),
            ("2026-13-01", "calendar"),
            ("2026-1-1", "not a date"),
            ("0001-01-01", "outside the years"),
            ("1026-11-23", "outside the years"),
            ("yesterday", "not a date"),
            ("2026-11-23T25:00", "calendar"),
            ("2026-11-23T10:00:00 CET", "not a date"),
            ("20261123", "serial number"),
        ],
    )
    def test_a_refusal_says_why(self, tmp_path, text, words):
        pulled = hr(tmp_path, f"employee_id,status,termination_date\n1,active,{text}\n2,active,\n")
        assert pulled.refusals == [(2, "termination_date")]
        assert words in pulled.reading.rejected[0].reason

    @given(day=st.dates(date(1950, 1, 1), date(2190, 12, 31)), form=st.sampled_from(FORMATS))
    @settings(max_examples=1000, deadline=None)
    def test_any_day_in_any_declared_format_comes_back(self, day, form):
        calendar = Calendar("UTC", form, "here")
        assert calendar.read(day.strftime(form)) == day

    @given(text=st.text(max_size=30), form=st.sampled_from([None, *FORMATS]))
    @settings(max_examples=1000, deadline=None)
    def test_any_text_is_read_or_refused_in_words(self, text, form):
        calendar = Calendar("UTC", form, "here", epoch=True)
        try:
            value, refusal = calendar.read(text), "none"
        except ValueError as error:
            value, refusal = None, str(error)
        assert refusal
        assert value is None or 1900 <= value.year <= 2200


@pytest.mark.parametrize("written", ["2026-11-20", "2026-11-20 00:00:00", "2026-11-20T00:00"])
def test_a_last_day_written_as_its_midnight_is_still_worked(tmp_path, written):
    person = one(tmp_path, "status,last_day_of_work", f"terminated,{written}", time_zone="Europe/Berlin")
    assert person.ended_at == utc("2026-11-20T23:00:00")
