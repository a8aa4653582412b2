"""What the browser tells of a review is checked before anybody believes it."""

from __future__ import annotations

import math

import pytest

from governance.parts.review_grid.told import LONGEST_REASON, MOST, Decided, checked, kept, still_asked

NONCE = "0123456789abcdef01234567"
ROWS, CRITICAL = {1, 2, 3}, {3}


def told(**values):
    return {"number": 1, "decision": "keep", "reason": "", "seconds": 2.5, "bulk": False, "nonce": NONCE} | values


def believed(*entries, known=ROWS):
    return checked({"count": 1, "decisions": list(entries)}, known, CRITICAL)


def test_what_a_reviewer_pressed_comes_through_in_its_order():
    entries = [
        told(nonce="a" * 24),
        told(number=2, decision="remove", nonce="b" * 24, seconds=None),
        told(number=1, decision="undo", nonce="c" * 24),
        told(number=3, decision="change", reason="  read only ", nonce="d" * 24),
        told(number=2, decision="not_mine", nonce="e" * 24, reason="Olga's"),
    ]
    found, dropped = believed(*entries)
    assert found == [
        Decided(1, "keep", "", 2.5, False, "a" * 24),
        Decided(2, "remove", "", None, False, "b" * 24),
        Decided(1, "undo", "", 2.5, False, "c" * 24),
        Decided(3, "change", "read only", 2.5, False, "d" * 24),
        Decided(2, "not_mine", "Olga's", 2.5, False, "e" * 24),
    ]
    assert dropped == {}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"number": 4}, "not one of yours"),
        ({"number": "1"}, "not one of yours"),
        ({"number": True}, "not one of yours"),
        ({"number": None}, "not one of yours"),
        ({"decision": "delete"}, "no decision"),
        ({"decision": None}, "no decision"),
        ({"decision": ["keep"]}, "no decision"),
        ({"bulk": "yes"}, "no decision"),
        ({"reason": "x" * (LONGEST_REASON + 1)}, "at most 500 characters"),
        ({"reason": 5}, "at most 500 characters"),
        ({"decision": "change"}, "what it should be instead"),
        ({"decision": "change", "reason": "  "}, "what it should be instead"),
        ({"bulk": True}, "need a reason"),
        ({"bulk": True, "reason": "same", "number": 3}, "critical"),
    ],
)
def test_these_are_dropped_and_the_browser_is_told_why(wrong, why):
    found, dropped = believed(told(**wrong), told(number=2, nonce="f" * 24))
    assert [one.number for one in found] == [2], "the others are not held up"
    assert list(dropped) == [NONCE]
    assert why in dropped[NONCE]


@pytest.mark.parametrize("nonce", [None, 7, "", "short", "x" * 65, "../../etc/passwd", "a b c d e f g", ["a" * 24]])
def test_without_a_nonce_of_its_own_nothing_is_believed(nonce):
    assert believed(told(nonce=nonce)) == ([], {})


def test_what_is_told_twice_counts_once():
    found, _ = believed(told(), told(decision="remove"), told(number=9))
    assert found == [Decided(1, "keep", "", 2.5, False, NONCE)]


@pytest.mark.parametrize(
    ("seconds", "kept_as"), [(0, 0.0), (599.5, 599.5), (7200, 600.0), (10**400, 600.0), (-1, None), (math.inf, None), (math.nan, None),
                             ("5", None), (True, None), (None, None)],
)  # fmt: skip
def test_how_long_somebody_looked_is_a_number_that_can_be_true(seconds, kept_as):
    [found] = believed(told(seconds=seconds))[0]
    assert found.seconds == kept_as


@pytest.mark.parametrize(
    "batch", [None, 7, "keep", [], {}, {"decisions": None}, {"decisions": {"a": 1}}, {"decisions": [1, None]}]
)
def test_what_is_no_batch_holds_nothing(batch):
    assert checked(batch, ROWS, CRITICAL) == ([], {})


def test_no_more_than_a_reviewer_can_press_are_read():
    entries = [told(nonce=f"{n:024d}") for n in range(MOST + 50)]
    assert len(believed(*entries)[0]) == MOST


def test_decisions_of_other_pages_of_the_list_come_through_where_they_are_known():
    assert believed(told(number=900), known=range(1, 1_000))[0][0].number == 900


def test_several_of_one_press_are_known_by_it():
    found, _ = believed(told(nonce=f"{NONCE}.0"), told(nonce=f"{NONCE}.1", number=2), told(nonce="f" * 24, number=3))
    assert [one.press for one in found] == [NONCE, NONCE, "f" * 24]


def test_the_browser_hears_only_of_what_it_still_asks_about():
    batch = {"decisions": [told(), told(nonce="f" * 24)]}
    assert kept(["f" * 24, "0" * 24], batch) == ["f" * 24]
    assert still_asked({NONCE: "closed", "0" * 24: "old"}, batch) == {NONCE: "closed"}
