"""HiBob: inactive is not left, hidden is not absent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, IncompleteFeed
from tests.specs import SpecCheck
from tests.workforces import PEOPLE, company, hr_connector, identities, running


def pull(application, faults=None, token=None, **options):
    with running(application) as sandbox:
        if faults:
            sandbox.faults["hibob"] = faults
        options = {"base_url": sandbox.url("hibob"), "service_user": "SERVICE-1", **options}
        connector = hr_connector("hibob", options, {"token": token or application.token})
        return identities(connector), connector.reading, sandbox.requests


def changed(number, **internal):
    """Changes what one person's answer tells; None takes it away."""

    def change(path, data):
        part = data["employees"][number]["internal"]
        for name, value in internal.items():
            part.pop(name, None)
            if value is not None:
                part[name] = value
        return data

    return Faults(mutate=change)


class TestPeople:
    def test_every_fate_is_told_and_those_who_left_are_asked_for(self):
        people, reading, requests = pull(company("hibob"))
        assert {i: p.state for i, p in people.items()} == {
            "00017": "current", "10002": "ended", "10003": "current", "10004": "leave", "10005": "future",
            "10006": "current", "10007": "current", "10008": "ended",
        }  # fmt: skip
        assert requests[-1].body["showInactive"] is True
        assert (reading.rows_read, reading.kept) == (8, 8)

    def test_dates_managers_and_kinds(self):
        people, _, _ = pull(company("hibob"), time_zone="Europe/Berlin")
        assert people["10002"].ended_at == datetime(2026, 10, 31, 23, tzinfo=UTC)
        assert people["10003"].ended_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert people["10002"].manager_id == "hr:00017"
        assert people["10004"].manager_id == "hr:10003"
        assert people["10006"].kind == "contractor"

    def test_it_speaks_as_the_specification_says(self):
        numbered = tuple(replace(p, employee_id=str(int(p.employee_id))) for p in PEOPLE)
        _, _, requests = pull(company("hibob", numbered))
        assert SpecCheck("hibob").problems(requests) == []

    def test_a_wrong_token_is_refused(self):
        with pytest.raises(AuthenticationFailed):
            pull(company("hibob"), token="not-the-token")


class TestStatus:
    def test_a_stage_of_the_companys_own_is_active_while_the_person_is(self):
        people, _, _ = pull(company("hibob"), changed(0, lifecycleStatus="Probation"))
        assert people["00017"].state == "current"

    def test_inactive_alone_is_not_left(self):
        people, reading, _ = pull(company("hibob"), changed(3, lifecycleStatus=None))
        assert "10004" not in people
        assert "'Inactive' is not known" in reading.rejected[0].reason

    def test_inactive_with_an_end_has_left(self):
        people, _, _ = pull(company("hibob"), changed(1, lifecycleStatus=None))
        assert people["10002"].state == "ended"

    def test_the_companys_own_words_can_be_translated(self):
        faults = changed(1, lifecycleStatus="Alumni")
        people, _, _ = pull(company("hibob"), faults, values={"status": {"Alumni": "terminated"}})
        assert people["10002"].state == "ended"


class TestWhatIsHidden:
    @pytest.mark.parametrize(
        ("field", "words"),
        [
            ("internal.terminationDate", "2 people have left and none has a date. Bob leaves out silently"),
            ("work.startDate", "no hire date is told of anybody"),
        ],
    )
    def test_dates_nobody_has_end_the_pull(self, field, words):
        with pytest.raises(IncompleteFeed, match=words):
            pull(company("hibob", withheld=[field]))

    def test_without_any_status_nothing_is_believed(self):
        with pytest.raises(Exception, match="8 of 8 rows cannot be believed"):
            pull(company("hibob", withheld=["internal.status", "internal.lifecycleStatus"]))

    def test_addresses_nobody_has_are_a_note(self):
        _, reading, _ = pull(company("hibob", withheld=["root.email"]))
        assert any("no work e-mail is told of anybody" in note for note in reading.notes)

    def test_who_sees_nobody_is_told_so(self):
        with pytest.raises(IncompleteFeed, match="nobody is listed at all"):
            pull(company("hibob", ()))

    def test_check_asks_for_the_fields_and_names_those_that_are_not_there(self):
        application = company("hibob")
        with running(application) as sandbox:
            options = {"base_url": sandbox.url("hibob"), "service_user": "S", "employee_id": "work.badge"}
            connector = hr_connector("hibob", options, {"token": application.token})
            assert connector.check().missing == ("field work.badge",)
            connector.close()
            assert [seen.path for seen in sandbox.requests] == ["/company/people/fields"]


def test_an_engagement_that_ends_ahead_counts_down():
    later = replace(PEOPLE[0], termination_date=date(2026, 11, 30))
    people, _, _ = pull(company("hibob", (later, *PEOPLE[1:])))
    assert (people["00017"].state, people["00017"].ended_at) == ("current", datetime(2026, 12, 1, tzinfo=UTC))
