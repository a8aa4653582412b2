"""A list that holds everybody is read some of it at a time, and tells what it tells when it is read at once."""

from __future__ import annotations

import json
import random
import tracemalloc
from datetime import UTC, datetime

import pytest

from connectors.kit import long_lists
from connectors.kit.answers import parsed
from connectors.kit.bodies import Body
from connectors.kit.columns import Objects
from connectors.kit.forms import TEXT, Formed
from connectors.kit.long_lists import LongForm, LongList, plainly
from connectors.kit.resource import Reader
from governance.errors import UnexpectedAnswer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATHS = ("id", "name", "work.title")
VALUES = ("a", "ü\u2003", ' "quoted" ', '},{"id":', '\\"},{"id":', "people", '"people":[', 7, 10**25, None)
ODD = (*VALUES, True, 1.5, [], {}, [{"id": "x"}, {"id": "y"}], "\ud800")
READER = Reader("x", NOW)


@pytest.fixture(params=[60, 400, 5_000])
def window(request, monkeypatch):
    monkeypatch.setattr(long_lists, "WINDOW", request.param)
    return request.param


def form(**more):
    return LongForm(dict.fromkeys(PATHS, TEXT), "people", **more)


def person(dice, values):
    told = {"id": dice.choice(values), "name": dice.choice(values), "more": dice.choice(ODD[:-1])}
    told["work"] = dice.choice(({}, None, {"title": dice.choice(values), "x": [{"id": 1}, {"id": 2}]}))
    return {"id": "1", **{name: told[name] for name in dice.sample(list(told), dice.randrange(len(told) + 1))}}


def written(dice, entries, **more):
    kinds = ((",", ":"), None), ((", ", ": "), None), ((",", ": "), 2)
    separators, indent = dice.choice(kinds)
    answer = {"before": [1], "people": entries, "after": {"people": []}, **more}
    return json.dumps(answer, ensure_ascii=bool(dice.randrange(2)), separators=separators, indent=indent).encode()


def stored(content):
    body = Body(10)
    body.add(content)
    return body.whole()


def read(content, **more):
    """Whether the list was read in portions, what the columns tell, and how many entries each portion holds."""
    ours = form(**more)
    told = ours.read(content)
    entries = told["people"] if told else parsed(content)["people"]
    columns, heights = [], []
    for some in ours.portions(entries):
        people = ours.objects(some, READER)
        heights.append(len(people))
        columns += zip(*(people.texts(path) for path in PATHS), strict=True)
    return bool(told), columns, heights


@pytest.mark.parametrize("seed", range(60))
def test_portion_by_portion_the_same_is_told(seed, window):
    dice = random.Random(seed)
    entries = [person(dice, VALUES if seed % 3 else ODD[:-1]) for _ in range(40)]
    content = written(dice, entries)
    plain = Objects(entries, READER)
    in_portions, columns, heights = read(content)
    assert columns == list(zip(*(plain.texts(path) for path in PATHS), strict=True))
    assert in_portions
    assert sum(heights) == len(form().read(content)["people"]) == 40
    assert read(bytearray(content)) == read(stored(content)) == (in_portions, columns, heights)
    assert [entry for some in plainly(form().read(content)["people"]) for entry in some] == entries


def test_portions_are_small_where_the_list_is_long(window):
    content = written(random.Random(1), [{"id": str(number), "name": "x" * 30} for number in range(2_000)])
    _, columns, heights = read(content)
    assert [key for key, *_ in columns] == [str(number) for number in range(2_000)]
    assert max(heights) * 40 <= max(window, 200)


