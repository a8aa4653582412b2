"""The list of identities, and everything about one of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.views import identities, lifecycle
from tests import seeded
from tests.listing import walk
from tests.seeded import account, put_findings, put_remediation, put_run

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def people(number, **values):
    return [
        {"identity_id": f"hr:{n:03}", "display_name": f"Person {n}", "state": "current", "present": True, **values}
        for n in range(number)
    ]


def test_identities_stand_once_at_their_worst_finding(house, now):
    put_run(house, now, identities=people(80))
    rows = [
        {"identity_id": f"hr:{n % 60:03}", "rule": ("stale", "ghost")[n % 2], "account_id": f"a{n}"} for n in range(150)
    ]
    put_findings(house, now, *rows)
    pages = walk(lambda at: identities.page(house, identities.Filters(), at), identities.BY_FINDING)
    seen = [row["identity_id"] for page in pages for row in page.rows]
    assert len(seen) == len(set(seen)) == pages[0].total == 60
    scores = [row["score"] for page in pages for row in page.rows]
    assert scores == sorted(scores, reverse=True)
    first = pages[0].rows[0]
    assert first["findings"] == sum(row["identity_id"] == first["identity_id"] for row in rows)


def test_leavers_come_by_when_they_left_the_last_first(house, now):
    left = [{**row, "state": "ended", "ended_at": now - n * DAY} for n, row in enumerate(people(60))]
    put_run(house, now, identities=[*left, *people(3, identity_id="hr:x")[:1]])
    pages = walk(lambda at: identities.page(house, identities.Filters(scope="ended"), at), identities.BY_END)
    assert [r["identity_id"] for p in pages for r in p.rows] == [f"hr:{n:03}" for n in range(60)]


def test_one_identity_knows_what_was_closed_since_it_was_read(house, now):
    mine = {"owner_id": "hr:0", "owner_state": "ended", "as_of_s": int((now - timedelta(hours=1)).timestamp())}
    put_run(
        house,
        now,
        [account("wiki", "a0", **mine), account("crm", "a1", **mine), account("crm", "a2", **{**mine, "active": None})],
        [{"identity_id": "hr:0", "display_name": "Person 0", "state": "ended", "ended_at": now - DAY, "present": True}],
    )
    [print_] = put_findings(
        house, now, {"identity_id": "hr:0", "application": "wiki", "account_id": "a0", "status": "resolved"}
    )
    put_remediation(house, "r1", now, finding=print_, status="verified", verified_at=now)
    whole = identities.one(house, "hr:0")
    assert [a["account_id"] for a in whole.live] == ["a1"], "closed since: not live; not told: not called active"
    lanes = {lane.label: lane for lane in lifecycle.lifecycle(whole, {"wiki": "Wiki"}, now).lanes}
    assert (lanes["Wiki"].open, lanes["Wiki"].closed_how) == (False, "closed and verified")
