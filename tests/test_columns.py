"""Pages are read column by column: what stands in a column is what one object alone would have told."""

from __future__ import annotations

import random
import tracemalloc
from array import array
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.kit import instants
from connectors.kit.columns import Columns, Objects, keys_of, names_of
from connectors.kit.fingerprints import Met
from connectors.kit.lasting import Lasting
from connectors.kit.pagination import Page, read_lists, read_pages
from connectors.kit.portions import TOLD, gathered
from connectors.kit.resource import Reader
from connectors.kit.scim_accounts import AccountReader, Resources
from connectors.kit.scim_resource import Attributes, Dialect
from governance.records import Account, Grant, Reading, Rows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VALUES = (None, "", " a ", "b", 7, True, False, 1.5, [], ["x"], {}, {"b": " c "}, {"b": {"c": 1}}, {"B": "d", "b": "e"})
PATHS = ("a", "a.b", "a.b.c", "b", "c.b", "urn:x:a:b", "A")


def objects(seed, names):
    """Objects of every shape; some entries are none at all."""
    dice = random.Random(seed)
    for _ in range(40):
        if dice.random() < 0.1:
            yield dice.choice((None, 3, "text", []))
        else:
            yield {name: dice.choice(VALUES) for name in dice.sample(names, dice.randrange(len(names) + 1))}


@pytest.mark.parametrize("seed", range(40))
def test_a_column_tells_what_each_object_tells(seed):
    items = list(objects(seed, ("a", "b", "c", "a.b")[: 3 + seed % 2]))
    single, whole = Reader("x", NOW), Reader("x", NOW)
    columns = Objects(items, whole)
    for path in PATHS:
        assert columns.values(path) == [single.of(item).get(path) for item in items]
        assert columns.texts(path) == [single.of(item).text(path) for item in items]
        assert columns.flags(path) == [single.of(item).flag(path) for item in items]
    assert whole.unread == single.unread
    for name in ("a", "b"):
        assert columns.tells(name) == [single.of(item).tells(name) for item in items]
    assert keys_of(items, "a") == [single.of(item).text("a") for item in items]
    assert names_of(items) == {name for item in items if isinstance(item, dict) for name in item}


@pytest.mark.parametrize("seed", range(40))
def test_a_column_reads_words_and_times_as_each_object_is_read(seed):
    known, said = {"a": 1, "b": None}, ("A", "b", " c ", 7, None, [], "2026-11-23T08:00:00Z", "2027-01-01T00:00:00Z")
    dice = random.Random(seed)
    items = [{"a": dice.choice(said), "b": {"c": dice.choice(said)}} for _ in range(40)]
    left_out = [dice.random() < 0.3 for _ in items]
    for path in ("a", "b.c", "b"):
        single, whole = Reader("x", NOW), Reader("x", NOW)
        columns = Objects(items, whole)
        asked = columns.only([not none for none in left_out])
        resources = [single.of({} if none else item) for item, none in zip(items, left_out, strict=True)]
        assert asked.instants(path) == [one.instant(path) for one in resources]
        assert asked.flags(path) == [one.flag(path) for one in resources]
        assert columns.one_of(path, known) == [single.of(item).one_of(path, known) for item in items]
        assert (whole.unread, whole.clamped) == (single.unread, single.clamped)


@pytest.mark.parametrize("seed", range(40))
def test_a_column_tells_whether_each_has_the_key_and_nothing_of_those_that_are_not_asked(seed):
    items, dice = list(objects(seed, ("a", "b"))), random.Random(seed)
    asked = [dice.random() < 0.5 for _ in items]
    single, whole = Reader("x", NOW), Reader("x", NOW)
    columns = Objects(items, whole)
    assert columns.tells("a") == [single.of(item).tells("a") for item in items]
    told = [single.of(item).text("a.b") if wanted else None for item, wanted in zip(items, asked, strict=True)]
    assert columns.only(asked).texts("a.b") == told
    assert whole.unread == single.unread


