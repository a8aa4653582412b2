"""People of a list and texts told of logins come back as a dictionary would have them, few or many."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime

import pytest

from connectors.kit.filed import HELD
from connectors.kit.github_listed import Accounts, Guids, Listed, Person, Texts
from connectors.kit.numbered import Ids
from governance.records import Account


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


GUID = "7fce0092-d52e-4f76-b727-00000100000f"


@pytest.mark.parametrize(
    "text",
    [
        *(GUID, GUID.upper(), GUID[:-1] + "F", GUID[:-1] + "g", GUID[:-1] + " ", GUID[:-1] + "é", GUID[:-1] + "\ud800"),
        *(GUID[:-1], GUID + "0", GUID[1:] + "-", GUID.replace("-", "") + "----", "-" * 36, "7" * 36, " " * 36, ""),
        *(f"{GUID[:7]}-{GUID[7]}{GUID[9:]}", GUID.replace("-", " "), GUID.replace("f", "\u0666"), "\u00ff" * 17),
    ],
)
def test_what_is_written_as_a_guid_comes_back_as_it_was(text):
    texts = Texts(Ids())
    texts.tell({"before": "a", "here": text, "after": GUID})
    assert texts.of(["after", "here", "before"]) == [GUID, text, "a"]
    guids = Guids(0)
    told = list(dict.fromkeys(["a", text, GUID]))
    assert guids.known(told) == [0] * len(told)
    assert guids.numbers(told) == [*range(1, len(told) + 1)]
    assert guids.known(told[::-1]) == [*range(len(told), 0, -1)]
    assert list(guids) == guids.of(range(1, len(told) + 1)) == told


def test_a_guid_takes_half_of_its_bytes():
    guids = Guids(0)
    guids.numbers([f"{GUID[:-4]}{n:04x}" for n in range(1_000)])
    assert len(guids._texts.kept) == 17_000


def test_texts_lie_in_a_file_and_a_million_of_them_take_few_bytes():
    tracemalloc.start()
    try:
        ids = Guids()
        guids = [f"{GUID[:-6]}{n:06x}" for n in range(200_000)]
        ids.numbers(guids)
        before, _ = tracemalloc.get_traced_memory()
        texts = Texts(ids)
        for begin in range(0, len(guids), 1_000):
            texts.tell({guid: guid for guid in guids[begin : begin + 1_000]})
        took = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert took < 10 * len(guids) + HELD
    assert texts.of(guids[150_000:150_003]) == guids[150_000:150_003]


@pytest.mark.parametrize("few", [0, 3, 100_000])
def test_accounts_stand_where_they_came_first_and_as_the_last_word_has_them(few):
    luck, accounts, known = random.Random(5), Accounts(Ids(few)), {}
    for count in range(700):
        told = [
            Account(
                "here",
                luck.choice(("ada", "\ud800", f"p{luck.randrange(900)}")),
                display_name=luck.choice((None, "é", "\ud800", f"{count}")),
                active=luck.choice((True, False, None)),
                created_at=luck.choice(
                    (
                        None,
                        datetime(1, 1, 1, microsecond=count, tzinfo=UTC),
                        datetime(2026, 11, 26, microsecond=count, tzinfo=UTC),
                    )
                ),
                credentials=luck.choice((None, 0, 2)),
            )
            for _ in range(luck.randrange(4))
        ]
        accounts.add(told)
        known.update((account.account_id, account) for account in told)
    assert list(accounts) == list(known.values())
    assert list(map(repr, accounts)) == list(map(repr, known.values()))
    assert all(account_id in accounts for account_id in known)
    assert None not in accounts
    assert "nobody" not in accounts


def test_an_account_takes_less_than_two_hundred_bytes():
    tracemalloc.start()
    try:
        accounts = Accounts()
        for begin in range(0, 110_000, 100):
            accounts.add(
                [Account("here", GUID[:-6] + f"{n:06}", f"p{n}", f"p{n}@x.example") for n in range(begin, begin + 100)]
            )
        took, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < 200 * 110_000
