"""What is special about Confluence: no list of accounts, no state without the organisation, spaces with administrators."""

from datetime import timedelta

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, NotSupported
from tests.atlassian_site import ids, read, site
from tests.sandbox_company import NOW, crowd, named, small_application
from tests.specs import SpecCheck

DAY = timedelta(days=1)


@pytest.fixture
def confluence():
    return small_application("confluence")


class TestReading:
    def test_without_the_organisation_nobody_s_state_is_guessed(self, confluence):
        result = read(confluence, org=False)
        assert {(a.active, a.last_seen_known, a.mfa) for a in result.accounts.values()} == {(None, False, None)}
        assert any("whether an account can sign in" in note for note in result.notes)

    def test_with_it_state_last_use_and_mfa_are_told(self, confluence):
        confluence.settings["emails_hidden"] = True
        accounts = read(confluence).accounts
        ada = accounts["Ada"]
        assert (ada.active, ada.last_seen_at, ada.mfa, ada.email) == (True, NOW - DAY, True, "ada.amaral@nwl.example")
        assert (accounts["Esra"].active, accounts["Dmitri"].active) == (False, False)
        assert (accounts["Chioma"].last_seen_at, accounts["Chioma"].last_seen_known) == (None, True)

    def test_kinds(self, confluence):
        accounts = read(confluence).accounts
        assert (accounts["Hana"].kind, accounts["Build"].kind, accounts["Ada"].kind) == ("guest", "bot", "human")

    def test_somebody_in_no_group_who_used_it_is_read_from_the_directory(self, confluence):
        bruno = ids(confluence)["Bruno"]
        confluence.grants = [g for g in confluence.grants if g.account_id != bruno]
        assert "Bruno" not in read(confluence, org=False).accounts
        assert read(confluence).accounts["Bruno"].active is True

    def test_groups_can_be_narrowed(self, confluence):
        result = read(confluence, groups="contract*, admin*")
        assert set(result.accounts) == {"Ada", "Backup", "Hana"}
        assert {e.name for e in result.entitlements.values()} == {"Administrators", "Contractors"}

    def test_administrators_of_spaces_where_wanted(self, confluence):
        confluence.settings["spaces"] = {
            "FIN": {"users": [ids(confluence)["Bruno"]], "groups": [named(confluence, "Contractors")]}
        }
        assert not any(e.startswith("space:") for e in read(confluence).entitlements)
        result = read(confluence, space_admins=True)
        assert result.held["Bruno", "space:65537"] == "direct"
        assert result.held["Hana", "space:65537"] == "group"
        assert ("Ada", "space:65537") not in result.held
        assert result.accounts["Bruno"].privileged is True

    def test_a_page_that_holds_fewer_than_it_says_is_not_believed(self):
        application = crowd("confluence", 30)

        def shorten(path, data):
            if path.endswith("membersByGroupId") and data["results"]:
                data["results"].pop()
            return data

        with pytest.raises(IncompleteFeed, match="are declared on a page"):
            read(application, org=False, faults=Faults(mutate=shorten))

    def test_a_page_smaller_than_asked_for_is_not_the_last(self):
        application = crowd("confluence", 500)
        assert len(read(application, org=False, page_size=70).by_id) == 500

    def test_a_site_without_members_is_not_believed(self, confluence):
        confluence.grants = []
        with pytest.raises(IncompleteFeed, match="no group of the site has a member"):
            read(confluence, org=False)


class TestOne:
    @pytest.mark.parametrize(("given", "org", "active"), [
        ("Ada", True, True), ("Ada", False, True), ("Esra", False, False), ("Dmitri", True, False),
    ])  # fmt: skip
    def test_is_read_again_with_its_state(self, confluence, given, org, active):
        with site(confluence, org=org) as (connector, _):
            assert connector.account(ids(confluence)[given]).active is active

    def test_privileged_is_told_of_one_as_well(self, confluence):
        with site(confluence) as (connector, _):
            assert connector.account(ids(confluence)["Ada"]).privileged is True
            assert connector.account(ids(confluence)["Bruno"]).privileged is False

    def test_gone_is_gone(self, confluence):
        with site(confluence) as (connector, _):
            assert connector.account("712020:nobody") is None


