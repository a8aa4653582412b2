"""Okta: what its own manners do to what is read and changed, over real HTTP."""

import contextlib
import dataclasses
from datetime import timedelta

import pytest

from connectors.kit.okta_check import READ_SCOPES, WRITE_SCOPES
from connectors.kit.okta_log import KINDS
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxCredential, SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    IncompleteFeed,
    NotSupported,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)
from governance.records import Account, Entitlement, Grant
from tests.keys import private_key, public_key
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.okta import TENANT

# Written by us, not in the trimmed specification; they are in Okta's whole one (management 2026.06).
BEYOND_THE_SPEC = {("PUT", "/groups/"), ("POST", "/apps/"), ("POST", "/roles")}
NEW_STATUSES = ("'ACTIVATING'", "'SOMETHING_NEW'")  # the first is in the documentation and not in the specification
GROUP, APP = "00g" + "G" * 17, "0oa" + "A" * 17


class Org:
    """The twelve in an Okta org, with a group that makes administrators and an application behind Okta."""

    def __init__(self, **options):
        self.application = small_application("okta", "org")
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.admins, self.everyone, self.contractors = self.application.entitlements
        self.options = options
        self.secrets = {"token": self.application.token, "write_token": self.application.write_token}
        self.sandbox = Sandbox([self.application])

    def connect(self, write=True, secrets=None, **given):
        options = {"mfa": "all", **self.options}
        tenant = dataclasses.replace(
            TENANT, options=lambda url: {"base_url": url, **options}, secrets=lambda _: secrets or self.secrets
        )
        return connected(tenant, self.sandbox, self.application, write=write, **given)

    def holds(self, entitlement_id, name, kind, holders=(), how="direct", **more):
        self.application.entitlements[entitlement_id] = SandboxEntitlement(entitlement_id, name, kind, more=more)
        self.application.grants += [SandboxGrant(self.id(h), entitlement_id, NOW, how) for h in holders]

    def id(self, name):
        return self.people[name].id

    def held(self, name):
        return {g.entitlement_id for g in self.application.held(self.id(name))}

    def pulled(self):
        with self.connect(write=False) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r for r in records if isinstance(r, Grant)},
            connector.reading,
        )

    def told(self, since=timedelta(days=30), mark=None):
        with self.connect(write=False) as connector:
            events = list(connector.events(NOW - since, mark))
        return events, connector.mark, connector.reading

    def asked(self, path, method="GET"):
        return [seen for seen in self.sandbox.requests if path in seen.path and seen.method == method]


@pytest.fixture
def org():
    made = Org()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        problems = SpecCheck("okta", free=TENANT.spec_free).problems(asked)
        assert [p for p in problems if not any(new in p for new in NEW_STATUSES)] == []