TIMES = (
    "2026-11-02T08:00:00Z",
    "2026-11-02T08:00:00.123Z",
    "2026-11-02T08:00:00.000+0000",
    "1900-01-01T00:00:00+00:00",
)
OTHERS = (None, "", " 2026-11-02T08:00:00Z", "2026-13-02T08:00:00Z", "2026-11-02T08:00:00\n", "2199-01-01T00:00:00Z", 3)
ODD = (*OTHERS, "2026-11-02T08:00:00.000+0530", "2026-11-02", 1700000000, "0026-11-02T08:00:00Z", [], "\u0661", *TIMES)


@pytest.mark.parametrize("seed", range(200))
def test_a_column_of_times_tells_what_each_tells(seed):
    dice = random.Random(seed)
    form = dice.choice(TIMES)
    values = [form.replace("02", f"{dice.randrange(1, 29):02}", 1) for _ in range(20)]
    for _ in range(seed % 4):
        values[dice.randrange(len(values))] = dice.choice(ODD)
    items = [{"a": value} for value in values]
    single, whole = Reader("x", NOW), Reader("x", NOW)
    assert Objects(items, whole).instants("a") == [single.of(item).instant("a") for item in items]
    assert (whole.unread, whole.clamped) == (single.unread, single.clamped)


@pytest.mark.parametrize("seed", range(40))
def test_a_column_of_scim_tells_what_each_resource_tells(seed):
    names = ("a", "b", "c", "A", "a.b", "urn:x:a", "URN:x:A", "urn:x:a:b")[: 3 + seed % 6]
    items = list(objects(seed, names))
    resources = Resources(items)
    alone = [Attributes(item if isinstance(item, dict) else {}) for item in items]
    for path in PATHS:
        assert resources.values(path) == [one.get(path) for one in alone]
        assert resources.texts(path) == [one.text(path) for one in alone]


def test_accounts_of_a_page_are_those_of_each_resource():
    items = [
        {"id": "1", "userName": "a", "active": True, "emails": [{"value": " a@x "}], "meta": {"created": "2026-01-02"}},
        {"id": 2, "USERNAME": "b", "active": "false", "emails": "b@x", "userType": "Service Account"},
        {"id": "3", "emails": [{"value": "w@x", "type": "work"}, {"value": "p@x", "primary": True}], "active": 5},
        {"id": "4", "emails": [], "name": {"givenName": "D", "familyName": "E"}, "meta": {"created": "never"}},
        {"id": "5", "emails": [{"VALUE": "e@x"}, 3], "userName": "e", "UserName": "f", "active": None},
        {"id": None, "userName": "nobody"},
    ]
    whole, single = (AccountReader("crm", Dialect(), NOW) for _ in range(2))
    accounts = [account for _, account in whole.several(items)]
    assert accounts == [single.account(item, None) for item in items[:-1]]
    assert whole.unread == single.unread == {"active": 2, "meta.created": 1}
    assert [account.email for account in accounts] == ["a@x", "b@x", "p@x", None, "e@x"]
    with pytest.raises(ValueError, match="is missing"):
        single.account(items[-1], None)


def test_a_time_that_is_read_plainly_reads_the_same_closely():
    calendar, zone, dice = instants.Calendar(None, None, "x", epoch=True), ZoneInfo("UTC"), random.Random(1)
    written = ["2026-11-23T08:00:00Z", "2026-11-23T08:00:00.123456Z", "2026-11-23T08:00:00.000+0000"]
    written += ["2026-11-23T08:00:00+00:00", "1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-11-23T08:00:00.Z"]
    plain = 0
    for _ in range(20_000):
        text = list(dice.choice(written))
        for _ in range(dice.randrange(3)):
            text[dice.randrange(len(text))] = dice.choice("0123456789-:TZ.+ w\u0661")
        value = instants.plain("".join(text))
        if value is not None:
            plain += 1
            closely = instants._in_utc(calendar._parse("".join(text)), zone, 0)
            assert (closely, closely.tzinfo) == (value, UTC), text
    assert plain > 1_000


