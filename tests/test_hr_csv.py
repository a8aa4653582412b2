"""HR files: what they say about people, which rows are not believed, and which files are refused as a whole."""

import hashlib
import os
import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.engagements import Engagement, Roster
from connectors.kit.instants import Calendar
from governance.errors import ConfigurationError, FeedError, IncompleteFeed, Unavailable, UnexpectedAnswer
from tests.feeds import NOW, hr, hr_connector, pull, put
from tests.real_data import real

HEADER = "employee_id,status,work_email,display_name"
CERT = {
    "default_status": "active",
    "columns": {
        "employee_id": "user_id",
        "display_name": "employee_name",
        "work_email": "email",
        "job_title": "role",
        "manager_name": "supervisor",
    },
}


def one(tmp_path, header, row, **options):
    """The one person of a file of one row."""
    pulled = hr(tmp_path, f"employee_id,{header}\nE1,{row}\n", **options)
    return pulled.people["E1"]


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestStates:
    @pytest.mark.parametrize(
        ("header", "row", "state", "ended_at"),
        [
            ("status", "active", "current", None),
            ("status", "Active ", "current", None),
            ("status", "leave", "leave", None),
            ("status", "future", "future", None),
            ("status", "terminated", "ended", None),
            ("status,termination_date", "terminated,2026-11-20", "ended", "2026-11-21"),
            ("status,last_day_of_work", "terminated,2026-11-20", "ended", "2026-11-21"),
            ("status,last_day_of_work,termination_date", "terminated,2026-11-10,2026-11-20", "ended", "2026-11-11"),
            ("status,last_day_of_work,termination_date", "terminated,,2026-11-20", "ended", "2026-11-21"),
            ("status,last_day_of_work,termination_date", "terminated,9999-12-31,2026-11-20", "ended", "2026-11-21"),
            ("status,termination_date", "terminated,2026-12-31", "current", "2027-01-01"),
            ("status,termination_date", "terminated,2026-11-23", "current", "2026-11-24"),
            ("status,termination_date", "terminated,2026-11-22", "ended", "2026-11-23"),
            ("status,termination_date", "active,2026-11-01", "current", "2026-11-02"),
            ("status,termination_date", "active,2026-12-01", "current", "2026-12-02"),
            ("status,termination_date", "active,9999-12-31", "current", None),
            ("status,termination_date", "active,4712-12-31", "current", None),
            ("status,termination_date", "active,2999-12-31", "current", None),
            ("status,hire_date", "active,2026-12-01", "future", None),
            ("status,hire_date", "active,2026-11-23", "current", None),
            ("status,hire_date", "future,2026-01-01", "future", None),
        ],
    )
    def test_a_row_says_what_somebody_is(self, tmp_path, header, row, state, ended_at):
        person = one(tmp_path, header, row)
        assert (person.state, person.ended_at) == (state, ended_at and utc(ended_at))

    def test_a_termination_date_may_be_the_first_day_without_work(self, tmp_path):
        person = one(tmp_path, "status,termination_date", "terminated,2026-11-20", termination_date_is_last_day=False)
        assert person.ended_at == utc("2026-11-20")
        person = one(tmp_path, "status,last_day_of_work", "terminated,2026-11-20", termination_date_is_last_day=False)
        assert person.ended_at == utc("2026-11-21")

    def test_a_contract_ends_when_its_last_day_is_over(self, tmp_path):
        person = one(tmp_path, "status,contract_end_date", "active,2026-11-30", time_zone="Europe/Berlin")
        assert person.contract_end == datetime(2026, 11, 30, 23, tzinfo=UTC)
        assert person.state == "current"

    def test_why_somebody_left_is_told_in_words(self, tmp_path):
        assert "2026-11-20" in one(tmp_path, "status,last_day_of_work", "terminated,2026-11-20").ended_why
        assert one(tmp_path, "status", "terminated").ended_why == "terminated, without a date"
        assert one(tmp_path, "status", "active").ended_why is None

    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ("employee", "employee"),
            ("Intern", "employee"),
            ("contingent", "contractor"),
            ("VENDOR", "contractor"),
            ("guest", "guest"),
            ("", "employee"),
        ],
    )
    def test_kinds_of_work(self, tmp_path, said, kind):
        assert one(tmp_path, "status,worker_type", f"active,{said}").kind == kind

    def test_an_unknown_kind_of_work_is_noted(self, tmp_path):
        pulled = hr(tmp_path, "employee_id,status,worker_type\n1,active,Temp\n2,active,Temp\n")
        assert {p.kind for p in pulled.people.values()} == {"employee"}
        assert any("'Temp'" in note and "2 rows" in note for note in pulled.reading.notes)

    def test_contradictory_rows_keep_both_facts_and_stop_nobody(self, tmp_path):
        rows = [f"E{n},active,{'2026-01-31' if n % 5 == 0 else ''}" for n in range(200)]
        pulled = hr(tmp_path, "employee_id,status,termination_date\n" + "\n".join(rows) + "\n")
        contradictory = [p for p in pulled.people.values() if p.ended_at and p.ended_at < NOW]
        assert len(pulled.people) == 200
        assert len(contradictory) == 40
        assert {p.state for p in contradictory} == {"current"}


