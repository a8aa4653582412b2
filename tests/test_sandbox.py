"""The demo's SCIM server over real HTTP, its manners, and the invented company."""

import csv
import json
import stat
import time
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from connectors.sandbox.company import build
from connectors.sandbox.directory import EXTENSION, PATCH_OP
from connectors.sandbox.manners import Manners
from connectors.sandbox.scim_server import ScimSandbox, serve
from governance import settings

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
PEOPLE = [
    {"userName": f"p{n}@nwl.example", "externalId": f"e{n}", "displayName": f"P {n}", "active": n != 3}
    for n in range(1, 11)
]
OFF = {"op": "replace", "path": "active", "value": False}


class Client:
    """What a person with curl would do."""

    def __init__(self, server: ScimSandbox, token: str = "t"):
        self.server, self.session = server, requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method, path, timeout=10, **more):
        return self.session.request(method, self.server.url + path, timeout=timeout, allow_redirects=False, **more)

    def get(self, path, **query):
        return self.ask("GET", path, params=query)

    def names(self, **query):
        return [account["userName"].split("@")[0] for account in self.get("Users", **query).json()["Resources"]]

    def patch(self, account_id, *operations, **headers):
        return self.ask(
            "PATCH", f"Users/{account_id}", json={"schemas": [PATCH_OP], "Operations": operations}, headers=headers
        )

    def every_name(self, size):
        """All pages, as the contract says: the next start is what came so far."""
        names, start = [], 1
        while page := self.names(startIndex=start, count=size):
            names, start = names + page, start + len(page)
        return names


@pytest.fixture
def sandbox():
    """A way to start servers, all of which are stopped at the end."""
    running = []

    def start(people=PEOPLE, groups=(), **manners):
        server = ScimSandbox(people, groups=groups, token="t", manners=Manners(**manners)).start()
        running.append((server, client := Client(server)))
        return client

    yield start
    for server, client in running:
        client.session.close()
        server.stop()


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return build(tmp_path_factory.mktemp("nwl"), NOW)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- a server that keeps to the standard ---


def test_pages_are_one_based_and_hold_everybody_once(sandbox):
    client = sandbox()
    page = client.get("Users", startIndex=9, count=4).json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (10, 9, 2)
    assert client.every_name(4) == [f"p{n}" for n in range(1, 11)]
    assert client.names(count=0) == []
    assert client.get("Users", count="many").status_code == 400


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('userName eq "P2@NWL.example"', ["p2"]),
        ('externalId eq "e4"', ["p4"]),
        ("active eq false", ["p3"]),
        ('externalId eq "E4"', []),
    ],
)
def test_filter_finds(sandbox, expression, found):
    assert sandbox().names(filter=expression) == found


def test_filter_that_is_not_understood_is_refused(sandbox):
    answer = sandbox().get("Users", filter='userName co "p"')
    assert (answer.status_code, answer.json()["status"], answer.json()["scimType"]) == (400, "400", "invalidFilter")


@pytest.mark.parametrize(
    "operation",
    [
        OFF,
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "value": {"active": False}},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": False},
    ],
)
def test_patch_switches_off_in_every_dialect(sandbox, operation):
    client = sandbox()
    account_id = next(iter(client.server.users))
    assert client.patch(account_id, operation).json()["active"] is False
    assert client.get(f"Users/{account_id}").json()["active"] is False
    assert client.patch(account_id, {"op": "replace", "path": "active", "value": True}).json()["active"] is True


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "7"}, "mutability"),
        ({"op": "replace", "path": "name[x]", "value": "7"}, "invalidPath"),
        ({"op": "remove"}, "noTarget"),
    ],
)
def test_patch_that_makes_no_sense_changes_nothing(sandbox, operation, kind):
    client = sandbox()
    account_id, before = next((i, dict(a)) for i, a in client.server.users.items())
    assert client.patch(account_id, operation).json()["scimType"] == kind
    assert client.server.users[account_id] == before


def test_account_is_created_replaced_and_erased(sandbox):
    client = sandbox()
    made = client.ask("POST", "Users", json={"userName": "new@nwl.example", "active": True})
    address = f"Users/{made.json()['id']}"
    assert (made.status_code, made.headers["Location"]) == (201, client.server.url + address)
    assert client.ask("POST", "Users", json={"userName": "NEW@nwl.example"}).json()["scimType"] == "uniqueness"
    put = client.ask("PUT", address, json={"userName": "new@nwl.example", "active": False})
    assert (put.status_code, put.json()["active"]) == (200, False)
    assert client.ask("DELETE", address).status_code == 204
    assert client.get(address).status_code == 404


