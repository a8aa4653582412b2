"""The demo's SCIM server with manners of its own: each does exactly what it is called."""

import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from tests.scim_client import OFF, servers


@pytest.fixture
def sandbox():
    with servers() as start:
        yield start


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
