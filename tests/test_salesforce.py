"""What is special about Salesforce: SOQL, frozen logins, blocks on deactivation, tokens bound to the My Domain."""

import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.kit.contract import Circumstances
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from connectors.salesforce import Salesforce
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.salesforce_tables import delete_token
from connectors.sandbox.serving import Sandbox
from connectors.sandbox.soql import SoqlError, parsed
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    IncompleteFeed,
    NotSupported,
    RateLimited,
    UnexpectedAnswer,
)
from governance.records import Reading
from governance.settings import ApplicationSettings
from tests.atlassian_site import SECRET, Read, ids
from tests.keys import private_key, public_key
from tests.mutations import mutations
from tests.sandbox_company import NOW, crowd, small_application
from tests.specs import SpecCheck

DAY = timedelta(days=1)
QUEUE, OUTER, ROLE, SET_GROUP, LICENCE, PROFILE = (
    "00G000000000007AAA", "00G000000000008AAA", "00E000000000001AAA", "0PG000000000001AAA", "0PL000000000001AAA",
    "00e000000000009AAA",
)  # fmt: skip


@pytest.fixture
def salesforce():
    return small_application("salesforce")


@contextlib.contextmanager
def organisation(application, *, write=False, faults=None, secrets=None, **options):
    with Sandbox([application]) as sandbox:
        if faults is not None:
            sandbox.faults[application.name] = faults
        held = secrets or {"token": application.token}
        if write:
            held = {"write_token": application.write_token, **held}
        table = {"base_url": sandbox.url(application.name), "client_id": "reader", **options}
        feed = ApplicationSettings(name="crm", connector="salesforce", **table, **dict.fromkeys(held, SECRET))
        given = Circumstances(NOW, Path("/nowhere"), held, write, 10.0, limit_share=1.0)
        with contextlib.closing(Salesforce(feed, given)) as connector:
            yield connector, sandbox


def read(application, **options):
    with organisation(application, **options) as (connector, _):
        return Read(application, connector)


def named(application, name):
    return next(e.id for e in application.entitlements.values() if e.name == name)


def give(application, given, one, name, kind="role", **more):
    """Let somebody hold something, a year ago."""
    application.entitlements[one] = SandboxEntitlement(one, name, kind, more.pop("privileged", False), more)
    application.grants = [*application.grants, SandboxGrant(ids(application)[given], one, NOW - 365 * DAY)]


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


class TestTokens:
    def test_an_expired_session_is_renewed_once(self, salesforce):
        faults = Faults(unauthorized=True, times=1, after=3, paths="/query")
        with organisation(salesforce, faults=faults) as (connector, sandbox):
            assert len(Read(salesforce, connector).accounts) == 11
            assert len([s for s in sandbox.requests if s.path.endswith("/token")]) == 2

    def test_and_not_twice(self, salesforce):
        faults = Faults(unauthorized=True, after=3, paths="/query")
        with organisation(salesforce, faults=faults) as (connector, sandbox):
            with pytest.raises(AuthenticationFailed):
                list(connector.records())
            assert len([s for s in sandbox.requests if s.path.endswith("/token")]) == 2

    @pytest.mark.parametrize(
        "instance",
        ["https://na1.salesforce.example", "http://127.0.0.1:9", "http://user@127.0.0.1", "//evil.example", "x", 7],
    )
    def test_a_token_for_another_address_is_not_used(self, salesforce, instance):
        salesforce.settings["instance_url"] = instance
        with organisation(salesforce) as (connector, sandbox):
            with pytest.raises(UnexpectedAnswer, match="My Domain"):
                list(connector.records())
            assert [s.path for s in sandbox.requests] == ["/services/oauth2/token"]

    def test_a_wrong_secret_is_named_by_the_code_of_the_endpoint(self, salesforce):
        with (
            organisation(salesforce, secrets={"token": "no-such-secret"}) as (connector, _),
            pytest.raises(AuthenticationFailed, match="invalid_client"),
        ):
            list(connector.records())

    def test_a_signed_assertion_instead_of_a_secret(self, salesforce):
        salesforce.settings["public_keys"] = {"reader": public_key("sf-reader"), "writer": public_key("sf-writer")}
        salesforce.settings["writers"] = ["writer"]
        secrets = {"token": private_key("sf-reader"), "write_token": private_key("sf-writer")}
        options = {"username": "backup.service@nwl.example", "write_client_id": "writer", "secrets": secrets}
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True, **options) as (connector, _):
            assert len(Read(salesforce, connector).accounts) == 11
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False

    @pytest.mark.parametrize("change", [{"username": "nobody@nwl.example"}, {"client_id": "stranger"},
                                        {"audience": "https://test.salesforce.com"}])  # fmt: skip
    def test_an_assertion_that_does_not_fit_gets_no_token(self, salesforce, change):
        salesforce.settings["public_keys"] = {"reader": public_key("sf-reader")}
        options = {"username": "ada.amaral@nwl.example", "secrets": {"token": private_key("sf-reader")}, **change}
        with organisation(salesforce, **options) as (connector, _), pytest.raises(AuthenticationFailed):
            list(connector.records())

    def test_a_key_without_a_username_is_a_setting_forgotten(self, salesforce):
        secrets = {"token": private_key("sf-reader")}
        with pytest.raises(ConfigurationError, match="username"), organisation(salesforce, secrets=secrets):
            pass


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