class TestChanging:
    def test_off_and_on(self, confluence):
        bruno = ids(confluence)["Bruno"]
        with site(confluence, write=True) as (connector, _):
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    def test_a_site_alone_says_what_a_person_has_to_do(self, confluence):
        options = {"org": False, "write": True, "write_email": "admin@nwl.example"}
        with site(confluence, **options) as (connector, _), pytest.raises(NotSupported, match="organisation admin"):
            connector.suspend(ids(confluence)["Bruno"])

    @pytest.mark.parametrize("options", [{}, {"org": False, "write_email": "admin@nwl.example"}])
    def test_groups(self, confluence, options):
        ada, admins = ids(confluence)["Ada"], named(confluence, "Administrators")
        with site(confluence, write=True, **options) as (connector, _):
            connector.revoke_grant(ada, admins)
            connector.revoke_grant(ada, admins)
            assert connector.account(ada).privileged is False
            connector.restore_grant(ada, admins)
            assert connector.account(ada).privileged is True

    @pytest.mark.parametrize("options", [{}, {"org": False, "write_email": "admin@nwl.example"}])
    def test_a_synced_group_is_changed_at_the_identity_provider(self, confluence, options):
        admins = named(confluence, "Administrators")
        confluence.entitlements[admins].more["synced"] = True
        with site(confluence, write=True, **options) as (connector, _):
            with pytest.raises(NotSupported, match="identity provider"):
                connector.revoke_grant(ids(confluence)["Ada"], admins)
            with pytest.raises(NotSupported, match="space's own settings"):
                connector.revoke_grant(ids(confluence)["Ada"], "space:65537")


class TestEvents:
    def test_without_guard_the_site_s_own_log_is_read_without_ids_of_accounts(self, confluence):
        with site(confluence, org=False) as (connector, _):
            events = list(connector.events(NOW - 30 * DAY, None))
            again = list(connector.events(NOW - 30 * DAY, None))
        assert [e.event_id for e in events] == [e.event_id for e in again]
        assert {e.kind for e in events} == {"created", "deactivated", "granted", "revoked"}
        assert {e.account_id for e in events} == {None}
        assert {e.target for e in events if e.kind == "granted"} == {"Everyone"}
        assert {e.actor for e in events} == {ids(confluence)["Ada"]}

    def test_the_mark_of_the_own_log_is_where_to_go_on(self, confluence):
        with site(confluence, org=False) as (connector, sandbox):
            list(connector.events(NOW - 30 * DAY, None))
            list(connector.events(NOW - 30 * DAY, connector.mark))
            asked = [int(s.query["startDate"]) for s in sandbox.requests if s.path.endswith("/audit")]
        assert asked[-1] == int((NOW - timedelta(minutes=10)).timestamp() * 1000)


class TestCheck:
    def test_says_who_the_token_is_and_what_is_missing(self, confluence):
        confluence.settings["audit"] = False
        with site(confluence) as (connector, _):
            checked = connector.check()
        assert checked.notes[0].startswith("the token acts as Ada Amaral")
        assert [m.partition(":")[0] for m in checked.missing] == ["events"]

    def test_a_token_that_may_not_see_groups_is_an_error(self, confluence):
        faults = Faults(forbidden=True, paths="rest/api/group")
        with site(confluence, faults=faults) as (connector, _), pytest.raises(AuthenticationFailed):
            connector.check()


def test_a_page_has_at_most_200(confluence):
    with pytest.raises(ConfigurationError, match="from 1 to 200"), site(confluence, page_size=500):
        pass


@pytest.mark.parametrize("options", [{}, {"org": False, "write_email": "admin@nwl.example"}])
def test_requests_and_answers_fit_the_specifications(confluence, options):
    bruno, admins = ids(confluence)["Bruno"], named(confluence, "Administrators")
    confluence.settings["spaces"] = {"FIN": {"users": [bruno]}}
    with site(confluence, write=True, space_admins=True, **options) as (connector, sandbox):
        list(connector.records())
        list(connector.events(NOW - 30 * DAY, None))
        connector.check()
        connector.account(bruno)
        connector.revoke_grant(ids(confluence)["Ada"], admins)
        if not options:
            connector.deactivate(bruno)
        requests = sandbox.requests
    assert len(requests) > 10
    # The specification was written by hand and leaves out who one is.
    assert SpecCheck("confluence", free="/user/current$").problems(requests) == []
