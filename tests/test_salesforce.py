"""What is special about Salesforce's accounts: frozen logins, licences, what is held, pages, limits, changed rows."""

import contextlib

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import ConfigurationError, IncompleteFeed, RateLimited, UnexpectedAnswer
from tests.atlassian_site import Read, ids
from tests.mutations import mutations
from tests.salesforce_organisation import LICENCE, OUTER, PROFILE, QUEUE, ROLE, SET_GROUP, give, organisation, read
from tests.sandbox_company import DAY, NOW, crowd, named, small_application
from tests.specs import SpecCheck


@pytest.fixture
def salesforce():
    return small_application("salesforce")


class TestAccounts:
    def test_inactive_and_frozen_cannot_sign_in(self, salesforce):
        accounts = read(salesforce).accounts
        assert [accounts[g].active for g in ("Ada", "Dmitri", "Esra", "Farid", "Gwen", "Jun")] == [
            True, False, False, True, True, False,
        ]  # fmt: skip

    def test_without_the_right_to_see_frozen_logins_whoever_is_active_counts_as_able_to_sign_in(self, salesforce):
        salesforce.settings["unseen"] = ["UserLogin"]
        result = read(salesforce)
        assert [result.accounts[g].active for g in ("Ada", "Dmitri", "Esra")] == [True, True, False]
        assert any("Manage Users" in note for note in result.notes)

    def test_and_where_they_are_not_asked_for(self, salesforce):
        salesforce.settings["unseen"] = ["UserLogin"]
        result = read(salesforce, frozen=False)
        assert result.accounts["Dmitri"].active is True
        assert any("frozen accounts are not told apart" in note for note in result.notes)

    def test_last_use_is_a_date_or_never_but_of_programs_unknown(self, salesforce):
        accounts = read(salesforce).accounts
        assert (accounts["Ada"].last_seen_at, accounts["Ada"].last_seen_known) == (NOW - DAY, True)
        assert (accounts["Chioma"].last_seen_at, accounts["Chioma"].last_seen_known) == (None, True)
        assert (accounts["Backup"].last_seen_at, accounts["Backup"].last_seen_known) == (None, False)

    def test_a_missing_date_is_not_never(self, salesforce):
        def drop(path, data):
            for row in data.get("records", ()) if isinstance(data, dict) else ():
                row.pop("LastLoginDate", None)
            return data

        account = read(salesforce, faults=Faults(mutate=drop)).accounts["Chioma"]
        assert (account.last_seen_at, account.last_seen_known) == (None, False)

    def test_a_second_factor_that_is_not_here_may_be_at_the_identity_provider(self, salesforce):
        salesforce.accounts[ids(salesforce)["Chioma"]].mfa = False  # invited, signs in with a password
        accounts = read(salesforce).accounts
        assert (accounts["Ada"].mfa, accounts["Bruno"].mfa, accounts["Chioma"].mfa) == (True, None, False)

    def test_without_the_right_to_see_factors_mfa_is_unknown(self, salesforce):
        salesforce.settings["unseen"] = ["TwoFactorMethodsInfo"]
        result = read(salesforce)
        assert {a.mfa for a in result.accounts.values()} == {None}
        assert any("Manage MFA in API" in note for note in result.notes)

    def test_portal_licences_only_where_wanted(self, salesforce):
        assert "Hana" not in read(salesforce).accounts
        assert read(salesforce, portal=True).accounts["Hana"].kind == "guest"

    def test_kinds_come_from_licences(self, salesforce):
        accounts = read(salesforce).accounts
        assert [accounts[g].kind for g in ("Ada", "Backup", "Build", "Front")] == ["human", "service", "bot", "human"]

    def test_attributes_arrive(self, salesforce):
        account = read(salesforce).accounts["Ada"]
        assert (account.username, account.employee_id, account.external_id, account.department) == (
            "ada.amaral@nwl.example", "E1000", "ada.amaral@nwl.example", "Sales",
        )  # fmt: skip
        assert account.created_at == NOW - 400 * DAY


