"""943 recorded exchanges with a real Okta, answered over real HTTP and read by the connector's own code."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.kit.addresses import check_base
from connectors.kit.authorization import scheme
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.okta import Okta
from governance.errors import AuthenticationFailed, FeedError, RateLimited, UnexpectedAnswer
from governance.records import Account, Entitlement, Grant
from governance.settings import ApplicationSettings
from tests.okta_replay import Org, Replay, recorded
from tests.real_data import real

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MEANS = {401: AuthenticationFailed, 403: AuthenticationFailed, 429: RateLimited}
# What each status of the recording says about signing in; written down here from Okta's documentation, not from our code.
CAN_SIGN_IN = {"ACTIVE": True, "PASSWORD_EXPIRED": True, "RECOVERY": True, "STAGED": False, "SUSPENDED": False}


@pytest.fixture(scope="module")
def exchanges():
    return recorded(real("okta_recorded"))


@pytest.fixture(scope="module")
def replay():
    with Replay() as running:
        yield running


def given(**more):
    return Circumstances(NOW, Path("/nowhere"), {"token": "recorded-token"}, limit_share=1.0, **more)


def read_as(replay, exchange):
    """What the kit makes of one exchange: an answer, or the error it means."""
    address = check_base(replay.url, "here")
    http = Http(address, given(deadline_s=5.0), "okta", auth=scheme("SSWS", "recorded-token", "okta"))
    replay.next, path = exchange, exchange.path.lstrip("/")
    try:
        return http.get(path) if exchange.method == "GET" else http.send(exchange.method, path, None)
    except FeedError as error:
        return error
    finally:
        http.close()


def test_every_exchange_is_read_as_what_it_is(exchanges, replay):
    replay.org = None
    read, refused = Counter(), Counter()
    for exchange in exchanges:
        found = read_as(replay, exchange)
        if isinstance(found, FeedError):
            expected = MEANS.get(exchange.status, UnexpectedAnswer)
            assert isinstance(found, expected), f"{exchange.method} {exchange.path} {exchange.status}: {found!r}"
            assert exchange.status >= 400 or exchange.json is None
            refused[exchange.status] += 1
        else:
            assert (found.status, found.data) == (exchange.status, exchange.json)
            assert 200 <= exchange.status < 300
            read[exchange.status] += 1
        if isinstance(found, RateLimited):  # the reset is told as seconds since 1970 on Okta's own clock
            assert 0 <= (found.until - NOW).total_seconds() <= 61
    assert sum(read.values()) + sum(refused.values()) == len(exchanges) == 943
    assert {s for s in refused if s < 400} <= {200, 201}, "only what is no JSON"
    assert refused[429] == sum(1 for e in exchanges if e.status == 429) > 0
    assert read.total() > 500


@pytest.fixture(scope="module")
def org(exchanges):
    return Org.of(exchanges)


@pytest.fixture(scope="module")
def records(org, replay):
    replay.org = org
    feed = ApplicationSettings(name="okta", connector="okta", base_url=replay.url, mfa="all", token={"env": "A_TOKEN"})
    connector = Okta(feed, given(deadline_s=60.0))
    found = list(connector.records())
    connector.close()
    return found, connector.reading


class TestTheOrgOfTheRecording:
    def test_holds_what_it_should(self, org):
        assert (len(org.users), len(org.groups), len(org.apps)) == (74, 25, 39)
        assert {u["status"] for u in org.users.values()} <= CAN_SIGN_IN.keys()
        assert sum(map(len, org.factors.values())) == 5

    def test_every_user_is_read(self, org, records):
        found, reading = records
        accounts = {r.account_id: r for r in found if isinstance(r, Account)}
        assert accounts.keys() == org.users.keys()
        assert reading.rows_read == reading.kept == len(org.users)
        assert not [note for note in reading.notes if "could not be read" in note]
        for account_id, user in org.users.items():
            account = accounts[account_id]
            assert account.username == user["profile"]["login"]
            assert account.email == user["profile"].get("email")
            assert account.active is CAN_SIGN_IN[user["status"]]
            assert account.created_at == datetime.fromisoformat(user["created"])
            assert account.last_seen_known
            assert (account.last_seen_at is None) == (user["lastLogin"] is None)

    def test_every_group_and_application_is_read(self, org, records):
        kinds = {}
        for record in records[0]:
            if isinstance(record, Entitlement):
                kinds.setdefault(record.kind, {})[record.entitlement_id] = record.name
        assert kinds["group"] == {i: g["profile"]["name"].strip() for i, g in org.groups.items()}
        assert kinds["application"] == {i: a["label"].strip() for i, a in org.apps.items()}

    def test_every_membership_assignment_and_role_is_read(self, org, records):
        grants = {(g.account_id, g.entitlement_id): g.how for g in records[0] if isinstance(g, Grant)}
        expected = {
            (who, group): "direct"
            for group, members in org.members.items()
            if group in org.groups
            for who in members & org.users.keys()
        }
        assert expected, "the recording holds memberships"
        for app, assigned in org.assigned.items():
            if app in org.apps:
                expected |= {
                    (who, app): "group" if row["scope"] == "GROUP" else "direct"
                    for who, row in assigned.items()
                    if who in org.users
                }
        for holder, roles in org.roles.items():
            whom = [holder] if holder in org.users else org.members.get(holder, set()) & org.users.keys()
            how = "direct" if holder in org.users else "group"
            expected |= {(who, role): how for role in roles for who in whom}
        assert grants == expected

    def test_every_factor_is_read(self, org, records):
        accounts = {r.account_id: r for r in records[0] if isinstance(r, Account)}
        for account_id, user in org.users.items():
            strong = any(
                f["status"] == "ACTIVE" and f["factorType"] not in ("email", "question")
                for f in org.factors.get(account_id, {}).values()
            )
            provider = user.get("credentials", {}).get("provider", {}).get("type")
            off = not CAN_SIGN_IN[user["status"]]
            expected = None if off or (not strong and provider in ("FEDERATION", "SOCIAL")) else strong
            assert accounts[account_id].mfa is expected, json.dumps(user)[:200]
        assert sum(1 for a in accounts.values() if a.mfa) == 1
