"""Workday: one report with columns of its author's, as of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, UnexpectedAnswer
from tests.specs import SpecCheck
from tests.workforces import PEOPLE, company, hr_connector, identities, running

DATED = PEOPLE[:-1]  # Workday has a date for everybody who left
AHEAD = {"as_of_prompt": "Effective_as_of_Date"}


def connected(sandbox, secrets=None, **options):
    options = {"base_url": sandbox.url("workday"), "tenant": "northwind", "report": "hr/Leaverwatch", **options}
    if secrets is None:
        options, secrets = {"username": "ISU", **options}, {"password": "workday-read-token"}
    return hr_connector("workday", options, secrets)


def pull(application, faults=None, secrets=None, **options):
    with running(application) as sandbox:
        if faults:
            sandbox.faults["workday"] = faults
        connector = connected(sandbox, secrets, **options)
        return identities(connector), connector.reading, sandbox.requests


class TestPeople:
    def test_as_of_a_later_day_every_fate_is_told(self):
        people, reading, requests = pull(company("workday", DATED), **AHEAD)
        assert {i: p.state for i, p in people.items()} == {
            "00017": "current", "10002": "ended", "10003": "current", "10004": "leave", "10005": "future",
            "10006": "current", "10007": "current",
        }  # fmt: skip
        assert people["10003"].ended_at == datetime(2027, 1, 1, tzinfo=UTC)
        assert reading.filters == "Effective_as_of_Date=2027-01-22"
        assert SpecCheck("workday").problems(requests) == []

    def test_as_of_today_what_is_to_come_is_not_in_the_report(self):
        people, _, _ = pull(company("workday", PEOPLE))
        assert people["10003"].ended_at is None
        assert "10005" not in people
        assert people["10008"].state == "ended"

    def test_days_may_carry_an_offset_that_means_nothing(self):
        people, _, _ = pull(company("workday", DATED, offset="-07:00"), time_zone="Europe/Berlin")
        assert people["10002"].ended_at == datetime(2026, 10, 31, 13, tzinfo=UTC)  # midnight in Melbourne

    def test_contingent_workers_managers_and_leading_zeros(self):
        people, _, _ = pull(company("workday", DATED))
        assert people["10006"].kind == "contractor"
        assert people["10006"].contract_end == datetime(2026, 11, 16, tzinfo=UTC)
        assert people["10002"].manager_id == "hr:00017"

    def test_the_last_day_of_work_goes_before_the_termination_date(self):
        both = replace(PEOPLE[1], last_day=date(2026, 10, 15), time_zone=None)
        people, _, _ = pull(company("workday", (both,)))
        assert people["10002"].ended_at == datetime(2026, 10, 16, tzinfo=UTC)

    def test_a_rehire_is_one_person_with_an_address_of_before(self):
        again = replace(
            PEOPLE[1],
            status="active",
            termination_date=None,
            hire_date=date(2026, 11, 2),
            work_email="b.berg@nwl.example",
        )
        people, reading, _ = pull(company("workday", (*DATED, again)))
        assert (people["10002"].state, people["10002"].ended_at) == ("current", None)
        assert people["10002"].former_emails == ("bruno@nwl.example",)
        assert reading.rows_read == reading.kept + reading.duplicates


class TestTheReport:
    def test_columns_are_the_authors(self):
        theirs = company("workday", DATED, columns={"Hire_Date": "Start", "Active_Status": "cf_Active"})
        with pytest.raises(UnexpectedAnswer, match=r"no column for hire_date, active or status.*found: Employee_ID"):
            pull(theirs)
        people, _, _ = pull(theirs, columns={"hire_date": "Start", "active": "cf_Active"})
        assert people["10002"].state == "ended"

    def test_prompts_are_sent(self):
        _, _, requests = pull(company("workday", DATED), prompts={"Company!WID": "d588c41a"})
        assert requests[-1].query == {"format": "json", "Company!WID": "d588c41a"}

    def test_an_empty_report_is_not_believed(self):
        with pytest.raises(IncompleteFeed, match="the report is empty"):
            pull(company("workday", ()))

    def test_a_report_without_anybody_who_left_is_remarked_upon(self):
        crowd = tuple(replace(PEOPLE[1], employee_id=str(n), work_email=None) for n in range(2))
        stay = tuple(replace(PEOPLE[0], employee_id=f"s{n}", work_email=None) for n in range(60))
        _, reading, _ = pull(company("workday", (*crowd, *stay), hide_terminated=True))
        assert reading.kept == 60
        assert "nobody who has left is listed: may the credential see them?" in reading.notes

    def test_inactive_without_an_end_as_of_a_later_day_is_nobody_knows_what(self):
        people, reading, _ = pull(company("workday", PEOPLE), **AHEAD)
        assert "10008" not in people
        assert "as of when nobody knows" in reading.rejected[0].reason

    def test_a_worker_status_goes_before_the_flag(self):
        def change(path, data):
            data["Report_Entry"][0]["Worker_Status"] = "Sabbatical"
            return data

        people, reading, _ = pull(company("workday", DATED), Faults(mutate=change))
        assert "'Sabbatical' is not known" in reading.rejected[0].reason
        people, _, _ = pull(
            company("workday", DATED), Faults(mutate=change), values={"status": {"Sabbatical": "leave"}}
        )
        assert people["00017"].state == "leave"

    def test_check_names_the_columns_that_are_not_there(self):
        with running(company("workday", DATED)) as sandbox:
            connector = connected(sandbox)
            checked = connector.check()
            connector.close()
        assert checked.notes == ("6 rows are in the report",)
        assert "column Worker_Status (status)" in checked.missing


class TestCredentials:
    def test_an_api_client_with_a_refresh_token(self):
        secrets = {"client_secret": "workday-read-token", "refresh_token": "refresh-me-please"}
        application = company("workday", DATED, refresh_token="refresh-me-please")
        people, _, requests = pull(application, secrets=secrets, client_id="client-1")
        assert len(people) == 7 - 1  # who begins later is not in today's report
        assert [seen.path.split("/")[2] for seen in requests] == ["oauth2", "service"]

    def test_refused_ones(self):
        with pytest.raises(AuthenticationFailed):
            pull(company("workday"), secrets={"password": "wrong-password"}, username="ISU")
        secrets = {"client_secret": "wrong-secret", "refresh_token": "wrong-token"}
        with pytest.raises(AuthenticationFailed, match="invalid_grant"):
            pull(company("workday"), secrets=secrets, client_id="client-1")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({}, "either username and password or client_id"),
            ({"username": "a", "client_id": "b"}, "either username"),
            ({"username": "a", "report": "Leaverwatch"}, "owner and name"),
            ({"username": "a", "prompts": {"n": 5}}, "prompts"),
            ({"username": "a", "columns": {"salary": "x"}}, "columns.salary"),
            ({"username": "a", "ahead_days": -1}, "ahead_days"),
        ],
    )
    def test_wrong_settings_are_said_before_anything_is_asked(self, options, words):
        options = {"base_url": "https://example.com/", "tenant": "t", "report": "a/b", **options}
        with pytest.raises(ConfigurationError, match=words):
            hr_connector("workday", options, {"password": "secret-key"})