class TestAccounts:
    def test_deactivated_ones_are_asked_for_by_themselves(self, org):
        accounts, _, _, reading = org.pulled()
        lists = [seen.query.get("filter") for seen in org.asked("/users") if seen.path.endswith("/v1/users")]
        assert lists == [None, 'status eq "DEPROVISIONED"']
        assert accounts[org.id("esra")].active is False
        assert org.id("jun") not in accounts
        assert reading.rows_read == reading.kept == 11

    @pytest.mark.parametrize(
        ("status", "active"),
        [("ACTIVE", True), ("PASSWORD_EXPIRED", True), ("RECOVERY", True), ("LOCKED_OUT", True), ("STAGED", False),
         ("PROVISIONED", True), ("ACTIVATING", None), ("SOMETHING_NEW", None)],
    )  # fmt: skip
    def test_each_status_says_whether_one_can_sign_in(self, org, status, active):
        org.people["bruno"].more["status"] = status
        with org.connect() as connector:
            assert connector.account(org.id("bruno")).active is active

    def test_a_status_nobody_knows_is_counted(self, org):
        org.people["bruno"].more["status"] = "SOMETHING_NEW"
        org.sandbox.faults["org"] = Faults(paths="nothing")
        accounts, _, _, reading = org.pulled()
        assert accounts[org.id("bruno")].active is None
        assert any("SOMETHING_NEW" in note for note in reading.notes)

    def test_never_differs_from_unknown(self, org):
        accounts, _, _, _ = org.pulled()
        ada, chioma = accounts[org.id("ada")], accounts[org.id("chioma")]
        assert (ada.last_seen_at, ada.last_seen_known) == (NOW - timedelta(days=1), True)
        assert (chioma.last_seen_at, chioma.last_seen_known) == (None, True)

        def forget(path, data):
            return [{k: v for k, v in user.items() if k != "lastLogin"} for user in data] if "/users" in path else data

        org.sandbox.faults["org"] = Faults(mutate=forget, paths=r"/v1/users$")
        accounts, _, _, _ = org.pulled()
        assert {(a.last_seen_at, a.last_seen_known) for a in accounts.values()} == {(None, False)}

    def test_attributes(self, org):
        account = org.pulled()[0][org.id("ada")]
        assert (account.username, account.email) == ("ada.amaral@nwl.example", "ada.amaral@nwl.example")
        assert (account.display_name, account.department, account.employee_id) == ("Ada Amaral", "Sales", "E1000")
        assert account.created_at == NOW - timedelta(days=400)

    def test_of_another_account_is_not_believed(self, org):
        with org.connect() as connector, pytest.raises(UnexpectedAnswer):
            connector.account("ada.amaral@nwl.example")  # Okta takes a login for an id

    def test_gone(self, org):
        with org.connect() as connector:
            assert connector.account(org.id("jun")) is None


class TestSecondFactors:
    def test_all(self, org):
        accounts = org.pulled()[0]
        assert {n: accounts[org.id(n)].mfa for n in ("ada", "bruno", "gwen")} == {
            "ada": True, "bruno": None, "gwen": True,
        }  # fmt: skip  # Bruno is federated: his own provider may ask for one
        assert accounts[org.id("hana")].mfa is False
        assert accounts[org.id("esra")].mfa is None  # deactivated: not asked

    @pytest.mark.parametrize(("whose", "asked"), [("privileged", {"ada", "backup"}), ("none", set())])
    def test_of_some(self, org, whose, asked):
        org.options["mfa"] = whose
        _, _, _, reading = org.pulled()
        assert {seen.path.split("/")[-2] for seen in org.asked("/factors")} == {org.id(n) for n in asked}
        assert any(whose in note for note in reading.notes)

    def test_a_question_or_an_e_mail_is_none(self, org):
        def weaken(path, data):
            return [{**factor, "factorType": "question"} for factor in data]

        org.sandbox.faults["org"] = Faults(mutate=weaken, paths="/factors")
        assert org.pulled()[0][org.id("hana")].mfa is False

    def test_that_are_only_being_enrolled_are_none(self, org):
        def pending(path, data):
            return [{**factor, "status": "PENDING_ACTIVATION"} for factor in data]

        org.sandbox.faults["org"] = Faults(mutate=pending, paths="/factors")
        assert org.pulled()[0][org.id("gwen")].mfa is None  # she is federated
        org.people["gwen"].managed_by = "local"
        assert org.pulled()[0][org.id("gwen")].mfa is False


