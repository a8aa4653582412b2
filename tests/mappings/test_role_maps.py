"""A role mapping as data: how conditions compare, which line decides, and what is refused with its line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import ConfigurationError
from governance.mappings.positions import positions
from governance.mappings.spreadsheet import lines_of, rows_of
from governance.mappings.workforce import Position
from governance.provisioning.mapping import Condition, Given, Line, RoleMap
from governance.provisioning.written import digest, document, sentence, undocumented
from governance.settings import parse
from mappings.workforces_mapped import mapped

CRM = {"application": [{"name": "crm", "connector": "app_csv", "path": "x"}]}


def told(**attributes):
    return Position({name: (value,) if isinstance(value, str) else tuple(value) for name, value in attributes.items()})


class TestConditions:
    @pytest.mark.parametrize(
        ("test", "value", "holds"),
        [
            ("Finance", "Finance", True),
            ("Finance", "finance", False),
            ("Finance", "Finance ", False),
            (["Legal", "Legal Ops"], "Legal Ops", True),
            ({"equals": "Finance", "ignore_case": True}, " FINANCE ", True),
            ({"prefix": "Support"}, "Support EMEA", True),
            ({"prefix": ["IT", "Sec"]}, "Security", True),
            ({"prefix": "support"}, "Support EMEA", False),
            ({"contains": "admin", "ignore_case": True}, "System Admin II", True),
            ({"contains": "Admin"}, "administrator", False),
            ({"regex": r"Head of \w+"}, "Head of IT", True),
            ({"regex": "Head"}, "Head of IT", False),
        ],
    )
    def test_each_way_to_compare(self, test, value, holds):
        mapping = mapped(({"department": test}, ["A"]))
        assert mapping.gives(told(department=value)).lines == ((1,) if holds else ())

    def test_any_of_several_values_fits(self):
        mapping = mapped(({"groups": {"prefix": "it-"}}, ["A"]))
        assert mapping.gives(told(groups=["sales", "it-admins"])).lines == (1,)
        assert mapping.gives(told(groups=[])).unknown == ()
        assert mapping.gives(told()).unknown == ("groups",)

    def test_a_claim_of_ones_own_is_named_with_its_prefix(self):
        mapping = mapped(({"claim.costCenter": "4711"}, ["A"]))
        assert mapping.gives(told(costCenter="4711")).lines == (1,)


class TestWhichLineDecides:
    LINES = (({"department": "IT"}, ["Reader"]), ({"title": {"contains": "Admin"}}, ["Admin"]), ({}, ["Everybody"]))

    def test_all_lines_give_or_only_the_first(self):
        it = told(department="IT", title="Admin")
        assert mapped(*self.LINES).gives(it).entitlements == ("Reader", "Admin", "Everybody")
        assert mapped(*self.LINES, matching="first").gives(it).entitlements == ("Reader",)

    def test_only_lines_that_somebody_may_fit_as_well_stand_before_another(self):
        departments = [({"department": name}, [name]) for name in ("A", "B", "C")]
        mapping = mapped(*departments, ({"title": "Lead"}, ["Lead"]), matching="first")
        assert [len(mapping.blockers(number)) for number in (1, 2, 3, 4)] == [0, 0, 0, 3]
        assert mapped(*departments).blockers(2) == ()

    def test_the_default_is_for_whom_no_line_fits(self):
        mapping = mapped(({"department": "IT"}, ["Reader"]), default=["Viewer"])
        assert mapping.gives(told(department="Legal")) == Given(("Viewer",), (), True, ())


VALUES = st.sampled_from(["IT", "it", "IT ", "Sales", "Sales EMEA", "Legal", ""])
TESTS = st.one_of(
    VALUES.filter(bool),
    st.lists(VALUES.filter(bool), min_size=1, max_size=3),
    st.builds(lambda v, f: {"prefix": v, "ignore_case": f}, VALUES.filter(bool), st.booleans()),
    st.builds(lambda v, f: {"contains": v, "ignore_case": f}, VALUES.filter(bool), st.booleans()),
    st.builds(lambda v: {"regex": f"{v.strip()}.*"}, VALUES),
)
WHEN = st.dictionaries(st.sampled_from(["department", "title", "groups"]), TESTS, max_size=3)
MAPPINGS = st.builds(
    lambda lines, matching: mapped(*[(when, [f"E{n}"]) for n, when in enumerate(lines)], matching=matching),
    st.lists(WHEN, max_size=6),
    st.sampled_from(["first", "all"]),
)
PEOPLE = st.fixed_dictionaries(
    {}, optional={"department": VALUES, "title": VALUES, "groups": st.lists(VALUES, max_size=3)}
)


def read_line_by_line(mapping: RoleMap, facts: Position) -> Given:
    """What the mapping gives, by looking at every line in turn: what the index must agree with."""
    fired = [number for number, line in enumerate(mapping.lines, start=1) if line.fits(facts)]
    if mapping.matching == "first":
        fired = fired[:1]
    upto = fired[0] if fired and mapping.matching == "first" else len(mapping.lines)
    unknown = dict.fromkeys(
        condition.attribute
        for line in mapping.lines[:upto]
        if line.fits(facts) is None
        for condition in line.when
        if condition.holds(facts) is None
    )
    held = dict.fromkeys(name for number in fired for name in mapping.lines[number - 1].gives)
    return Given(tuple(held) or mapping.default, tuple(fired), not fired, tuple(unknown))


@settings(deadline=None)
@given(MAPPINGS, PEOPLE)
def test_the_index_finds_what_reading_line_by_line_finds(mapping, attributes):
    facts = told(**attributes)
    found, expected = mapping.gives(facts), read_line_by_line(mapping, facts)
    assert (found.entitlements, found.lines, found.by_default) == (
        expected.entitlements, expected.lines, expected.by_default
    )  # fmt: skip
    assert set(found.unknown) == set(expected.unknown)


@settings(deadline=None)
@given(MAPPINGS, st.lists(PEOPLE, min_size=1, max_size=8))
def test_people_of_one_position_are_given_what_each_alone_is_given(mapping, people):
    from mappings.workforces_mapped import force, person

    rows = [
        person(n, one.get("department"), one.get("title"), groups=one.get("groups")) for n, one in enumerate(people)
    ]
    numbers, found = positions(force(*rows).people, mapping)
    for number, one in zip(numbers["position"], people, strict=True):
        alone = mapping.gives(told(**one))
        together = mapping.gives(found[number])
        assert (together.entitlements, together.lines, set(together.unknown)) == (
            alone.entitlements, alone.lines, set(alone.unknown)
        )  # fmt: skip


class TestWritten:
    @settings(deadline=None)
    @given(MAPPINGS)
    def test_a_document_reads_back_as_the_same_mapping(self, mapping):
        again = undocumented(document(mapping), "crm")
        assert again == mapping
        assert digest(again) == digest(mapping)

    def test_settings_and_document_say_the_same(self):
        line = {"application": "crm", "when": {"department": ["A", "B"], "title": {"prefix": "Head"}}, "gives": ["X"]}
        settings = parse({**CRM, "role_mapping": [line]})
        from governance.provisioning.written import role_map

        assert document(role_map(settings, "crm"))["lines"] == [{k: line[k] for k in ("when", "gives")}]

    def test_a_line_reads_as_a_sentence(self):
        mapping = mapped(({"department": ["A", "B"], "title": {"contains": "Admin"}}, ["X"]), ({}, ["Y"]))
        assert [sentence(line) for line in mapping.lines] == [
            "department is one of A, B and title contains Admin",
            "everybody",
        ]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ({"when": {"deparment": "x"}, "gives": ["A"]}, "line 1: no attribute is named 'deparment'"),
            ({"when": {"title": {"regex": "("}}, "gives": ["A"]}, "line 1: when.title: '(' is no regular expression"),
            ({"when": {"title": {"regex": "(?=x)"}}, "gives": ["A"]}, "look-around"),
            ({"when": {"title": {"regex": r"(a)\1"}}, "gives": ["A"]}, "references back"),
            ({"when": {"title": {"prefix": "a", "contains": "b"}}, "gives": ["A"]}, "expected one of equals, prefix"),
            ({"when": {"title": {"starts": "a"}}, "gives": ["A"]}, "when.title.starts: this key is not known here"),
            ({"when": {"title": 3}, "gives": ["A"]}, "expected a text, a list of texts or a table"),
            ({"when": {"title": ""}, "gives": ["A"]}, "title needs a value that is not empty"),
            ({"when": {"title": []}, "gives": ["A"]}, "title needs a value that is not empty"),
            ({"when": {"title": "a"}, "gives": []}, "line 1: gives"),
            ({"when": {"title": "a"}}, "line 1: gives"),
        ],
    )
    def test_a_malformed_line_is_named_with_its_reason(self, line, said):
        with pytest.raises(ConfigurationError) as refused:
            undocumented({"lines": [line]}, "crm")
        assert said in str(refused.value)


class TestTables:
    CSV = "department,title,gives\nFinance,,Finance User\nLegal; Legal Ops,,Read Only;Export\n,*Admin*; *Root*,Admin\nSupport*,/Head.*/,Lead\n"

    def test_a_table_says_how_each_cell_is_compared(self):
        assert RoleMap(lines_of(self.CSV.encode(), "t.csv")) == mapped(
            ({"department": "Finance"}, ["Finance User"]),
            ({"department": ["Legal", "Legal Ops"]}, ["Read Only", "Export"]),
            ({"title": {"contains": ["Admin", "Root"]}}, ["Admin"]),
            ({"department": {"prefix": "Support"}, "title": {"regex": "Head.*"}}, ["Lead"]),
        )

    def test_it_reads_back_what_it_wrote(self):
        mapping = RoleMap(lines_of(self.CSV.encode(), "t.csv"))
        rows = rows_of(mapping)
        text = "\n".join([",".join(rows[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in rows)])
        assert RoleMap(lines_of(text.encode(), "again.csv")) == mapping

    def test_a_workbook_is_read_like_a_table(self):
        import openpyxl

        book = openpyxl.Workbook()
        for row in (["department", "gives"], ["Finance", "Finance User"], [None, None], ["Sales", "Sales User"]):
            book.active.append(row)
        into = io.BytesIO()
        book.save(into)
        assert [line.gives for line in lines_of(into.getvalue(), "t.xlsx")] == [("Finance User",), ("Sales User",)]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "t: row 1: expected the names of attributes and a column 'gives'"),
            (b"department\nIT\n", "a column 'gives'"),
            (b"department,gives\n", "there is no line below"),
            (b"department,gives\nIT,\n", "t: row 2: column 'gives': expected at least one entitlement"),
            (b"department,department,gives\nIT,HR,A\n", "the column 'department' is there twice"),
            (b"deparment,gives\nIT,A\n", "t: row 2: no attribute is named 'deparment'"),
            (b"department,gives\nIT,A\n/(/,B\n", "t: row 3: when.department: '(' is no regular expression"),
            (b"department,gives\nIT; Sup*,B\n", "t: row 2: 'IT; Sup*' mixes ways to compare"),
            (b"department,gives\nIT,A,extra\n", "t: row 2: 'extra' stands beyond the last column"),
            (b"department,gives\n\xff,A\n", "no UTF-8 text: byte 17 cannot be read"),
            (b'department,gives\n"IT,A\n', "t: unexpected end of data"),
            (b"PK\x03\x04nothing", "it cannot be read as a workbook"),
            (b"x" * 5_000_001, "expected at most 5,000,000"),
        ],
    )
    def test_a_wrong_table_is_refused_with_row_and_column(self, content, said):
        with pytest.raises(ConfigurationError) as refused:
            lines_of(content, "t")
        assert said in str(refused.value)

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_whatever_is_uploaded_is_read_or_refused(self, content):
        try:
            found = lines_of(content, "t")
        except ConfigurationError:
            return
        assert all(isinstance(line, Line) and line.gives for line in found)

    def test_what_no_cell_can_say_is_not_written_wrongly(self):
        for condition in (
            Condition("title", ("a",), "prefix", folded=True),
            Condition("title", ("a; b",), folded=False),
            Condition("title", ("a*",), folded=False),
        ):
            with pytest.raises(ConfigurationError, match="no cell can say"):
                rows_of(RoleMap((Line((condition,), ("A",)),)))
