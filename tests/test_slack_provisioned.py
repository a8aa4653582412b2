"""Members as SCIM tells them: a page written as Slack writes it tells what a page of dictionaries tells."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from connectors.kit.scim_resource import ENTERPRISE
from connectors.kit.slack_people import Beside
from connectors.kit.slack_provisioned import PROVISIONED, ProvisionedReader, keys_of, page_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXTS = (None, "", " a ", "b", 7)
TIMES = (None, "2026-01-02T03:04:05Z", "2030-01-01T00:00:00Z", "some day", 1_795_647_600)
EMAILS = (
    None,
    [],
    [{"value": " a@nwl.example "}],
    [{"value": "b@nwl.example", "type": "work"}, {"value": "c@nwl.example", "primary": True}],
    [{"type": "work"}, {"value": "d@nwl.example", "display": "D"}],
)


def member(dice):
    told = {
        "schemas": ["x"],
        "id": dice.choice(("U1", " U2", 3, None)),
        "externalId": dice.choice(TEXTS),
        "title": dice.choice(TEXTS),
        "emails": dice.choice(EMAILS),
        "active": dice.choice((True, "no")),
        "meta": dice.choice((None, {}, {"created": dice.choice(TIMES), "location": "x"})),
        ENTERPRISE: dice.choice((None, {"employeeNumber": dice.choice(TEXTS), "department": dice.choice(TEXTS)})),
    }
    return {name: told[name] for name in dice.sample(list(told), dice.randrange(len(told) + 1))}


def page(members, **more):
    return {"totalResults": len(members), "Resources": members, **more}


@pytest.mark.parametrize("seed", range(60))
def test_a_page_of_slack_tells_what_dictionaries_tell(seed):
    dice = random.Random(seed)
    plain = page([member(dice) for _ in range(12)], nextCursor="more", startIndex=1)
    told = page_of(json.dumps(plain).encode())
    assert told is not None
    assert {name: value for name, value in told.items() if name != "Resources"} == {
        "totalResults": 12,
        "nextCursor": "more",
    }
    assert keys_of(told["Resources"]) == keys_of(plain["Resources"])
    reader = ProvisionedReader("x", NOW)
    ids, rows = reader.read(told["Resources"])
    plain_ids, plain_rows = reader.read(plain["Resources"])
    assert ids == plain_ids
    # A time ahead of now is now, which goes on.
    assert [_settled(row) for row in rows] == [_settled(row) for row in plain_rows]


def _settled(row):
    return tuple(NOW if isinstance(value, datetime) and value >= NOW else value for value in row)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"id": "U1", "Title": "Boss"}, id="a name written otherwise"),
        pytest.param({"id": "U1", f"{ENTERPRISE}:department": "Sales"}, id="an attribute beside its extension"),
        pytest.param({"id": "U1", "emails": [{"Value": "a@nwl.example"}]}, id="one within"),
        pytest.param({"id": "U1", "emails": "a@nwl.example"}, id="a text for a list"),
        pytest.param({"id": "U1", "meta": {"created": True}}, id="a flag for a text"),
        pytest.param(None, id="no object"),
    ],
)
def test_a_page_written_otherwise_is_left_to_the_other_way(odd):
    assert page_of(json.dumps(page([{"id": "U2"}, odd])).encode()) is None


@pytest.mark.parametrize("body", [{}, {"Resources": None}, {"resources": []}, {"totalResults": 0}])
def test_a_page_without_its_list_is_left_to_the_other_way(body):
    assert page_of(json.dumps(body).encode()) is None


def test_what_is_told_beside_the_members_is_told_of_each():
    beside = Beside()
    beside.join("group:G1", ["U1", "U2", "U1"])
    reader = ProvisionedReader("x", NOW)
    beside.provision(
        *reader.read([{"id": "U2", "title": "Boss"}, {"title": "nobody"}, {"id": "U3", "externalId": "e"}])
    )
    beside.join("scim:g", ["U2"])
    beside.last_used["U3"] = NOW
    told = beside.of(["U4", "U3", "U2", "U1"])
    assert told.provisioned["title"] == (None, None, "Boss", None)
    assert told.provisioned["external_id"] == (None, "e", None, None)
    assert told.groups == [(), (), ("group:G1", "scim:g"), ("group:G1", "group:G1")]
    assert told.last_used == [None, NOW, None, None]
    assert {len(column) for column in beside.of([]).provisioned.values()} == {0}
    assert set(told.provisioned) == set(PROVISIONED)
    beside.of(["U4"])
    assert beside.members() == 4
