"""Salesforce's events: sign-ins, accounts made and changes, each told once; what may not be seen waits."""

import json

import pytest

from connectors.sandbox.faults import Faults
from tests.atlassian_site import ids
from tests.salesforce_organisation import organisation
from tests.sandbox_company import DAY, NOW, small_application


@pytest.fixture
def salesforce():
    return small_application("salesforce")


class TestEvents:
    def test_sign_ins_accounts_made_and_changes(self, salesforce):
        ada, bruno = ids(salesforce)["Ada"], ids(salesforce)["Bruno"]
        salesforce.record("token_used", bruno, bruno, at=NOW - DAY / 2)
        salesforce.accounts[ids(salesforce)["Farid"]].created_at = NOW - 9 * DAY
        salesforce.accounts[ids(salesforce)["Farid"]].more["made_by"] = ada
        with organisation(salesforce) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
        kinds = [e.kind for e in events]
        assert sorted(set(kinds)) == [
            "created", "deactivated", "granted", "revoked", "sign_in", "sign_in_failed", "token_used",
        ]  # fmt: skip
        by_kind = {e.kind: e for e in events}
        assert (by_kind["created"].account_id, by_kind["created"].actor) == (ids(salesforce)["Farid"], ada)
        assert (by_kind["sign_in_failed"].account_id, by_kind["sign_in_failed"].success) == (bruno, False)
        assert kinds.count("created") == 1, "told once, by the account's own row"

    def test_words_of_the_audit_trail_name_accounts_by_id_or_username_and_are_not_guessed(self, salesforce):
        with organisation(salesforce) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
        deactivated = {e.account_id for e in events if e.kind == "deactivated"}
        assert deactivated == {ids(salesforce)["Dmitri"], ids(salesforce)["Esra"]}
        granted = next(e for e in events if e.kind == "granted")
        assert granted.account_id[:15] == ids(salesforce)["Bruno"][:15]

        def anonymous(path, data):
            for row in data.get("records", ()) if isinstance(data, dict) else ():
                if "Display" in row:
                    row["Display"] = "Deactivated user Esra Ek"
            return data

        with organisation(salesforce, faults=Faults(mutate=anonymous)) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
        assert {e.account_id for e in events if e.kind == "deactivated"} == {None}

    def test_an_account_made_just_in_time_was_made_by_itself(self, salesforce):
        bruno = salesforce.accounts[ids(salesforce)["Bruno"]]
        bruno.created_at = NOW - DAY
        with organisation(salesforce) as (connector, _):
            made = [e for e in connector.events(NOW - 5 * DAY, None) if e.kind == "created"]
        assert [(e.account_id, e.actor) for e in made] == [(bruno.id, bruno.id)]

    def test_what_may_not_be_seen_is_said(self, salesforce):
        salesforce.settings["unseen"] = ["LoginHistory", "SetupAuditTrail"]
        with organisation(salesforce) as (connector, _):
            assert list(connector.events(NOW - 30 * DAY, None)) == []
            notes = connector.reading.notes
        assert any("Monitor Login History" in note for note in notes)
        assert any("View Setup" in note for note in notes)

    def test_the_mark_of_a_table_that_may_not_be_seen_waits_until_it_may(self, salesforce):
        salesforce.settings["unseen"] = ["LoginHistory"]
        with organisation(salesforce) as (connector, _):
            first = list(connector.events(NOW - 30 * DAY, None))
            mark = connector.mark
        assert not {e.kind for e in first} & {"sign_in", "sign_in_failed"}
        assert sorted(json.loads(mark)) == ["SetupAuditTrail", "User"]
        salesforce.settings["unseen"] = []
        with organisation(salesforce) as (connector, sandbox):
            then = list(connector.events(NOW - 30 * DAY, mark))
            asked = [seen.query["q"] for seen in sandbox.requests if seen.path.endswith("/query")]
        assert [e.kind for e in then] == ["sign_in", "sign_in_failed", "sign_in"]  # as old as they are
        assert any("FROM LoginHistory WHERE LoginTime >= 2026-10-24T08:12:00Z" in query for query in asked)
        assert any("FROM SetupAuditTrail WHERE CreatedDate >= 2026-11-23T07:12:00Z" in query for query in asked)
        assert sorted(json.loads(connector.mark)) == ["LoginHistory", "SetupAuditTrail", "User"]

    @pytest.mark.parametrize("mark", [(NOW - 2 * DAY).isoformat(), "nobody's", "[1]", '{"LoginHistory": "yesterday"}'])
    def test_an_older_mark_counts_for_all_tables_and_a_foreign_one_for_none(self, salesforce, mark):
        with organisation(salesforce) as (connector, _):
            found = len(list(connector.events(NOW - 30 * DAY, mark)))
            everything = len(list(connector.events(NOW - 30 * DAY, None)))
        assert (found == 1) is mark.startswith("2026")
        assert (found == everything) is not mark.startswith("2026")