class TestHoldings:
    def test_groups_roles_and_applications_with_how_and_since(self, org):
        org.holds(APP, "Figma", "application", ["ada"])
        org.holds(APP[:-1] + "B", "Wiki", "licence", ["bruno"], how="group")
        _, entitlements, grants, _ = org.pulled()
        assert {e.kind for e in entitlements.values()} == {"role", "group", "application"}
        assert grants[org.id("ada"), APP].how == "direct"
        assert grants[org.id("ada"), APP].since == NOW
        assert grants[org.id("bruno"), APP[:-1] + "B"].how == "group"
        assert grants[org.id("ada"), org.admins].since == NOW - timedelta(days=300)
        assert grants[org.id("hana"), org.contractors].how == "direct"

    def test_a_group_gives_its_members_a_role(self, org):
        org.holds("rol" + "R" * 17, "Help Desk Administrator", "role", type="HELP_DESK_ADMIN")
        org.holds(GROUP, "Help desk", "group", ["bruno", "hana"], roles=["rol" + "R" * 17])
        accounts, entitlements, grants, _ = org.pulled()
        assert entitlements["HELP_DESK_ADMIN"].privileged is True
        assert grants[org.id("hana"), "HELP_DESK_ADMIN"].how == "group"
        assert accounts[org.id("hana")].privileged is True
        assert accounts[org.id("front")].privileged is False
        with org.connect() as connector:
            assert connector.account(org.id("hana")).privileged is True

    @pytest.mark.parametrize(
        ("kind", "rights", "privileged"),
        [("SUPER_ADMIN", None, True), ("READ_ONLY_ADMIN", None, True), ("REPORT_ADMIN", None, False),
         (None, ["okta.users.read"], False), (None, ["okta.users.read", "okta.users.credentials.manage"], True),
         (None, [], None)],
    )  # fmt: skip
    def test_which_roles_are_privileged(self, org, kind, rights, privileged):
        role = "cr0" + "C" * 17
        org.holds(role, "Some role", "role", ["bruno"], **({"type": kind} if kind else {"permissions": rights}))
        _, entitlements, _, _ = org.pulled()
        assert entitlements[kind or role].privileged is privileged

    def test_empty_groups_cost_no_request(self, org):
        org.holds(GROUP, "Nobody", "group")
        _, entitlements, _, _ = org.pulled()
        assert GROUP in entitlements
        assert org.asked(f"/groups/{GROUP}") == []

    @pytest.mark.parametrize(
        ("forbidden", "scope", "told"),
        [("/groups", "okta.groups.read", False), ("/iam/", "okta.roles.read", False), ("/apps", "okta.apps.read", True)],
    )  # fmt: skip
    def test_what_may_not_be_read_is_unknown_and_said(self, org, forbidden, scope, told):
        org.application.settings["forbidden"] = forbidden
        accounts, _, _, reading = org.pulled()
        assert len(accounts) == 11
        assert any(scope in note for note in reading.notes)
        assert accounts[org.id("front")].privileged is (False if told else None)

    @pytest.mark.parametrize(("refused", "whose"), [("users", "ada"), ("(users|groups)", "bruno")])
    def test_roles_that_only_some_answers_refuse_leave_nobody_unprivileged(self, org, refused, whose):
        org.holds("rol" + "R" * 17, "Help Desk Administrator", "role", type="HELP_DESK_ADMIN")
        org.holds(GROUP, "Help desk", "group", ["bruno"], roles=["rol" + "R" * 17])
        org.sandbox.faults["org"] = Faults(forbidden=True, paths=f"/api/v1/{refused}/[^/]+/roles")
        accounts, _, _, reading = org.pulled()
        assert any("roles of" in note and "unknown" in note for note in reading.notes)
        assert accounts[org.id(whose)].privileged is None

    def test_a_feature_that_is_refused_with_401_is_no_wrong_token(self, org):
        """As recorded: 401 E0000015, "You do not have permission to access the feature you are requesting"."""
        with org.connect(write=False) as connector:
            org.sandbox.faults["org"] = Faults(unauthorized=True, paths="/iam/")
            with pytest.raises(AuthenticationFailed):
                list(connector.records())

    def test_applications_can_be_left_out(self, org):
        org.holds(APP, "Figma", "application", ["ada"])
        org.options["applications"] = False
        _, entitlements, _, _ = org.pulled()
        assert APP not in entitlements
        assert org.asked("/apps") == []


