"""A role mapping out of what systems are set up to give: read over HTTP, as lines, as a draft that two people bring in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from reviews import CRM, PEOPLE

from connectors.kit import entra_mapping, okta_mapping
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxGrant
from governance import mappings
from governance.errors import AuthenticationFailed, ConfigurationError, DecisionError
from governance.mappings.importing import imported
from governance.provisioning import RoleMap
from governance.provisioning.written import document, sentence
from governance.records import Assigned, Configured, Offer
from governance.settings import ApplicationSettings
from jobs import home as running
from jobs import work
from mappings.workforces_mapped import mapped
from tests.atlassian_site import licensed_jira, site
from tests.entra_directory import Directory, checked_directory
from tests.homes import Home
from tests.okta_org import APP, GROUP, Org, checked_org
from tests.sandbox_company import NOW, named
from tests.specs import SpecCheck

CRM_THERE = ApplicationSettings(
    name="crm", title="Customer CRM", connector="app_csv", path="crm.csv", known_as=("CRM",)
)
GUID, TEAM, STAFF, SERVICE = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in (6, 7, 8, 9))
OTHER = GROUP[:-1] + "H"
NAMES = ("Finance User", "Sales User", "Reader")


def lines(told: Configured, names: tuple[str, ...] = NAMES) -> list[str]:
    return [f"{sentence(one)} → {', '.join(one.gives)}" for one in imported(told, RoleMap(), names).mapping.lines]


def set_up(org: Org) -> None:
    """Two groups assigned to the CRM with a role each, and what fills them."""
    org.holds(GROUP, "Sellers", "group", rule='user.department=="Sales" OR user.department == "Partner Sales"')
    org.holds(OTHER, "Finance", "group", rule='String.stringContains(user.title, "Controller")')
    org.holds(
        APP, "CRM", "application", groups={OTHER: {"role": "Finance User"}, GROUP: {"role": ["Sales User", "Reader"]}}
    )


class TestOkta:
    @pytest.fixture
    def org(self):
        with checked_org() as made:
            set_up(made)
            yield made

    def told(self, org: Org, application: ApplicationSettings = CRM_THERE) -> Configured:
        with org.connect(write=False) as connector:
            return connector.configured(application)

    def test_assigned_groups_give_what_their_profiles_name_in_the_order_of_their_priority(self, org):
        told = self.told(org)
        assert told.first
        assert lines(told) == [
            "groups is Finance → Finance User",
            "groups is Sellers → Sales User, Reader",
            "department is one of Sales, Partner Sales → Sales User, Reader",
        ]
        assert told.left_out == (
            'rule Fill Finance: `String.stringContains(user.title, "Controller")` is more than that an attribute known'
            " here has a value",
        )

    def test_who_is_assigned_alone_is_counted_and_becomes_no_line(self, org):
        org.application.grants += [SandboxGrant(org.id(name), APP, NOW, "direct") for name in ("ada", "bruno")]
        assert (
            "2 people are assigned alone, with values of their own: no line is about one person"
            in self.told(org).left_out
        )

    def test_a_rule_that_leaves_people_out_or_is_off_becomes_no_line(self, org):
        group = org.application.entitlements[GROUP]
        group.more["rule_leaves_out"] = [org.id("ada")]
        told = self.told(org)
        assert "rule Fill Sellers: it leaves out some people, and a line cannot" in told.left_out
        assert len(lines(told)) == 2
        group.more["rule_status"] = "INACTIVE"
        assert not any("Sellers" in said for said in self.told(org).left_out)

    def test_an_application_of_another_name_is_said_to_be_unknown(self, org):
        with pytest.raises(ConfigurationError, match="known_as of wiki"):
            self.told(org, ApplicationSettings(name="wiki", connector="app_csv", path="x"))

    @pytest.mark.parametrize("path", ["/apps$", "/groups/rules$"])
    def test_what_may_not_be_seen_is_said(self, org, path):
        org.settings["forbidden"] = path
        if path == "/apps$":
            with pytest.raises(AuthenticationFailed, match=r"okta\.apps\.read"):
                self.told(org)
        else:
            assert any("okta.groups.read" in said for said in self.told(org).left_out)

    @pytest.mark.parametrize(
        ("expression", "asked"),
        [
            ('user.department=="Sales"', ("department", ("Sales",))),
            ('(user.title == "Engineer") OR (user.title == "Lead")', ("title", ("Engineer", "Lead"))),
            ('user.department=="Sales" AND user.title=="Lead"', None),
            ('user.department=="Sales" OR user.title=="Lead"', None),
            ('user.division=="West"', None),
            ('user.department!="Sales"', None),
            ("", None),
        ],
    )
    def test_only_an_equality_of_a_known_attribute_is_a_line(self, expression, asked):
        assert okta_mapping.equality(expression) == asked


class TestEntra:
    @pytest.fixture
    def directory(self):
        with checked_directory() as made:
            made.holds(TEAM, "Finance Team", "group", rule='(user.department -eq "Finance")')
            made.holds(STAFF, "All Staff", "group", rule="user.accountEnabled -eq true")
            made.holds(
                SERVICE, "Customer CRM", "application", ["ada"], groups=[TEAM, STAFF],
                app_roles={GUID: "Finance User"}, app_role_of={TEAM: GUID},
            )  # fmt: skip
            yield made

    def told(self, directory: Directory) -> Configured:
        with directory.connect(write=False) as connector:
            return connector.configured(CRM_THERE)

    def test_groups_give_the_roles_they_are_assigned_with(self, directory):
        told = self.told(directory)
        assert not told.first
        assert lines(told) == ["groups is Finance Team → Finance User", "department is Finance → Finance User"]
        assert told.left_out == (
            "rule of group All Staff: `user.accountEnabled -eq true` is more than that an attribute known here has a"
            " value",
            "1 person is assigned alone: no line is about one person",
        )
        assert (
            "group All Staff: it opens the application, and what it gives there is not told"
            in imported(told, RoleMap(), NAMES).left_out
        )

    def test_a_rule_that_the_credential_may_not_see_is_said(self, directory):
        directory.application.entitlements[TEAM].more |= {"rule": None, "dynamic": True}
        told = self.told(directory)
        assert lines(told) == ["groups is Finance Team → Finance User"]
        assert "rule of group Finance Team: it cannot be seen" in told.left_out

    def test_without_the_right_to_see_groups_nothing_is_derived(self, directory):
        directory.settings["forbidden"] = "/groups$"
        with pytest.raises(AuthenticationFailed, match=r"GroupMember\.Read\.All"):
            self.told(directory)

    @pytest.mark.parametrize(
        ("rule", "asked"),
        [
            ('user.department -eq "Sales"', ("department", ("Sales",))),
            ('(user.jobTitle -eq "A") -or (user.jobTitle -eq "B")', ("title", ("A", "B"))),
            ('user.department -ne "Sales"', None),
            ('user.department -eq "Sales" -and user.country -eq "DE"', None),
            ('user.department -in ["Sales"]', None),
        ],
    )
    def test_only_an_equality_of_a_known_attribute_is_a_line(self, rule, asked):
        assert entra_mapping.equality(rule) == asked


class TestJira:
    def test_default_groups_become_the_default_and_lines_stay(self):
        jira = licensed_jira()
        jira.entitlements["jira-software"].more |= {"default_groups": [named(jira, "Everyone")], "by_default": True}
        with site(jira, org=False) as (connector, sandbox):
            own = ApplicationSettings(name="site", connector="jira", base_url="https://x.example", token={"env": "X"})
            told = connector.configured(own)
            assert SpecCheck("jira").problems(sandbox.requests) == []
            with pytest.raises(ConfigurationError, match="only what it gives itself"):
                connector.configured(CRM_THERE)
        live = mapped(({"department": "IT"}, ["Reader"]))
        made = imported(told, live, ("Everyone", "Jira Software"))
        assert (made.mapping.default, made.mapping.lines) == (("Everyone", "Jira Software"), live.lines)
        assert any("given to everybody new" in said for said in made.left_out)

    def test_of_a_product_that_must_be_asked_for_it_is_said(self):
        jira = licensed_jira()
        jira.entitlements["jira-software"].more["default_groups"] = [named(jira, "Everyone")]
        with site(jira, org=False) as (connector, _):
            told = connector.configured(connector.feed)
        assert (told.assigned, len(told.left_out)) == ((), 1)
        with pytest.raises(DecisionError, match="given only when it is asked for"):
            imported(told, RoleMap(), ("Everyone",))

    def test_without_the_right_it_is_refused(self):
        faults = Faults(forbidden=True, paths="applicationrole")
        with site(licensed_jira(), org=False, faults=faults) as (connector, _), pytest.raises(AuthenticationFailed):
            connector.configured(connector.feed)


class TestTranslating:
    def one(self, *offers: Offer) -> Configured:
        return Configured((Assigned("group A", "groups", ("A",), offers),))

    def test_case_and_blanks_of_a_name_do_not_count_and_the_name_here_is_written(self):
        assert lines(self.one(Offer("role", ("finance user ",)))) == ["groups is A → Finance User"]

    def test_what_surely_is_given_and_was_not_read_is_said(self):
        told = self.one(Offer("role “Owner”", ("Owner",)), Offer("role “Reader”", ("Reader",)))
        made = imported(told, RoleMap(), NAMES)
        assert made.left_out == ("group A: role “Owner” is no entitlement that was read",)
        assert made.mapping.lines[0].gives == ("Reader",)

    def test_where_no_entitlement_was_read_names_are_taken_as_they_are_called_there_but_not_guessed(self):
        told = self.one(Offer("role", ("crm.owner", "Owner")), Offer("its own", ("A",), guessed=True))
        assert lines(told, ()) == ["groups is A → crm.owner"]

    def test_nothing_at_all_is_refused_with_all_reasons(self):
        with pytest.raises(DecisionError, match="it opens the application"):
            imported(self.one(Offer("its own", ("A",), guessed=True)), RoleMap(), NAMES)

    def test_how_roles_are_updated_stays_as_it_is(self):
        live = mapped(({"department": "IT"}, ["Reader"]), updates="explicit", default=["Reader"])
        made = imported(self.one(Offer("role", ("Reader",))), live, NAMES).mapping
        assert (made.updates, made.default, made.matching) == ("explicit", ("Reader",), "all")


SETTINGS = """
[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
date_format = "%Y-%m-%d"

[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"

[[application]]
name = "org"
connector = "okta"
title = "Okta"
base_url = "{url}"
token = {{ env = "ORG_TOKEN" }}

[[actor]]
email = "sec@x.example"
roles = ["security"]
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A house that reads a CRM from a file, and an org whose group Sellers gives Seller there."""
    org = Org()
    org.holds(GROUP, "Sellers", "group", rule='user.department=="Sales"')
    org.holds(APP, "CRM", "application", groups={GROUP: {"role": "Seller"}})
    with org.sandbox:
        folder = tmp_path / "home"
        folder.mkdir()
        (folder / "leaverwatch.toml").write_text(SETTINGS.format(url=org.sandbox.url(org.application.name)))
        (folder / "hr.csv").write_text(PEOPLE)
        (folder / "crm.csv").write_text(CRM)
        monkeypatch.setenv("ORG_TOKEN", org.application.token)
        made = Home(folder)
        made.do("pull", "hr", "crm")
        made.do("detect")
        yield made


def test_from_the_command_line_it_is_a_draft_or_a_document(there: Home, tmp_path: Path) -> None:
    file = tmp_path / "read.json"
    assert "mapping diff crm" in there.do("mapping", "import", "crm", "--from", "org", "--into", str(file)).err
    expected = [
        {"when": {"groups": "Sellers"}, "gives": ["Seller"]},
        {"when": {"department": "Sales"}, "gives": ["Seller"]},
    ]
    assert json.loads(file.read_text())["lines"] == expected
    assert there.do("mapping", "import", "crm", "--from", "org", "--actor", "sec@x.example").out.strip() == "crm/1"
    assert there.do("mapping", "show", "crm", "--version", "1", "--format", "json").json["lines"] == expected
    assert (
        "does not tell what it gives"
        in there.run("mapping", "import", "crm", "--from", "crm", "--actor", "sec@x.example").err
    )


def test_what_a_page_asks_for_the_worker_reads_and_keeps_as_the_asking_actors_draft(there: Home) -> None:
    house = running.open_house(there.folder, os.environ, running.clock())
    running.announce(house, running.clock())
    actor = running.actor_named(house, "sec@x.example")
    with pytest.raises(DecisionError, match="does not tell what it gives"):
        mappings.ask_import(house, actor, running.clock(), "crm", "crm")
    request = mappings.ask_import(house, actor, running.clock(), "crm", "org")
    work.run(house, request.verb, request.arguments, request.actor, os.environ)
    [kept] = mappings.history(house, "crm")
    assert (kept.status, kept.actor, kept.reason) == ("draft", "sec@x.example", "read from org")
    assert kept.changes["imported"] == {"from": "org", "left_out": []}
    again = mappings.save(house, actor, running.clock(), "crm", mappings.mapping_of(kept))
    asked = mappings.ask(house, actor, running.clock(), again.id, "as it is set up", {"sentence": "x"})
    assert asked.changes == {"imported": {"from": "org", "left_out": []}, "sentence": "x"}
    assert document(mappings.mapping_of(asked))["matching"] == "first"