class TestWhatIsHeld:
    def test_permission_sets_since_when_and_whether_they_are_powerful(self, salesforce):
        result = read(salesforce)
        admins = named(salesforce, "Administrators")
        assert (result.entitlements[admins].kind, result.entitlements[admins].privileged) == ("permission_set", True)
        assert (result.accounts["Ada"].privileged, result.accounts["Bruno"].privileged) == (True, False)
        grant = next(g for g in result.records if getattr(g, "entitlement_id", "") == admins and hasattr(g, "since"))
        assert grant.since == NOW - 300 * DAY

    def test_profiles_roles_groups_queues_and_licences(self, salesforce):
        give(salesforce, "Bruno", PROFILE, "System Administrator", "profile", privileged=True)
        give(salesforce, "Bruno", ROLE, "VP Sales")
        give(salesforce, "Bruno", SET_GROUP, "Field sales", "permission_set_group", privileged=True)
        give(salesforce, "Bruno", QUEUE, "Escalations", "queue", within=[OUTER])
        give(salesforce, "Gwen", OUTER, "All support", "group")
        give(salesforce, "Bruno", LICENCE, "CRM Analytics", "licence")
        result = read(salesforce)
        held = {e: how for (who, e), how in result.held.items() if who == "Bruno"}
        assert held == {
            PROFILE: "direct", ROLE: "direct", SET_GROUP: "direct", QUEUE: "direct", OUTER: "group", LICENCE: "direct",
            named(salesforce, "Everyone"): "direct",
        }  # fmt: skip
        kinds = {e.entitlement_id: e.kind for e in result.entitlements.values()}
        assert [kinds[e] for e in (PROFILE, ROLE, SET_GROUP, QUEUE, OUTER, LICENCE)] == [
            "profile", "role", "permission_set_group", "queue", "group", "licence",
        ]  # fmt: skip
        assert result.entitlements[SET_GROUP].privileged is True
        assert result.accounts["Bruno"].privileged is True

    @pytest.mark.parametrize("unseen", ["Profile", "PermissionSet", "PermissionSetAssignment"])
    def test_what_may_not_be_seen_leaves_nobody_unprivileged(self, salesforce, unseen):
        salesforce.settings["unseen"] = [unseen]
        result = read(salesforce)
        assert result.accounts["Bruno"].privileged is None
        assert len(result.accounts) == 11
        assert any("may not be seen" in note for note in result.notes)

    def test_the_profile_is_told_by_the_account_where_the_table_is_not(self, salesforce):
        salesforce.settings["unseen"] = ["Profile"]
        result = read(salesforce)
        assert result.entitlements["00e000000000001AAA"].name == "Standard User"
        assert result.held["Bruno", "00e000000000001AAA"] == "direct"


class TestPages:
    @pytest.mark.parametrize("size", [1, 7, 50])
    def test_everybody_of_every_page(self, size):
        application = crowd("salesforce", 50)
        assert len(read(application, page_size=size).by_id) == 50

    def test_fewer_than_declared_are_not_believed(self):
        def lose(path, data):
            return {**data, "records": []} if "/query/" in path and data["records"] else data

        with pytest.raises(IncompleteFeed, match="declared"):
            read(crowd("salesforce", 50), page_size=20, faults=Faults(mutate=lose))

    def test_a_page_that_names_itself_as_the_next_ends_the_pull(self):
        application = crowd("salesforce", 50)

        def turn(path, data):
            if "totalSize" in data:
                data["done"], data["nextRecordsUrl"] = False, f"/{application.name}{path}"
            return data

        with organisation(application, page_size=20) as (connector, sandbox):
            sandbox.faults[application.name] = Faults(mutate=turn, paths="/query/")
            with pytest.raises(IncompleteFeed):
                list(connector.records())
            assert len([s for s in sandbox.requests if "/query/" in s.path]) <= 4

    def test_the_requests_of_a_pull_do_not_grow_with_the_accounts(self):
        def asked(count):
            application = crowd("salesforce", count)
            with organisation(application) as (connector, sandbox):
                list(connector.records())
                return len(sandbox.requests)

        assert asked(10) == asked(1500)


