"""The overview's charts: labels that fit above a narrow column, gaps counted as the coverage does, what has no time."""

from __future__ import annotations

import pytest

from governance.findings import Coverage
from governance.parts.charts import untimed
from governance.parts.first import arrangement
from governance.parts.heat_map import gaps, label_of
from governance.parts.numbers import parts_of
from governance.rulebook import all_rules
from governance.views.overview import Cell, Grid

TITLES = [rule.title for rule in all_rules().values()]


@pytest.mark.parametrize("title", TITLES)
def test_the_title_of_a_rule_fits_above_its_column(title: str) -> None:
    lines = label_of(title).split("\n")
    assert 1 <= len(lines) <= 4
    assert all(1 <= len(line) <= 9 for line in lines), "eight letters, or eight and the mark of what was left out"


def test_no_two_rules_are_labelled_alike() -> None:
    labels = [label_of(title) for title in TITLES]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Ghost", "Ghost"),
        ("JIT and SCIM both on", "JIT and\nSCIM\nboth on"),
        ("Over-privileged", "Over-\nprivi-\nleged"),
        ("Not assigned in the identity provider", "Not\nassigned\nin the\nidentity…"),
    ],
)
def test_words_stay_whole_where_they_can(title: str, label: str) -> None:
    assert label_of(title) == label


def test_what_is_said_of_gaps_needs_no_mouse_and_tells_partly_from_not_at_all() -> None:
    states = ["evaluable", "not evaluable", "not evaluable", "partly", "never read", "never read"]
    cells = [Cell(number, 0, state, None, None) for number, state in enumerate(states)]
    assert gaps(Grid([], [], [], [], cells, [])) == (
        "2 places are not evaluable (hatched, not zero), 1 only partly judged (◐ where nothing was found),"
        " 2 applications have not been read yet. Choose one to see why."
    )
    assert gaps(Grid([], [], [], [], cells[:1], [])) == ""


def test_what_is_covered_and_was_never_timed_says_so_beside_the_times() -> None:
    assert untimed(Coverage(195, 174, 21, 0, 0)).startswith("174 accounts of recent leavers were closed before any")
    assert untimed(Coverage(2, 2, 0, 0, 0, ghosts=1)).startswith("1 account of a recent leaver was closed before any")
    assert untimed(Coverage(2, 2, 0, 0, 0, ghosts=2)) == untimed(None) == ""


def test_leaver_coverage_says_what_became_of_each_account() -> None:
    said = parts_of(Coverage(195, 174, 15, 1, 2, acknowledged=3))
    assert said == (
        "195 accounts were held by those who left in the last 30 days: 174 closed and verified, 3 acknowledged"
        " (the verifying read is still to come), 15 open, 1 open and excluded, 2 not told by the application."
    )
    assert parts_of(None) is parts_of(Coverage(0, 0, 0, 0, 0)) is None


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("applications", range(1, 40))
def test_neither_column_of_the_overview_ends_in_nothing(applications: int, times: bool) -> None:
    plan = arrangement(applications, times=times)
    below = 290 if times else 123
    left = 60 + 59 * plan.rows + below * plan.times_below_first
    right = 195 + 32 * applications + below * (not plan.times_below_first)
    assert abs(left - right) <= 59 or plan.rows in (6, 14), "a row more or less"
    if 5 <= applications <= 20:
        assert abs(left - right) <= 100
