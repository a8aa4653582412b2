"""SAP SuccessFactors: what takes effect when, several employments of one person, and an assertion that buys a token."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed
from tests.keys import private_key, public_key
from tests.sandbox_company import NOW
from tests.specs import SpecCheck
from tests.workforces import PEOPLE, company, hr_connector, identities, running

DATED = PEOPLE[:-1]
TOKEN = "successfactors-read-token"


@functools.cache
def certificate(name: str) -> str:
    """A certificate over the key of that name, signed by itself."""
    key = load_pem_private_key(private_key(name).encode(), None)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=4000))
        .not_valid_after(NOW + timedelta(days=4000))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def pull(application, faults=None, secrets=None, **options):
    with running(application) as sandbox:
        if faults:
            sandbox.faults["successfactors"] = faults
        given = {"base_url": sandbox.url("successfactors"), "company_id": "NWL", "username": "sf-reader", **options}
        connector = hr_connector("successfactors", given, secrets or {"password": TOKEN})
        return identities(connector), connector.reading, sandbox.requests


def entries(change):
    """Changes every entry an answer tells."""

    def apply(path, data):
        for entry in data.get("d", {}).get("results", ()):
            change(entry)
        return data

    return Faults(mutate=apply)


class TestPeople:
    def test_every_fate_is_told(self):
        people, reading, requests = pull(company("successfactors", PEOPLE), time_zone="Europe/Berlin")
        assert {i: p.state for i, p in people.items()} == {
            "00017": "current", "10002": "ended", "10003": "current", "10004": "leave", "10005": "future",
            "10006": "current", "10007": "current", "10008": "ended",
        }  # fmt: skip
        assert reading.rows_read == reading.kept + reading.duplicates
        assert SpecCheck("successfactors").problems(requests) == []

    def test_an_end_to_come_is_the_day_before_the_status_changes(self):
        people, _, _ = pull(company("successfactors", DATED), time_zone="Europe/Berlin")
        assert people["10003"].ended_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert people["10002"].ended_at == datetime(2026, 10, 31, 23, tzinfo=UTC)

    def test_what_is_asked_for(self):
        _, reading, requests = pull(company("successfactors", DATED), page_size=3)
        query = requests[0].query
        assert (query["fromDate"], query["toDate"], query["paging"]) == ("2026-11-23", "9999-12-31", "snapshot")
        assert query["$filter"] == "userNav/status in 't','f','T','F','e','d'"
        assert reading.pages == 3

    def test_two_employments_are_one_person(self):
        old = replace(PEOPLE[1], key="2a", work_email="bruno.old@nwl.example")
        new = replace(PEOPLE[1], key="2b", status="active", termination_date=None, hire_date=date(2026, 11, 2))
        people, reading, _ = pull(company("successfactors", (PEOPLE[0], old, new)))
        assert (people["10002"].state, people["10002"].ended_at) == ("current", None)
        assert people["10002"].former_emails == ("bruno.old@nwl.example",)
        assert people["10002"].manager_id == "hr:00017"
        assert reading.duplicates == 1

    def test_contingent_workers_and_zones(self):
        people, _, _ = pull(company("successfactors", DATED), time_zone_field="timezone")
        assert people["10006"].kind == "contractor"
        assert people["10006"].contract_end == datetime(2026, 11, 16, tzinfo=UTC)
        assert people["10002"].ended_at == datetime(2026, 10, 31, 13, tzinfo=UTC)  # midnight in Melbourne

    def test_codes_are_the_companys(self):
        def change(entry):
            if entry["userId"] == "2":
                entry["emplStatusNav"]["externalCode"] = "X9"

        people, reading, _ = pull(company("successfactors", DATED), entries(change))
        assert "'X9' is not known" in reading.rejected[0].reason
        people, _, _ = pull(company("successfactors", DATED), entries(change), values={"status": {"X9": "terminated"}})
        assert people["10002"].state == "ended"

    def test_a_day_that_is_none_is_not_taken_for_no_day(self):
        def change(entry):
            if entry["userId"] == "2":
                entry["employmentNav"]["endDate"] = "/Date(soon)/"
            if entry["userId"] == "4":
                entry["startDate"] = None

        others = (replace(PEOPLE[1], employee_id="10009", key="9", work_email=None, family="Behn"), *DATED)
        people, reading, _ = pull(company("successfactors", others), entries(change))
        assert {"10002", "10004"} & people.keys() == set()
        assert {r.column for r in reading.rejected} == {"termination_date", "startDate"}


class TestWhatIsNotThere:
    def test_a_data_model_that_lacks_fields_is_asked_again_without_them(self):
        lacks = ["contractEndDate", "departmentNav/name"]
        people, reading, requests = pull(company("successfactors", DATED, lacks=lacks))
        assert len(people) == 7
        assert "the data model has no contractEndDate" in reading.notes
        assert [seen.status for seen in requests] == [400, 400, 200]

    def test_a_role_that_sees_no_dates_is_refused(self):
        with pytest.raises(IncompleteFeed, match=r"no hire date is told of anybody\. SuccessFactors leaves empty"):
            pull(company("successfactors", PEOPLE[:3], withheld=["employmentNav/startDate"]))

    def test_a_role_that_sees_no_end_is_refused(self):
        with pytest.raises(IncompleteFeed, match="1 people have left and none has a date"):
            pull(company("successfactors", DATED, withheld=["employmentNav/endDate"]))

    def test_check_asks_for_one_entry(self):
        application = company("successfactors", DATED, lacks=["contractEndDate"])
        with running(application) as sandbox:
            options = {"base_url": sandbox.url("successfactors"), "company_id": "NWL", "username": "r"}
            connector = hr_connector("successfactors", options, {"password": TOKEN})
            assert connector.check().notes == ("the data model has no contractEndDate",)
            connector.close()
            assert sandbox.requests[-1].query["$top"] == "1"


class TestAssertion:
    def client(self, **settings):
        registered = {"certificate": certificate("registered"), "client_id": "key-1", "company_id": "NWL"}
        return company("successfactors", DATED, **registered | settings)

    @pytest.mark.parametrize("held", [True, False])
    def test_it_buys_a_token(self, held):
        secrets = {"private_key": private_key("registered")}
        if held:
            secrets["certificate"] = certificate("registered")
        people, _, requests = pull(self.client(), secrets=secrets, client_id="key-1")
        assert len(people) == 7
        assert [seen.path for seen in requests] == ["/oauth/token", "/odata/v2/EmpJob"]
        assert SpecCheck("successfactors").problems(requests) == []

    def test_another_ones_signature_buys_nothing(self):
        with pytest.raises(AuthenticationFailed, match="invalid_grant"):
            pull(self.client(), secrets={"private_key": private_key("somebody")}, client_id="key-1")

    def test_another_client_buys_nothing(self):
        with pytest.raises(AuthenticationFailed, match="invalid_client"):
            pull(self.client(), secrets={"private_key": private_key("registered")}, client_id="key-2")

    def test_a_token_that_ends_in_mid_pull_is_bought_anew(self):
        faults = Faults(unauthorized=True, paths="EmpJob", after=1, times=1)
        secrets = {"private_key": private_key("registered")}
        people, _, requests = pull(self.client(), faults, secrets, client_id="key-1", page_size=3)
        assert len(people) == 7
        assert [seen.path for seen in requests].count("/oauth/token") == 2


@pytest.mark.parametrize(
    ("options", "secrets", "words"),
    [
        ({}, {}, "expected client_id and private_key, or a password"),
        ({"client_id": "a"}, {"password": "p"}, "belong together"),
        ({"client_id": "a"}, {"private_key": "no key at all"}, "private_key: expected an unencrypted private RSA"),
        ({"client_id": "a"}, {"private_key": public_key("registered")}, "private_key: expected an unencrypted"),
        ({"page_size": 0}, {"password": "p"}, "page_size"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_asked(options, secrets, words):
    given = {"base_url": "https://example.com/", "company_id": "NWL", "username": "r", **options}
    with pytest.raises(ConfigurationError, match=words):
        hr_connector("successfactors", given, secrets)