def test_never_all_of_it_stands_as_objects():
    content = json.dumps({"people": [{"id": str(n), "name": "x" * 20, "y": [n] * 9} for n in range(40_000)]}).encode()
    ours = form()
    tracemalloc.start()
    try:
        heights = [len(some) for some in ours.portions(ours.read(content)["people"])]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(heights) == 40_000
    assert peak < 12 * long_lists.WINDOW < len(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"people": []}', id="nobody"),
        pytest.param(b'{"people": [null, {"id": "1"}]}', id="no object at first"),
        pytest.param(b'{"people": {"id": "1"}}', id="no list"),
        pytest.param(b'{"else": [{"id": "1"}]}', id="another name"),
        pytest.param(b'{"d": {"people": [{"id": "1"}]}}', id="further within"),
        pytest.param(b'{"d": {"people": [{"id": "1"}]}, "people": [{"id": "2"}]}', id="further within at first"),
        pytest.param(b'{"people": [{"id": "1"}], "people": [{"id": "2"}]}', id="told twice"),
        pytest.param(b'{"people": [{"id": "1"}], "\\u0070eople": [{"id": "2"}]}', id="told twice in two ways"),
        pytest.param(b'{"people": [{"id": "1"}, {"id": "\\u0000 begin"}]}', id="our own mark"),
        pytest.param(b'[{"people": [{"id": "1"}]}]', id="within a list"),
        pytest.param(b'\xef\xbb\xbf{"people": [{"id": "1"}]}', id="a mark of the order of bytes"),
        pytest.param(b'{"x": "%s", "people": [{"id": "1"}]}' % (b"x" * 70_000), id="begins late"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_without_such_a_list_is_left_to_the_other_parser(content):
    assert form().read(content) is None


def test_a_name_that_ends_like_that_of_the_list_is_another():
    told = form().read(b'{"x\\"people":[{"id": "1"}], "people": [{"id": "2"}]}')
    assert list(plainly(told["people"])) == [[{"id": "2"}]]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(b'{"id": NaN}', id="NaN"),
        pytest.param(b'{"id": "\\ud800"}', id="half a sign"),
        pytest.param(b'{"x": "\xff"}', id="no text"),
        pytest.param(b'{"x": ' + b"1" * 4_301 + b"}", id="a number of too many digits"),
        pytest.param(b'{"x": ' + b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"id": 01}', id="no number"),
        pytest.param(b'{"id": 1', id="half an object"),
        pytest.param(b'{"id": "1"}}', id="an end too many"),
        pytest.param(b'{"id": "1"}]', id="an end of the list too many"),
        pytest.param(b"", id="no entry"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 200, 399])
def test_half_json_is_seen_before_anything_is_told(entry, place, window):
    entries = [b'{"id": "%d", "name": "somebody"}' % number for number in range(400)]
    assert form().read(b'{"people": [%s]}' % b",".join(entries)) is not None
    entries[place] = entry
    assert form().read(b'{"people": [%s]}' % b",".join(entries)) is None


def test_wherever_it_breaks_off_it_is_no_answer(window):
    content = written(random.Random(2), [{"id": str(number), "work": {"title": "x"}} for number in range(30)])
    assert not [end for end in range(len(content)) if form().read(content[:end]) is not None]
    assert form().read(content + b"x") is None
    assert form().read(content + b"\n") is not None


@pytest.mark.parametrize(
    ("name", "formed"),
    [(b"title", True), (b"work.title", False), (b".", False), (b"a.b:c", False), (b"a.\\\"b", False),
     (b"a\\u002eb", False), (b"a.\\\\", False), (b"\\\\.", False), (b"a\\/b", False), (b"a:b", True)],
)  # fmt: skip
def test_where_dots_lead_an_object_with_one_in_a_name_is_read_as_all_json(name, formed):
    values = b'"p.q@example.com", "x.", 1.5, ". :", "', b'"'
    content = b'{"people": [{"id": [%s: %s], "%s" : 1}, {"id": "a."}]}' % (*values, name)
    content = content.replace(b'"id": [' + values[0] + b": " + values[1] + b"]", b'"x": ["a.b", 1.5, "c."]')
    ours = form(dots_lead=True)
    [some] = ours.portions(ours.read(content)["people"])
    assert type(ours.objects(some, READER)) is (Formed if formed else Objects)
    assert type(form().objects(next(form().portions(form().read(content)["people"])), READER)) is Objects


def test_a_list_gives_back_what_was_read():
    entries = [{"id": str(number)} for number in range(2_500)]
    told = list(entries)
    portions = form().portions(told)
    assert next(portions) == entries[:1_000]
    assert told[:1_001] == [None] * 1_000 + entries[1_000:1_001]
    assert [len(some) for some in portions] == [1_000, 500]


def test_what_cannot_be_read_after_all_is_an_error_of_ours():
    listed = LongList(b"", [], b"[" * 100_000, 1)
    with pytest.raises(UnexpectedAnswer, match="cannot be read"):
        list(plainly(listed))