class TestLasting:
    def rows(self, as_they_are):
        rows = Lasting({"key", "name"}, as_they_are)
        for begin in range(0, 50, 10):
            places = range(begin, begin + 10)
            keys = [str(place % 45) for place in places]
            names = [None if place % 7 == 0 else f"n{place}" for place in places]
            rows.add(places, {"key": keys, "name": names, "at": [NOW] * 10})
        rows.add([], {})
        return rows

    @pytest.mark.parametrize("as_they_are", [0, 25, 1_000])
    def test_packed_or_not_the_rows_are_the_same(self, as_they_are):
        rows = self.rows(as_they_are)
        assert rows.repeated("key") == {str(n): [n, n + 45] for n in range(5)}
        assert rows.repeated("nothing") == {}
        assert [rows.columns["name"][place] for place in (0, 1, 49)] == [None, "n1", None]
        rows.widen("more", ())
        rows.change(31, {"name": "else", "more": ("m",)})
        rows.drop({0, 45, 46})
        assert len(rows) == 47
        assert list(rows.kept("name"))[30] == "else"
        assert list(rows.kept("nothing")) == [None] * 47
        slices = list(rows.slices(20))
        assert [height for height, _ in slices] == [20, 20, 7]
        told = {name: [value for _, columns in slices for value in columns[name]] for name in ("key", "name", "more")}
        assert told["key"] == [str(n % 45) for n in range(50) if n not in {0, 45, 46}]
        assert (told["name"][30], told["more"][30], told["more"][29]) == ("else", ("m",), ())

    def test_half_a_character_is_kept(self):
        rows = Lasting({"name"}, 0)
        rows.add([1], {"name": ["\ud800"]})
        assert list(rows.kept("name")) == ["\ud800"]

    @pytest.mark.parametrize(
        "values",
        [
            pytest.param(["a", None, "b", "a"], id="texts"),
            pytest.param([NOW, None, NOW + timedelta(days=1)], id="instants"),
            pytest.param([NOW, NOW.astimezone(ZoneInfo("Asia/Tokyo"))], id="one instant in two zones"),
            pytest.param([True, 1, 1.0, 0, False, -0.0], id="equal values of several types"),
            pytest.param([["a"], {"b": 1}, ()], id="what has no hash"),
            pytest.param([str(number) for number in range(70_000)], id="too many different ones"),
            pytest.param(range(1, 9), id="a range"),
        ],
    )
    @pytest.mark.parametrize("size", [3, 4, 10_000])
    def test_values_that_repeat_come_back_as_they_were(self, values, size):
        rows = Lasting((), 0)
        for _ in range(2):
            rows.add(range(len(values)), {"x": values, "y": [None] * len(values)})
        told = [list(rows.kept("x")), [value for _, some in rows.slices(size) for value in some["x"]]]
        assert [list(map(repr, some)) for some in told] == [list(map(repr, values)) * 2] * 2

    def test_values_that_repeat_take_two_bytes_each(self):
        rows = Lasting((), 0)
        tracemalloc.start()
        try:
            for _ in range(100):
                rows.add(range(1_000), {name: [f"{name} {n % 60}" for n in range(1_000)] for name in "abcd"})
            took, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert took < 12 * 100_000  # four columns; that lines follow each other takes next to nothing

    @pytest.mark.parametrize("lines", [range(5, 15), [*range(5, 15)], [*range(5, 14), 15], [2**40, 1], [3], (9, 8)])
    def test_lines_are_told_as_they_came(self, lines):
        rows = Lasting()
        for _ in range(3):
            rows.add(lines, {"x": ["a"] * len(lines)})
        assert list(rows.lines) == [*lines] * 3
        assert [rows.lines[place] for place in range(3 * len(lines))] == [*lines] * 3

    def test_what_came_as_it_is_takes_as_little_once_they_are_many(self):
        rows = Lasting({"name"}, 5_000)
        for begin in range(0, 6_000, 1_000):
            columns = {"name": [f"n{n}" for n in range(begin, begin + 1_000)], "at": [NOW] * 1_000}
            rows.add(range(1_000), columns)
            parts = [part for column in rows.columns.values() for part in column.parts]
            assert {type(part) for part in parts} == ({list} if begin < 5_000 else {bytes, array})
        assert list(rows.kept("name")) == [f"n{n}" for n in range(6_000)]
        assert list(rows.kept("at")) == [NOW] * 6_000


@pytest.mark.parametrize("few", [3, 1_000])
def test_a_page_of_keys_is_met_as_each_of_them_is(few):
    together, alone = Met(few), Met(few)
    for page in (["a", "b"], ["b", "c", None], ["d", "d"], [], ["e", "f", "g"], ["a", "h"]):
        places = [place for place, key in enumerate(page) if key is None or alone.new(key)]
        assert list(together.places(page)) == places
        assert len(together) == len(alone)