class TestStatusWords:
    def test_own_words_are_translated(self, tmp_path):
        pulled = hr(
            tmp_path,
            "employee_id,status\n1,A\n2,Ausgeschieden\n",
            values={"status": {"a": "active", "ausgeschieden": "terminated"}},
        )
        assert [p.state for p in pulled.people.values()] == ["current", "ended"]

    def test_an_unknown_or_empty_status_is_not_guessed(self, tmp_path):
        pulled = hr(tmp_path, "employee_id,status\n1,active\n2,Aktiv\n3,\n4,active\n")
        assert set(pulled.people) == {"1", "4"}
        assert pulled.refusals == [(3, "status"), (4, "status")]
        assert "'Aktiv'" in pulled.reading.rejected[0].reason

    def test_a_default_serves_only_a_file_without_the_column(self, tmp_path):
        assert one(tmp_path, "work_email", "a@x.example", default_status="active").state == "current"
        assert one(tmp_path, "status", "terminated", default_status="active").state == "ended"


class TestRefusedFiles:
    """A1, A2: nothing is derived from a file that is not whole."""

    @pytest.mark.parametrize(
        ("content", "error", "words"),
        [
            ("", IncompleteFeed, "empty"),
            ("\n\n \n", IncompleteFeed, "blank"),
            ("\ufeff", IncompleteFeed, ""),
            (HEADER + "\n", IncompleteFeed, "no row"),
            (HEADER, IncompleteFeed, "no row"),
            (HEADER + "\n\n,,,\n", IncompleteFeed, "no row"),
            (HEADER + "\nTotal,0,,\n", IncompleteFeed, "no row"),
            (HEADER + "\n1,active,a@x,A\n2,act", IncompleteFeed, "hr.csv:3: the file breaks off"),
            (HEADER + '\n1,active,a@x,A\n2,active,"b', IncompleteFeed, "hr.csv:3: a quotation mark"),
            (HEADER + '\n1,active,a@x,A\n2,active,"b,B\n3,active,c@x,"C"\n', IncompleteFeed, "hr.csv:3: a quotation"),
            (HEADER + "\n1,active,a@x,A\nTotal,2,,\n", IncompleteFeed, "declares 2 rows and holds 1"),
            ("id,status\n1,active\n", UnexpectedAnswer, "employee_id; found: id, status"),
            ("employee_id,state\n1,active\n", UnexpectedAnswer, "status"),
            ("employee_id,status,Status\n1,active,leave\n", UnexpectedAnswer, "status twice"),
            ("employee_id,status,employee id\n1,active,2\n", UnexpectedAnswer, "twice"),
            ("[]\n", UnexpectedAnswer, "found"),
            ('{"value":[]}\n', UnexpectedAnswer, "found"),
            ("<!doctype html>\n<title>Sign in</title>\n", UnexpectedAnswer, "found"),
            (HEADER + "\n1,nonsense,a@x,A\n2,nonsense,b@x,B\n", UnexpectedAnswer, "2 of 2 rows"),
        ],
    )
    def test_these_are_refused_with_file_and_reason(self, tmp_path, content, error, words):
        with pytest.raises(error) as caught:
            hr(tmp_path, content)
        assert type(caught.value) is error
        assert "hr.csv" in str(caught.value)
        assert words in str(caught.value)

    def test_too_many_bad_rows_condemn_the_others(self, tmp_path):
        def file(bad, good):
            rows = [f"{n},nonsense,," for n in range(bad)] + [f"{n},active,," for n in range(bad, bad + good)]
            return HEADER + "\n" + "\n".join(rows) + "\n"

        assert len(hr(tmp_path, file(9, 20)).people) == 20
        assert len(hr(tmp_path, file(10, 190)).people) == 190
        with pytest.raises(UnexpectedAnswer, match="10 of 199 rows") as caught:
            hr(tmp_path, file(10, 189))
        assert caught.value.path == "hr.csv:2"

    def test_a_totally_wrong_file_is_refused_without_reading_it_to_the_end(self, tmp_path):
        put(tmp_path, "hr.csv", HEADER + "\n" + "1,nonsense,,\n" * 20_000)
        connector = hr_connector(tmp_path)
        with pytest.raises(UnexpectedAnswer):
            pull(connector)
        assert len(connector.reading.rejected) <= 1000

    def test_nothing_comes_out_before_the_whole_file_was_read(self, tmp_path):
        put(tmp_path, "hr.csv", HEADER + "\n" + "".join(f"{n},active,,\n" for n in range(500)) + "500,act")
        with pytest.raises(IncompleteFeed):
            next(hr_connector(tmp_path).records())

    def test_a_real_file_cut_anywhere_never_brings_a_wrong_person(self, tmp_path):
        whole = (real("hr_feed_cert_r52") / "2010-06.csv").read_bytes()
        put(tmp_path, "hr.csv", whole)
        everybody = pull(hr_connector(tmp_path, **CERT)).people
        refused = []
        for offset in random.Random(2).sample(range(len(whole)), 200):
            put(tmp_path, "hr.csv", whole[:offset])
            try:
                found = pull(hr_connector(tmp_path, **CERT)).people
            except FeedError as error:
                refused.append(type(error))
                continue
            # What was read to the end is right; only in the last row the last cell may have lost its end.
            last = list(found)[-1]
            assert all(
                (p.email, p.display_name, p.state, p.department) == (e.email, e.display_name, e.state, e.department)
                for p in found.values()
                for e in (everybody[p.employee_id],)
            )
            assert all(
                p.manager_id in (everybody[p.employee_id].manager_id, None) or p.employee_id == last
                for p in found.values()
            )
        assert set(refused) <= {IncompleteFeed, UnexpectedAnswer}
        assert len(refused) >= 120  # the others end inside the last cell or at the end of a row: the guard's work

    def test_with_a_digest_beside_it_every_cut_is_noticed(self, tmp_path):
        whole = (real("hr_feed_cert_r52") / "2010-06.csv").read_bytes()
        put(tmp_path, "hr.csv.sha256", hashlib.sha256(whole).hexdigest() + "  hr.csv\n")
        for offset in random.Random(3).sample(range(1, len(whole)), 200):
            put(tmp_path, "hr.csv", whole[:offset])
            with pytest.raises(IncompleteFeed, match=r"hr\.csv\.sha256"):
                next(hr_connector(tmp_path, **CERT).records())


