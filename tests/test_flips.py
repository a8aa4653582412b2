"""Which attributes two writers keep overwriting, from what the log of an application or a provider names."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from radar_scenes import BORN, HOUR, company, pushes

from connectors.kit.changed import LONGEST, MOST, changes_text
from governance.provisioning.flips import SHOWN, attributes
from governance.provisioning.steps import Where, sentence

TEXT = st.text(max_size=300)


def change(name, before, after):
    return changes_text([(name, before, after)])


def fight():
    """SCIM sets the department from HR, and each sign-in sets it from a stale claim."""
    scene = pushes(company())
    for number in ("a", "b"):
        scene.person(number).signs_in(number)
        scene.pushed(number, BORN + HOUR).events[-1]["changes"] = change("department", "Sales", "Finance")
        scene.wrote(number, BORN + 2 * HOUR).events[-1]["changes"] = change("Department", "Finance", "Sales")
    scene.pushed("a", BORN + 3 * HOUR).events[-1]["changes"] = change("department", "Sales", "Finance")
    return scene.wrote("a", BORN + 4 * HOUR)  # a sign-in that says nothing of what it wrote


class TestAttributes:
    def test_the_radar_says_which_from_what_to_what_and_who_wins(self):
        scene = fight()
        scene.pushed("b", BORN + 3 * HOUR).events[-1]["changes"] = change("department", "Sales", "Finance")
        [found] = [one for one in scene.blip().consequences if one.kind == "attributes_flip"]
        told = {"attribute": "department", "accounts": 2, "changes": 4, "winner": "scim", "won": 2}
        assert found.more["attributes"] == [{**told, "before": "Sales", "after": "Finance"}]
        assert sentence(found, Where("Customer CRM")).endswith(
            "department was turned 4 times on 2 accounts; SCIM wrote it last on 2 of them (from “Sales” to “Finance”)."
        )

    def test_what_one_log_leaves_out_the_application_s_own_may_tell(self):
        scene = pushes(company()).person("a").signs_in("a")
        for hours in (1, 3):
            scene.pushed("a", BORN + hours * HOUR)
            scene.says("updated", "a", BORN + hours * HOUR, actor=None, changes=change("title", "Lead", None))
            scene.wrote("a", BORN + (hours + 1) * HOUR).events[-1]["changes"] = change("title", None, "Lead")
        [found] = [one for one in scene.blip().consequences if one.kind == "attributes_flip"]
        [told] = found.more["attributes"]
        assert (told["attribute"], told["winner"], told["changes"]) == ("title", "jit", 3)
        assert "(from nothing to “Lead”)" in sentence(found, Where("Customer CRM"))

    def test_each_attribute_is_looked_at_for_itself(self):
        acts = [("a", "scim", 1, change("title", "x", "y")), ("a", "jit", 2, change("phone", "1", "2"))]
        acts += [("a", "scim", 3, change("phone", "2", "3")), ("a", "jit", 4, change("title", "y", "z"))]
        assert attributes(acts) == [], "each was turned once only"

    def test_a_name_without_values_counts_and_those_of_most_accounts_come_first(self):
        acts = []
        for n in range(SHOWN + 3):
            for account in range(n + 1):
                acts += [
                    (f"a{account}", w, at, change(f"x{n}", None, None)) for at, w in enumerate(("jit", "scim") * 2)
                ]
        found = attributes(acts)
        assert [one["accounts"] for one in found] == [8, 7, 6, 5, 4]
        assert {(one["before"], one["after"], one["winner"]) for one in found} == {(None, None, "scim")}

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.just("scim"), st.integers(0, 9), st.one_of(st.none(), TEXT))))
    @settings(max_examples=30, deadline=None)
    def test_one_writer_turns_nothing_whatever_the_text(self, acts):
        assert attributes(acts) == []


class TestText:
    @given(st.lists(st.tuples(st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT), TEXT), max_size=30))
    @settings(max_examples=50, deadline=None)
    def test_is_bounded_and_json(self, told):
        text = changes_text(told)
        found = json.loads(text or "[]")
        assert len(found) <= MOST
        assert all(value is None or len(value) <= LONGEST for row in found for value in row)

    def test_what_did_not_change_is_left_out_and_what_is_secret_keeps_its_value(self):
        assert changes_text([("title", "a", "a"), ("", "a", "b"), (None, 1, 2)]) is None
        for private in ("Password", "homePhone", "streetAddress", "recovery question"):
            assert changes_text([(private, "a", "b")]) == f'[["{private}",null,null]]', "only that it changed"
        assert changes_text([("Job Title", "a", "b")]) == '[["Job Title","a","b"]]'
        assert changes_text([("groups", ["b", "a"], {"x": 1})]) == '[["groups","[\\"b\\", \\"a\\"]","{\\"x\\": 1}"]]'