class TestLettingBackIn:
    def test_is_said_of_providers_that_do_it(self, org):
        org.application.settings["idps"] = {
            "Partners": {"suspended": "UNSUSPEND", "deprovisioned": "REACTIVATE"}, "Staff": {},
        }  # fmt: skip
        expected = {
            "a suspended account is let back in when its owner signs in through Partners",
            "a deactivated account is let back in when its owner signs in through Partners",
        }
        assert set(org.pulled()[3].notes) == expected
        with org.connect() as connector:
            assert set(connector.check().notes) == expected


class TestTheLog:
    def test_kinds(self, org):
        org.application.events.clear()
        org.holds(APP, "Figma", "application")
        org.holds("rol" + "R" * 17, "Super Administrator", "role", type="SUPER_ADMIN")
        ada, bruno = org.id("ada"), org.id("bruno")
        at = NOW - timedelta(hours=1)
        for kind, target in (
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", org.contractors), ("granted", APP), ("granted", "rol" + "R" * 17), ("revoked", org.contractors),
            ("provisioned", "figma"), ("sso", "figma"), ("sign_in", None),
        ):  # fmt: skip
            org.application.record(kind, bruno, ada, at=at, target=target)
        org.application.record("sign_in_failed", bruno, bruno, at=at, success=False)
        org.application.record("sign_in_failed", None, None, at=at, success=False)
        events, _, reading = org.told()
        assert [(e.kind, e.target) for e in events] == [
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", org.contractors), ("granted", APP), ("granted", "SUPER_ADMIN"), ("revoked", org.contractors),
            ("provisioned", "figma"), ("sso", "figma"), ("sign_in", None), ("sign_in_failed", None),
            ("sign_in_failed", None),
        ]  # fmt: skip
        assert {e.account_id for e in events[:-1]} == {bruno}
        assert events[-1].account_id is None
        assert events[0].actor == ada
        assert [e.success for e in events[-3:]] == [True, False, False]
        assert {e.at for e in events} == {at}
        assert reading.notes == []

    def test_only_wanted_events_are_asked_for(self, org):
        org.told()
        [first, *_] = org.asked("/logs")
        assert all(f'"{name}"' in first.query["filter"] for name in KINDS)

    def test_goes_on_where_it_ended(self, org):
        first, mark, _ = org.told()
        again, same, _ = org.told(mark=mark)
        assert again == []
        new = org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        late = org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW - timedelta(days=3))
        second, later, _ = org.told(mark=same)
        assert [e.event_id for e in second] == [new.id, late.id]  # in the order they were kept, lost is none
        assert later != mark
        assert len(first) == 8

    def test_many_pages(self, org):
        for _ in range(2500):
            org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        events, mark, _ = org.told()
        assert len(events) == len({e.event_id for e in events}) == 2508
        assert org.told(mark=mark)[0] == []

    @pytest.mark.parametrize("mark", ["gone", "https://other.example/api/v1/logs?after=3", "no link at all"])
    def test_a_mark_that_leads_nowhere_counts_as_none(self, org, mark):
        if mark == "gone":
            _, mark, _ = org.told()
            org.sandbox.faults["org"] = Faults(fail_status=400, times=1, paths="/logs")
        events, _, _ = org.told(mark=mark)
        assert len(events) == 8

    def test_a_mark_for_other_events_counts_as_none(self, org):
        _, mark, _ = org.told()
        events, _, _ = org.told(mark=mark.replace("user.session.start", "user.session.end"))
        assert len(events) == 8

    def test_a_log_longer_than_the_time_is_read_in_several_goes(self, org):
        for _ in range(8000):
            org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        org.sandbox.faults["org"] = Faults(delay_s=0.5, paths="/logs")
        seen, mark, goes = [], None, 0
        while len(seen) < 8008:
            with org.connect(write=False, deadline_s=4.0) as connector:
                fresh = list(connector.events(NOW - timedelta(days=30), mark))
                mark = connector.mark
            assert fresh
            seen += [e.event_id for e in fresh]
            goes += 1
            if len(seen) < 8008:
                assert any("the log goes on" in note for note in connector.reading.notes)
        assert goes > 1
        assert len(set(seen)) == len(seen)

    def test_an_endless_page_ends(self, org):
        org.sandbox.faults["org"] = Faults(repeat_page=True, paths="/logs")
        with contextlib.suppress(IncompleteFeed):
            org.told()
        assert len(org.asked("/logs")) <= 3


