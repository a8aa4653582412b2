"""What is told of ids in few bytes: the same as in a dictionary, in memory and in a file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.atlassian_members import NOBODY, Member, Members
from connectors.kit.filed import Filed
from connectors.kit.github_enterprise import Opened
from governance.records import Credential

_TEXT = st.none() | st.text(max_size=5)
_MEMBERS = st.lists(
    st.builds(
        Member,
        account_id=st.text("ab\ud800", min_size=1, max_size=2),
        active=st.none() | st.booleans(),
        email=_TEXT,
        name=_TEXT,
        created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        groups=st.lists(st.text(max_size=3), max_size=3).map(tuple),
        uses=st.booleans(),
    ),
    max_size=12,
)


def filed(held: int) -> Filed[Member]:
    return Filed(Member, NOBODY, held=held)


def take(members: Filed[Member], told: list[Member]) -> None:
    members.add([member.account_id for member in told], told)


@settings(deadline=None)
@given(_MEMBERS, st.sampled_from([0, 1, 100, 10_000]), st.integers(1, 4))
def test_they_are_what_a_dictionary_would_hold(told: list[Member], held: int, at_once: int) -> None:
    members, plain = filed(held), {}
    for begin in range(0, len(told), at_once):
        take(members, told[begin : begin + at_once])
    for member in told:
        plain[member.account_id] = member
    assert list(members) == list(plain.values())
    assert len(members) == len(plain)
    asked = ["b", "a", "never", "\ud800", "ab"]
    assert members.of(asked) == [plain.get(account_id, NOBODY) for account_id in asked]
    assert [account_id in members for account_id in asked] == [account_id in plain for account_id in asked]


def test_rows_that_lie_far_apart_are_read_one_by_one() -> None:
    members = filed(0)
    told = [Member(f"{number}", name="n" * 3_000_000) for number in range(3)]
    for member in told:
        take(members, [member])
    assert members.of(["2", "0"]) == [told[2], told[0]]
    assert list(members) == told


def test_more_bytes_than_the_first_kind_of_ends_can_tell() -> None:
    members = Filed(Member, NOBODY, held=0, kind_of_ends="B")
    told = [Member(f"{number}", name="n" * 90) for number in range(8)]
    for begin in (0, 1, 2, 5):
        take(members, told[begin : {0: 1, 1: 2, 2: 5, 5: 8}[begin]])
    assert list(members) == told
    assert members.stand(["7", "8"]) == [True, False]


def test_nobody_is_the_one_that_was_asked_for() -> None:
    assert Members().of(["nobody"])[0] is NOBODY


def test_instants_keep_their_zone_in_a_file() -> None:
    at = datetime(2026, 11, 27, 8, 30, 1, 5, tzinfo=UTC)
    members = filed(0)
    take(members, [Member("a", created_at=at, last_seen_at=at)])
    [member] = members.of(["a"])
    assert member.created_at == at
    assert member.created_at.tzinfo is not None


def test_ids_and_rows_that_are_not_as_many_are_refused() -> None:
    members = filed(0)
    with pytest.raises(ValueError, match="2 ids for 1 rows"):
        members.add(["a", "b"], [Member("a")])
    members.add(["b"], [Member("b")])
    assert members.of(["a", "b"]) == [NOBODY, Member("b")]


def test_what_one_login_opened_may_come_on_several_pages() -> None:
    def held(*ids: int) -> list[Credential]:
        return [Credential("gh", "ada", str(number), "token") for number in ids]

    opened = Opened()
    opened.add({"ada": held(1, 2), "bo": held(3)})
    opened.add({"ada": held(4)})
    opened.add({"cy": held(5), "ada": held(6)})
    assert opened.of(["ada", "bo", "cy", "di"]) == [held(1, 2, 4, 6), held(3), held(5), []]
