"""Reading the folder and the environment: settings and where they came from, secrets, connectors, declarations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import NOW, MakeHouse
from sqlmodel import select

from connectors.kit.contract import connector_names
from governance import secrets
from governance.access import Actor
from governance.errors import ConfigurationError, NotAllowed
from governance.tables import AuditEntry, Connector
from jobs import home
from jobs.declarations import declaration, declare_missing
from jobs.pull import pull
from jobs.routes import readiness

FEEDS = """
[[source]]
name = "hr"
connector = "hr_csv"
path = "feeds/hr.csv"

[[application]]
name = "crm-eu"
connector = "app_csv"
path = "feeds/crm.csv"
"""
SCIM = """
[[application]]
name = "wiki"
connector = "scim"
base_url = "http://127.0.0.1:1/scim/v2/"
token = { env = "WIKI_TOKEN" }
write_token = { env = "WIKI_WRITE" }
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "leaverwatch.toml").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, text: str, **environ: str):
    return home.read_settings(write(folder, text), environ)


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(folder, text, **environ)
    return str(refused.value)


class TestFindingTheHome:
    def test_is_the_folder_the_environment_names(self, tmp_path):
        assert home.find_home({"LEAVERWATCH_HOME": str(tmp_path)}) == tmp_path

    def test_is_a_folder_beside_where_one_stands_when_nothing_is_said(self):
        assert home.find_home({}) == Path.cwd() / ".leaverwatch"

    def test_without_a_file_says_what_to_do(self, tmp_path):
        with pytest.raises(ConfigurationError, match="leaverwatch init"):
            home.read_settings(tmp_path, {})


class TestOverrides:
    def test_change_a_value_and_say_where_it_came_from(self, tmp_path):
        settings, origin = read(tmp_path, "[policy]\nstale_days = 60\n", LEAVERWATCH_POLICY__STALE_DAYS="45")
        assert settings.policy.stale_days == 45
        assert origin["policy.stale_days"] == "LEAVERWATCH_POLICY__STALE_DAYS"

    def test_set_what_the_file_does_not_mention(self, tmp_path):
        settings, _ = read(tmp_path, "", LEAVERWATCH_ACT__ENABLED="true", LEAVERWATCH_POLICY__LEAVER_GRACE="12h")
        assert settings.act.enabled is True
        assert settings.policy.leaver_grace.total_seconds() == 12 * 3600

    def test_name_a_feed_whatever_its_hyphens(self, tmp_path):
        settings, origin = read(tmp_path, FEEDS, LEAVERWATCH_APPLICATION__CRM_EU__PATH="/elsewhere.csv")
        assert settings.feed("crm-eu").options["path"] == "/elsewhere.csv"
        assert origin["application.crm-eu.path"] == "LEAVERWATCH_APPLICATION__CRM_EU__PATH"

    def test_take_a_date_or_path_as_text(self, tmp_path):
        settings, _ = read(tmp_path, FEEDS, LEAVERWATCH_SOURCE__HR__PATH="2026-03-31")
        assert settings.feed("hr").options["path"] == "2026-03-31"

    @pytest.mark.parametrize(
        ("variable", "says"),
        [
            ("LEAVERWATCH_POLICY_STALE_DAYS", "expected LEAVERWATCH_POLICY__STALE_DAYS"),
            ("LEAVERWATCH_APPLICATION__NOPE__PATH", "no entry named 'nope'"),
            ("LEAVERWATCH_POLICY__STALE_DAYZ", "LEAVERWATCH_POLICY__STALE_DAYZ: policy.stale_dayz"),
        ],
    )
    def test_that_would_have_no_effect_are_refused(self, tmp_path, variable, says):
        assert says in refusal(tmp_path, FEEDS, **{variable: "45"})

    def test_name_the_variable_that_holds_a_wrong_value(self, tmp_path):
        said = refusal(tmp_path, "[policy]\nstale_days = 60\n", LEAVERWATCH_POLICY__STALE_DAYS="soon")
        assert said.startswith("LEAVERWATCH_POLICY__STALE_DAYS: policy.stale_days")

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("LEAVERWATCH_POLICYY__STALE_DAYS", "45"),
            ("LEAVERWATCH_NOTIFY__ADDRESS", "nowhere"),
            ("LEAVERWATCH_NOTIFY__CHANNEL__MAIL__URL", "x"),
            ("LEAVERWATCH_ROLE_MAPPING__1__GIVES", "x"),
            ("LEAVERWATCH___X", "1"),
        ],
    )
    def test_name_the_variable_where_the_table_is_what_is_wrong(self, tmp_path, variable, value):
        assert refusal(tmp_path, FEEDS, **{variable: value}).startswith(f"{variable}: ")

    def test_name_the_variable_beside_the_line_where_both_may_be_wrong(self, tmp_path):
        said = refusal(tmp_path, "[reviews]\ndays = 5\n", LEAVERWATCH_REVIEWS__MICRO="['move']")
        assert f"{tmp_path / 'leaverwatch.toml'}:1: reviews: " in said
        assert said.endswith("(set in the environment: LEAVERWATCH_REVIEWS__MICRO)")

    @pytest.mark.parametrize(
        ("key", "value"),
        [("TIME_ZONE", "Mars/X"), ("COLOUR", "red"), ("VALUES__STATUS__A", "gone"), ("PASSWORD", "s3cr3t")],
    )
    def test_name_the_variable_that_a_connector_cannot_use(self, tmp_path, key, value):
        environ = {(variable := f"LEAVERWATCH_SOURCE__HR__{key}"): value}
        house = home.open_house(write(tmp_path, FEEDS), environ, NOW)
        with pytest.raises(ConfigurationError) as refused:
            home.connect(house, "hr", NOW, environ=environ)
        assert str(refused.value).startswith(f"{variable}: ")
        assert "s3cr3t" not in str(refused.value)

    def test_name_the_variable_that_says_where_snapshots_lie(self, tmp_path):
        with pytest.raises(ConfigurationError, match=r"^LEAVERWATCH_SNAPSHOTS__URL: snapshots.url: expected a folder"):
            home.open_house(write(tmp_path, FEEDS), {"LEAVERWATCH_SNAPSHOTS__URL": "s3://bucket"}, NOW)

    def test_leave_alone_variables_that_hold_secrets(self, tmp_path):
        text = '[store]\nurl = { env = "LEAVERWATCH_STORE_ADDRESS" }\n'
        settings, _ = read(tmp_path, text, LEAVERWATCH_STORE_ADDRESS="sqlite:///elsewhere.db")
        assert settings.store.url.env == "LEAVERWATCH_STORE_ADDRESS"


