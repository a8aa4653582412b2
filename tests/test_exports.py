"""Lists handed out: whole, safe to open, and noted in the audit."""

from __future__ import annotations

import csv
import io

import pytest
from sqlmodel import select

from governance import exports
from governance.errors import NotAllowed
from governance.tables import AuditDetail, AuditEntry
from governance.views import accounts
from governance.views import findings as listed
from governance.views.paging import CAP, PART
from tests import seeded
from tests.formulas import LIVE
from tests.listing import actor
from tests.seeded import account, put_findings, put_run


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def test_sixty_formulas_are_text_in_every_export():
    assert len(LIVE) == 60
    text = exports.csv_text([{"name": payload, "other": 'a,b\n"c"'} for payload in LIVE], ["name", "other"])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 60
    for payload, row in zip(LIVE, rows, strict=True):
        assert row["name"].startswith("'"), payload
        assert row["name"][1:].strip() == payload.replace("\0", "").strip(), "nothing else was changed"
        assert row["other"] == 'a,b\n"c"'


def test_harmless_cells_stay_as_they_are(now):
    cells = [
        ("Zoë-Ann", "Zoë-Ann"),
        (5, "5"),
        (-5, "-5"),
        (None, ""),
        (True, "true"),
        (now, "2026-11-23T12:00:00Z"),
        ("", ""),
    ]
    for value, expected in cells:
        assert exports.cell(value) == expected


def test_an_export_needs_the_right_and_leaves_an_audit_entry(house, now):
    put_findings(house, now, {}, {})
    rows = listed.export(house, listed.Filters())
    with pytest.raises(NotAllowed):
        exports.export(house, actor(house), now, "findings", rows, listed.COLUMNS)
    text = exports.export(house, actor(house, "audit@example.com"), now, "findings", rows, listed.COLUMNS)
    assert len(text.splitlines()) == 3
    with house.store.read() as session:
        [entry] = session.exec(select(AuditEntry)).all()
    assert (entry.actor, entry.verb, entry.object) == ("audit@example.com", "export", "list/findings")


def test_an_export_holds_everything_in_the_order_of_the_list(house, now):
    put_findings(house, now, *({"rule": ("stale", "ghost")[n % 2], "search": f"x{n % 7}"} for n in range(CAP + 7)))
    rows = list(listed.export(house, listed.Filters()))
    order = [(-row["score"], row["fingerprint"]) for row in rows]
    assert len(order) == len(set(order)) == CAP + 7
    assert order == sorted(order)
    narrowed = listed.Filters(text="x3", rule="ghost")
    assert len(list(listed.export(house, narrowed))) == listed.page(house, narrowed).total
    text = exports.export(house, actor(house, "audit@example.com"), now, "findings", iter(rows), ("fingerprint",))
    assert text.count("\r\n") == CAP + 8
    with house.store.read() as session:
        assert session.exec(select(AuditDetail.facts)).one()["rows"] == CAP + 7


def test_an_export_of_accounts_is_read_in_parts_and_whole(house, now):
    put_run(house, now, [account(("crm", "wiki")[n % 2], f"a{n:05}", active=n % 3 == 0) for n in range(PART + 9)])
    rows = list(accounts.export(house, accounts.Filters(), now))
    assert len({(row["application"], row["account_id"]) for row in rows}) == len(rows) == PART + 9
    states = [row["active"] for row in rows]
    assert states == sorted(states, reverse=True)
    assert [r["account_id"] for r in rows[:50]] == [
        r["account_id"] for r in accounts.page(house, accounts.Filters(), now).rows
    ]