class TestPlace:
    """`path` is a file, a folder or a glob."""

    def test_the_newest_by_the_time_in_its_name_wins(self, tmp_path):
        for name in ("leavers_20261101.csv", "leavers_20261121.csv", "leavers_20261103_235959.csv", "other.csv"):
            put(tmp_path, name, f"employee_id,status\n{name},active\n")
        os.utime(tmp_path / "leavers_20261121.csv", (1, 1))
        for path in (".", "leavers_*.csv", str(tmp_path / "*.csv")):
            assert set(pull(hr_connector(tmp_path, path=path)).people) == {"leavers_20261121.csv"}

    def test_without_times_the_one_changed_last_wins(self, tmp_path):
        for name, changed in (("a.csv", 100), ("b.csv", 300), ("c.csv", 200)):
            os.utime(put(tmp_path, name, f"employee_id,status\n{name},active\n"), (changed, changed))
        assert set(pull(hr_connector(tmp_path, path=".")).people) == {"b.csv"}

    def test_unfinished_hidden_and_foreign_files_are_not_looked_at(self, tmp_path):
        put(tmp_path, "hr_2026-01-01.csv", "employee_id,status\n1,active\n")
        for name in (
            "hr_2026-02-01.csv.tmp",
            "hr_2026-02-01.csv.part",
            ".hr_2026-02-01.csv",
            "hr_2026-02-01.csv.sha256",
        ):
            put(tmp_path, name, "nonsense")
        put(tmp_path, "notes_2026-03-01.pdf", "nonsense")
        (tmp_path / "hr_2026-04-01.csv").mkdir()
        assert set(pull(hr_connector(tmp_path, path=".")).people) == {"1"}
        assert set(pull(hr_connector(tmp_path, path="hr_*")).people) == {"1"}

    @pytest.mark.parametrize("path", ["absent.csv", "empty", "*.csv"])
    def test_no_file_is_unavailable(self, tmp_path, path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(Unavailable, match="no "):
            next(hr_connector(tmp_path, path=path).records())

    def test_a_digest_that_agrees_is_fine_and_nonsense_is_not(self, tmp_path):
        content = "employee_id,status\n1,active\n"
        put(tmp_path, "hr.sha256", hashlib.sha256(content.encode()).hexdigest().upper())
        assert set(hr(tmp_path, content).people) == {"1"}
        put(tmp_path, "hr.sha256", "nonsense")
        with pytest.raises(UnexpectedAnswer, match="SHA-256"):
            hr(tmp_path, content)

    def test_check_finds_out_cheaply(self, tmp_path):
        with pytest.raises(Unavailable):
            hr_connector(tmp_path).check()
        put(tmp_path, "hr.csv", "employee_id,status\n1,active\n")
        connector = hr_connector(tmp_path)
        connector.check()
        assert connector.reading.rows_read == 0

    def test_evidence_of_the_source_is_kept(self, tmp_path):
        content = "employee_id,status\n1,active\n2,active\n2,active\n3,x\n"
        reading = hr(tmp_path, content).reading
        assert reading.source == str(tmp_path / "hr.csv")
        assert reading.sha256 == hashlib.sha256(content.encode()).hexdigest()
        assert (reading.rows_read, reading.kept, reading.duplicates, len(reading.rejected)) == (4, 2, 1, 1)


ROWS = "employee_id,status,display_name\n001,active,Zoë\n002,leave,Ørjan\n"
BOM = b"\xef\xbb\xbf"
BIG = "x" * 1_100_000


class TestOddFiles:
    """A11: how files look that other programs wrote."""

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(ROWS.encode(), id="UTF-8"),
            pytest.param(BOM + ROWS.encode(), id="UTF-8 with BOM"),
            pytest.param(ROWS.encode("utf-16"), id="UTF-16 little"),
            pytest.param(b"\xfe\xff" + ROWS.encode("utf-16-be"), id="UTF-16 big"),
            pytest.param(ROWS.encode("cp1252"), id="Windows-1252"),
            pytest.param(ROWS.replace("\n", "\r\n").encode(), id="CRLF"),
            pytest.param(ROWS.replace("\n", "\r").encode(), id="CR"),
            pytest.param(ROWS[:-1].encode(), id="no line break at the end"),
            pytest.param((ROWS + "\n\n\n").encode(), id="blank lines at the end"),
            pytest.param(("\n\n" + ROWS).encode(), id="blank lines at the beginning"),
            pytest.param((ROWS + ",,\n").encode(), id="row of empty cells"),
            pytest.param(ROWS.replace(",", ";").encode(), id="semicolons"),
            pytest.param(ROWS.replace(",", "\t").encode(), id="tabs"),
            pytest.param(ROWS.replace(",", "|").encode(), id="bars"),
            pytest.param(("sep=;\n" + ROWS.replace(",", ";")).encode(), id="sep= of a spreadsheet"),
            pytest.param(ROWS.replace("employee_id", " Employee ID ").encode(), id="header with blanks"),
            pytest.param(ROWS.replace("status", "STATUS").encode(), id="header in capitals"),
            pytest.param(ROWS.replace("status", '"status"').encode(), id="header in quotes"),
            pytest.param(ROWS.replace("\n", ",\n").encode(), id="delimiter at every end"),
            pytest.param(ROWS.replace("Zoë\n", "Zoë,,\n").encode(), id="too many empty cells"),
            pytest.param(ROWS.replace("001,active", " 001 ,\u00a0active ").encode(), id="blanks around values"),
            pytest.param((ROWS + "Total,2,\n").encode(), id="totals row"),
            pytest.param((ROWS + "Total: 2 records\n").encode(), id="totals row in one cell"),
            pytest.param((ROWS + "TRAILER,2\n").encode(), id="trailer"),
            pytest.param((ROWS + "Grand total,,\n").encode(), id="totals row without a number"),
            pytest.param((ROWS + "EOF").encode(), id="EOF"),
        ],
    )
    def test_these_are_read_like_any_other(self, tmp_path, content):
        people = hr(tmp_path, content).people
        assert {e: (p.display_name, p.state) for e, p in people.items()} == {
            "001": ("Zoë", "current"),
            "002": ("Ørjan", "leave"),
        }

    @pytest.mark.parametrize(
        ("content", "line", "column"),
        [
            pytest.param(ROWS + "003,act\0ive,X\n", 4, "status", id="NUL"),
            pytest.param(ROWS.encode() + b"003,active,\xff\n", 4, "display_name", id="broken UTF-8"),
            pytest.param(ROWS.encode("cp1252") + b"003,active,\x81\n", 4, "display_name", id="no sign of Windows-1252"),
            pytest.param(ROWS + "003,active\n", 4, None, id="a cell too few"),
            pytest.param(ROWS + "003,active,X,Y\n", 4, None, id="a cell too many"),
            pytest.param(ROWS + f"003,active,{BIG}\n", 4, None, id="a cell of over 1 MB"),
            pytest.param(ROWS + '003,active,"X"Y\n', 4, None, id="a quotation mark misplaced"),
            pytest.param(ROWS + ",active,X\n", 4, "employee_id", id="no id"),
            pytest.param(ROWS + "1.23E+11,active,X\n", 4, "employee_id", id="an id a spreadsheet made a number"),
            pytest.param(ROWS.replace("Zoë", '"Z\no\në"') + ",active,X\n", 6, "employee_id", id="after line breaks"),
            pytest.param("\n\n" + ROWS + ",active,X\n", 6, "employee_id", id="after blank lines"),
            pytest.param("sep=,\n" + ROWS + ",active,X\n", 5, "employee_id", id="after sep="),
            pytest.param(ROWS.replace("\n", "\r\n") + ",active,X\r\n", 4, "employee_id", id="with CRLF"),
        ],
    )
    def test_a_row_that_cannot_be_believed_is_listed_with_line_and_column(self, tmp_path, content, line, column):
        pulled = hr(tmp_path, content)
        assert set(pulled.people) == {"001", "002"}
        assert pulled.refusals == [(line, column)]
        assert pulled.reading.rejected[0].where == f"hr.csv:{line}"

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            pytest.param(ROWS.encode("utf-16")[:-1], IncompleteFeed, id="UTF-16 cut in a letter"),
            pytest.param(ROWS.encode("utf-16")[:-2], None, id="UTF-16 cut between letters"),
            pytest.param(ROWS.encode("utf-32"), UnexpectedAnswer, id="UTF-32"),
            pytest.param(ROWS.encode("utf-16-le"), FeedError, id="UTF-16 without BOM"),
            pytest.param(b"\0" * 5000, UnexpectedAnswer, id="nothing but NUL"),
            pytest.param(bytes(range(256)) * 20, UnexpectedAnswer, id="noise"),
            pytest.param(b"PK\x03\x04" + bytes(5000), UnexpectedAnswer, id="a workbook"),
            pytest.param(ROWS + '003,active,"' + "y\n" * 700_000 + '"\n', IncompleteFeed, id="quotes never closed"),
            pytest.param("employee_id" * 200_000 + "\n", UnexpectedAnswer, id="a header of 2 MB"),
            pytest.param(ROWS.encode() + b"003,active,Zo\xc3", None, id="UTF-8 cut in a letter"),
        ],
    )
    def test_the_rest_is_refused_and_never_crashes(self, tmp_path, content, error):
        if error is None:
            assert {"001", "002"} == set(hr(tmp_path, content).people)
        else:
            with pytest.raises(error):
                hr(tmp_path, content)

    def test_one_broken_byte_does_not_turn_the_names_of_others_into_gibberish(self, tmp_path):
        pulled = hr(tmp_path, ROWS.encode() + b"003,active,Zo\xeb\n")
        assert pulled.people["001"].display_name == "Zoë"
        assert pulled.refusals == [(4, "display_name")]

    def test_encoding_and_delimiter_can_be_declared(self, tmp_path):
        content = "employee_id^status^display_name\n1^active^Łódź\n".encode("cp1250")
        pulled = hr(tmp_path, content, encoding="cp1250", delimiter="^")
        assert pulled.people["1"].display_name == "Łódź"

    def test_commas_inside_quotes_do_not_hide_the_semicolons(self, tmp_path):
        pulled = hr(tmp_path, 'employee_id;status;"name, first, second, third"\n1;active;x\n')
        assert set(pulled.people) == {"1"}

    def test_memory_stays_bounded(self, tmp_path):
        assert self.growth(tmp_path, 100_000) < 120

    @pytest.mark.soak
    def test_a_million_rows_stay_below_a_gibibyte(self, tmp_path):
        assert self.growth(tmp_path, 1_000_000) < 1024

    @staticmethod
    def growth(tmp_path, rows):
        """MiB that reading so many rows adds to the peak of a process."""
        with (tmp_path / "hr.csv").open("w") as file:
            file.write("employee_id,status,work_email,display_name,hire_date,termination_date,department,job_title\n")
            for n in range(rows):
                day = date(2015, 1, 1) + timedelta(days=n % 3000)
                file.write(f"E{n:07},active,p{n}@nwl.example,Person Number {n},{day},,Dept {n % 50},Title {n % 200}\n")
        program = (
            "import resource, sys; from pathlib import Path; from tests.feeds import hr_connector\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "before = peak(); n = sum(1 for _ in hr_connector(Path(sys.argv[1])).records()); print(n, peak() - before)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
        )
        read, kilobytes = map(int, done.stdout.split())
        assert read == rows
        return kilobytes / 1024


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


