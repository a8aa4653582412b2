"""Ten thousand accounts that are hard to match: how many links are made by themselves, and how many are right."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from test_correlation import account, correlated, person

HIRED = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SEED = 1_119
LOOK_ALIKE = str.maketrans({"a": "\u0430", "e": "\u0435", "o": "\u043e"})  # Cyrillic letters that look the same
GIVEN = ("ana", "leo", "zoe", "omar", "rosa", "theo")


def same_names(n, rng):
    """Two people of one name, and an account that says which of them by one key, or says only the name."""
    name = f"{rng.choice(GIVEN)} {n % 40}"
    pair = [person(f"{n}{s}", display_name=name, email=f"s{n}{s}@nwl.example", hire_at=HIRED) for s in "ab"]
    keys = {"employee_id": f"{n}a"}, {"email": f"S{n}a@nwl.example"}, {"username": f"s{n}a@nwl.example"}, {}
    return pair, {"display_name": name, **rng.choice(keys)}, f"{n}a"


def recycled_addresses(n, rng):
    """An address of somebody who left that somebody else got; the account is of who worked here when it was made."""
    left, began = HIRED + rng.randint(100, 900) * DAY, HIRED + rng.randint(1_000, 1_500) * DAY
    address = f"r{n}@nwl.example"
    old = person(f"{n}a", state="ended", ended_at=left, hire_at=HIRED, email=address)
    new = person(f"{n}b", hire_at=began, email=address)
    first = rng.random() < 0.5
    made = HIRED + 10 * DAY if first else began + rng.randint(0, 300) * DAY
    made = None if rng.random() < 0.2 else made  # not told: nothing tells the two apart
    return [old, new], {"email": address, "created_at": made}, f"{n}a" if first else f"{n}b"


def confusables(n, rng):
    """An account whose address only looks like somebody's: it is nobody's."""
    name = rng.choice(GIVEN)
    return (
        [person(f"{n}a", email=f"{name}{n}@nwl.example")],
        {"email": f"{name}{n}".translate(LOOK_ALIKE) + "@nwl.example"},
        None,
    )


def renames(n, rng):
    """Somebody married; the account has the name from before, or the new one."""
    one = person(f"{n}a", email=f"new{n}@nwl.example", former_emails=(f"old{n}@nwl.example",), hire_at=HIRED)
    other = person(f"{n}b", email=f"old{n}x@nwl.example", hire_at=HIRED)
    return [one, other], {"email": rng.choice((f"old{n}", f"new{n}", f"OLD{n}")) + "@nwl.example"}, f"{n}a"


def aliases(n, rng):
    """An alias of one person, or of two: then it is the first's, and nothing tells."""
    shared = rng.random() < 0.3
    one = person(f"{n}a", email=f"l{n}@nwl.example", aliases=(f"desk{n}@nwl.example",))
    other = person(f"{n}b", email=f"m{n}@nwl.example", aliases=(f"desk{n}@nwl.example",) if shared else ())
    return [one, other], {"email": f"desk{n}@nwl.example"}, f"{n}a"


def second_contracts(n, rng):
    """One person under two numbers, one after the other: the account is of the contract it was made in."""
    left, began = HIRED + 300 * DAY, HIRED + rng.randint(301, 900) * DAY
    facts = {"display_name": f"contract {n}", "email": f"c{n}@nwl.example"}
    first = person(f"{n}a", state="ended", ended_at=left, hire_at=HIRED, **facts)
    second = person(f"{n}b", hire_at=began, **facts)
    now = rng.random() < 0.7
    key = rng.choice(({"employee_id": f"{n}{'b' if now else 'a'}"}, {"email": facts["email"]}))
    made = {"created_at": began + 5 * DAY if now else HIRED + 5 * DAY}
    return [first, second], {**key, **made}, f"{n}b" if now else f"{n}a"


KINDS = (same_names, recycled_addresses, confusables, renames, aliases, second_contracts)


@pytest.mark.parametrize("seed", [SEED])
def test_of_ten_thousand_hard_cases_of_six_kinds_automatic_links_are_right(seed):
    rng = random.Random(seed)
    people, accounts, truth, kind_of = [], [], {}, {}
    for n in range(10_000):
        kind = KINDS[n % len(KINDS)]
        found, facts, owner = kind(n, rng)
        people += found
        accounts.append(account(str(n), **facts))
        truth[str(n)], kind_of[str(n)] = owner and f"hr:{owner}", kind.__name__
    rng.shuffle(people)
    rng.shuffle(accounts)
    links = {n: row["owner_id"] for n, row in correlated(accounts, people).items() if row["owner_id"]}
    made = Counter(kind_of[n] for n in links)
    wrong = Counter(kind_of[n] for n, owner in links.items() if owner != truth[n])
    cases = Counter(kind_of.values())
    precision = 1 - sum(wrong.values()) / len(links)
    for name in sorted(cases):
        print(f"{name}: {cases[name]} cases, {made[name]} linked, {wrong[name]} wrong")  # noqa: T201
    print(f"seed {seed}: {len(links)} of {len(truth)} linked by themselves, precision {precision:.3%}")  # noqa: T201
    assert precision >= 0.999, wrong
    assert made["confusables"] == 0
    assert len(links) > 5_000, "a ladder that links nobody would be right too"
