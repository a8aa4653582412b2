"""GitHub's own examples of its answers, replayed over real HTTP and read by what reads GitHub itself."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from connectors.github import GitHub
from connectors.kit.addresses import check_base
from connectors.kit.contract import Circumstances
from connectors.kit.github_calls import GitHubCalls
from connectors.kit.github_events import AuditLog
from connectors.kit.github_people import invited
from connectors.kit.resource import Reader
from connectors.kit.scim_accounts import AccountReader
from connectors.kit.scim_list import ScimLists
from connectors.kit.scim_resource import Dialect, resource_id
from governance.errors import UnexpectedAnswer
from governance.records import Account, Entitlement, Grant, Reading
from governance.settings import ApplicationSettings
from tests.real_data import real
from tests.replay_server import Recorded, ReplayServer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GIVEN = Circumstances(NOW, Path("/nowhere"), {"token": "example-token-1", "write_token": "example-token-2"}, write=True)
SCOPES = {"X-OAuth-Scopes": "read:org, read:enterprise, read:audit_log, scim:enterprise"}
EXAMPLES = 71


@pytest.fixture(scope="module")
def examples():
    """method, path, status and name of each example -> the answer."""
    told = json.loads((real("github_api_examples") / "ghec_examples.json").read_text(encoding="utf-8"))
    assert len(told) == EXAMPLES
    found = {}
    for key, answer in told.items():
        method, path, status, name = key.split(" ", 3)
        found[method, path, int(status), name] = answer
    return found


def recordings(examples):
    """Every successful read; where one path has two examples the last is the fuller one."""
    reads = {(m, p): a for (m, p, s, _), a in examples.items() if m == "GET" and s == 200}
    return [Recorded(m, p, a) for (m, p), a in reads.items()]


def beside(login, *more):
    """What no example shows: whose token it is, and lists that are empty."""
    identities = {"organization": {"samlIdentityProvider": None}, "enterprise": {"ownerInfo": {}}}
    return [
        *more,
        Recorded("GET", "/user", {"login": login}),
        Recorded("GET", "/orgs/{org}/organization-roles", {"total_count": 0, "roles": []}),
        Recorded("POST", "/graphql", {"data": identities}),
    ]


def connector(server, **options):
    feed = ApplicationSettings(
        name="github", connector="github", base_url=server.url, organization="octo-org",
        token={"env": "A"}, write_token={"env": "B"}, **options,
    )  # fmt: skip
    return GitHub(feed, GIVEN)


class TestAWholePull:
    def test_of_the_plain_organisation_in_the_examples(self, examples):
        with ReplayServer([*beside("octocat"), *recordings(examples)], SCOPES) as server:
            github = connector(server, enterprise="octo-corp")
            records = list(github.records())
            github.close()
        accounts = {r.account_id: r for r in records if isinstance(r, Account)}
        assert set(accounts) == {"octocat", "invitation:1"}
        octocat, invitation = accounts["octocat"], accounts["invitation:1"]
        assert (octocat.active, octocat.mfa, octocat.privileged) == (True, False, True)
        assert octocat.last_seen_at == datetime(2023, 5, 16, 19, 6, 43, tzinfo=UTC)
        assert (invitation.email, invitation.username) == ("octocat@github.com", "monalisa")
        assert invitation.created_at == datetime(2016, 11, 30, 14, 46, 10, tzinfo=UTC)
        held = {(r.account_id, r.entitlement_id, r.how) for r in records if isinstance(r, Grant)}
        assert held == {
            ("octocat", "role:owner", "direct"),
            ("octocat", "role:outside_collaborator", "direct"),
            ("octocat", "team:justice-league", "direct"),
            ("invitation:1", "role:member", "direct"),
        }
        names = {r.entitlement_id: r.name for r in records if isinstance(r, Entitlement)}
        assert names["team:justice-league"] == "Justice League"
        assert names["enterprise:owner"] == "Enterprise owner"  # monalisa's, who has a licence
        assert server.unknown == []

    def test_of_the_managed_accounts_in_the_examples(self, examples):
        with ReplayServer([*beside("octocat"), *recordings(examples)], SCOPES) as server:
            github = connector(server, enterprise="octo-corp", managed=True)
            records = list(github.records())
            guid = "7fce0092-d52e-4f76-b727-3955bd72c939"
            again = github.account(guid)
            github.close()
        accounts = {r.account_id: r for r in records if isinstance(r, Account)}
        assert set(accounts) == {guid, "octocat"}
        mona = accounts[guid]
        assert (mona.username, mona.external_id, mona.email) == ("E012345", "E012345", "mlisa@example.com")
        assert (mona.active, mona.display_name) == (True, "Mona Lisa")
        # Only the example of a single account tells when it was made.
        assert again == replace(mona, created_at=datetime(2012, 3, 27, 19, 59, 26, tzinfo=UTC))


class TestEveryExample:
    """What is read into records is compared; the rest is at least taken for what it is: JSON, or a refusal."""

    def test_events_are_read(self, examples):
        for scope in ("orgs/octo-corp", "enterprises/octo-corp"):
            with ReplayServer(recordings(examples)) as server, self.calls(server) as calls:
                log, reading = AuditLog(calls, scope, "github"), Reading()
                events = list(log.events(datetime(2020, 1, 1, tzinfo=UTC), None, str.upper, reading))
            told = [(e.kind, e.account_id, e.actor, e.target, e.event_id) for e in events]
            assert told == [("granted", "MONALISA", "octocat", "team:example-team", "xJJFlFOhQ6b-5vaAFy9Rjw")]
            assert events[0].at == datetime(2020, 12, 2, 17, 24, 34, 512000, tzinfo=UTC)
            assert log.mark == "1606929874512"
            assert {"audit entry org.create: 1 left out", "audit entry repo.destroy: 1 left out"} <= set(reading.notes)

    def test_credentials_are_read(self, examples):
        with ReplayServer([*beside("octocat"), *recordings(examples)]) as server:
            github = connector(server)
            found = github.credentials("octocat")
            github.close()
        assert [(c.credential_id, c.kind, c.name) for c in found] == [
            ("161195", "token", None), ("161197", "oauth_grant", None), ("161199", "ssh_key", "my ssh key"),
        ]  # fmt: skip
        assert found[0].created_at == found[0].last_used_at == datetime(2011, 1, 26, 19, 6, 43, tzinfo=UTC)
        assert found[0].expires_at == datetime(2011, 2, 25, 19, 6, 43, tzinfo=UTC)

    def test_invitations_of_every_kind_are_read(self, examples):
        reader = Reader("github", NOW)
        several = ("failed_invitations", "invitations", "teams/{team_slug}/invitations")
        told = [i for part in several for i in examples["GET", f"/orgs/{{org}}/{part}", 200, "default"]]
        told.append(examples["POST", "/orgs/{org}/invitations", 201, "default"])
        for item in told:
            account = invited("github", reader.of(item))
            assert (account.account_id, account.email, account.privileged) == (
                "invitation:1",
                "octocat@github.com",
                False,
            )
        assert not reader.unread

    def test_teams_of_every_kind_have_what_is_read_of_them(self, examples):
        reader = Reader("github", NOW)
        lists = ("teams", "teams/{team_slug}/teams", "invitations/{invitation_id}/teams")
        told = [
            t
            for (m, p, _, _), a in examples.items()
            if m == "GET" and p.removeprefix("/orgs/{org}/") in lists
            for t in a
        ]
        told += [
            a for (_, p, _, _), a in examples.items()
            if p in ("/orgs/{org}/teams", "/orgs/{org}/teams/{team_slug}") and isinstance(a, dict)
        ]  # fmt: skip
        assert len(told) >= 6
        for item in told:
            team = reader.of(item)
            assert team.text("slug")
            assert team.text("name")
            assert team.text("permission")
        assert not reader.unread

    def test_accounts_over_scim_are_read_from_every_example(self, examples):
        accounts = AccountReader("github", Dialect(), NOW)
        read = 0
        for (method, path, _, name), answer in examples.items():
            if not path.startswith("/scim/") or "/Groups" in path:
                continue
            for resource in answer.get("Resources", [answer]):
                account = accounts.account(resource, None)
                assert account.account_id == resource["id"]
                assert account.active is True, f"{method} {path} {name}"
                assert account.email == next(e["value"] for e in resource["emails"] if e.get("primary"))
                read += 1
        assert read == 15
        assert not accounts.unread

    def test_groups_over_scim_are_read(self, examples):
        answer = examples["GET", "/scim/v2/enterprises/{enterprise}/Groups", 200, "default"]
        with ReplayServer([Recorded("GET", "/Groups", answer)]) as server, self.calls(server) as calls:
            groups = ScimLists(calls.http, 100).groups(Reading(), "github")
        assert set(groups.names.values()) == {r["displayName"] for r in answer["Resources"]}
        members = {m["value"] for r in answer["Resources"] for m in r.get("members", ())}
        assert set(groups.of_account) == members
        every = [a for (_, p, _, _), a in examples.items() if p.endswith("/Groups/{scim_group_id}")]
        assert all(resource_id(group) and group["displayName"] for group in every)

    def test_all_of_them_arrive_as_they_are_or_as_an_error_of_ours(self, examples):
        read = refused = 0
        for (method, path, status, _), answer in examples.items():
            recorded = Recorded(method, path, answer, status)
            with ReplayServer([recorded]) as server, self.calls(server) as calls:
                url = path.strip("/").replace("{", "").replace("}", "")
                ask = calls.get if method == "GET" else lambda p, calls=calls, m=method: calls.send(m, p, {})
                if status >= 400:
                    with pytest.raises(UnexpectedAnswer, match="answered 422"):
                        ask(url)
                    refused += 1
                else:
                    assert ask(url).data == answer
                    read += 1
        assert (read, refused) == (68, 3)

    def calls(self, server):
        return _Closing(check_base(server.url, "test"))


class _Closing:
    """Calls of a credential that may read, closed at the end."""

    def __init__(self, address):
        self._calls = GitHubCalls(address, GIVEN, "github", "example-token-1", ())

    def __enter__(self):
        return self._calls

    def __exit__(self, *_):
        self._calls.close()
