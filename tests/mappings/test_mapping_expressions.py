"""What rules read of a role mapping, as expressions: the same as the mapping says of each person."""

from __future__ import annotations

import narwhals as nw
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.provisioning.coverage import covered, unnamed
from governance.provisioning.entitled import given as given_by
from governance.provisioning.written import role_map
from governance.settings import parse
from mappings.test_role_maps import TESTS, VALUES, told

NAMES = ("department", "title", "kind")
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "application": st.just("crm"),
            "when": st.dictionaries(st.sampled_from([*NAMES, "groups"]), TESTS, max_size=3),
            "gives": st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=2, unique=True),
        }
    ),
    max_size=5,
)
OWNERS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, st.none() | VALUES)), min_size=1, max_size=6)


def settings_of(lines, matching):
    crm = {"name": "crm", "connector": "app_csv", "path": "x", "mapping": {"matching": matching}}
    return parse({"application": [crm], "role_mapping": lines})


def rows_of(owners):
    """Each owner with each entitlement, in columns as the rules have them."""
    rows = [
        {"application": "crm", "name": name, **{f"owner_{key}": value for key, value in one.items()}}
        for one in owners
        for name in ("A", "B", "C")
    ]
    return rows, pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))


def facts(row):
    return told(**{name: row[f"owner_{name}"] for name in NAMES if row[f"owner_{name}"] is not None})


@settings(deadline=None)
@given(LINES, st.sampled_from(["first", "all"]), OWNERS)
def test_who_is_covered_is_whom_some_line_fits_or_may_fit(lines, matching, owners):
    settings = settings_of(lines, matching)
    rows, frame = rows_of(owners)
    found = nw.from_native(frame).with_columns(covered=covered(settings)).to_native()["covered"].to_list()
    known = [[c for c in line.when if c.attribute in NAMES] for line in role_map(settings, "crm").lines]
    assert found == [any(all(c.holds(facts(row)) for c in line) for line in known) for row in rows]


@settings(deadline=None)
@given(LINES, st.sampled_from(["first", "all"]), OWNERS)
def test_an_entitlement_is_given_when_the_mapping_gives_it_or_may(lines, matching, owners):
    """What a line asks beyond what the source tells may hold or not: if it gives in either case, it may give."""
    settings = settings_of(lines, matching)
    mapping = role_map(settings, "crm")
    rows, frame = rows_of(owners)
    found = nw.from_native(frame).with_columns(given=given_by(settings)).to_native()["given"].to_list()
    for row, said in zip(rows, found, strict=True):
        asked = [any(c.attribute not in NAMES for c in line.when) for line in mapping.lines]
        fits = [all(c.holds(facts(row)) for c in line.when if c.attribute in NAMES) for line in mapping.lines]
        surely = [fit and not more for fit, more in zip(fits, asked, strict=True)]
        expected = any(
            fit and row["name"] in line.gives and (matching == "all" or not any(surely[:place]))
            for place, (line, fit) in enumerate(zip(mapping.lines, fits, strict=True))
        )
        assert said is expected, (row, lines, matching)


@settings(deadline=None)
@given(LINES, OWNERS)
def test_a_value_is_unnamed_when_the_mapping_looks_at_it_and_no_test_knows_it(lines, owners):
    settings = settings_of(lines, "all")
    rows, frame = rows_of(owners)
    found = nw.from_native(frame).with_columns(odd=unnamed(settings, "title")).to_native()["odd"].to_list()
    asked = [c for line in role_map(settings, "crm").lines for c in line.when if c.attribute == "title"]
    for row, said in zip(rows, found, strict=True):
        value = row["owner_title"]
        assert said is (bool(asked) and value is not None and not any(c.fits((value,)) for c in asked))
