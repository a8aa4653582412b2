"""Files are read by the thousand rows: whatever stands where, lines, order and records are as one by one."""

from __future__ import annotations

from itertools import chain

import polars as pl
import pytest

from connectors.kit.portions import PORTION, TOLD, Meanings, Portion, Standing
from connectors.kit.tables import Table
from governance.errors import IncompleteFeed
from governance.records import Account, Entitlement, Grant, Reading, Rows
from governance.snapshots.frames import frames_of
from tests.feeds import app_connector, hr_connector, pull, put

HR = "employee_id,status,work_email,display_name,hire_date,termination_date,department,manager_name,aliases,time_zone\n"
CRM = "account_id,username,status,last_login_at,entitlements,mfa,department,credentials\n"


def people(count):
    """People of every kind: leavers, those to come, rehires, one id twice, managers told by their names."""
    for n in range(count):
        ended = f"2024-0{n % 9 + 1}-15" if n % 7 == 0 else ""
        status = "terminated" if ended else "active"
        boss = f"Person {n // 10}" if n % 3 else ""
        yield f"{n},{status},p{n}@x.example,Person {n},2019-01-0{n % 9 + 1},{ended},D{n % 5},{boss},a{n};b{n},Europe/Berlin\n"
        if n % 500 == 3:
            yield f"{n},active,p{n}@x.example,Person {n},2025-02-01,,D{n % 5},,,\n"
        if n % 700 == 5:
            yield f"{n},active,other{n}@x.example,Somebody Else,2025-02-01,,,,,\n"
        if n % 900 == 8:
            yield f"x{n},odd,,,,,,,,\n"
            yield f"y{n},active,,,no day,,,,,\n"


def logins(count):
    """Accounts of every kind: never used, without entitlements, the same row twice, another row of the same id."""
    for n in range(count):
        seen = "never" if n % 5 == 0 else f"2026-01-0{n % 9 + 1}T08:00:00Z" if n % 3 else ""
        row = f"a{n},p{n}@x.example,{'active' if n % 4 else ''},{seen},{'admin!;' if n % 50 == 0 else ''}r{n % 3},true,D{n % 3},{n % 3}\n"
        yield row
        if n % 600 == 7:
            yield row
        if n % 800 == 9:
            yield f"a{n},else,inactive,,,,,\n"


@pytest.fixture
def feeds(tmp_path):
    put(tmp_path, "hr.csv", HR + "".join(people(2 * PORTION + 50)))
    put(tmp_path, "crm.csv", CRM + "".join(logins(2 * PORTION + 50)))
    return lambda: (hr_connector(tmp_path), app_connector(tmp_path))


def test_portions_and_records_are_the_same_in_columns(feeds):
    for whole, single in zip(feeds(), feeds(), strict=True):
        portions = list(whole.portions())
        assert {type(portion) for portion in portions} == {Rows}
        by_column, by_record = frames_of(portions), frames_of(list(single.records()))
        for table, frame in by_column.items():
            assert frame.equals(by_record[table]), table
        assert (whole.reading.rejected, whole.reading.kept) == (single.reading.rejected, single.reading.kept)


def test_rows_that_are_refused_or_put_together_are_so_in_every_portion(feeds):
    hr, crm = map(pull, feeds())
    people, strange = hr.people, [r for r in hr.reading.rejected if r.column in ("status", "hire_date")]
    assert hr.reading.duplicates == 5
    assert len(strange) == 2 * 3
    assert people.keys().isdisjoint({"5", "705", "1405"})
    assert people["1503"].state == "current"
    assert people["31"].manager_id == "hr:3"
    assert (crm.reading.duplicates, len(crm.accounts)) == (4, 2 * PORTION + 50 - 3)
    assert crm.refusals[0] == (12, "account_id")


