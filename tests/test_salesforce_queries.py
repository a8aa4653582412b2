"""SOQL: no value ends its text, what is not readable says so, and the sandbox refuses what it does not understand."""

from datetime import UTC, datetime

import pytest

from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from connectors.sandbox.soql import SoqlError, parsed
from governance.records import Reading
from tests.salesforce_organisation import organisation
from tests.sandbox_company import small_application


@pytest.fixture
def salesforce():
    return small_application("salesforce")


class TestSoql:
    def test_values_cannot_end_their_text(self, salesforce):
        evil = "x' OR Username != '\\"
        with organisation(salesforce) as (connector, sandbox):
            soql = Soql(connector._session.http, "crm", 200)
            assert soql.all(select(("Id",), "User", where("Username", evil))) == []
            assert soql.all(select(("Id",), "User", where_in("Username", [evil, "ADA.AMARAL@nwl.example"]))) != []
            assert "\\'" in sandbox.requests[-1].query["q"]

    @pytest.mark.parametrize(
        "query",
        [
            "", "SELECT", "SELECT Id", "SELECT Id FROM User WHERE", "SELECT Id FROM User WHERE Id", "DELETE FROM User",
            "SELECT Id FROM User WHERE Id = ", "SELECT Id FROM User WHERE Id LIKE 'x'", "SELECT Id FROM User; DROP",
            "SELECT Id FROM User WHERE Id IN ('a'", "SELECT Id FROM User WHERE Id = 'a' OR Id = 'b'", "SELECT Id, FROM User",
            "SELECT COUNT() FROM User", "SELECT Id FROM User LIMIT x", "SELECT Id FROM User WHERE Id = 'a",
            "SELECT Id FROM User GROUP BY Id", "SELECT (SELECT Id FROM Contacts) FROM User",
        ],
    )  # fmt: skip
    def test_the_sandbox_refuses_what_it_does_not_understand(self, query):
        with pytest.raises(SoqlError) as refused:
            parsed(query)
        assert refused.value.code == "MALFORMED_QUERY"

    @pytest.mark.parametrize("query", [select(("Id",), "Account"), select(("Shoes",), "User")])
    def test_unknown_objects_and_columns_are_not_readable(self, salesforce, query):
        with organisation(salesforce) as (connector, _), pytest.raises(NotReadable):
            list(Soql(connector._session.http, "crm", 200).rows(query, Reading()))

    def test_instants_are_compared(self, salesforce):
        with organisation(salesforce) as (connector, _):
            soql = Soql(connector._session.http, "crm", 200)
            at = datetime(2026, 11, 22, tzinfo=UTC)
            assert len(soql.all(select(("Id",), "LoginHistory", where("LoginTime", at, ">=")))) == 1