class TestSwitchingOff:
    def test_off_and_on(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.deactivate(bruno).answer == "204"
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    @pytest.mark.parametrize(
        ("vendor", "ours"),
        [
            ("You cannot deactivate a user who is the default owner of cases.", "Support Settings"),
            ("You cannot disable the Web to Lead Default Creator.", "Web-to-Lead"),
            ("You cannot deactivate the Default Workflow User", "Process Automation Settings"),
            ("This user is an approver in an approval process", "Approval Processes"),
            ("Something nobody has heard of", "Setup, Users says why"),
        ],
    )
    def test_what_cannot_be_deactivated_is_frozen_and_says_why(self, salesforce, vendor, ours):
        bruno = ids(salesforce)["Bruno"]
        salesforce.accounts[bruno].more["blocks"] = vendor
        with organisation(salesforce, write=True) as (connector, _):
            answer = connector.deactivate(bruno).answer
            assert "frozen, because it cannot be deactivated" in answer
            assert ours in answer
            assert vendor not in answer
            assert connector.account(bruno).active is False
            assert "already frozen" in connector.deactivate(bruno).answer
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    def test_frozen_and_thawed(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            connector.suspend(bruno)
            assert salesforce.accounts[bruno].status == "suspended"
            assert connector.suspend(bruno).answer == "already frozen"
            connector.reactivate(bruno)
            assert salesforce.accounts[bruno].status == "active"

    def test_somebody_frozen_and_deactivated_comes_back_whole(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            connector.suspend(bruno)
            connector.deactivate(bruno)
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    def test_without_a_free_licence_nobody_comes_back(self, salesforce):
        salesforce.settings["licences_left"] = 0
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="licence"):
            connector.reactivate(ids(salesforce)["Esra"])

    @pytest.mark.parametrize("verb", ["deactivate", "suspend"])
    def test_never_the_account_it_works_with(self, salesforce, verb):
        salesforce.settings["client_account"] = ids(salesforce)["Backup"]
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="itself"):
            getattr(connector, verb)(ids(salesforce)["Backup"])
        assert salesforce.accounts[ids(salesforce)["Backup"]].status == "active"

    @pytest.mark.parametrize("account_id", ["../x", "005' OR Id != '", "", "005000000000001", "a" * 18])
    def test_ids_cannot_lead_elsewhere(self, salesforce, account_id):
        before = salesforce.state()
        with (
            organisation(salesforce, write=True) as (connector, _),
            contextlib.suppress(NotSupported, UnexpectedAnswer),
        ):
            connector.deactivate(account_id)
        assert salesforce.state() == before

    def test_the_reading_client_alone_changes_nothing(self, salesforce):
        secrets = {"token": salesforce.token, "write_token": salesforce.token}
        with (
            organisation(salesforce, write=True, secrets=secrets) as (connector, _),
            pytest.raises(AuthenticationFailed),
        ):
            connector.deactivate(ids(salesforce)["Bruno"])
        assert salesforce.accounts[ids(salesforce)["Bruno"]].status == "active"


class TestGrants:
    @pytest.mark.parametrize(
        ("one", "kind"), [(SET_GROUP, "permission_set_group"), (QUEUE, "queue"), (LICENCE, "licence"), (ROLE, "role")]
    )
    def test_are_taken_and_given_back(self, salesforce, one, kind):
        give(salesforce, "Bruno", one, "Something", kind)
        bruno = ids(salesforce)["Bruno"]

        def holds():
            return any(g.entitlement_id == one for g in salesforce.held(bruno))

        with organisation(salesforce, write=True) as (connector, _):
            connector.revoke_grant(bruno, one)
            assert not holds()
            connector.revoke_grant(bruno, one)
            connector.restore_grant(bruno, one)
            assert holds()
            connector.restore_grant(bruno, one)
            assert len([g for g in salesforce.held(bruno) if g.entitlement_id == one]) == 1

    def test_a_profile_cannot_be_taken(self, salesforce):
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="exactly one"):
            connector.revoke_grant(ids(salesforce)["Bruno"], PROFILE)

    def test_what_is_held_through_another_group_is_not_taken(self, salesforce):
        give(salesforce, "Bruno", QUEUE, "Escalations", "queue", within=[OUTER])
        give(salesforce, "Gwen", OUTER, "All support", "group")
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.revoke_grant(ids(salesforce)["Bruno"], OUTER).answer == "not held directly"


