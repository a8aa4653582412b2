"""A list of a known form is read as all JSON is: what tells the same columns, and what is left to the other parser."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from connectors.kit.answers import parsed
from connectors.kit.columns import Objects, keys_of
from connectors.kit.forms import FLAG, TEXT, TEXTS, Form, Formed
from connectors.kit.resource import Reader

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATHS = ("id", "name", "work.title", "work.lead.id", "kind")
ASKED = dict.fromkeys(PATHS, TEXT) | {"hidden": TEXTS}
VALUES = (None, "", " a ", "b", 7, 10**25, "ü\u2003", True, 1.5, [], {}, {"id": " c "})


def form():
    return Form(ASKED, "d.results", ("next",), alike=("kind", "work.title"))


def answer(items, **more):
    return {"d": {"other": [1.5, {"x": None}], "results": items, "next": {"page": 2}}, **more}


def person(dice, values):
    """One of every shape that has the form, and with odd values of others too."""
    told = {"id": dice.choice(values), "name": dice.choice(values), "kind": dice.choice(values), "unasked": [1, {}]}
    lead = dice.choice(({}, None, {"id": dice.choice(values), "x": 1}))
    told["work"] = dice.choice(({}, None, {"title": dice.choice(values), "lead": lead}))
    return {name: told[name] for name in dice.sample(list(told), dice.randrange(len(told) + 1))}


@pytest.mark.parametrize("seed", range(60))
def test_a_column_tells_what_it_tells_of_dictionaries(seed):
    dice = random.Random(seed)
    values = VALUES[:7] if seed % 2 else VALUES
    items = [person(dice, values) for _ in range(20)]
    content = json.dumps(answer(items), ensure_ascii=bool(seed % 3)).encode()
    ours, reader = form(), Reader("x", NOW)
    told = ours.read(content)
    assert told is not None or not seed % 2
    found = told["d"]["results"] if told else parsed(content)["d"]["results"]
    people, plain = ours.objects(found, reader), Objects(items, reader)
    assert type(people) is (Formed if told else Objects)
    assert len(people) == len(items)
    for path in PATHS:
        assert people.values(path) == plain.values(path)
        assert people.texts(path) == plain.texts(path)
    assert ours.keys(found, "id", reader) == keys_of(items, "id")


def test_what_stands_beside_the_list_is_told_where_it_is():
    ours = form()
    assert ours.read(json.dumps(answer([])).encode()) == {"d": {"results": [], "next": {"page": 2}}}
    assert ours.read(b'{"d": {"results": []}}') == {"d": {"results": []}}


def test_texts_that_repeat_are_kept_once():
    ours, reader = form(), Reader("x", NOW)
    kinds = []
    for _ in range(2):
        told = ours.read(json.dumps(answer([{"kind": " Sales team "}])).encode())
        kinds += ours.objects(told["d"]["results"], reader).texts("kind")
    assert kinds == ["Sales team"] * 2
    assert kinds[0] is kinds[1]


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(b"null", id="no object"),
        pytest.param(b'{"id": true}', id="a flag for a text"),
        pytest.param(b'{"id": 1.0}', id="a fraction for a text"),
        pytest.param(b'{"work": "x"}', id="a text for an object"),
        pytest.param(b'{"hidden": [1]}', id="numbers for texts"),
        pytest.param(b'{"work.lead.id": null}', id="a name that holds a path"),
        pytest.param(b'{"x": NaN}', id="NaN"),
        pytest.param(b'{"x": "\\ud800"}', id="half a sign"),
        pytest.param(b'{"x": "\xff"}', id="no text"),
        pytest.param(b'{"x": "\xc3"}', id="half a letter"),
        pytest.param(b'{"x": ' + b"1" * 4301 + b"}", id="a number of too many digits"),
        pytest.param(b'{"x": ' + b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"x": 01}', id="no number"),
        pytest.param(b'{"x": 1', id="half an object"),
    ],
)
def test_what_is_not_of_the_form_is_left_to_the_other_parser(item):
    body = b'{"d": {"results": [%s]}}'
    assert form().read(body % b"{}") is not None
    assert form().read(body % item) is None


@pytest.mark.parametrize("before", range(0, 4_300, 61))
def test_a_number_of_too_many_digits_is_seen_wherever_it_begins(before):
    content = b'{"d": {"results": [], "x": "%s", "y": %s}}' % (b"z" * before, b"7" * 4_301)
    with pytest.raises(ValueError, match="digits"):
        parsed(content)
    assert form().read(content) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"d": []}', b'{"d": {"results": {}}}', b'{"d": {}}', b"{}x"])
def test_an_answer_without_the_list_is_not_of_the_form(body):
    assert form().read(body) is None


def test_a_path_within_what_is_asked_for_as_a_text_is_read_where_neither_is_told():
    ours, reader = Form({"a": TEXT, "a.b": TEXT}, "data"), Reader("x", NOW)
    assert ours.read(b'{"data": [{"a": "x"}]}') is None
    people = ours.objects(ours.read(b'{"data": [{"c": 1}]}')["data"], reader)
    assert (people.values("a"), people.values("a.b")) == ([None], [None])


@pytest.mark.parametrize("seed", range(20))
def test_flags_and_what_is_not_asked_are_told_as_of_dictionaries(seed):
    dice = random.Random(seed)
    ours, reader = Form({"a": FLAG, "b.c": FLAG, "d": TEXT}, "data", needed=("d",)), Reader("x", NOW)
    some = (True, False, None) if seed % 2 else (True, False, None, "true", 1)
    items = [{"a": dice.choice(some), "b": {"c": dice.choice(some)}, "d": "x"} for _ in range(9)]
    found = ours.read(json.dumps({"data": items}).encode())
    assert found is not None or not seed % 2
    asked = [dice.random() < 0.5 for _ in items]
    told, plain = ours.objects(found["data"] if found else items, reader), Objects(items, reader)
    for path in ("a", "b.c"):
        assert told.flags(path) == plain.flags(path)
        assert told.only(asked).flags(path) == plain.only(asked).flags(path)
    assert told.only(asked).texts("d") == plain.only(asked).texts("d")


def test_objects_without_a_name_that_is_needed_are_not_of_the_form():
    ours = Form({"a": TEXT}, "data", needed=("a",))
    assert ours.read(b'{"data": [{"a": null}]}') is not None
    assert ours.read(b'{"data": [{"b": null}]}') is None


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(b'{"id": "a", "id": "b"}', id="two texts"),
        pytest.param(b'{"id": "a", "id": null}', id="a text and null"),
        pytest.param(b'{"id": "a", "\\u0069d": "b"}', id="written in two ways"),
        pytest.param(b'{"work": {"title": "a"}, "work": {"lead": {"id": 1}}}', id="two objects"),
        pytest.param(b'{"work": {"title": "a"}, "work": null}', id="an object and null"),
        pytest.param(b'{"work": {"title": "a", "title": "b"}}', id="within an object"),
        pytest.param(b'{"id": true, "id": "b"}', id="what has not the form and then what has"),
        pytest.param(b'{"id": "a", "id": true}', id="what has the form and then what has not"),
    ],
)
def test_of_a_name_that_is_told_twice_the_last_counts(item):
    content, ours, reader = b'{"d": {"results": [%s]}}' % item, form(), Reader("x", NOW)
    plain = Objects(parsed(content)["d"]["results"], reader)
    told = ours.read(content) or parsed(content)
    people = ours.objects(told["d"]["results"], reader)
    assert [people.values(path) for path in PATHS] == [plain.values(path) for path in PATHS]


def test_of_a_list_that_is_told_twice_the_last_counts():
    content = b'{"d": {"results": [{"id": "a"}], "results": [{"id": "b"}, {}], "next": 1, "next": 2}}'
    ours = form()
    told = ours.read(content)["d"]
    assert ours.keys(told["results"], "id", Reader("x", NOW)) == ["b", None]
    assert told["next"] == 2


def test_flags_are_told_as_they_are_and_in_words_by_the_other_parser():
    ours, reader = Form({"on": FLAG}, "data"), Reader("x", NOW)
    people = ours.objects(ours.read(b'{"data": [{"on": true}, {"on": false}, {"on": null}, {}]}')["data"], reader)
    assert people.flags("on") == [True, False, None, None]
    assert ours.read(b'{"data": [{"on": "true"}]}') is None


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\ud800"])
def test_names_that_msgspec_does_not_take_are_left_to_the_other_parser(name):
    ours, reader = Form({"id": TEXT, name: TEXT}, "data"), Reader("x", NOW)
    content = json.dumps({"data": [{"id": "a", name: "b"}]}).encode()
    assert ours.read(content) is None
    assert ours.objects(parsed(content)["data"], reader).texts(name) == ["b"]
