"""Several rows of one employee id in an HR file: one person, or none is believed; no two people are ever merged."""

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.roll import Roll
from tests.feeds import hr
from tests.hr_files import utc


class TestSamePerson:
    """A12: one employee id on several rows."""

    def rows(self, tmp_path, *rows, **options):
        header = "employee_id,status,work_email,display_name,hire_date,termination_date\n"
        return hr(tmp_path, header + "\n".join(rows) + "\n", **options)

    def test_several_engagements_are_one_person_current_if_any_is(self, tmp_path):
        person = self.rows(
            tmp_path,
            "1,terminated,ada@x.example,Ada Byron,2015-01-01,2020-01-31",
            "1,active,ada@x.example,Ada Lovelace,2024-01-01,",
        ).people["1"]
        assert (person.state, person.ended_at, person.display_name) == ("current", None, "Ada Lovelace")
        assert person.hire_at == utc("2024-01-01")

    def test_all_ended_ended_at_the_latest_end(self, tmp_path):
        person = self.rows(
            tmp_path, "1,terminated,a@x,A,,2026-03-31", "1,terminated,a@x,A,,2025-01-31", "1,terminated,a@x,B,,"
        ).people["1"]
        assert (person.state, person.ended_at) == ("ended", utc("2026-04-01"))

    def test_the_same_name_with_another_address_keeps_both_addresses(self, tmp_path):
        person = self.rows(
            tmp_path, "1,active,new@x,Ada,,", "1,active,second@x,Ada,,", "1,terminated,old@x,ADA,,"
        ).people["1"]
        assert person.email in ("new@x", "second@x")
        assert {person.email, *person.aliases} == {"new@x", "second@x"}
        assert person.former_emails == ("old@x",)

    def test_both_different_are_two_people_and_neither_is_believed(self, tmp_path):
        pulled = self.rows(tmp_path, "1,active,a@x,A,,", "2,active,b@x,B,,", "1,active,c@x,C,,")
        assert set(pulled.people) == {"2"}
        assert sorted(pulled.refusals) == [(2, "employee_id"), (4, "employee_id")]

    def test_the_same_row_twice_counts_as_a_duplicate(self, tmp_path):
        pulled = self.rows(tmp_path, "1,active,a@x,A,,", "1,active,a@x,A,,", "2,active,,,,", "2,active,,,,")
        assert set(pulled.people) == {"1", "2"}
        assert pulled.reading.duplicates == 2

    def test_ids_are_text(self, tmp_path):
        pulled = self.rows(
            tmp_path, "007,active,a@x,A,,", "7,active,b@x,B,,", "0x7,active,c@x,C,,", "7.0,active,d@x,D,,"
        )
        assert set(pulled.people) == {"007", "7", "0x7", "7.0"}
        assert pulled.people["007"].identity_id == "hr:007"

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["1", "01", "2"]),
                st.sampled_from([None, "a@x", "A@X", "b@x", "c@x"]),
                st.sampled_from([None, "Ada", "ADA ", "Bob", "Cy"]),
                st.sampled_from(["current", "ended", "leave", "future"]),
            ),
            max_size=8,
        )
    )
    @settings(max_examples=1000, deadline=None)
    def test_no_two_people_are_ever_merged(self, rows):
        roll, refused = Roll("hr"), []
        told = dict(zip(("employee_id", "email", "display_name", "state"), zip(*rows, strict=True), strict=False))
        roll.add(range(len(rows)), {"kind": ["employee"] * len(rows), **told})
        kept = roll.settle({}, lambda engagement, why: refused.append(engagement.line))
        people = {p.employee_id: p for portion in roll.rows() for p in portion.records()}
        assert len(people) == kept
        assert kept + roll.merged + len(refused) == len(rows)
        for employee_id, person in people.items():
            own = [row for row in rows if row[0] == employee_id]
            assert connected(own)
            assert (person.state == "current") == any(row[3] == "current" for row in own)
            assert (person.state == "ended") == all(row[3] == "ended" for row in own)
        for line in refused:
            assert not connected([row for row in rows if row[0] == rows[line][0]])


def connected(rows):
    """Whether every row can be reached from the first through equal e-mails or names (or none told at all)."""
    facts = [
        ({(email or "").casefold()} - {""}, {(name or "").casefold().strip()} - {""}) for _, email, name, _ in rows
    ]
    reached, waiting = {0}, [0]
    while waiting:
        email, name = facts[waiting.pop()]
        for n, (other_email, other_name) in enumerate(facts):
            nothing = not (email or name or other_email or other_name)
            if n not in reached and (email & other_email or name & other_name or nothing):
                reached.add(n)
                waiting.append(n)
    return len(reached) == len(rows)
