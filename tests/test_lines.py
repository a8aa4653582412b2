"""Facts as lines: who says them, in which words, and what is left unsaid."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from governance.lines import APPLICATION, OWNERS_SOURCE, POLICY, beside, counts, says, worded
from governance.settings import parse
from governance.wording import Words

WORDS = Words(parse({"source": [{"name": "hr", "title": "HR", "connector": "hr_csv", "path": "hr.csv"}]}))
ROW = {"application": "crm", "where": "Customer CRM", "source": "HR", "identity_id": "hr:1", "who": "Marta"}
AT = datetime(2026, 11, 4, 23, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("Admins", ("Customer CRM: holds Admins", "crm", None)),
        (AT, ("Customer CRM: holds 4 Nov 2026, 23:00 UTC", "crm", AT)),
        ("{row[who]}", ("Customer CRM: holds {row[who]}", "crm", None)),
        ("", None),
        (None, None),
        (False, None),
    ],
)
def test_a_line_says_what_is_told_as_it_is_told_and_nothing_else(value, line):
    assert says(APPLICATION, "holds {value}")(WORDS, ROW | {"x": value}, "x") == line


@pytest.mark.parametrize(("value", "text"), [(True, "HR: Marta can"), (False, "HR: Marta cannot"), (None, None)])
def test_no_is_said_where_it_has_words_and_unknown_is_not_no(value, text):
    line = says(OWNERS_SOURCE, "{row[who]} can", "{row[who]} cannot")(WORDS, ROW | {"x": value}, "x")
    assert (line and line[0]) == text
    assert line is None or line[1:] == ("hr", None)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 days are allowed"), (1, "1 day are allowed"), (1200, "1,200 days are allowed")]
)
def test_a_number_is_said_even_when_it_is_none(number, text):
    """A policy that allows no day at all is a policy."""
    line = counts(POLICY, "day", "days", "are allowed")(WORDS, ROW | {"x": number}, "x")
    assert line == (f"Policy: {text}", "policy", None)


def test_a_list_in_one_text_reads_as_a_list():
    assert says(APPLICATION, "{value}", several=True)(WORDS, ROW | {"x": "a;b"}, "x") == (
        "Customer CRM: a, b",
        "crm",
        None,
    )


def test_words_of_the_whole_row_may_have_an_instant_or_be_left_out():
    line = worded(APPLICATION, lambda row: row["said"], at="at")
    assert line(WORDS, ROW | {"said": "seen", "at": AT}, "x") == ("Customer CRM: seen", "crm", AT)
    assert line(WORDS, ROW | {"said": None, "at": AT}, "x") is None
    assert beside(WORDS, ROW, "x") is None