def test_write_to_an_old_version_is_refused(sandbox):
    client = sandbox()
    account_id = next(iter(client.server.users))
    version = client.get(f"Users/{account_id}").headers["ETag"]
    assert client.patch(account_id, OFF, **{"If-Match": version}).status_code == 200
    refused = client.patch(account_id, OFF, **{"If-Match": version})
    assert (refused.status_code, refused.json()["status"]) == (412, "412")
    assert client.server.requests[-1].if_match == version


def test_token_is_needed_for_everything(sandbox):
    stranger = Client(sandbox().server, token="wrong")
    with stranger.session:
        for path in ("Users", "Groups", "ServiceProviderConfig"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.json()["status"]) == (401, "401")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_groups_hold_members_and_accounts_show_their_groups(sandbox):
    people = [{"id": "1", "userName": "ada"}, {"id": "2", "userName": "bob"}]
    client = sandbox(people, groups=[{"displayName": "admins", "members": ["1"]}])
    [group] = client.get("Groups").json()["Resources"]
    assert [member["value"] for member in group["members"]] == ["1"]
    assert client.get(f"Groups/{group['id']}").json() == group
    assert client.get("Users/1").json()["groups"][0]["display"] == "admins"
    assert "groups" not in client.get("Users/2").json()
    assert "groups" not in client.get("Users/1", excludedAttributes="groups").json()
    assert client.ask("DELETE", f"Groups/{group['id']}").status_code == 405


def test_server_says_what_it_can(sandbox):
    client = sandbox(clamp=7)
    config = client.get("ServiceProviderConfig").json()
    assert config["patch"]["supported"]
    assert config["filter"]["maxResults"] == 7
    assert {r["name"] for r in client.get("ResourceTypes").json()["Resources"]} == {"User", "Group"}
    assert EXTENSION in {r["id"] for r in client.get("Schemas").json()["Resources"]}
    assert client.get("Planets").status_code == 404


def test_requests_are_kept_without_the_token(sandbox):
    client = sandbox()
    account_id = next(iter(client.server.users))
    client.get("Users", count=2)
    client.patch(account_id, OFF)
    read, written = client.server.requests
    assert (read.method, read.path, read.query) == ("GET", "/Users", {"count": "2"})
    assert (written.method, written.path, written.body["Operations"]) == ("PATCH", f"/Users/{account_id}", [OFF])
    assert "Bearer" not in repr(client.server.requests)


def test_restart_keeps_what_was_changed(tmp_path):
    state = tmp_path / "wiki.json"
    state.write_text(json.dumps({"users": [{"id": "1", "userName": "ada", "active": True}]}))
    for expected in (True, False):
        server = serve(state, token="t", port=0)
        client = Client(server)
        assert client.get("Users/1").json()["active"] is expected
        client.patch("1", OFF)
        client.session.close()
        server.stop()
        server.stop()  # twice is the same as once
    assert [p.name for p in tmp_path.iterdir()] == ["wiki.json"]


def test_bulk_of_deactivations_with_read_back_is_quick(sandbox):
    client = sandbox([{"userName": f"p{n}", "active": True} for n in range(238)])
    began = time.monotonic()
    for account_id in client.server.users:
        client.patch(account_id, OFF)
        assert client.get(f"Users/{account_id}").json()["active"] is False
    assert time.monotonic() - began < 5


# --- a server with manners of its own ---


def test_manner_reject_count(sandbox):
    client = sandbox(reject_count=True)
    assert client.get("Users", count=5).status_code == 500
    assert len(client.names()) == 10


def test_manner_ignore_filter(sandbox):
    assert len(sandbox(ignore_filter=True).names(filter="active eq false")) == 10


def test_manner_clamp(sandbox):
    client = sandbox(clamp=3)
    assert len(client.names(count=100)) == 3
    assert len(client.every_name(100)) == 10


def test_manner_answer_204_on_patch(sandbox):
    client = sandbox(answer_204_on_patch=True)
    account_id = next(iter(client.server.users))
    answer = client.patch(account_id, OFF)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(f"Users/{account_id}").json()["active"] is False


def test_manner_no_patch(sandbox):
    client = sandbox(no_patch=True)
    account_id = next(iter(client.server.users))
    assert client.patch(account_id, OFF).status_code == 501
    whole = client.get(f"Users/{account_id}").json() | {"active": False}
    assert client.ask("PUT", f"Users/{account_id}", json=whole).json()["active"] is False
    assert not client.get("ServiceProviderConfig").json()["patch"]["supported"]


def test_manner_lie(sandbox):
    client = sandbox(lie=True)
    account_id = next(iter(client.server.users))
    assert client.patch(account_id, OFF).json()["active"] is False
    assert client.get(f"Users/{account_id}").json()["active"] is True


def test_manner_hide_inactive(sandbox):
    client = sandbox(hide_inactive=True)
    assert "p3" not in client.names()
    assert client.names(filter="active eq false") == ["p3"]