def test_lines_are_counted_across_portions_and_line_breaks(tmp_path):
    rows = [f'{n},"two\nlines"\n' if n % 10 == 0 else f"{n},one\n" for n in range(PORTION + 500)]
    lines, at = [], 2
    for row in rows:
        lines.append(at)
        at += row.count("\n")
    path = put(tmp_path, "t.csv", "id,name\n" + "".join(rows))
    found = list(_table(path).portions())
    assert list(chain.from_iterable(portion.lines for portion in found)) == lines
    assert [cell for portion in found for cell in portion.told["id"]] == [str(n) for n in range(len(rows))]


def test_what_came_before_a_broken_row_is_kept(tmp_path):
    rows = [f"{n},one\n" for n in range(2 * PORTION)]
    rows[PORTION + 7] = 'x,"a"b\n'
    rows[20] = ",\n"
    table = _table(put(tmp_path, "t.csv", "id,name\n" + "".join(rows)))
    found = [(line, cell) for portion in table.portions() for line, cell in zip(*_ids(portion), strict=True)]
    assert found == [(n + 2, str(n)) for n in range(2 * PORTION) if n not in (20, PORTION + 7)]
    assert [(r.where, r.column) for r in table.reading.rejected] == [(f"t.csv:{PORTION + 9}", None)]
    assert table.reading.rows_read == 2 * PORTION - 1


def test_a_quotation_mark_that_is_never_closed_ends_the_reading(tmp_path):
    rows = [f"{n},one\n" for n in range(PORTION + 5)]
    rows[PORTION + 2] = '7,"open\n'
    with pytest.raises(IncompleteFeed, match=rf"t\.csv:{PORTION + 4}: a quotation mark is opened here"):
        list(_table(put(tmp_path, "t.csv", "id,name\n" + "".join(rows))).portions())


def _table(path):
    return Table(path, Reading(), "here", known=("id", "name"), required=("id",), renamed={})


def _ids(portion):
    return portion.lines, portion.told["id"]


class TestStanding:
    def test_a_row_that_cannot_be_read_leaves_every_column(self):
        rows = Standing(Portion(range(5, 8), {"a": ["1", "x", "3"], "b": ["p", "q", "r"]}))
        rows.read("number", int, "a")
        rows.read("both", str.__add__, "a", "b")
        assert list(rows.lines) == [5, 7]
        assert rows.columns["number"] == [1, 3]
        assert rows.columns["both"] == ["1p", "3r"]
        assert [(line, column) for line, column, _ in rows.refused] == [(6, "a")]

    def test_a_meaning_is_looked_up_once(self):
        asked = []
        meanings = Meanings(lambda text: asked.append(text) or len(text))
        assert [meanings[text] for text in ("a", "bb", "a")] == [1, 2, 1]
        assert asked == ["a", "bb"]


class TestRows:
    def test_a_field_that_is_left_out_has_its_default(self):
        rows = Rows(Account, {"application": ["crm"], "account_id": ["1"]})
        assert list(rows.records()) == [Account("crm", "1")]
        frames = frames_of([rows, Grant("crm", "1", "r")])
        assert frames["accounts"].equals(frames_of([Account("crm", "1")])["accounts"])
        assert frames["accounts"]["last_seen_known"].to_list() == [False]
        assert frames["grants"].height == 1

    def test_a_field_that_must_be_told_is_asked_for(self):
        with pytest.raises(KeyError):
            list(Rows(Account, {"application": ["crm"]}).records())

    def test_many_accounts_come_in_bounded_portions(self, tmp_path):
        put(tmp_path, "crm.csv", CRM + "".join(f"{n},,,,r;s,,,\n" for n in range(TOLD + 3)))
        sizes = [(portion.kind, len(portion)) for portion in app_connector(tmp_path).portions()]
        grants = [(Grant, TOLD), (Grant, TOLD), (Grant, 6)]
        assert sizes == [(Entitlement, 2), (Account, TOLD), *grants[:2], (Account, 3), grants[2]]
        assert isinstance(frames_of(app_connector(tmp_path).portions())["grants"], pl.DataFrame)
