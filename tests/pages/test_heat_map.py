"""The heat map: labels that fit above a narrow column and are never rotated, and gaps counted as the coverage does."""

from __future__ import annotations

import pytest

from governance.parts.heat_map import gaps, label_of
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
