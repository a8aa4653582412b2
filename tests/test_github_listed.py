"""People of a list and texts told of logins come back as a dictionary would have them, few or many."""

from __future__ import annotations

import random

import pytest

from connectors.kit.github_listed import Listed, Person, Texts
from connectors.kit.numbered import Ids


@pytest.mark.parametrize("few", [0, 3, 100_000])
def test_people_stand_where_they_came_first_and_as_the_last_word_has_them(few):
    luck, ids, known = random.Random(4), Ids(few), {}
    ids.numbers(["somebody else", "ada"])  # numbers are shared with other lists
    listed = Listed(ids)
    for count in range(300):
        page = [
            Person(luck.choice(("ada", "\ud800", f"p{luck.randrange(400)}")), name=f"{count}")
            for _ in range(luck.randrange(4))
        ]
        listed.add(page)
        known.update((person.login, person) for person in page)
    assert list(listed) == list(known.values())
    assert [listed.get(login) for login in known] == list(known.values())
    assert [person for page in listed.pages() for person in page] == list(known.values())
    assert all(login in listed for login in known)
    assert listed.hold(["somebody else", *known, "nobody"]) == [False, *[True] * len(known), False]
    assert "somebody else" not in listed
    assert "nobody" not in listed
    assert listed.get("nobody") is None


@pytest.mark.parametrize("few", [0, 3, 100_000])
def test_texts_are_those_told_last(few):
    luck, texts, known = random.Random(4), Texts(Ids(few)), {}
    assert not texts
    for count in range(300):
        told = {f"k{luck.randrange(200)}": luck.choice((f"t{count}", "é", "\ud800")) for _ in range(luck.randrange(4))}
        texts.tell(told)
        known |= told
    keys = [f"k{n}" for n in range(210)]
    assert texts
    assert texts.of(keys) == list(map(known.get, keys))
    assert list(map(texts.get, keys)) == list(map(known.get, keys))
