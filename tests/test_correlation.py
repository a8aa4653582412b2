"""Whose is each account: the ladder, recycled addresses, look-alikes (FAULTS.md B1-B6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from msgspec.structs import replace

from governance.correlation import ASKED, addressed, fold, lookups, owners, skeleton
from governance.estate import answering
from governance.records import Account, Identity
from governance.settings import Domain
from governance.snapshots.frames import frames_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NO_PINS = pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "pinned_id": pl.String})


def person(number: str, **facts) -> Identity:
    return replace(Identity(source="hr", employee_id=number, state="current"), **facts)


def account(number: str, **facts) -> Account:
    return replace(Account(application="crm", account_id=number, active=True), **facts)


def correlated(accounts, identities, pins=NO_PINS, domains=(), tables=None):
    frames = frames_of([*identities, *accounts])
    lazy = {name: nw.from_native(frames[name].lazy()) for name in ("accounts", "identities")}
    looked_up = lookups(addressed(lazy["identities"], domains))
    if tables is not None:
        looked_up = {name: looked_up[name] for name in tables(lazy["accounts"], lazy["identities"])}
    if pins.height:
        looked_up["pins"] = nw.from_native(pins.lazy())
    result = owners(addressed(lazy["accounts"], domains), looked_up)
    rows = nw.to_native(result).collect().iter_rows(named=True)
    return {row["account_id"]: row for row in rows}


def one(account_, identities, **more):
    return correlated([account_], identities, **more)["a"]


def test_each_rung_names_itself():
    anna = person("0042", email="Anna.Berg@nwl.example", aliases=("aberg",), former_emails=("anna.falk@nwl.example",))
    rungs = {
        "external_id": account("1", external_id="0042"),
        "employee_id": account("2", employee_id="0042"),
        "email": account("3", email="anna.berg@NWL.example"),
        "alias": account("4", username="ABerg"),
        "former_email": account("5", email="anna.falk@nwl.example"),
    }
    found = correlated(rungs.values(), [anna])
    assert {row["match_key"]: row["owner_id"] for row in found.values()} == dict.fromkeys(rungs, "hr:0042")
    assert {row["match"] for row in found.values()} == {"matched"}


def test_a_pin_wins_over_every_key():
    pins = pl.DataFrame({"application": ["crm"], "account_id": ["a"], "pinned_id": ["hr:2"]})
    found = one(account("a", employee_id="1"), [person("1"), person("2")], pins=pins)
    assert (found["owner_id"], found["match"], found["match_key"]) == ("hr:2", "pinned", "pinned")


def test_the_stronger_key_decides_when_two_disagree():
    found = one(
        account("a", employee_id="1", email="two@nwl.example"), [person("1"), person("2", email="two@nwl.example")]
    )
    assert (found["owner_id"], found["match_key"]) == ("hr:1", "employee_id")


def test_a_username_that_is_an_address_counts_as_one():
    assert one(account("a", username="b@nwl.example"), [person("1", email="B@nwl.example")])["match_key"] == "email"


def test_leading_zeros_are_part_of_an_id():
    assert one(account("a", employee_id="42"), [person("0042")])["match"] == "unmatched"


def test_an_alias_of_two_people_is_ambiguous_and_names_both():
    found = one(account("a", username="info"), [person(n, aliases=("info",)) for n in "12"])
    assert (found["owner_id"], found["match"], found["candidates"]) == (None, "ambiguous", "hr:1;hr:2")


def test_many_candidates_are_cut_at_five():
    found = one(account("a", username="info"), [person(str(n), aliases=("info",)) for n in range(8)])
    assert found["match"] == "ambiguous"
    assert len(found["candidates"].split(";")) == 5


def test_a_name_only_suggests():
    found = one(account("a", display_name="Anna Berg"), [person("1", display_name="ANNA BERG")])
    assert (found["owner_id"], found["match"], found["candidates"]) == (None, "unmatched", "hr:1")


HIRED = NOW - timedelta(days=100)
LEFT = NOW - timedelta(days=200)
LEAVER = person("1", email="x@nwl.example", state="ended", hire_at=NOW - timedelta(days=900), ended_at=LEFT)
JOINER = person("2", email="x@nwl.example", hire_at=HIRED)


@pytest.mark.parametrize(
    ("created", "owner", "match"),
    [
        (NOW - timedelta(days=500), "hr:1", "matched"),
        (NOW - timedelta(days=50), "hr:2", "matched"),
        (NOW - timedelta(days=150), None, "ambiguous"),
        (None, None, "ambiguous"),
    ],
)
def test_a_recycled_address_binds_only_who_worked_here_when_the_account_was_made(created, owner, match):
    found = one(account("a", email="x@nwl.example", created_at=created), [LEAVER, JOINER])
    assert (found["owner_id"], found["match"]) == (owner, match)
    assert found["candidates"] == "hr:1;hr:2", "both stay visible"


def test_an_address_given_up_by_one_and_held_by_another_is_recycled_too():
    renamed = replace(LEAVER, email="y@nwl.example", former_emails=("x@nwl.example",), state="current", ended_at=None)
    assert one(account("a", email="x@nwl.example"), [renamed, JOINER])["match"] == "ambiguous"


def test_a_thousand_recycled_addresses_bind_nobody_twice_and_are_all_visible():
    people, accounts = [], []
    for n in range(1000):
        people += [
            replace(LEAVER, employee_id=f"L{n}", email=f"p{n}@nwl.example"),
            replace(JOINER, employee_id=f"J{n}", email=f"P{n}@nwl.example"),
        ]
        age = (None, 20, 150, 400)[n % 4]
        created = None if age is None else NOW - timedelta(days=age)
        accounts.append(account(str(n), email=f"p{n}@nwl.example", created_at=created))
    found = correlated(accounts, people)
    assert len(found) == 1000
    assert all(row["candidates"] == f"hr:J{n};hr:L{n}" for n, row in found.items())
    expected = {None: None, 20: "J", 150: None, 400: "L"}
    for n, row in found.items():
        who = expected[(None, 20, 150, 400)[int(n) % 4]]
        assert row["owner_id"] == (f"hr:{who}{n}" if who else None)


# Cyrillic and Greek letters, KELVIN SIGN, LONG S, sharp s, dotted and dotless i, full width (Unicode TR39).
LOOK_ALIKES = {
    "a": "аａɑα", "c": "сϲｃ", "e": "еｅ", "i": "іıｉİ", "j": "јｊ", "k": "\u212aｋ", "o": "оοｏ",
    "p": "рρｐ", "s": "ſѕｓ", "x": "хｘ", "y": "уｙ",
}  # fmt: skip


def test_no_look_alike_links_by_itself_and_each_is_suggested():
    pairs = [
        (f"{number}.{a}{real}{b}@nwl.example", f"{number}.{a}{fake}{b}@nwl.example")
        for number, (real, fake, a, b) in enumerate(
            (real, fake, a, b)
            for real, fakes in LOOK_ALIKES.items()
            for fake in fakes
            for a in ("", "m", "mar", "t.", "an-")
            for b in ("q", "zz", ".w", "9")
        )
    ]
    assert len(pairs) >= 500
    assert len(dict(pairs)) == len(pairs), "every address is somebody's own"
    people = [person(str(n), email=real) for n, (real, _) in enumerate(pairs)]
    accounts = [account(str(n), email=fake) for n, (_, fake) in enumerate(pairs)]
    found = correlated(accounts, people)
    assert {row["match"] for row in found.values()} == {"unmatched"}
    assert {row["owner_id"] for row in found.values()} == {None}
    suggested = sum(row["candidates"] is not None for row in found.values())
    assert suggested >= 0.8 * len(pairs)


@given(st.text(alphabet=st.characters(categories=["L", "Nd"]), min_size=1, max_size=12))
@budget(max_examples=1000, deadline=None)
def test_lower_case_variants_fold_alike_and_only_ascii_folds_to_ascii(text):
    key = fold(f"{text}@nwl.example")
    assert key == fold(f"  {text}@NWL.Example ")
    assert key.isascii() == text.isascii()
    assert fold(key) == key


@pytest.mark.parametrize("name", ["ANNA", "MÜLLER", "ÅSA", "ŁUKASZ", "ÑANDÚ", "ΣΟΦΙΑ", "ИВАН", "GROẞ"])
def test_plain_case_variants_link(name):
    found = one(account("a", email=f"{name.lower()}@nwl.example"), [person("1", email=f"{name}@nwl.example")])
    assert found["match_key"] == "email"


def test_composed_and_decomposed_letters_are_the_same():
    assert fold("mu\u0308ller@x.example") == fold("m\u00fcller@x.example")


def test_skeleton_of_ascii_is_its_key():
    assert skeleton("Anna@X.example") == "anna@x.example"


def test_an_empty_address_is_no_key():
    found = correlated([account("a", email=" "), account("b", email=None)], [person("1", email=""), person("2")])
    assert {row["match"] for row in found.values()} == {"unmatched"}


DOMAINS = {
    "none": (),
    "tag": (Domain(name="nwl.example", plus="tag"),),
    "same": (Domain(name="nwl.example", same_as=("northwind.example",)),),
    "both": (Domain(name="NWL.example", plus="tag", same_as=("Northwind.example",)),),
    "other": (Domain(name="other.example", plus="tag"),),
}
# Which rules lead an address to anna@nwl.example.
ADDRESSES = {
    "anna@nwl.example": {"none", "tag", "same", "both", "other"},
    "ANNA@NWL.example": {"none", "tag", "same", "both", "other"},
    "anna+test@nwl.example": {"tag", "both"},
    "anna+@nwl.example": {"tag", "both"},
    "anna@northwind.example": {"same", "both"},
    "Anna+x@Northwind.example": {"both"},
    "anna@evil-nwl.example": set(),
    "anna@nwl.example.evil": set(),
    "anna@mail.nwl.example": set(),
    "anna+ext@other.example": set(),
    "anna.b@nwl.example": set(),
    "anna@other.example": set(),
}


@pytest.mark.parametrize("rules", DOMAINS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_domains_follow_their_rule_and_no_other(address, rules):
    anna = [person("1", email="anna@nwl.example")]
    found = one(account("a", email=address), anna, domains=DOMAINS[rules])
    assert (found["match"] == "matched") == (rules in ADDRESSES[address])


@pytest.mark.parametrize("known_as", ["email", "alias", "former_email"])
@pytest.mark.parametrize("rules", DOMAINS)
@pytest.mark.parametrize("held", ["anna@nwl.example", "anna@northwind.example"])
def test_every_address_of_a_person_and_of_an_account_follows_the_same_rule(known_as, rules, held):
    among = ("zoe@northwind.example", held, "anna.c@nwl.example", "yan@x.example")
    anna = {
        "email": person("1", email=held),
        "alias": person("1", email="anna.berg@nwl.example", aliases=among),
        "former_email": person("1", email="anna.berg@nwl.example", former_emails=among),
    }[known_as]
    by_email = [account(address, email=address) for address in ADDRESSES]
    by_login = [account(f"login {address}", username=address) for address in ADDRESSES]
    found = correlated([*by_email, *by_login], [anna], domains=DOMAINS[rules])
    one_mailbox = held == "anna@nwl.example" or rules in {"same", "both"}
    for address, fitting in ADDRESSES.items():
        matches = rules in fitting if one_mailbox else address == held
        expected = (known_as, "hr:1") if matches else (None, None)
        assert [(found[id]["match_key"], found[id]["owner_id"]) for id in (address, f"login {address}")] == [
            expected
        ] * 2


def test_automatic_links_are_right_among_ten_thousand_people_who_share_names():
    people = [
        person(f"{n:05}", email=f"p{n}@nwl.example", display_name=f"Name {n % 500}", hire_at=HIRED)
        for n in range(10_000)
    ]
    keys = (
        lambda n: {"employee_id": f"{n:05}"},
        lambda n: {"email": f"P{n}@nwl.example"},
        lambda n: {"username": f"p{n}@nwl.example"},
        lambda n: {},
    )
    accounts = [account(str(n), display_name=f"Name {n % 500}", **keys[n % 4](n)) for n in range(10_000)]
    found = correlated(accounts, people)
    linked = {n: row["owner_id"] for n, row in found.items() if row["owner_id"]}
    assert len(linked) == 7_500
    assert all(owner == f"hr:{int(n):05}" for n, owner in linked.items())


def test_renames_keep_one_person():
    people = [person(str(n), email=f"new{n}@nwl.example", former_emails=(f"old{n}@nwl.example",)) for n in range(1000)]
    accounts = [account(str(n), email=f"old{n}@nwl.example") for n in range(1000)]
    found = correlated(accounts, people)
    assert all(row["owner_id"] == f"hr:{n}" and row["match_key"] == "former_email" for n, row in found.items())


ADDRESSES_HELD = st.sampled_from(["anna@nwl.example", "\u0430nna@nwl.example"])
NUMBERS = st.sampled_from(["1", "2"])
OF_ACCOUNTS = {
    "external_id": NUMBERS.map("hr:{}".format),
    "employee_id": NUMBERS,
    "email": ADDRESSES_HELD,
    "username": NUMBERS | ADDRESSES_HELD,
    "display_name": st.just("Anna Berg"),
    "created_at": st.sampled_from([HIRED, NOW]),
}
OF_PEOPLE = {
    "email": ADDRESSES_HELD,
    "aliases": st.tuples(NUMBERS | ADDRESSES_HELD),
    "former_emails": st.tuples(ADDRESSES_HELD),
    "display_name": st.just("Anna Berg"),
    "ended_at": st.sampled_from([None, NOW - timedelta(days=1)]),
}


def some(columns):
    """Rows in which few columns are told at all, as in most feeds."""
    told = st.sets(st.sampled_from(sorted(columns)), min_size=1, max_size=3)
    rows = told.map(lambda names: st.fixed_dictionaries({name: columns[name] for name in sorted(names)}))
    return rows.flatmap(lambda row: st.lists(row, min_size=4, max_size=12))


@given(some(OF_ACCOUNTS), some(OF_PEOPLE))
@budget(deadline=None, max_examples=20)
def test_lookups_left_out_because_nobody_has_such_a_key_change_nothing(accounts, people):
    accounts = [account(str(n), **facts) for n, facts in enumerate(accounts)]
    people = [person(str(n), hire_at=HIRED, **facts) for n, facts in enumerate(people, start=1)]
    everything = correlated(accounts, people)
    assert correlated(accounts, people, tables=answering) == everything


ENDED = NOW - timedelta(days=1)
ANNA = "anna@nwl.example"
# A match that hangs on this lookup: nothing else of these accounts and people is told.
ONLY_BY = {
    "external_id": ({"external_id": "1"}, [{}]),
    "employee_id": ({"employee_id": "1"}, [{}]),
    "email": ({"email": ANNA}, [{"email": ANNA}]),
    "alias": ({"username": "aberg"}, [{"aliases": ("ABerg",)}]),
    "former_email": ({"email": ANNA}, [{"former_emails": (ANNA,)}]),
    "shared": ({"email": ANNA, "created_at": NOW}, [{"email": ANNA, "ended_at": ENDED}, {"email": ANNA}]),
    "email_skeleton": ({"email": "\u0430nna@nwl.example"}, [{"email": ANNA}]),
    "name_key": ({"display_name": "Anna Berg"}, [{"display_name": "ANNA BERG"}]),
}


@pytest.mark.parametrize("lookup", ONLY_BY)
def test_what_one_lookup_alone_answers_is_answered_when_others_are_left_out(lookup):
    assert set(ONLY_BY) == set(ASKED)
    facts, held = ONLY_BY[lookup]
    people = [person(str(n), hire_at=HIRED, **row) for n, row in enumerate(held, start=1)]
    found = one(account("a", **facts), people, tables=answering)
    assert found == one(account("a", **facts), people)
    assert found["owner_id"] or found["candidates"]