class TestSchemas:
    def test_changed_rows_of_accounts_and_logins_give_no_wrong_state(self):
        application = crowd("salesforce", 24)
        for number, account in enumerate(application.accounts.values()):
            application.set_status(account.id, ("active", "deactivated", "suspended")[number % 3])
        honest = {i: a.active for i, a in read(application).by_id.items()}
        tried, wrong = 0, []
        for table in ("User", "UserLogin"):
            for mutation in mutations(seed=table, paths="/query"):

                def change(path, data, mutation=mutation, table=table):
                    rows = data.get("records") if isinstance(data, dict) else None
                    mine = rows and rows[0].get("attributes", {}).get("type") == table
                    return mutation.apply(path, data) if mine else data

                with organisation(application, faults=Faults(mutate=change)) as (connector, _):
                    found = {}
                    with contextlib.suppress(UnexpectedAnswer, IncompleteFeed):
                        found = Read(application, connector).by_id
                tried += mutation.tried
                for one, account in found.items():
                    if one in honest and account.active not in (honest[one], None) and not mutation.excuses(one):
                        wrong.append((one, account.active, mutation.done))
                if tried >= 100 * (1 + (table == "UserLogin")):
                    break
        assert tried >= 200
        assert wrong == []

    def test_a_frozen_login_of_nobody_leaves_everybody_s_state_open(self, salesforce):
        def spoil(path, data):
            for row in data.get("records", ()) if isinstance(data, dict) else ():
                if row["attributes"]["type"] == "UserLogin":
                    row["UserId"] = None
            return data

        accounts = read(salesforce, faults=Faults(mutate=spoil)).accounts
        assert (accounts["Ada"].active, accounts["Esra"].active) == (None, False)


class TestLimits:
    def test_used_of_limit_and_the_last_of_it_is_left_to_others(self, salesforce):
        salesforce.settings |= {"api_used": 14_250, "api_limit": 15_000}
        with organisation(salesforce) as (connector, _), pytest.raises(RateLimited, match="left to others"):
            list(connector.records())

    def test_plenty_left_is_no_reason_to_stop(self, salesforce):
        salesforce.settings |= {"api_used": 10_000, "api_limit": 15_000}
        assert len(read(salesforce).accounts) == 11

    def test_over_the_quota_is_a_limit_and_no_missing_right(self, salesforce):
        salesforce.settings |= {"api_used": 15_000, "api_limit": 15_000}
        with organisation(salesforce) as (connector, _), pytest.raises(RateLimited, match="used up"):
            list(connector.records())


def test_requests_and_answers_fit_the_specification(salesforce):
    give(salesforce, "Bruno", ROLE, "VP Sales")
    with organisation(salesforce, write=True) as (connector, sandbox):
        list(connector.records())
        list(connector.events(NOW - 30 * DAY, None))
        connector.deactivate(ids(salesforce)["Bruno"])
        connector.suspend(ids(salesforce)["Gwen"])
        connector.revoke_grant(ids(salesforce)["Ada"], named(salesforce, "Administrators"))
        requests = sandbox.requests
    assert len(requests) > 20
    assert SpecCheck("salesforce").problems(requests) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"page_size": 5000}, "page_size"),
        ({"page_size": True}, "page_size"),
        ({"base_url": "http://x.example/"}, "http"),
    ],
)
def test_wrong_settings_are_named(salesforce, options, words):
    with pytest.raises(ConfigurationError, match=words), organisation(salesforce, **options):
        pass
