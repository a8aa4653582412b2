"""The demo's invented company: its files tell the same story for every seed and day, and hold what the truth says."""

import csv
import json
import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sandbox.company import build
from connectors.sandbox.directory import EXTENSION
from connectors.sandbox.scim_server import serve
from governance import settings
from tests.scim_client import Client

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return build(tmp_path_factory.mktemp("nwl"), NOW)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