class TestErrorsNameFileAndLine:
    @pytest.mark.parametrize(
        ("text", "line", "says"),
        [
            ("[policy]\n\nstale_days = 'long'\n", 3, "policy.stale_days"),
            ("[act]\nenabled = true\nmax_pr_run = 2\n", 3, "not known here"),
            (FEEDS + "every = '0s'\n", 11, "application.0.every: expected more than nothing"),
            (FEEDS + "\n[[source]]\nname = 'Über'\nconnector = 'hr_csv'\n", 13, "source.1.name"),
            ("[[application]]\nname = 'crm'\n", 1, "application.0.connector"),
            ("[store]\nurl = sqlite\n", 2, "not TOML"),
            ("[store]\nurl = '''", 2, "not TOML"),
        ],
    )
    def test_of_the_mistake(self, tmp_path, text, line, says):
        said = refusal(tmp_path, text)
        assert f"{tmp_path / 'leaverwatch.toml'}:{line}: " in said
        assert says in said

    def test_of_text_that_is_not_utf8(self, tmp_path):
        (tmp_path / "leaverwatch.toml").write_bytes(b"[act]\n# caf\xe9\n")
        with pytest.raises(ConfigurationError, match=re.escape("leaverwatch.toml:2: expected UTF-8")):
            home.read_settings(tmp_path, {})

    def test_and_every_key_has_its_line_as_origin(self, tmp_path):
        _, origin = read(tmp_path, FEEDS)
        file = tmp_path / "leaverwatch.toml"
        assert origin["source.hr.path"] == f"{file}:5"
        assert origin["application.crm-eu.connector"] == f"{file}:9"
        assert "source" not in origin


