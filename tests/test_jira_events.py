"""Jira's events: the organisation's log tells who, what and whom; without it the site's own log is read."""

import json

import pytest

from connectors.sandbox.atlassian import ACTIONS
from connectors.sandbox.faults import Faults
from tests.atlassian_site import ids, licensed_jira, site
from tests.sandbox_company import DAY, NOW, named


@pytest.fixture
def jira():
    return licensed_jira()


class TestEvents:
    def test_the_organisation_s_log_tells_who_what_and_whom(self, jira):
        with site(jira) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
            assert connector.mark.startswith("org:")
        assert [e.kind for e in events] == [
            "created", "sign_in", "deactivated", "granted", "revoked", "deactivated", "sign_in",
        ]  # fmt: skip
        granted = events[3]
        assert (granted.account_id, granted.actor, granted.target) == (
            ids(jira)["Bruno"], ids(jira)["Ada"], named(jira, "Everyone"),
        )  # fmt: skip
        assert not any("left out" in note for note in connector.reading.notes)

    def test_signing_in_to_the_atlassian_account_is_no_use_of_one_product(self, jira):
        with site(jira) as (connector, _):
            signed_in = [e for e in connector.events(NOW - 30 * DAY, None) if e.kind == "sign_in"]
        assert {e.target for e in signed_in} == {"Atlassian account"}

    def test_actions_not_known_here_are_found_by_their_names(self, jira):
        def rename(path, data):
            return json.loads(json.dumps(data).replace('"user_login"', '"auth_ok_v2"'))

        with site(jira, faults=Faults(mutate=rename)) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
        assert [e.kind for e in events].count("sign_in") == 2
        assert ACTIONS["sign_in"][0] == "user_login"

    def test_unknown_actions_are_counted(self, jira):
        def rename(path, data):
            text = (
                json.dumps(data)
                .replace('"user_login"', '"boards_shuffled"')
                .replace("Logged in to account", "Shuffled")
            )
            return json.loads(text)

        with site(jira, faults=Faults(mutate=rename)) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
        assert "sign_in" not in {e.kind for e in events}
        assert "events of the kind boards_shuffled: 2 left out" in connector.reading.notes

    def test_a_cursor_that_lapsed_begins_anew(self, jira):
        with site(jira) as (connector, _):
            whole = [e.event_id for e in connector.events(NOW - 30 * DAY, None)]
            assert [e.event_id for e in connector.events(NOW - 30 * DAY, "org:lapsed")] == whole

    @pytest.mark.parametrize("options", [{"org": False}, {}])
    def test_without_guard_the_site_s_own_log_is_read(self, jira, options):
        jira.settings["guard"] = False
        with site(jira, **options) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
            assert connector.mark.startswith("audit:")
        assert {e.kind for e in events} == {"created", "deactivated", "granted", "revoked"}
        granted = next(e for e in events if e.kind == "granted")
        assert (granted.account_id, granted.target) == (ids(jira)["Bruno"], named(jira, "Everyone"))

    def test_the_site_s_own_log_tells_which_fields_were_changed(self, jira):
        jira.settings["guard"] = False
        jira.record("updated", ids(jira)["Bruno"], ids(jira)["Ada"], changes=[("Department", "Sales", None)])
        with site(jira, org=False) as (connector, _):
            [updated] = [e for e in connector.events(NOW - 30 * DAY, None) if e.kind == "updated"]
        assert updated.changes == '[["Department","Sales",null]]'


def test_an_account_that_was_synced_was_provisioned_when_it_was_added(jira):
    dmitri = jira.accounts[ids(jira)["Dmitri"]]
    dmitri.created_at = NOW - 3 * DAY
    with site(jira) as (connector, _):
        list(connector.records())
        provisioned = [e for e in connector.events(NOW - 30 * DAY, None) if e.kind == "provisioned"]
    assert [(e.account_id, e.at) for e in provisioned] == [(dmitri.id, NOW - 3 * DAY)]