class TestActing:
    def test_suspends_and_lets_back_in(self, org):
        with org.connect() as connector:
            connector.deactivate(org.id("ada"))
            assert org.people["ada"].status == "suspended"
            assert connector.deactivate(org.id("ada")).answer == "it is SUSPENDED already"
            connector.reactivate(org.id("ada"))
            assert org.people["ada"].status == "active"
            assert "already" in connector.reactivate(org.id("ada")).answer
        assert [seen.path.rpartition("/")[2] for seen in org.asked("/lifecycle/", "POST")] == ["suspend", "unsuspend"]

    def test_deactivates_for_good_only_where_it_is_told_to(self, org):
        org.options["deactivate_by"] = "deactivate"
        org.holds(APP, "Figma", "application", ["ada"])
        with org.connect() as connector:
            connector.deactivate(org.id("ada"))
            assert org.people["ada"].status == "deactivated"
            assert APP not in org.held("ada")
            assert connector.account(org.id("ada")).active is False
            connector.reactivate(org.id("ada"))
            assert org.people["ada"].status == "active"
            connector.suspend(org.id("ada"))
            assert org.people["ada"].status == "suspended"
        mailed = {seen.query.get("sendEmail") for seen in org.asked("activate", "POST")}
        assert mailed == {"false"}

    @pytest.mark.parametrize("name", ["gwen", "farid"])
    def test_who_is_not_active_cannot_be_suspended(self, org, name):
        with org.connect() as connector, pytest.raises(NotSupported, match="only accounts that are ACTIVE"):
            connector.deactivate(org.id(name))
        assert org.asked("", "POST") == []

    def test_gone(self, org):
        with org.connect() as connector:
            assert connector.deactivate(org.id("jun")).answer == "404, gone"
            with pytest.raises(NotSupported):
                connector.reactivate(org.id("jun"))

    def test_groups(self, org):
        with org.connect() as connector:
            connector.revoke_grant(org.id("hana"), org.contractors)
            assert org.contractors not in org.held("hana")
            connector.restore_grant(org.id("hana"), org.contractors)
            assert org.contractors in org.held("hana")
            with pytest.raises(NotSupported, match="Okta's own"):
                connector.revoke_grant(org.id("hana"), org.everyone)
            org.holds(GROUP, "From AD", "group", ["hana"], type="APP_GROUP")
            with pytest.raises(NotSupported, match="application it comes from"):
                connector.revoke_grant(org.id("hana"), GROUP)

    def test_applications(self, org):
        org.holds(APP, "Figma", "application", ["ada"])
        org.application.grants.append(SandboxGrant(org.id("bruno"), APP, NOW, "group"))
        with org.connect() as connector:
            connector.revoke_grant(org.id("ada"), APP)
            assert APP not in org.held("ada")
            connector.revoke_grant(org.id("ada"), APP)  # twice is the same as once
            connector.restore_grant(org.id("ada"), APP)
            assert APP in org.held("ada")
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(org.id("bruno"), APP)

    def test_roles(self, org):
        role = "rol" + "R" * 17
        org.holds(role, "Application Administrator", "role", ["bruno"], type="APP_ADMIN")
        with org.connect() as connector:
            connector.revoke_grant(org.id("bruno"), "APP_ADMIN")
            assert role not in org.held("bruno")
            assert "not held" in connector.revoke_grant(org.id("bruno"), "APP_ADMIN").answer
            connector.restore_grant(org.id("bruno"), "APP_ADMIN")
            connector.restore_grant(org.id("bruno"), "APP_ADMIN")
            assert role in org.held("bruno")
            connector.revoke_grant(org.id("ada"), org.admins)
            assert org.admins not in org.held("ada")
            with pytest.raises(NotSupported, match="set of resources"):
                connector.restore_grant(org.id("ada"), org.admins)
            org.holds(GROUP, "Helpers", "group", ["hana"], roles=[role])
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(org.id("hana"), "APP_ADMIN")

    def test_sessions_end_with_the_tokens_of_programs(self, org):
        with org.connect() as connector:
            connector.end_sessions(org.id("ada"))
        [seen] = org.asked("/sessions", "DELETE")
        assert seen.query == {"oauthTokens": "true"}
        assert "signed_out_at" in org.people["ada"].more

    def test_without_a_write_token_nothing_leaves(self, org):
        changes = ("deactivate", "reactivate", "suspend", "end_sessions")
        with org.connect(secrets={"token": org.application.token}) as connector:
            for change in changes:
                with pytest.raises(NotSupported):
                    getattr(connector, change)(org.id("ada"))
            with pytest.raises(NotSupported):
                connector.revoke_grant(org.id("ada"), org.admins)
        assert org.sandbox.requests == []

    def test_a_write_token_that_may_not_is_refused(self, org):
        secrets = {"token": org.application.token, "write_token": org.application.token}
        with org.connect(secrets=secrets) as connector, pytest.raises(AuthenticationFailed):
            connector.deactivate(org.id("ada"))


