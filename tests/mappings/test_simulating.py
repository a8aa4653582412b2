"""A mapping over everybody: head-counts, traps, what a draft changes, lockouts, drift, and what can be learned."""

from __future__ import annotations

from governance.mappings.comparing import compare, drift
from governance.mappings.learning import learn
from governance.mappings.simulating import Uncovered, simulate, told_by_sign_in
from governance.views.mapping_lines import lines_seen
from governance.views.mappings import sentence
from mappings.workforces_mapped import force, mapped, person

FINANCE, SALES = ({"department": "Finance"}, ["Finance User"]), ({"department": "Sales"}, ["Sales User"])
ADMINS = ({"title": {"contains": "Admin"}}, ["Admin"])


class TestSimulating:
    def test_everybody_is_counted_once_per_role_and_line(self):
        found = simulate(
            force(person(1, "Finance"), person(2, "Sales", "Sales Admin"), person(3, "Legal")),
            mapped(FINANCE, SALES, ADMINS, default=["Viewer"]),
        )
        assert found.roles == {"Admin": 1, "Finance User": 1, "Sales User": 1, "Viewer": 1}
        assert (found.lines, found.nobody, found.fallen, found.overlapping) == ((1, 1, 1), 0, 1, 1)

    def test_the_first_line_alone_counts_where_it_decides_and_the_others_are_said_to_fit(self):
        found = simulate(force(person(1, "Sales", "Sales Admin")), mapped(SALES, ADMINS, matching="first"))
        assert (found.roles, found.overlapping, found.dead) == ({"Admin": 0, "Sales User": 1}, 1, (2,))

    def test_values_no_line_covers_are_named_with_the_trap_in_them(self):
        departments = ["Finance ", "finance", "Finance; Legal", "Finanse", "Team 12", "Quality"]
        found = simulate(
            force(*(person(n, name) for n, name in enumerate(departments)), person(9, "Quality")),
            mapped(FINANCE, ({"department": "Team 1"}, ["T"])),
        )
        assert {(one.value, one.people, one.trap, one.like) for one in found.uncovered} == {
            ("Quality", 2, None, None),
            ("Finance ", 1, "blanks", "Finance"),
            ("finance", 1, "case", "Finance"),
            ("Finance; Legal", 1, "several values", "Finance"),
            ("Finanse", 1, "similar", "Finance"),
            ("Team 12", 1, None, None),
        }
        assert found.uncovered[0] == Uncovered("department", "Quality", 2)

    def test_a_line_that_looks_for_a_part_leaves_no_value_uncovered(self):
        assert simulate(force(person(1, "Legal", "Clerk")), mapped(ADMINS)).uncovered == ()

    def test_what_is_not_told_of_somebody_is_unknown_and_not_none(self):
        groups = mapped(({"groups": "it"}, ["A"]))
        found = simulate(force(person(1, groups=None), person(2, groups=[]), person(3, groups=["it", "x"])), groups)
        assert (found.unknown, found.lines) == ({"groups": 1}, (1,))

    def test_what_only_a_sign_in_tells_is_said(self):
        mapping = mapped(({"claim.cost": "1", "department": "IT"}, ["A"]), ({"roles": "x"}, ["B"]))
        assert told_by_sign_in(mapping) == ("claim.cost", "roles")
        assert simulate(force(person(1, "IT")), mapping).unknown == {"claim.cost": 1, "roles": 1}

    def test_a_mapping_without_conditions_gives_to_everybody(self):
        assert simulate(force(person(1), person(2)), mapped(({}, ["A"]))).roles == {"A": 2}
        assert simulate(force(person(1)), mapped(default=["V"])).fallen == 1

    def test_nobody_works_here(self):
        found = compare(force(), mapped(FINANCE), mapped(SALES))
        assert (found.people.height, found.lockouts) == (0, ())


