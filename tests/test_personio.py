"""Personio: offsets to the end, tokens that rotate, attributes that may not be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from jsonschema import Draft202012Validator

from connectors.personio import ASKED
from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, UnexpectedAnswer
from tests.workforces import PEOPLE, company, hr_connector, identities, running

# What personio-personnel-data-api-oa3.yaml says of an answer, in our own words.
ANSWER = {
    "type": "object",
    "required": ["success", "metadata", "offset", "limit", "data"],
    "properties": {
        "success": {"const": True},
        "metadata": {"type": "object", "required": ["total_elements", "current_page", "total_pages"]},
        "offset": {"type": "integer"},
        "limit": {"type": "integer"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "attributes"],
                "properties": {
                    "type": {"const": "Employee"},
                    "attributes": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["label", "value", "type", "universal_id"],
                        },
                    },
                },
            },
        },
    },
}


def pull(application, faults=None, token=None, **options):
    with running(application) as sandbox:
        if faults:
            sandbox.faults["personio"] = faults
        options = {"base_url": sandbox.url("personio"), "client_id": "reader", **options}
        connector = hr_connector("personio", options, {"token": token or application.token})
        return identities(connector), connector.reading, sandbox.requests


def numbered(**options):
    return {"employee_id": "dynamic_4711", **options}


class TestPeople:
    def test_every_fate_is_told(self):
        people, reading, _ = pull(company("personio"), **numbered())
        assert {i: p.state for i, p in people.items()} == {
            "00017": "current", "10002": "ended", "10003": "current", "10004": "leave", "10005": "future",
            "10006": "current", "10007": "current", "10008": "ended",
        }  # fmt: skip
        assert (reading.declared_total, reading.rows_read, reading.kept) == (8, 8, 8)

    def test_the_last_working_day_goes_before_the_termination_date(self):
        both = replace(PEOPLE[1], last_day=date(2026, 10, 15))
        people, _, _ = pull(company("personio", (*PEOPLE[:1], both)), **numbered(time_zone="Europe/Berlin"))
        assert people["10002"].ended_at == datetime(2026, 10, 15, 22, tzinfo=UTC)
        assert people["10002"].ended_why == "terminated, last day of work 2026-10-15"

    def test_supervisors_contracts_and_externals(self):
        people, _, _ = pull(company("personio"), **numbered())
        assert people["10002"].manager_id == "hr:00017"
        assert people["10006"].kind == "contractor"
        assert people["10006"].contract_end == datetime(2026, 11, 16, tzinfo=UTC)

    def test_personios_own_id_is_the_default(self):
        people, _, _ = pull(company("personio"))
        assert people["2"].manager_id == "hr:1"

    def test_offsets_to_the_end_and_nothing_asked_that_is_not_needed(self):
        people, reading, requests = pull(company("personio"), page_size=3)
        assert (len(people), reading.pages) == (8, 3)
        lists = [seen for seen in requests if seen.path.endswith("/employees")]
        assert [seen.query["offset"] for seen in lists] == ["0", "3", "6"]
        assert lists[0].several["attributes[]"] == list(ASKED)
        for seen in lists:
            assert list(Draft202012Validator(ANSWER).iter_errors(seen.answer)) == []


class TestTokens:
    def test_a_token_that_every_answer_replaces(self):
        people, _, requests = pull(company("personio", rotate=True), page_size=2)
        assert len(people) == 8
        assert [seen.path for seen in requests].count("/v1/auth") == 1

    def test_a_token_that_ends_in_mid_pull_is_renewed_once(self):
        people, _, requests = pull(company("personio"), Faults(unauthorized=True, after=2, times=1), page_size=3)
        assert len(people) == 8
        assert [seen.path for seen in requests].count("/v1/auth") == 2

    def test_a_wrong_secret_is_refused(self):
        with pytest.raises(AuthenticationFailed, match="no token was granted"):
            pull(company("personio"), token="not-the-secret")

    def test_failure_with_a_200_is_a_failure(self):
        with pytest.raises(UnexpectedAnswer, match="did not succeed \\(500\\)"):
            pull(company("personio", fails=1))


class TestWhatMayNotBeRead:
    @pytest.mark.parametrize("name", ["status", "hire_date", "termination_date"])
    def test_what_decides_must_be_readable(self, name):
        readable = [a for a in ASKED if a != name]
        with pytest.raises(IncompleteFeed, match=f"{name} may not be read. In Personio under Settings"):
            pull(company("personio", readable=readable))

    def test_the_rest_is_a_note(self):
        people, reading, _ = pull(company("personio", readable=[a for a in ASKED if a != "department"]))
        assert len(people) == 8
        assert "department may not be read" in reading.notes

    def test_check_names_what_is_missing(self):
        application = company("personio", readable=["id", "status"])
        with running(application) as sandbox:
            options = {"base_url": sandbox.url("personio"), "client_id": "reader"}
            connector = hr_connector("personio", options, {"token": application.token})
            checked = connector.check()
            connector.close()
        assert checked.notes == ("8 people are listed",)
        assert "readable attribute termination_date" in checked.missing
        assert len(checked.missing) == len(ASKED) - 2

    def test_an_attribute_that_is_no_date_is_not_taken_for_no_date(self):
        def change(path, data):
            if "data" in data and isinstance(data["data"], list):
                data["data"][1]["attributes"]["termination_date"]["value"] = ["2026-10-31"]
            return data

        people, reading, _ = pull(company("personio"), Faults(mutate=change))
        assert "2" not in people
        assert reading.rejected[0].column == "termination_date"


@pytest.mark.parametrize(("options", "words"), [({"page_size": 200}, "1 to 100"), ({"time_zone": 5}, "time_zone")])
def test_wrong_settings_are_said_before_anything_is_asked(options, words):
    with pytest.raises(ConfigurationError, match=words):
        hr_connector("personio", {"client_id": "a", **options}, {"token": "secret-key"})
