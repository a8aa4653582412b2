"""The demo's SCIM server over real HTTP keeps to the standard."""

import json
import time

import pytest

from connectors.sandbox.directory import EXTENSION
from connectors.sandbox.scim_server import serve
from tests.scim_client import OFF, Client, servers


@pytest.fixture
def sandbox():
    with servers() as start:
        yield start


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