class TestSecrets:
    def connect(self, folder: Path, text: str, write_access: bool = False, **environ: str):
        house = home.open_house(write(folder, text), environ, NOW)
        try:
            return home.connect(house, "wiki", NOW, write=write_access, environ=environ)
        finally:
            house.store.close()

    def test_come_from_the_environment(self, tmp_path):
        connector = self.connect(tmp_path, SCIM, WIKI_TOKEN="r", WIKI_WRITE="w")
        assert dict(connector.given.secrets) == {"token": "r"}

    def test_come_from_a_file(self, tmp_path):
        (tmp_path / "wiki.token").write_text("from-file\n")
        connector = self.connect(
            tmp_path, SCIM.replace('token = { env = "WIKI_TOKEN" }', 'token = { file = "wiki.token" }')
        )
        assert connector.given.secrets["token"] == "from-file"

    def test_come_sealed_from_the_store(self, tmp_path):
        text = SCIM.replace('{ env = "WIKI_TOKEN" }', '{ store = "wiki" }')
        house = home.open_house(write(tmp_path, text), {}, NOW)
        admin = Actor(email="t@example.com", name="T", roles=frozenset({"admin"}))
        secrets.put(house, admin, NOW, "wiki", "from-store")
        assert home.connect(house, "wiki", NOW, environ={}).given.secrets["token"] == "from-store"
        house.store.close()

    @pytest.mark.parametrize(
        ("given", "environ", "says"),
        [
            ('"s3cr3t"', {}, "a secret is never written here"),
            ('{ env = "WIKI_TOKEN" }', {}, "WIKI_TOKEN is empty or not set"),
            ('{ file = "absent" }', {}, "cannot be read"),
            ('{ env = "A", file = "B" }', {"A": "s3cr3t"}, "exactly one of"),
        ],
    )
    def test_that_are_missing_or_plain_are_refused_without_being_said(self, tmp_path, given, environ, says):
        text = SCIM.replace('token = { env = "WIKI_TOKEN" }', f"token = {given}", 1)
        with pytest.raises(ConfigurationError, match=re.escape(says)) as refused:
            self.connect(tmp_path, text, **environ)
        assert "s3cr3t" not in str(refused.value)

    @pytest.mark.parametrize(
        ("act", "asked", "may"),
        [
            ("", True, False),
            ("[act]\nenabled = true\n", True, True),
            ("[act]\nenabled = true\n", False, False),
        ],
    )
    def test_write_access_needs_act_enabled_and_the_asking(self, tmp_path, act, asked, may):
        connector = self.connect(tmp_path, act + SCIM, asked, WIKI_TOKEN="r", WIKI_WRITE="w")
        assert connector.given.write is may
        assert ("write_token" in connector.given.secrets) is may

    def test_write_access_needs_a_write_credential(self, tmp_path):
        text = "[act]\nenabled = true\n" + SCIM.replace('write_token = { env = "WIKI_WRITE" }\n', "")
        assert self.connect(tmp_path, text, True, WIKI_TOKEN="r").given.write is False

    def test_the_address_of_the_store_may_be_one(self, tmp_path):
        text = '[store]\nurl = { env = "LEAVERWATCH_DATABASE" }\n'
        house = home.open_house(write(tmp_path, text), {"LEAVERWATCH_DATABASE": "sqlite:///other.db"}, NOW)
        house.store.close()
        assert (tmp_path / "other.db").exists()


class TestAnnouncing:
    def test_writes_what_connectors_declare_once(self, make_house: MakeHouse):
        house = make_house()
        home.announce(house, NOW)
        home.announce(house, NOW)
        with house.store.read() as session:
            rows = {row.name: row for row in session.exec(select(Connector))}
        assert {"hr_csv", "app_csv"} <= set(rows)
        assert rows["hr_csv"].kind == "source"
        assert "path" in {field["name"] for field in rows["hr_csv"].fields}

    def test_declares_those_that_are_missing_and_leaves_what_no_connector_is_called(self, make_house: MakeHouse):
        house = make_house()
        assert [declare_missing(house, names) for names in (["hr_csv", "fax"], ["hr_csv"], ["fax"])] == [
            True,
            False,
            False,
        ]
        with house.store.read() as session:
            assert [row.name for row in session.exec(select(Connector))] == ["hr_csv"]
        home.announce(house, NOW)
        with house.store.read() as session:
            assert len(session.exec(select(Connector)).all()) == len(connector_names())

    def test_a_pull_puts_right_what_an_earlier_version_declared_and_adds_none(self, make_house: MakeHouse):
        fax = {"name": "fax", "connector": "fax"}
        house = make_house({"application": [{"name": "crm", "connector": "app_csv", "path": "crm.csv"}, fax]})
        home.announce(house, NOW)
        with house.store.write() as session:
            for row in session.exec(select(Connector)):
                if row.name == "app_csv":
                    row.tells, row.title = [], "Files"
                elif row.name != "hr_csv":
                    session.delete(row)
        assert {result.status for result in pull(house, [], NOW)} == {"failed"}, "there is neither a file nor a fax"
        with house.store.read() as session:
            rows = {row.name: row.model_dump() for row in session.exec(select(Connector))}
        assert rows == {name: declaration(name).model_dump() for name in ("app_csv", "hr_csv")}

    def entries(self, house):
        with house.store.read() as session:
            return [entry.reason for entry in session.exec(select(AuditEntry).where(AuditEntry.object == "act"))]

    def test_audits_a_change_of_act_and_only_a_change(self, make_house: MakeHouse):
        off = make_house()
        home.announce(off, NOW)
        assert self.entries(off) == []
        on = make_house({"act": {"enabled": True}})
        for _ in range(2):
            home.announce(on, NOW)
        assert len(self.entries(on)) == 1
        home.announce(make_house({"act": {"enabled": True, "max_per_run": 500}}), NOW)
        home.announce(off, NOW)
        said = self.entries(off)
        assert [line.split(",")[0] for line in said] == ["enabled = true", "enabled = true", "enabled = false"]
        assert "max_per_run = 500" in said[1]