class TestCredentials:
    def test_tokens_and_consents_are_listed_and_withdrawn(self, org):
        org.application.credentials.append(
            SandboxCredential("oag1", org.id("ada"), "oauth_grant", "0oaClient", NOW - timedelta(days=9))
        )
        org.application.credentials[0].expires_at = NOW + timedelta(days=21)
        with org.connect() as connector:
            found = {c.credential_id: c for c in connector.credentials(org.id("ada"))}
            assert {i: c.kind for i, c in found.items()} == {"cred-1": "token", "oag1": "oauth_grant"}
            assert found["cred-1"].expires_at == NOW + timedelta(days=21)
            assert found["oag1"].name == "0oaClient: offline_access"
            for credential_id in found:
                connector.revoke_credential(org.id("ada"), credential_id)
            assert connector.credentials(org.id("ada")) == []
            assert connector.revoke_credential(org.id("ada"), "oag1").answer == "not there any more"
            assert len(connector.credentials(org.id("esra"))) == 1

    def test_where_neither_may_be_listed_nobody_can_tell(self, org):
        org.application.settings["forbidden"] = "/grants|/api-tokens"
        with org.connect() as connector, pytest.raises(Unavailable):
            connector.credentials(org.id("ada"))

    @pytest.mark.parametrize("closed", ["/grants", "/api-tokens"])
    def test_nobody_says_that_nothing_is_left_who_was_shown_only_a_part(self, org, closed):
        org.application.settings["forbidden"] = closed
        with org.connect() as connector, pytest.raises(Unavailable, match="whether any is left is unknown"):
            connector.credentials(org.id("farid"))


class TestChecking:
    def test_a_token_of_an_administrator_who_may_more(self, org):
        role = "rol" + "R" * 17
        org.holds(role, "Super Administrator", "role", ["ada"], type="SUPER_ADMIN")
        org.application.settings["owner"] = org.id("ada")
        with org.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ()
        assert "SUPER_ADMIN" in checked.excess
        assert any("ada.amaral@nwl.example" in note for note in checked.notes)

    def test_says_what_is_missing(self, org):
        org.application.settings["forbidden"] = "/logs|/api-tokens|/iam/"
        with org.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ("okta.roles.read", "okta.logs.read", "okta.apiTokens.read")
        assert {seen.method for seen in org.sandbox.requests} == {"GET"}

    @pytest.mark.parametrize("token", ["wrong-token", "org-read-token-but-longer"])
    def test_a_wrong_token(self, org, token):
        with org.connect(secrets={"token": token}) as connector, pytest.raises(AuthenticationFailed):
            connector.check()


