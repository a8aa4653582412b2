"""HR files: what they say about people, their states, words and managers, and which settings are refused."""

import time
from datetime import UTC, datetime

import pytest

from governance.errors import ConfigurationError, UnexpectedAnswer
from tests.feeds import NOW, hr, hr_connector, pull
from tests.hr_files import CERT, HEADER, one, utc
from tests.real_data import real


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

    @pytest.mark.parametrize("default", ["active", "leave"])
    def test_without_a_status_the_day_of_leaving_counts_and_nothing_contradicts_it(self, tmp_path, default):
        left = one(tmp_path, "termination_date", "2026-01-31", default_status=default)
        assert (left.state, left.ended_why) == ("ended", "termination date 2026-01-31")
        leaving = one(tmp_path, "last_day_of_work", "2099-01-31", default_status=default)
        assert leaving.state == {"active": "current", "leave": "leave"}[default]
        begins = one(tmp_path, "hire_date,termination_date", "2098-01-01,2099-01-31", default_status="active")
        assert begins.state == "future"


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

    @pytest.mark.parametrize(
        ("header", "row", "name"),
        [
            ("first_name,last_name", "Ana, Alt ", "Ana Alt"),
            ("first_name,last_name", "Ana,", "Ana"),
            ("first_name,last_name", ",", None),
            ("last_name", "Alt", "Alt"),
            ("display_name,first_name,last_name", "A. Alt,Ana,Alt", "A. Alt"),
            ("display_name,first_name,last_name", ",Ana,Alt", "Ana Alt"),
        ],
    )
    def test_who_has_no_name_to_be_shown_has_their_first_and_last_name(self, tmp_path, header, row, name):
        assert hr(tmp_path, f"employee_id,status,{header}\n1,active,{row}\n").people["1"].display_name == name


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
