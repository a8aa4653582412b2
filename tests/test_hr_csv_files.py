"""Which HR file is read, and which files are refused as a whole because they are not whole."""

import hashlib
import os
import random

import pytest

from governance.errors import FeedError, IncompleteFeed, Unavailable, UnexpectedAnswer
from tests.feeds import hr, hr_connector, pull, put
from tests.hr_files import CERT, HEADER
from tests.real_data import real


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
