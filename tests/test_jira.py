"""What is special about Jira's accounts: two APIs that each know half, licences through groups, what a token may."""

import pytest

from connectors.kit.pacing import reset_after
from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed
from tests.atlassian_site import Read, ids, licensed_jira, read, site
from tests.sandbox_company import DAY, NOW, crowd, named
from tests.specs import SpecCheck


@pytest.fixture
def jira():
    return licensed_jira()


class TestWhatTheOrganisationAdds:
    def test_last_use_is_a_date_or_never(self, jira):
        accounts = read(jira).accounts
        assert (accounts["Ada"].last_seen_at, accounts["Ada"].last_seen_known) == (NOW - DAY, True)
        assert (accounts["Chioma"].last_seen_at, accounts["Chioma"].last_seen_known) == (None, True)

    def test_without_it_last_use_and_mfa_are_unknown_and_hidden_addresses_stay_hidden(self, jira):
        jira.settings["emails_hidden"] = True
        accounts = read(jira, org=False).accounts
        assert {(a.last_seen_at, a.last_seen_known, a.mfa, a.email) for a in accounts.values()} == {
            (None, False, None, None)
        }
        assert read(jira).accounts["Ada"].email == "ada.amaral@nwl.example"

    def test_mfa_is_told_of_managed_accounts_only(self, jira):
        jira.accounts[ids(jira)["Bruno"]].more["claim"] = "unmanaged"
        accounts = read(jira, customers=True).accounts
        assert (accounts["Ada"].mfa, accounts["Bruno"].mfa, accounts["Hana"].mfa) == (True, None, None)

    def test_a_suspended_account_comes_from_the_directory_with_what_it_holds(self, jira):
        everyone = named(jira, "Everyone")
        alone, both = read(jira, org=False), read(jira)
        assert "Dmitri" not in alone.accounts
        assert both.accounts["Dmitri"].active is False
        assert both.held["Dmitri", everyone] == "direct"
        assert both.held["Dmitri", "role:jira-software"] == "group"

    def test_an_entry_of_another_site_is_no_use_of_this_one(self, jira):
        assert read(jira, site_id="another").accounts["Ada"].last_seen_at is None
        assert read(jira, site_id="jira").accounts["Ada"].last_seen_at == NOW - DAY

    def test_a_date_that_cannot_be_read_makes_last_use_unknown(self, jira):
        def spoil(path, data):
            if path.endswith("/users/search") and isinstance(data, dict):
                for entry in data["data"]:
                    for access in entry["productAccess"]:
                        access["lastActiveTimestamp"] = "soon"
            return data

        account = read(jira, faults=Faults(mutate=spoil)).accounts["Ada"]
        assert (account.last_seen_at, account.last_seen_known) == (None, False)

    def test_an_account_that_only_another_product_knows_is_none_of_jira(self, jira):
        stranger = jira.accounts[ids(jira)["Dmitri"]]
        stranger.last_seen_at = None
        jira.grants = [g for g in jira.grants if g.account_id != stranger.id]
        assert "Dmitri" not in read(jira).accounts

    def test_an_empty_page_in_the_middle_of_the_directory_is_not_believed(self):
        application = crowd("jira", 250)
        faults = Faults(lose_page=True, paths="directories")
        with pytest.raises(IncompleteFeed, match="in the middle"):
            read(application, faults=faults)


class TestTheSite:
    def test_kinds_of_accounts(self, jira):
        jira.accounts[ids(jira)["Backup"]].email = "backup-1x@serviceaccount.atlassian.com"
        kinds = {name: account.kind for name, account in read(jira, customers=True).accounts.items()}
        assert (kinds["Ada"], kinds["Build"], kinds["Hana"], kinds["Backup"]) == ("human", "bot", "guest", "service")

    def test_portal_only_customers_are_left_out_and_counted(self, jira):
        result = read(jira)
        assert "Hana" not in result.accounts
        assert any(note.startswith("1 portal-only customers") for note in result.notes)

    def test_inactive_and_closed_accounts_cannot_sign_in(self, jira):
        accounts = read(jira).accounts
        assert (accounts["Esra"].active, accounts["Jun"].active) == (False, False)
        assert accounts["Jun"].display_name == "Former user"

    def test_a_licence_is_held_through_its_groups(self, jira):
        result = read(jira)
        assert result.held["Ada", "role:jira-software"] == "group"
        assert result.entitlements["role:jira-software"].kind == "licence"

    def test_administrators_are_privileged_by_the_names_of_their_groups(self, jira):
        result = read(jira)
        assert result.entitlements[named(jira, "Administrators")].privileged is True
        assert (result.accounts["Ada"].privileged, result.accounts["Bruno"].privileged) == (True, False)

    def test_or_by_their_role_in_the_organisation(self, jira):
        jira.entitlements[named(jira, "Contractors")].more["org_roles"] = ["atlassian/user-access-admin"]
        assert read(jira, customers=True).accounts["Hana"].privileged is True
        assert read(jira, customers=True, org=False).accounts["Hana"].privileged is False
        with site(jira) as (connector, _):
            assert connector.account(ids(jira)["Hana"]).privileged is True

    def test_roles_of_the_organisation_are_privileged_grants(self, jira):
        jira.accounts[ids(jira)["Bruno"]].more["platform_roles"] = ["atlassian/org-admin"]
        result = read(jira)
        assert result.held["Bruno", "org:atlassian/org-admin"] == "direct"
        assert result.accounts["Bruno"].privileged is True

    def test_project_roles_where_wanted(self, jira):
        bruno, contractors = ids(jira)["Bruno"], named(jira, "Contractors")
        jira.settings["projects"] = {
            "PAY": {"Administrators": {"users": [bruno], "groups": [contractors], "admin": True}}
        }
        assert not any(e.startswith("project:") for e in read(jira).entitlements)
        result = read(jira, project_roles=True, customers=True)
        assert result.held["Bruno", "project:PAY:10100"] == "direct"
        assert result.held["Hana", "project:PAY:10100"] == "group"
        assert result.entitlements["project:PAY:10100"].name == "PAY: Administrators"
        assert result.accounts["Bruno"].privileged is True

    def test_without_the_right_to_see_groups_nobody_is_called_unprivileged(self, jira):
        result = read(jira, faults=Faults(forbidden=True, paths="group/member|applicationrole"))
        assert {a.privileged for a in result.accounts.values()} == {None}
        assert any("who is in which group is not told" in note for note in result.notes)

    def test_short_pages_of_the_plain_array_lose_nobody(self):
        application = crowd("jira", 40)

        def shorten(path, data):
            return data[:-2] if path.endswith("users/search") and isinstance(data, list) and len(data) > 3 else data

        assert len(read(application, org=False, page_size=10, faults=Faults(mutate=shorten)).by_id) == 40

    def test_a_page_lost_once_is_asked_for_again(self):
        application = crowd("jira", 40)
        faults = Faults(lose_page=True, paths=r"api/3/users/search")
        assert len(read(application, org=False, page_size=30, faults=faults).by_id) == 40

    def test_a_few_members_of_groups_that_no_list_shows_are_read_one_by_one(self, jira):
        hidden = ids(jira)["Gwen"]

        def hide(path, data):
            if path.endswith("api/3/users/search"):
                return [entry for entry in data if entry["accountId"] != hidden]
            return data

        assert read(jira, org=False, faults=Faults(mutate=hide)).accounts["Gwen"].active is True

    def test_many_are_a_list_with_a_hole(self):
        application = crowd("jira", 100)

        shown = set(list(application.accounts)[:20])

        def hide(path, data):
            if path.endswith("api/3/users/search"):
                return [entry for entry in data if entry["accountId"] in shown]
            return data

        with pytest.raises(IncompleteFeed, match="80 members of groups are missing"):
            read(application, org=False, faults=Faults(mutate=hide))