@pytest.mark.parametrize("manner", ["overlap", "hole"])
def test_manner_unstable_list_loses_somebody(sandbox, manner):
    names = sandbox(**{manner: True}).every_name(4)
    assert len(set(names)) < 10
    assert (len(set(names)) < len(names)) == (manner == "overlap")


def test_manner_drifting_total(sandbox):
    client = sandbox(drifting_total=True)
    assert len({client.get("Users", count=5).json()["totalResults"] for _ in range(3)}) == 3


def test_manner_endless_cursor(sandbox):
    client = sandbox(endless_cursor=True)
    assert client.names(startIndex=1, count=4) == client.names(startIndex=901, count=4)
    assert client.get("Users").json()["totalResults"] == 1_000_000


def test_manner_missing_active_and_active_as_string(sandbox):
    assert all("active" not in a for a in sandbox(missing_active=True).get("Users").json()["Resources"])
    told = {a["active"] for a in sandbox(active_as_string=True).get("Users").json()["Resources"]}
    assert told == {"True", "False"}


def test_manner_html_with_200(sandbox):
    answer = sandbox(html_with_200=True).get("Users")
    assert (answer.status_code, answer.text[:9]) == (200, "<!doctype")


def test_manner_half_body(sandbox):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        sandbox(half_body=True).get("Users")


def test_manner_unauthorized_after_page(sandbox):
    client = sandbox(unauthorized_after_page=2)
    assert [client.get("Users", startIndex=s, count=3).status_code for s in (1, 4, 7)] == [200, 200, 401]


@pytest.mark.parametrize(("manners", "status"), [({"forbidden": True}, 403), ({"fail_status": 503}, 503)])
def test_manner_refusals(sandbox, manners, status):
    answer = sandbox(**manners).get("Users")
    assert (answer.status_code, answer.json()["status"]) == (status, str(status))


