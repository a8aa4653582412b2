"""Okta: what its own manners do to accounts, second factors and what is held, over real HTTP."""

from datetime import timedelta

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer
from tests.okta_org import APP, GROUP, Org, checked_org
from tests.sandbox_company import NOW


@pytest.fixture
def org():
    with checked_org() as made:
        yield made


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

    def test_whether_a_sign_in_lets_closed_accounts_back_in_is_told_as_a_setting(self, org):
        org.application.settings["idps"] = {
            "Partners": {"suspended": "NONE", "deprovisioned": "REACTIVATE"}, "Staff": {},
        }  # fmt: skip
        with org.connect() as connector:
            told = [e for e in connector.events(NOW - timedelta(days=1), None) if e.kind == "setting"]
        assert {(e.actor, e.success, e.target) for e in told} == {
            ("Partners", True, "lets_closed_back_in"), ("Partners", False, "lets_closed_back_in"),
            ("Staff", False, "lets_closed_back_in"),
        }  # fmt: skip
        assert len({e.event_id for e in told}) == len(told) == 4


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