class TestCheck:
    def test_says_whose_token_it_is_and_what_is_too_much(self, jira):
        with site(jira, org_token=jira.write_token) as (connector, _):
            checked = connector.check()
        assert checked.notes == (f"the token acts as Ada Amaral ({ids(jira)['Ada']})",)
        assert checked.missing == ()
        assert checked.excess == ("org_token: was created without scopes and may change every managed account",)

    def test_says_what_is_missing(self, jira):
        jira.settings["guard"] = False
        with site(jira, faults=Faults(forbidden=True, paths="applicationrole")) as (connector, _):
            missing = connector.check().missing
        assert [m.partition(":")[0] for m in missing] == ["pull", "events"]

    def test_a_key_that_may_not_see_groups_costs_only_who_administers(self, jira):
        jira.entitlements[named(jira, "Contractors")].more["org_roles"] = ["atlassian/admin"]
        with site(jira, customers=True, faults=Faults(forbidden=True, paths="groups/search")) as (connector, _):
            assert any("read:groups:admin" in m for m in connector.check().missing)
            assert Read(jira, connector).accounts["Hana"].privileged is False

    def test_without_the_organisation_it_says_what_that_costs(self, jira):
        with site(jira, org=False) as (connector, _):
            assert any("last use and MFA are unknown" in note for note in connector.check().notes)

    @pytest.mark.parametrize("paths", ["myself", "api/3/users/search", "directories"])
    def test_a_credential_that_is_not_enough_is_an_error(self, jira, paths):
        with (
            site(jira, faults=Faults(forbidden=True, paths=paths)) as (connector, _),
            pytest.raises(AuthenticationFailed),
        ):
            connector.check()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"org_id": "x", "org": False}, "org_id and org_token"),
        ({"org": False, "write": True}, "write_token: needs org_id"),
        ({"page_size": 5000}, "page_size"),
        ({"page_size": True}, "page_size"),
        ({"org": False, "org_url": "http://example.com/"}, "allow_private"),
    ],
)
def test_wrong_settings_are_named(jira, options, words):
    with pytest.raises(ConfigurationError, match=words), site(jira, **options):
        pass


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("2026-11-23T08:13Z", 60), ("2026-11-23T08:13:30Z", 90), ("2026-11-23T08:11Z", 0), ("2026-11-23T08:13", None)],
)
def test_the_vendor_tells_the_end_of_a_limit_as_an_instant(told, seconds):
    headers = {"X-RateLimit-Reset": told, "Date": "Mon, 23 Nov 2026 08:12:00 GMT"}
    assert reset_after(headers, NOW) == seconds


@pytest.mark.parametrize("options", [{}, {"org": False, "write_email": "admin@nwl.example"}])
def test_requests_and_answers_fit_the_specifications(jira, options):
    bruno, admins = ids(jira)["Bruno"], named(jira, "Administrators")
    jira.settings["projects"] = {"PAY": {"Administrators": {"users": [bruno]}}}
    with site(jira, write=True, project_roles=True, **options) as (connector, sandbox):
        list(connector.records())
        list(connector.events(NOW - 30 * DAY, None))
        connector.check()
        connector.account(bruno)
        connector.revoke_grant(ids(jira)["Ada"], admins)
        connector.restore_grant(ids(jira)["Ada"], admins)
        if not options:
            connector.deactivate(bruno)
            connector.reactivate(bruno)
            connector.suspend(bruno)
        requests = sandbox.requests
    assert len(requests) > 15
    # The trimmed specification of the organisation leaves out joining a group.
    assert SpecCheck("jira", free="/memberships$").problems(requests) == []