@pytest.mark.parametrize("as_date", [False, True])
def test_manner_rate_limit(sandbox, as_date):
    client = sandbox(rate_limit=2, retry_after_s=3, retry_after_as_date=as_date)
    first, second, third = (client.get("Users") for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (429, 429, 200)
    after = first.headers["Retry-After"]
    assert parsedate_to_datetime(after) if as_date else after == "3"


def test_manner_redirect_to(sandbox):
    answer = sandbox(redirect_to="http://127.0.0.1:9").get("Users", count=1)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:9/scim/v2/Users?count=1")


def test_manner_delay_ends_with_the_server(sandbox):
    client = sandbox(delay_s=60)
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.ask("GET", "Users", timeout=0.2)
    began = time.monotonic()
    client.server.stop()
    assert time.monotonic() - began < 5


# --- the invented company ---


def test_company_is_the_same_for_the_same_seed_and_now(company, tmp_path):
    again = build(tmp_path / "again", NOW)
    other = build(tmp_path / "other", NOW, seed=7)
    files = {p.relative_to(company.folder) for p in company.folder.rglob("*") if p.is_file()}
    files -= {Path("wiki.token")}  # a secret is never the same
    assert len(files) == 11
    assert all((company.folder / f).read_bytes() == (again.folder / f).read_bytes() for f in files)
    assert (again.folder / "feeds/hr.csv").read_bytes() != (other.folder / "feeds/hr.csv").read_bytes()


@pytest.mark.parametrize("seed", [1123, 1, 2, 3])
@pytest.mark.parametrize("now", [NOW, datetime(2027, 4, 2, 23, 30, tzinfo=UTC)])
def test_story_holds_for_every_seed_and_day(tmp_path, seed, now):
    truth = build(tmp_path, now, seed).truth
    assert (truth["people"], truth["left"], truth["still_holding"]) == (500, 13, 9)
    assert (truth["open_accounts"], truth["oldest_days"]) == (21, 19)
    assert truth["counts"] == {
        "ghost": 21,
        "contract_expired": 3,
        "login_after_leaving": 4,
        "missing_from_source": 7,
        "contradictory_source": 2,
        "orphaned": 8,
        "ambiguous_owner": 3,
        "stale": 30,
        "never_used": 8,
        "over_privileged": 12,
        "admin_without_mfa": 3,
    }
    assert 1750 < sum(truth["accounts"].values()) < 1950


def test_hr_file_holds_500_people_and_a_rehire(company):
    rows = table(company.folder / "feeds/hr.csv")
    ids = [row["employee_id"] for row in rows if row["employee_id"] not in ("", "10690")]
    assert (len(rows), len(ids), len(set(ids))) == (503, 501, 500)
    assert [row["status"] for row in rows if row["employee_id"] == "10155"] == ["terminated", "active"]
    assert {row["status"] for row in rows} == {"active", "terminated", "leave", "future"}
    assert any(row["employee_id"].startswith("00") for row in rows)


def test_files_say_what_the_truth_says(company):
    """Counted again from the files alone, the way somebody with a spreadsheet would."""
    truth = company.truth["findings"]
    hr = {row["employee_id"]: row for row in table(company.folder / "feeds/hr.csv")}
    by_email = {row["work_email"]: number for number, row in hr.items() if row["work_email"] != "j.park@nwl.example"}
    ghosts, stale, never, excess = [], [], [], []
    for application in ("salesforce", "github", "figma"):
        for account in table(company.folder / f"feeds/{application}.csv"):
            owner = hr.get(account.get("employee_id") or by_email.get(account["email"], ""), {})
            key, status = [application, account["account_id"]], owner.get("status")
            if status == "terminated" and account["status"] in ("active", "pending"):
                ghosts.append(key)
            used = account.get("last_login_at")
            if status != "active" or used is None:
                continue
            limit = 90 if owner["worker_type"] == "employee" else 45
            if used == "never":
                never.append(key)
            elif NOW - datetime.fromisoformat(used) >= timedelta(days=limit):
                stale.append(key)
            entitlements = account["entitlements"].split(";")
            if application == "salesforce" and len(set(entitlements) - {"Export reports"}) > 1:
                excess += [[*key, name] for name in entitlements[1:]]
    assert sorted(ghosts) == [key for key in truth["ghost"] if key[0] != "wiki"]
    assert sorted(stale) == [key for key in truth["stale"] if key[0] != "wiki"]
    assert sorted(never) == truth["never_used"]
    assert all(key in excess for key in truth["over_privileged"])
    wiki = json.loads(company.scim_state.read_text(encoding="utf-8"))["users"]
    ended = {number for number, row in hr.items() if row["status"] == "terminated"}
    open_in_wiki = [["wiki", a["id"]] for a in wiki if a["active"] and a.get("externalId") in ended]
    assert sorted(open_in_wiki) == [key for key in truth["ghost"] if key[0] == "wiki"]


def test_change_since_the_earlier_files_stays_under_the_guards(company):
    """INTERFACES.md, Guards: the limits of a feed of 100 to 999."""

    def numbers(path, key, ended):
        return {row[key] for row in table(path) if row.get("status") not in ended} - {""}

    for feed, path in company.earlier.items():
        key = "employee_id" if feed == "hr" else "account_id"
        ended = ("terminated",) if feed == "hr" else ("inactive", "suspended")
        before, after = numbers(path, key, ended), numbers(company.folder / f"feeds/{feed}.csv", key, ended)
        assert len(before - after) < max(10, len(before) * 0.05), feed
        assert len(after - before) < max(10, len(before) * 0.10), feed
    gone = numbers(company.earlier["hr"], "employee_id", ()) - numbers(
        company.folder / "feeds/hr.csv", "employee_id", ()
    )
    assert sorted(gone) == company.truth["missing_people"]
    assert company.earlier_at == NOW - timedelta(days=40)


def test_a_look_alike_address_is_among_the_accounts(company):
    [account] = [a for a in table(company.folder / "feeds/github.csv") if a["username"] == "ana-kovac-nwl"]
    assert (account["email"][0], account["email"][1:]) == ("\N{CYRILLIC SMALL LETTER A}", ".kovac@nwl.example")


def test_nobody_real_is_in_the_company(company):
    feeds = company.folder / "feeds"
    addresses = [row["work_email"] for row in table(feeds / "hr.csv")]
    addresses += [row["email"] for name in ("salesforce", "github", "figma") for row in table(feeds / f"{name}.csv")]
    assert {address.rpartition("@")[2] for address in addresses if address} == {"nwl.example", "brightfold.example"}


def test_configuration_is_accepted_and_every_role_is_there(company):
    found = settings.parse(tomllib.loads((company.folder / "leaverwatch.toml").read_text(encoding="utf-8")))
    assert {role for actor in found.actor for role in actor.roles} == set(settings.Role.__args__)
    hr = {row["work_email"] for row in table(company.folder / "feeds/hr.csv")}
    assert {actor.email for actor in found.actor} | {a.owner for a in found.application} <= hr
    assert stat.S_IMODE(company.token_file.stat().st_mode) == 0o600
    assert company.token_file.read_text() not in (company.folder / "leaverwatch.toml").read_text(encoding="utf-8")


def test_scim_application_of_the_company_is_served(company, tmp_path):
    state = tmp_path / "wiki.json"
    state.write_bytes(company.scim_state.read_bytes())
    server = serve(state, token="t", port=0)
    client = Client(server)
    marta = client.get("Users", filter='externalId eq "10482"').json()["Resources"][0]
    assert (marta["active"], marta[EXTENSION]["mfaEnabled"]) == (True, True)
    assert "finance-space" in {group["display"] for group in marta["groups"]}
    assert client.get("Users").json()["totalResults"] == company.truth["accounts"]["wiki"]
    client.session.close()
    server.stop()