class TestSamePerson:
    """A12: one employee id on several rows."""

    def rows(self, tmp_path, *rows, **options):
        header = "employee_id,status,work_email,display_name,hire_date,termination_date\n"
        return hr(tmp_path, header + "\n".join(rows) + "\n", **options)

    def test_several_engagements_are_one_person_current_if_any_is(self, tmp_path):
        person = self.rows(
            tmp_path,
            "1,terminated,ada@x.example,Ada Byron,2015-01-01,2020-01-31",
            "1,active,ada@x.example,Ada Lovelace,2024-01-01,",
        ).people["1"]
        assert (person.state, person.ended_at, person.display_name) == ("current", None, "Ada Lovelace")
        assert person.hire_at == utc("2024-01-01")

    def test_all_ended_ended_at_the_latest_end(self, tmp_path):
        person = self.rows(
            tmp_path, "1,terminated,a@x,A,,2026-03-31", "1,terminated,a@x,A,,2025-01-31", "1,terminated,a@x,B,,"
        ).people["1"]
        assert (person.state, person.ended_at) == ("ended", utc("2026-04-01"))

    def test_the_same_name_with_another_address_keeps_both_addresses(self, tmp_path):
        person = self.rows(
            tmp_path, "1,active,new@x,Ada,,", "1,active,second@x,Ada,,", "1,terminated,old@x,ADA,,"
        ).people["1"]
        assert person.email in ("new@x", "second@x")
        assert {person.email, *person.aliases} == {"new@x", "second@x"}
        assert person.former_emails == ("old@x",)

    def test_both_different_are_two_people_and_neither_is_believed(self, tmp_path):
        pulled = self.rows(tmp_path, "1,active,a@x,A,,", "2,active,b@x,B,,", "1,active,c@x,C,,")
        assert set(pulled.people) == {"2"}
        assert sorted(pulled.refusals) == [(2, "employee_id"), (4, "employee_id")]

    def test_the_same_row_twice_counts_as_a_duplicate(self, tmp_path):
        pulled = self.rows(tmp_path, "1,active,a@x,A,,", "1,active,a@x,A,,", "2,active,,,,", "2,active,,,,")
        assert set(pulled.people) == {"1", "2"}
        assert pulled.reading.duplicates == 2

    def test_ids_are_text(self, tmp_path):
        pulled = self.rows(
            tmp_path, "007,active,a@x,A,,", "7,active,b@x,B,,", "0x7,active,c@x,C,,", "7.0,active,d@x,D,,"
        )
        assert set(pulled.people) == {"007", "7", "0x7", "7.0"}
        assert pulled.people["007"].identity_id == "hr:007"

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["1", "01", "2"]),
                st.sampled_from([None, "a@x", "A@X", "b@x", "c@x"]),
                st.sampled_from([None, "Ada", "ADA ", "Bob", "Cy"]),
                st.sampled_from(["current", "ended", "leave", "future"]),
            ),
            max_size=8,
        )
    )
    @settings(max_examples=1000, deadline=None)
    def test_no_two_people_are_ever_merged(self, rows):
        roster, refused = Roster("hr"), []
        for line, (employee_id, email, name, state) in enumerate(rows):
            roster.add(Engagement(line, employee_id, "employee", state, email=email, display_name=name))
        kept = roster.settle({}, lambda engagement, why: refused.append(engagement.line))
        people = {p.employee_id: p for p in roster.identities()}
        assert len(people) == kept
        assert kept + roster.merged + len(refused) == len(rows)
        for employee_id, person in people.items():
            own = [row for row in rows if row[0] == employee_id]
            assert connected(own)
            assert (person.state == "current") == any(row[3] == "current" for row in own)
            assert (person.state == "ended") == all(row[3] == "ended" for row in own)
        for line in refused:
            assert not connected([row for row in rows if row[0] == rows[line][0]])


