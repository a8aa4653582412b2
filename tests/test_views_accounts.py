"""The list of accounts, those that should worry first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.views import accounts, runs
from governance.views.paging import Cursor
from tests import seeded
from tests.estates import NOW
from tests.listing import walk
from tests.seeded import account, put_findings, put_run

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def many_accounts(number):
    kinds = (
        {"owner_state": "ended"},
        {"match": "unmatched", "owner_id": None, "owner_name": None, "owner_state": None, "match_key": None},
        {"privileged": True},
        {},
        {"active": False},
        {"owner_state": "ended", "privileged": True},
        {"present": False},
    )
    used = (NOW - DAY, None, NOW - 2 * DAY, NOW, NOW - 60 * DAY)
    return [
        account(("crm", "wiki")[n % 2], f"a{n:04}", last_seen_at=used[n % 5], **kinds[n % 7]) for n in range(number)
    ]


def test_accounts_come_by_how_much_they_should_worry_each_on_one_page(house, now):
    put_run(house, now, many_accounts(210))
    pages = walk(lambda at: accounts.page(house, accounts.Filters(), now, at), accounts.KEY)
    rows = [row for page in pages for row in page.rows]
    assert len({(row["application"], row["account_id"]) for row in rows}) == len(rows) == 180, (
        "vanished ones are not listed"
    )
    order = [(row["rank"], -row["used"], row["application"], row["account_id"]) for row in rows]
    assert order == sorted(order)
    assert {rank for rank, *_ in order} == {0, 1, 2, 4, 5, 6}
    assert len({used for _, used, *_ in order}) == 5
    assert (rows[0]["owner_state"], rows[0]["privileged"], rows[-1]["active"]) == ("ended", True, False)
    back = accounts.page(house, accounts.Filters(), now, Cursor.decode(pages[1].previous, accounts.KEY))
    assert [r["account_id"] for r in back.rows] == [r["account_id"] for r in pages[0].rows]


def test_an_estate_from_before_listings_is_listed_the_same(house, now):
    put_run(house, now, many_accounts(210))
    filters = accounts.Filters(text="PERSON a01", application="wiki")
    before = accounts.page(house, filters, now)
    written = next((house.snapshots / "estates").glob("*/listing.parquet"))
    written.rename(written.with_suffix(".gone"))
    runs.forget()
    after = accounts.page(house, filters, now)
    assert before == after
    assert before.total == sum(n % 7 not in (1, 6) and n % 2 == 1 for n in range(100, 200))


@pytest.mark.parametrize(
    ("scope", "number"),
    [("all", 180), ("leavers", 60), ("unmatched", 30), ("privileged", 60), ("inactive", 30), ("unused", 0)],
)
def test_scopes_of_accounts_hold_what_they_say(house, now, scope, number):
    put_run(house, now, many_accounts(210))
    assert accounts.page(house, accounts.Filters(scope=scope), now).total == number


def test_an_account_whose_last_use_is_unknown_is_not_called_unused(house, now):
    put_run(
        house,
        now,
        [
            account("crm", "old", last_seen_at=now - 100 * DAY, last_seen_known=True),
            account("crm", "untold"),
            account("crm", "never", last_seen_known=True),
        ],
    )
    assert [r["account_id"] for r in accounts.page(house, accounts.Filters(scope="unused"), now).rows] == ["old"]


def test_search_in_accounts_takes_signs_as_they_are(house, now):
    put_run(house, now, [account("crm", "a.b"), account("crm", "aXb", owner_name="Zoë (ext)")])
    for text, hits in (("a.b", 1), ("(EXT)", 1), (".*", 0), ("[", 0), ("zoë", 1)):
        assert accounts.page(house, accounts.Filters(text=text), now).total == hits, text


def test_an_account_shows_its_worst_open_finding(house, now):
    put_run(house, now, [account("crm", "a0"), account("crm", "a1"), account("wiki", "a0")])
    put_findings(
        house,
        now,
        {"account_id": "a0", "rule": "stale"},
        {"account_id": "a0", "rule": "ghost"},
        {"account_id": "a1", "status": "resolved"},
    )
    found = {
        (r["application"], r["account_id"]): r["finding"] for r in accounts.page(house, accounts.Filters(), now).rows
    }
    assert (found["crm", "a0"]["rule"], found["crm", "a0"]["count"]) == ("ghost", 2)
    assert found["crm", "a1"] is None
    assert found["wiki", "a0"] is None
