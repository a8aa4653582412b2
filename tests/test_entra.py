"""Entra: what Microsoft Graph's own manners do to accounts, their last use and what they hold, over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import ConfigurationError, IncompleteFeed, UnexpectedAnswer
from tests.entra_directory import APP, GROUP, INNER, ROLE, Directory, checked_directory
from tests.sandbox_company import NOW


@pytest.fixture
def directory():
    with checked_directory() as made:
        yield made


class TestAccounts:
    def test_guests_resources_deleted_and_from_active_directory(self, directory):
        directory.people["bruno"].more["on_premises"] = True
        accounts, _, _, reading = directory.pulled()
        assert reading.kept == 12
        hana, jun, front = (accounts[directory.id(n)] for n in ("hana", "jun", "front"))
        assert (hana.kind, hana.email) == ("guest", "hana.hoshi@partner.example")
        assert (jun.active, jun.username) == (False, "jun.jung@nwl.example")  # deleted: its id came before the name
        assert front.kind == "shared"
        assert accounts[directory.id("esra")].active is False
        assert accounts[directory.id("bruno")].active is True

    def test_attributes(self, directory):
        account = directory.pulled()[0][directory.id("ada")]
        assert (account.display_name, account.department, account.employee_id) == ("Ada Amaral", "Sales", "E1000")
        assert account.created_at == NOW - timedelta(days=400)

    def test_of_another_account_is_not_believed(self, directory):
        with directory.connect() as connector, pytest.raises(UnexpectedAnswer):
            connector.account("ada.amaral@nwl.example")  # Graph takes a name for an id

    def test_gone_is_none_and_so_is_deleted(self, directory):
        with directory.connect() as connector:
            assert connector.account("00000000-0000-4000-8000-000000000000") is None
            assert connector.account(directory.id("jun")) is None

    def test_second_factors_are_those_registered(self, directory):
        accounts = directory.pulled()[0]
        told = {n: accounts[directory.id(n)].mfa for n in ("ada", "bruno", "esra", "chioma")}
        assert told == {
            "ada": True,
            "bruno": False,
            "esra": None,
            "chioma": None,
        }  # Esra is disabled: not in the report


def at(text):
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


# lastSignIn, lastNonInteractive, lastSuccessful, created, expected (None: unknown; "never"). The first three are those
# of CIPP-API pull request 1119.
ACTIVITY = [
    ("2024-02-08T14:06:29", "2023-10-25T11:53:05", "2024-01-03T11:53:51", "2022-01-01", "2024-01-03T11:53:51"),
    (None, "2024-03-12T16:24:34", "2024-03-12T16:24:34", "2022-01-01", "2024-03-12T16:24:34"),
    ("2023-11-01T17:24:13", "2024-04-01T01:47:23", "2024-04-01T01:47:23", "2022-01-01", "2024-04-01T01:47:23"),
    # A success is told: nothing else counts, however late the tries.
    ("2026-11-20T00:00:00", None, "2024-06-01T00:00:00", "2020-01-01", "2024-06-01T00:00:00"),
    (None, "2026-11-20T00:00:00", "2024-06-01T00:00:00", "2024-05-01", "2024-06-01T00:00:00"),
    ("2026-11-20T00:00:00", "2026-11-21T00:00:00", "2025-01-01T00:00:00", "2024-05-01", "2025-01-01T00:00:00"),
    (None, None, "2026-11-22T23:00:00", "2026-11-01", "2026-11-22T23:00:00"),
    # No success is told, and one would be: never.
    (None, None, None, "2024-01-01", "never"),
    ("2026-11-20T00:00:00", None, None, "2024-01-01", "never"),
    (None, "2026-11-20T00:00:00", None, "2023-12-01", "never"),
    ("2024-01-05T00:00:00", "2024-01-06T00:00:00", None, "2024-01-01", "never"),
    ("absent", "absent", "absent", "2024-01-01", "never"),
    ("absent", "absent", "absent", "2026-11-22", "never"),
    # None is told, but the account is older than the telling: a try before that bounds the last use ...
    ("2023-05-01T00:00:00", None, None, "2020-01-01", "2023-05-01T00:00:00"),
    (None, "2022-05-01T00:00:00", None, "2020-01-01", "2022-05-01T00:00:00"),
    ("2022-03-01T00:00:00", "2023-11-30T00:00:00", None, "2020-01-01", "2023-11-30T00:00:00"),
    ("2023-11-30T23:59:59", None, None, "2020-01-01", "2023-11-30T23:59:59"),
    # ... one after it does not, and neither does silence.
    ("2024-02-01T00:00:00", None, None, "2020-01-01", None),
    ("2023-05-01T00:00:00", "2026-11-20T00:00:00", None, "2020-01-01", None),
    (None, None, None, "2020-01-01", None),
    ("absent", "absent", "absent", "2020-01-01", None),
    ("absent", "absent", "absent", "2023-11-30", None),
    (None, None, "not a date", "2024-05-01", None),
]


@pytest.mark.parametrize(("tried", "silent", "success", "created", "expected"), ACTIVITY)
def test_last_use_is_a_success_never_or_unknown(tried, silent, success, created, expected):
    directory = Directory()
    ada = directory.people["ada"]
    ada.created_at, ada.last_seen_at = at(created), None
    if tried != "absent":
        names = ("lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime")
        ada.more["activity"] = {
            name: value and (value if " " in value else f"{value}Z")
            for name, value in zip(names, (tried, silent, success), strict=True)
        }
    with directory.sandbox:
        account = directory.pulled()[0][directory.id("ada")]
    assert account.last_seen_known is (expected is not None)
    assert account.last_seen_at == (None if expected == "never" else at(expected))


def test_there_are_three_samples_of_others_and_twenty_of_ours():
    assert len(ACTIVITY) == 23


class TestHoldings:
    def test_groups_inside_groups(self, directory):
        directory.holds(INNER, "Inner", "group", ["bruno"], groups=[GROUP])  # and a circle
        directory.holds(GROUP, "Outer", "group", ["ada"], groups=[INNER])
        _, _, grants, _ = directory.pulled()
        assert grants[directory.id("ada"), f"group:{GROUP}"].how == "direct"
        assert grants[directory.id("bruno"), f"group:{GROUP}"].how == "group"
        assert grants[directory.id("bruno"), f"group:{INNER}"].how == "direct"
        assert grants[directory.id("ada"), f"group:{INNER}"].how == "group"

    def test_roles_held_directly_through_a_group_over_a_part_and_to_be_taken_up(self, directory):
        directory.holds(ROLE, "User Administrator", "role", ["hana"], eligible=[directory.id("front")])
        directory.application.entitlements[ROLE].more["scope_of"] = {directory.id("hana"): "/administrativeUnits/u1"}
        directory.holds(GROUP, "Helpers", "group", ["bruno"], roles=[ROLE])
        accounts, entitlements, grants, _ = directory.pulled()
        assert grants[directory.id("bruno"), f"role:{ROLE}"].how == "group"
        assert (directory.id("hana"), f"role:{ROLE}@/administrativeUnits/u1") in grants
        assert grants[directory.id("front"), f"eligible:{ROLE}"].since == NOW
        assert entitlements[f"role:{ROLE}@/administrativeUnits/u1"].name == "User Administrator (part of the directory)"
        assert entitlements[f"eligible:{ROLE}"].name == "User Administrator (eligible)"
        assert {accounts[directory.id(n)].privileged for n in ("bruno", "hana", "front")} == {True}
        assert accounts[directory.id("chioma")].privileged is False
        with directory.connect() as connector:
            assert connector.account(directory.id("bruno")).privileged is True
            assert connector.account(directory.id("chioma")).privileged is False

    @pytest.mark.parametrize(
        ("name", "built_in", "privileged"),
        [("Global Administrator", True, True), ("Global Reader", True, True), ("Exchange Administrator", True, True),
         ("Message Center Reader", True, False), ("Our own role", False, None)],
    )  # fmt: skip
    def test_which_roles_are_privileged(self, directory, name, built_in, privileged):
        directory.holds(ROLE, name, "role", ["bruno"], built_in=built_in)
        _, entitlements, _, _ = directory.pulled()
        assert entitlements[f"role:{ROLE}"].privileged is privileged

    def test_a_member_that_is_no_object_is_passed_over(self, directory):
        told, met = directory.pulled()[2], []

        def odd(path, answer):
            if not path.endswith("/members"):
                return answer
            met.append(path)
            return answer | {"value": [*answer["value"], "odd", None, 7]}

        directory.sandbox.faults[directory.application.name] = Faults(mutate=odd)
        assert directory.pulled()[2] == told
        assert met

    def test_applications_open_to_direct_members_of_a_group_only(self, directory):
        directory.holds(APP, "Figma", "application", ["ada"], groups=[GROUP], app_roles={ROLE: "Editor"})
        directory.application.entitlements[APP].more["app_role_of"] = {directory.id("ada"): ROLE}
        directory.holds(GROUP, "Designers", "group", ["bruno"], groups=[INNER])
        directory.holds(INNER, "Interns", "group", ["hana"])
        _, entitlements, grants, _ = directory.pulled()
        assert entitlements[f"app:{APP}:{ROLE}"].name == "Figma: Editor"
        assert grants[directory.id("ada"), f"app:{APP}:{ROLE}"].how == "direct"
        assert grants[directory.id("ada"), f"app:{APP}:{ROLE}"].since == NOW
        assert grants[directory.id("bruno"), f"app:{APP}"].how == "group"
        assert (directory.id("hana"), f"app:{APP}") not in grants

    def test_applications_can_be_left_out(self, directory):
        directory.options["applications"] = False
        directory.pulled()
        assert directory.asked("/servicePrincipals") == []


def test_an_empty_directory_is_not_believed():
    directory = Directory()
    directory.application.accounts.clear()
    directory.application.grants.clear()
    with directory.sandbox, pytest.raises(IncompleteFeed):
        directory.pulled()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"page_size": 1000}, "page_size"),
        ({"base_url": "http://graph.example/v1.0/"}, "base_url"),
        ({"login_url": "https://192.168.0.1/"}, "login_url"),
        ({"tenant": ""}, "tenant"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_configuration_that_is_wrong_is_named(options, names):
    directory = Directory(**options)
    with directory.sandbox, pytest.raises(ConfigurationError, match=names), directory.connect():
        pass