def connected(rows):
    """Whether every row can be reached from the first through equal e-mails or names (or none told at all)."""
    facts = [
        ({(email or "").casefold()} - {""}, {(name or "").casefold().strip()} - {""}) for _, email, name, _ in rows
    ]
    reached, waiting = {0}, [0]
    while waiting:
        email, name = facts[waiting.pop()]
        for n, (other_email, other_name) in enumerate(facts):
            nothing = not (email or name or other_email or other_name)
            if n not in reached and (email & other_email or name & other_name or nothing):
                reached.add(n)
                waiting.append(n)
    return len(reached) == len(rows)


class TestManagers:
    HEADER = "employee_id,status,work_email,display_name,manager_employee_id,manager_email,manager_name\n"

    @pytest.mark.parametrize(
        ("manager", "found"),
        [
            ("9,,", "hr:9"),
            ("404,,", "hr:404"),
            (",BOSS@x.example,", "hr:9"),
            (",,boss  lady", "hr:9"),
            (",nobody@x.example,", None),
            (",,Twin", None),
            (",nobody@x.example,Boss Lady", "hr:9"),
            (",,", None),
        ],
    )
    def test_a_manager_is_found_by_id_or_by_what_is_unique(self, tmp_path, manager, found):
        rows = f"1,active,a@x,A,{manager}\n9,active,boss@x.example,Boss Lady,,,\n7,active,t@x,Twin,,,\n8,active,u@x,Twin,,,\n"
        assert hr(tmp_path, self.HEADER + rows).people["1"].manager_id == found

    def test_attributes_arrive(self, tmp_path):
        content = (
            "employee_id,status,job_title,department,aliases,location,cost_center,legal_entity,updated_at\n"
            "1,active,Clerk,Finance,a@x; b@x;;,Berlin,4711,NWL GmbH,whenever\n"
        )
        person = hr(tmp_path, content).people["1"]
        assert (person.title, person.department, person.aliases) == ("Clerk", "Finance", ("a@x", "b@x"))


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"columns": {"user": "x"}}, "columns.user"),
            ({"columns": {"employee_id": 5}}, "columns.employee_id"),
            ({"columns": "x"}, "columns: expected a table"),
            ({"values": {"status": {"A": "gone"}}}, "values.status.A"),
            ({"values": {"department": {"A": "B"}}}, "values.department"),
            ({"default_status": "Active"}, "default_status"),
            ({"time_zone": "Europe/Atlantis"}, "time_zone"),
            ({"date_format": "%d.%m.%y"}, "date_format"),
            ({"date_format": "DD.MM.YYYY"}, "date_format"),
            ({"date_format": "%x"}, "date_format"),
            ({"date_format": "%d.%m"}, "date_format"),
            ({"termination_date_is_last_day": "yes"}, "termination_date_is_last_day"),
            ({"delimiter": ",,"}, "delimiter"),
            ({"colums": {}}, "colums"),
        ],
    )
    def test_a_wrong_setting_is_named_before_anything_is_opened(self, tmp_path, options, words):
        with pytest.raises(ConfigurationError) as caught:
            hr_connector(tmp_path, **options)
        assert "[[source]] hr" in str(caught.value)
        assert words in str(caught.value)

    def test_an_unknown_encoding_is_named(self, tmp_path):
        with pytest.raises(ConfigurationError, match="encoding"):
            hr(tmp_path, HEADER + "\n1,active,,\n", encoding="klingon")

    def test_a_renamed_column_must_be_there(self, tmp_path):
        with pytest.raises(UnexpectedAnswer, match="department \\(as 'abteilung'\\)"):
            hr(tmp_path, HEADER + "\n1,active,,\n", columns={"department": "Abteilung"})


class TestRealFiles:
    def test_eighteen_real_months_are_read_whole(self, tmp_path):
        for path in sorted(real("hr_feed_cert_r52").glob("20*.csv")):
            rows = len(path.read_text().splitlines()) - 1
            pulled = pull(hr_connector(tmp_path, path=str(path), **CERT))
            assert len(pulled.people) == rows
            assert {p.state for p in pulled.people.values()} == {"current"}
            assert sum(p.manager_id is None for p in pulled.people.values()) <= 5

    def test_two_thousand_rows_take_well_under_a_third_of_a_second(self, tmp_path):
        path = str(real("hr_feed_cert_r52") / "2009-12.csv")
        times = []
        for _ in range(3):
            begun = time.process_time()
            pull(hr_connector(tmp_path, path=path, **CERT))
            times.append(time.process_time() - begun)
        assert min(times) < 0.3


@pytest.mark.parametrize("written", ["2026-11-20", "2026-11-20 00:00:00", "2026-11-20T00:00"])
def test_a_last_day_written_as_its_midnight_is_still_worked(tmp_path, written):
    person = one(tmp_path, "status,last_day_of_work", f"terminated,{written}", time_zone="Europe/Berlin")
    assert person.ended_at == utc("2026-11-20T23:00:00")
