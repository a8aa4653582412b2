"""BambooHR: who has left, who will, who has not begun; what may not be seen is an error, never an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.kit.contract import Checked
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, UnexpectedAnswer
from tests.specs import SpecCheck
from tests.workforces import PEOPLE, Person, company, hr_connector, identities, running


def pull(application, secrets=None, **options):
    with running(application) as sandbox:
        options = {"base_url": sandbox.url(application.name), **options}
        connector = hr_connector("bamboohr", options, secrets or {"token": application.token})
        return identities(connector), connector.reading, sandbox.requests


class TestPeople:
    def test_every_fate_is_told(self):
        people, reading, _ = pull(company("bamboohr"), values={"status": {"On Leave": "leave"}})
        assert {i: p.state for i, p in people.items()} == {
            "00017": "current", "10002": "ended", "10003": "current", "10004": "leave", "10005": "future",
            "10006": "current", "10007": "current", "10008": "ended",
        }  # fmt: skip
        assert (reading.declared_total, reading.rows_read, reading.kept) == (8, 8, 8)

    def test_the_end_is_midnight_after_the_last_day_where_the_person_is(self):
        people, _, _ = pull(company("bamboohr"), time_zone="Europe/Berlin")
        assert people["10002"].ended_at == datetime(2026, 10, 31, 13, tzinfo=UTC)  # 1 November in Melbourne
        assert people["10003"].ended_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert people["10002"].ended_why == "terminated, termination date 2026-10-31"
        assert people["10008"].ended_at is None
        assert people["10008"].ended_why == "terminated, without a date"

    def test_a_termination_date_may_be_the_first_day_without(self):
        people, _, _ = pull(company("bamboohr"), termination_date_is_last_day=False)
        assert people["10003"].ended_at == datetime(2026, 12, 31, tzinfo=UTC)

    def test_managers_contracts_and_names(self):
        people, _, _ = pull(company("bamboohr"))
        assert people["10002"].manager_id == "hr:00017"
        assert people["10004"].manager_id == "hr:10003"
        assert people["00017"].manager_id is None
        assert people["10006"].kind == "contractor"
        assert people["10006"].contract_end == datetime(2026, 11, 16, tzinfo=UTC)
        assert (people["00017"].display_name, people["00017"].title) == ("Ada Amaral", "Head")
        assert people["10007"].email is None

    def test_without_a_number_the_vendors_own_id_stands_in_and_never_for_somebody_elses(self):
        twins = (Person("", "Ida", "Ilic", "ida@nwl.example", key="17"), Person("17", "Jo", "Jung", key="18"))
        people, reading, _ = pull(company("bamboohr", twins))
        assert set(people) == {"bamboohr-17", "17"}
        assert any("1 people have no employee number" in note for note in reading.notes)

    def test_the_vendors_id_can_be_the_employee_id(self):
        people, _, _ = pull(company("bamboohr"), employee_id="employeeId")
        assert people["2"].manager_id == "hr:1"

    def test_pages_follow_each_other_to_the_end_as_the_specification_says(self):
        people, reading, requests = pull(company("bamboohr"), page_size=3)
        assert (len(people), reading.pages) == (8, 3)
        assert SpecCheck("bamboohr").problems(requests) == []

    def test_two_people_under_one_number_are_quarantined_and_an_old_engagement_is_not(self):
        again = replace(PEOPLE[1], key="20", status="active", termination_date=None, hire_date=date(2026, 11, 2))
        other = Person("00017", "Zoe", "Zahn", "zoe@nwl.example", key="21")
        people, reading, _ = pull(company("bamboohr", (*PEOPLE, again, other)))
        assert people["10002"].state == "current"
        assert "00017" not in people
        assert [rejected.key for rejected in reading.rejected] == ["00017"] * 2
        assert reading.rows_read == reading.kept + len(reading.rejected) + reading.duplicates


class TestWhatMayNotBeSeen:
    @pytest.mark.parametrize("field", ["status", "hireDate", "terminationDate"])
    def test_without_what_decides_nothing_is_derived(self, field):
        with pytest.raises(IncompleteFeed, match=f"{field} may not be seen of 1 people.*Access Levels"):
            pull(company("bamboohr", withheld=[field], withheld_of=["2"]))

    def test_the_rest_is_a_note(self):
        people, reading, _ = pull(company("bamboohr", withheld=["departmentName"]))
        assert len(people) == 8
        assert "departmentName may not be seen of 8 people" in reading.notes

    def test_who_left_without_a_date_is_counted(self):
        _, reading, _ = pull(company("bamboohr"))
        assert "1 people have left without a date" in reading.notes

    def test_check_names_the_rights_that_are_missing(self):
        application = company("bamboohr", withheld=["hireDate"])
        with running(application) as sandbox:
            connector = hr_connector("bamboohr", {"base_url": sandbox.url("bamboohr")}, {"token": application.token})
            assert connector.check() == Checked(("8 people are listed",), ("view hireDate",))
            assert len(sandbox.requests) == 1
            connector.close()

    def test_a_wrong_key_is_refused(self):
        with pytest.raises(AuthenticationFailed):
            pull(company("bamboohr"), {"token": "not-the-key"})


class TestBadData:
    def spoiled(self, change):
        from connectors.sandbox.faults import Faults

        application = company("bamboohr", tuple(Person(str(n), "P", str(n), f"p{n}@nwl.example") for n in range(40)))
        with running(application) as sandbox:
            sandbox.faults["bamboohr"] = Faults(mutate=lambda path, data: change(data))
            connector = hr_connector("bamboohr", {"base_url": sandbox.url("bamboohr")}, {"token": application.token})
            return identities(connector), connector.reading

    def test_an_unknown_status_is_quarantined_with_its_place(self):
        def change(data):
            data["data"][4]["status"] = "Sleeping"
            return data

        people, reading = self.spoiled(change)
        assert len(people) == 39
        [rejected] = reading.rejected
        assert rejected.where.endswith("/api/v1/employees#5")
        assert rejected.key == "4", "who is listed all the same is not absent"
        assert "4" not in people
        assert "'Sleeping' is not known: translate it under values.status" in rejected.reason

    def test_inactive_without_any_date_is_nobody_knows_what(self):
        def change(data):
            data["data"][0] |= {"status": "Inactive", "hireDate": "0000-00-00"}
            return data

        people, reading = self.spoiled(change)
        assert "0" not in people
        assert "nobody knows" in reading.rejected[0].reason

    def test_a_date_that_is_none_is_not_taken_for_no_date(self):
        def change(data):
            data["data"][0] |= {"status": "Inactive", "terminationDate": {"value": "2026-01-01"}}
            data["data"][1] |= {"terminationDate": "31/12/2026"}
            return data

        people, reading = self.spoiled(change)
        assert [r.column for r in reading.rejected] == ["termination_date", "termination_date"]
        assert {r.key for r in reading.rejected} == {"0", "1"}
        assert len(people) == 38

    def test_half_of_everybody_unreadable_condemns_the_pull(self):
        def change(data):
            for person in data["data"][::2]:
                person["status"] = None
            return data

        with pytest.raises(UnexpectedAnswer, match="cannot be believed"):
            self.spoiled(change)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"page_size": 5000}, "page_size: expected a number from 1 to 2500"),
        ({"employee_id": "email"}, "employee_id"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"values": {"status": {"x": "gone"}}}, "values.status.x"),
        ({"base_url": "http://example.com/"}, "http would send"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_asked(options, words):
    with pytest.raises(ConfigurationError, match=words):
        hr_connector("bamboohr", {"base_url": "https://example.com/", **options}, {"token": "secret-key"})