def test_the_clock_tells_utc():
    assert home.clock().utcoffset().total_seconds() == 0


def test_an_unknown_actor_is_not_allowed(make_house: MakeHouse):
    with pytest.raises(NotAllowed):
        home.actor_named(make_house(), "nobody@example.com")


class TestReadiness:
    def test_is_told_without_telling_anything_else(self, make_house: MakeHouse):
        assert (readiness(None).status_code, readiness(make_house()).status_code) == (503, 200)

    def test_is_denied_when_the_store_cannot_be_read(self, make_house: MakeHouse, tmp_path):
        house = make_house()
        house.store.close()
        for file in tmp_path.glob("leaverwatch.db*"):
            file.write_bytes(b"broken" * 1000)
        answer = readiness(house)
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.body.decode()


@pytest.mark.parametrize("url", ["s3://bucket/snapshots", "gs://bucket", "abfss://c@a.dfs.core.windows.net/x"])
def test_an_object_store_for_snapshots_is_refused_and_a_folder_of_any_name_is_not(tmp_path, url):
    file = tmp_path / "leaverwatch.toml"
    file.write_text(f'[snapshots]\nurl = "{url}"\n')
    with pytest.raises(
        ConfigurationError, match=r"snapshots\.url: expected a folder, not \w+://…; object stores are not"
    ):
        home.open_house(tmp_path, {}, home.clock())
    for shared in (f"file://{tmp_path}/shared", f"{tmp_path}/shared"):
        file.write_text(f'[snapshots]\nurl = "{shared}"\n')
        house = home.open_house(tmp_path, {}, home.clock())
        assert house.snapshots == tmp_path / "shared"
        house.store.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\nstale_days = 1000000000000000000\n", "policy.stale_days"),
        ("[policy]\nmost_privileged = 100000000000000000000\n", "policy.most_privileged"),
        ('[policy]\nleaver_grace = "999999d"\n', "policy.leaver_grace: expected at most 100000d"),
        ('[policy]\nleaver_grace = "99999999999999999999d"\n', "policy.leaver_grace: expected at most 100000d"),
        ('[policy]\nleaver_grace = "9999999999d"\n', "policy.leaver_grace: expected at most 100000d"),
        ("[snapshots]\nkeep_days = 1000000000\n", "snapshots.keep_days"),
        (FEEDS + '[[policy.override]]\napplication = "cmr"\nstale_days = 30\n', "'cmr', which is not configured"),
        (FEEDS + '[[policy.override]]\nkind = "contractor"\nstale_days = 30\n', "policy.override.0.kind"),
        (FEEDS.replace("crm-eu", "estates"), "no feed can be named 'estates'"),
    ],
)
def test_what_would_be_miscounted_overlooked_or_lost_is_refused(tmp_path, text, says):
    assert says in refusal(tmp_path / "home", text)


def test_never_may_be_written_as_many_years(tmp_path):
    settings, _ = read(tmp_path / "home", '[policy]\nstale_days = 99999\nleaver_grace = "100000d"\n')
    assert settings.policy.stale_days == 99_999
    assert NOW - settings.policy.leaver_grace < NOW