class TestSessionsAndTokens:
    def test_sessions_end(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        salesforce.accounts[bruno].more["sessions"] = ["0Ak000000000001AAA", "0Ak000000000002AAA"]
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.end_sessions(bruno).answer == "2 sessions ended"
            assert salesforce.accounts[bruno].more["sessions"] == []
            assert connector.end_sessions(bruno).answer == "0 sessions ended"

    def test_oauth_tokens_are_listed_and_revoked_and_never_shown(self, salesforce, caplog):
        caplog.set_level(logging.DEBUG)
        ada = ids(salesforce)["Ada"]
        with organisation(salesforce, write=True) as (connector, _):
            [token] = connector.credentials(ada)
            assert (token.kind, token.name, token.last_used_at) == ("oauth_grant", "deploy", NOW - DAY)
            receipt = connector.revoke_credential(ada, token.credential_id)
            assert connector.credentials(ada) == []
            assert connector.revoke_credential(ada, token.credential_id).answer == "already gone"
        assert delete_token("cred-1") not in caplog.text + repr(token) + repr(receipt)

    def test_without_the_right_to_see_them_it_says_which_one(self, salesforce):
        salesforce.settings["unseen"] = ["OauthToken"]
        with organisation(salesforce) as (connector, _), pytest.raises(NotSupported, match="Customize Application"):
            connector.credentials(ids(salesforce)["Ada"])


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


class TestCheck:
    RIGHTS = ("PermissionsViewAllUsers", "PermissionsViewSetup", "PermissionsManageUsers", "PermissionsTwoFactorApi")

    def test_says_whom_it_acts_as_and_what_is_used(self, salesforce):
        give(salesforce, "Backup", "0PS000000000777AAA", "Integration", rights=self.RIGHTS)
        salesforce.revoke(ids(salesforce)["Backup"], named(salesforce, "Administrators"))
        salesforce.settings |= {"client_account": ids(salesforce)["Backup"], "api_used": 100}
        with organisation(salesforce) as (connector, _):
            checked = connector.check()
        assert checked.missing == checked.excess == ()
        assert "backup.service@nwl.example" in checked.notes[0]
        assert "of 15,000 requests are used today" in checked.notes[1]

    def test_says_what_is_missing_and_what_is_too_much(self, salesforce):
        salesforce.settings |= {"client_account": ids(salesforce)["Ada"], "scope": "api full refresh_token"}
        with organisation(salesforce) as (connector, _):
            checked = connector.check()
        assert [m.partition(":")[2].split(",")[0].strip() for m in checked.missing] == [
            "View All Users", "View Setup and Configuration", "Manage MFA in API",
        ]  # fmt: skip
        assert checked.excess == (
            "scope full", "scope refresh_token", "permission Modify All Data", "permission Author Apex",
        )  # fmt: skip

    def test_a_client_that_gets_no_token_is_an_error(self, salesforce):
        with (
            organisation(salesforce, secrets={"token": "wrong-secret"}) as (connector, _),
            pytest.raises(AuthenticationFailed),
        ):
            connector.check()


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