class TestComparing:
    def test_people_stand_first_whose_privilege_changes(self):
        found = compare(
            force(
                person(1, "Finance"),
                person(2, "Sales", "Admin"),
                person(3, "Ops", "Root"),
                person(4, "Legal"),
                person(5, "People"),
                person(6, "IT"),
            ),
            mapped(
                FINANCE,
                ({"title": "Root"}, ["Admin"]),
                ({"department": "People"}, ["A"]),
                ({"department": "IT"}, ["A"]),
            ),
            mapped(
                FINANCE,
                ({"title": "Admin"}, ["Admin"]),
                ({"department": "Legal"}, ["A"]),
                ({"department": "IT"}, ["B"]),
            ),
        )
        assert found.people.select("identity_id", "effect", "line").rows() == [
            ("hr:2", "gains_privilege", 2),
            ("hr:3", "loses_privilege", None),
            ("hr:5", "loses_access", None),
            ("hr:4", "gains_access", 3),
            ("hr:6", "changes", 4),
        ]
        assert sum(found.effects.values()) == 5

    def test_a_pattern_of_the_settings_makes_a_role_privileged_that_nobody_holds_yet(self):
        found = compare(force(person(1, "IT")), mapped(), mapped(({"department": "IT"}, ["site-root"])))
        assert found.effects["gains_privilege"] == 1

    def test_the_next_sign_in_follows_the_way_of_updating(self):
        people = force(person(1, "Sales", held=["Finance User", "By hand"]), person(2, "Sales", accounts=[], held=[]))
        draft = {"create_only": ([], []), "authoritative": (["Sales User"], ["By hand", "Finance User"]),
                 "explicit": (["Sales User"], ["Finance User"])}  # fmt: skip
        for way, expected in draft.items():
            found = compare(people, mapped(), mapped(FINANCE, SALES, updates=way)).people
            rows = found.select("identity_id", "next_grants", "next_revokes").rows()
            assert rows == [("hr:1", *expected), ("hr:2", [], [])], way

    def test_a_lockout_of_the_last_administrators_is_named(self):
        live = mapped(({"department": "IT"}, ["Admin"]))
        draft = mapped(({"department": "Sec"}, ["Admin"]), updates="authoritative")
        it = person(1, "IT", held=["Admin"])
        assert compare(force(it), live, draft).lockouts == ("Admin",)
        assert compare(force(it, others=("Admin",)), live, draft).lockouts == (), (
            "an account of nobody here still holds it"
        )
        assert compare(force(it, person(2, "Sec")), live, draft).lockouts == (), "the next one gets it"
        assert compare(force(it, person(2, "Sec", accounts=[])), live, draft).lockouts == ("Admin",)
        assert compare(force(it), live, mapped(({"department": "Sec"}, ["Admin"]))).lockouts == (), "nothing is taken"

    def test_lines_are_shown_as_new_changed_or_gone(self):
        found = compare(
            force(person(1, "Finance"), person(2, "Sales")),
            mapped(FINANCE, SALES, ({"title": "Old"}, ["Old"])),
            mapped(({"department": "Legal"}, ["L"]), FINANCE, ({"department": "Sales"}, ["Seller"])),
        )
        assert [(one.number, one.change, one.live, one.draft) for one in lines_seen(found)] == [
            (1, "new", None, 0),
            (2, None, 1, 1),
            (3, "changed", 1, 1),
            (None, "gone", 0, None),
        ]


class TestDrift:
    def test_why_holding_and_mapping_part(self):
        live = mapped(FINANCE, SALES)
        before = mapped(FINANCE, SALES, ({"department": "Legal"}, ["Old Role"]))
        people = force(
            person(1, "Sales", former_department="Finance", held=["Finance User", "Sales User"]),
            person(2, "Legal", held=["Old Role"]),
            person(3, "Sales", held=["Sales User", "Admin"]),
            person(4, "Finance", held=["Newsletter"]),
            person(5, "Finance", accounts=[], held=[]),
        )
        found = drift(simulate(people, live), before)
        assert found.rows.select("identity_id", "name", "cause", "privileged").rows() == [
            ("hr:3", "Admin", "by_hand", True),
            ("hr:2", "Old Role", "mapping", False),
            ("hr:1", "Finance User", "move", False),
            ("hr:4", "Finance User", "lacking", False),
        ]
        assert found.causes == {"move": 1, "mapping": 1, "by_hand": 1, "lacking": 1}

    def test_of_whom_something_is_not_told_nothing_is_said(self):
        live = mapped(({"groups": "it"}, ["A"]))
        assert drift(simulate(force(person(1, held=["A"], groups=None)), live)).rows.is_empty()


class TestLearning:
    def test_as_few_lines_as_explain_what_is_held(self):
        people = [person(n, "Finance", "Clerk", held=["Base", "Finance User"]) for n in range(4)]
        people += [person(n, "Sales", "Seller", held=["Base", "Sales User"], groups=["eu"]) for n in range(10, 14)]
        people += [person(n, "Ops", "Admin", held=["Base", "Admin"], groups=["ops"]) for n in range(20, 24)]
        people += [person(30, "Legal", held=["Base", "Odd"]), person(31, "Legal", accounts=[])]
        found = learn(force(*people))
        assert found.mapping == mapped(
            ({"department": "Ops"}, ["Admin"]),
            ({"department": "Finance"}, ["Finance User"]),
            ({"department": "Sales"}, ["Sales User"]),
            default=["Base"],
        )
        assert found.support == ((4, 4), (4, 4), (4, 4))
        assert found.unexplained == {"Odd": 1}

    def test_a_group_explains_what_no_department_does(self):
        people = [person(n, f"D{n % 3}", held=["Repo"], groups=["devs"]) for n in range(4)]
        people += [person(n, f"D{n % 3}", held=[], groups=["all"]) for n in range(10, 16)]
        assert learn(force(*people)).mapping == mapped(({"groups": "devs"}, ["Repo"]))

    def test_nothing_is_learned_of_nobody(self):
        assert learn(force()).mapping == mapped()


def test_the_sentence_names_what_is_lost_also_where_nothing_is_gained():
    found = compare(force(person(1, "Sales", "Sales Admin")), mapped(ADMINS), mapped(SALES))
    assert sentence(found) == "changes the role of 1 of 1 person; 1 would lose privilege"