def test_lists_are_told_page_by_page_as_one_by_one():
    pages = [Page(["a", "b", ""], "2", 5), Page(["b", "c"], "3", 5), Page(["d", "e"], None, 5)]
    both = [Reading(), Reading()]

    def fetch(cursor):
        return pages[int(cursor or 1) - 1]

    single = list(read_pages(fetch, lambda item: item or None, both[0], "x"))
    told = read_lists(fetch, lambda items: [item or None for item in items], both[1], "x")
    assert [pair for numbers, items in told for pair in zip(numbers, items, strict=True)] == single
    assert single == [(1, "a"), (2, "b"), (3, ""), (5, "c"), (6, "d"), (7, "e")]
    assert both[0] == both[1]
    assert (both[0].rows_read, both[0].duplicates, both[0].declared_total) == (7, 1, 5)


def test_small_portions_are_gathered_by_their_kind():
    accounts = [Rows(Account, {"application": ["a"] * 600, "account_id": ["1"] * 600})] * 20
    grants = [Rows(Grant, {"application": ["a"], "account_id": ["1"], "entitlement_id": [str(n)]}) for n in range(20)]
    mixed = [rows for pair in zip(accounts, grants, strict=True) for rows in pair]
    told = list(gathered(mixed))
    assert [rows.kind for rows in told] == [Account, Grant, Account]
    assert len(told[0]) >= TOLD
    assert sum(map(len, told)) == 20 * 601
    assert told[1].columns["entitlement_id"] == [str(n) for n in range(20)]
    assert list(gathered([Rows(Grant, {"application": [], "account_id": [], "entitlement_id": []})])) == []


def test_kept_columns_tell_what_objects_tell():
    rows = [{"name": " a ", "on": True, "state": "x"}, {"name": None, "on": "false", "state": 5}]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    objects, kept = Reader("here", NOW), Reader("here", NOW)
    told, as_columns = Objects(rows, objects), Columns(2, columns, kept)
    for one, other in ((told, as_columns), (told.only([False, True]), as_columns.only([False, True]))):
        assert len(one) == len(other)
        for path in ("name", "on", "state", "other"):
            assert one.values(path) == other.values(path)
            assert one.texts(path) == other.texts(path)
            assert one.tells(path) == other.tells(path)
        assert one.flags("on") == other.flags("on")
        assert one.one_of("state", {"x": 1}) == other.one_of("state", {"x": 1})
    assert objects.unread == kept.unread
    nothing = Columns(2, {}, kept)
    assert (nothing.texts("name"), nothing.tells("name"), nothing.only([True, False]).values("name")) == (
        [None, None],
        [False, False],
        [None, None],
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_objects_in_lists_are_those_of_each_in_their_order(seed):
    dice = random.Random(seed)
    lists = (None, [], {"c": 1}, "x", 7, [{"c": " a "}, {"c": []}], [{"c": "b"}, "x", None], [[{"c": "d"}]])
    items = [{"a": dice.choice(lists)} if dice.random() < 0.9 else 3 for _ in range(20)]
    single, whole = Reader("x", NOW), Reader("x", NOW)
    counts, together = Objects(items, whole).parts("a")
    each = [[part.text("c") for part in single.of(item).parts("a")] for item in items]
    assert counts == [len(texts) for texts in each]
    assert together.texts("c") == [text for texts in each for text in texts]
    assert whole.unread == single.unread


@pytest.mark.parametrize("seed", range(40))
def test_closed_values_mean_of_a_page_what_each_means_alone(seed):
    dice = random.Random(seed)
    values = ("on", "off", None, "On", " off ", "", "dim", 7, True, [])[: 3 if seed % 2 else 10]
    items = [{"s": dice.choice(values)} for _ in range(12)]
    single, whole = Reader("x", NOW), Reader("x", NOW)
    known = {"on": True, "off": False}
    assert Objects(items, whole).one_of("s", known) == [single.of(item).one_of("s", known) for item in items]
    assert whole.unread == single.unread
    assert Objects(items, whole).only([False] * 12).values("s") == [None] * 12