class TestServiceApps:
    @pytest.fixture
    def apps(self, org):
        org.application.settings["clients"] = {
            "0oareader": {"key": public_key("okta-reader"), "scopes": list(READ_SCOPES)},
            "0oawriter": {"key": public_key("okta-writer"), "write": True, "scopes": list(WRITE_SCOPES)},
        }
        org.options |= {"client_id": "0oareader", "write_client_id": "0oawriter"}
        org.secrets = {"private_key": private_key("okta-reader"), "write_token": private_key("okta-writer")}
        return org

    def test_read_and_write_with_keys_of_their_own(self, apps):
        with apps.connect() as connector:
            assert len([r for r in connector.records() if isinstance(r, Account)]) == 11
            connector.deactivate(apps.id("ada"))
            assert connector.account(apps.id("ada")).active is False
        assert len(apps.asked("/token", "POST")) == 2  # a token is fetched once
        assert {s.credential for s in apps.sandbox.requests if "/lifecycle/" in s.path} == {"write_token"}

    def test_checked(self, apps):
        with apps.connect(write=False) as connector:
            checked = connector.check()
        assert (checked.missing, checked.excess) == ((), ())

    def test_scopes_missing_and_too_many(self, apps):
        apps.application.settings["clients"]["0oareader"]["scopes"] = ["okta.users.read", "okta.users.manage"]
        with apps.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == READ_SCOPES[1:]
        assert checked.excess == ("okta.users.manage",)

    def test_a_wrong_key(self, apps):
        apps.secrets["private_key"] = private_key("somebody-else")
        with apps.connect(write=False) as connector, pytest.raises(AuthenticationFailed, match="invalid_client"):
            connector.check()

    def test_no_key_at_all(self, apps):
        apps.secrets["private_key"] = "org-read-token"
        with pytest.raises(ConfigurationError, match="PEM"), apps.connect(write=False):
            pass

    def test_a_token_that_ends_is_fetched_anew(self, apps):
        apps.sandbox.faults["org"] = Faults(unauthorized=True, after=3, times=2, paths="/api/v1/")
        with apps.connect(write=False) as connector:
            assert len([r for r in connector.records() if isinstance(r, Account)]) == 11
        assert len(apps.asked("/token", "POST")) == 2


class TestRateLimits:
    def test_the_headers_of_each_answer_count_and_half_is_left_to_others(self, org):
        org.application.settings["rate_limit"] = 4
        org.sandbox = Sandbox([org.application])
        with org.sandbox, org.connect(write=False, limit_share=0.5, deadline_s=1.0) as connector:
            for name in ("ada", "bruno"):
                connector.credentials(org.id(name))
            with pytest.raises(RateLimited, match="50%"):
                connector.credentials(org.id("gwen"))
            assert len(org.asked("/grants")) == 2


@pytest.mark.parametrize(
    ("options", "secrets", "names"),
    [
        ({}, {}, "token"),
        ({"client_id": "0oa"}, {"token": "t"}, "private_key"),
        ({"page_size": 201}, {"token": "t"}, "page_size"),
        ({"page_size": True}, {"token": "t"}, "page_size"),
        ({"mfa": "some"}, {"token": "t"}, "mfa"),
        ({"deactivate_by": "delete"}, {"token": "t"}, "deactivate_by"),
        ({"base_url": "http://okta.example"}, {"token": "t"}, "base_url"),
        ({"base_url": "https://10.0.0.1/"}, {"token": "t"}, "base_url"),
        ({"org": "x"}, {"token": "t"}, "org"),
    ],
)
def test_configuration_that_is_wrong_is_named(options, secrets, names):
    org = Org(**options)
    with org.sandbox, pytest.raises(ConfigurationError, match=names), org.connect(secrets=secrets or {"x": ""}):
        pass
