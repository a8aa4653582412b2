"""HR files as other programs write them: read all the same, or refused row by row, and in bounded memory."""

import subprocess
import sys
from datetime import date, timedelta

import pytest

from governance.errors import FeedError, IncompleteFeed, UnexpectedAnswer
from tests.feeds import hr

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
