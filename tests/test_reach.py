"""Who may read only about their own reports or applications never gets a row about anybody else, however they ask."""

from __future__ import annotations

import random

import polars as pl
import pytest

from governance.access import Actor, find_actor, reach
from governance.settings import parse
from governance.tables import Finding
from governance.views import findings
from governance.views.evidence import detail
from governance.views.tallies import tally
from tests.conftest import NOW
from tests.screen import rows_of
from tests.seeded import put_findings, put_run

PEOPLE, APPLICATIONS = 60, ("crm", "wiki", "erp", "hr", "chat")
QUERIES = 10_000
RULES = ("ghost", "stale", "orphaned", "never_used")


def tree(random_: random.Random) -> dict[int, int]:
    """Who is whose manager: anybody anybody's, so that circles and people who manage themselves occur."""
    return {n: random_.randrange(PEOPLE) for n in range(PEOPLE)}


def frame(above: dict[int, int], ended: set[int]) -> pl.DataFrame:
    rows = [
        {
            "identity_id": f"hr:{n}",
            "email": f"p{n}@x.example",
            "manager_id": f"hr:{above[n]}",
            "state": "ended" if n in ended else "current",
            "display_name": f"P {n}",
        }
        for n in range(PEOPLE)
    ]
    return pl.DataFrame(rows)


def reports_of(boss: int, above: dict[int, int], ended: set[int]) -> set[str]:
    """The same by hand: direct reports, and through a report who left, theirs."""
    found: set[int] = set()
    look = [boss]
    while look:
        at = look.pop()
        for n in range(PEOPLE):
            if above[n] == at and n != boss and n not in found:
                found.add(n)
                if n in ended:
                    look.append(n)
    return {f"hr:{n}" for n in found}


@pytest.fixture
def settings():
    return {"application": [{"name": name, "connector": "app_csv"} for name in APPLICATIONS]}


def test_ten_thousand_random_questions_bring_no_foreign_row(house):
    dice = random.Random(20261126)
    put_run(house, NOW)
    put_findings(
        house,
        NOW,
        *(
            {
                "identity_id": f"hr:{dice.randrange(PEOPLE)}" if dice.random() < 0.9 else None,
                "application": dice.choice(APPLICATIONS) if dice.random() < 0.9 else None,
                "rule": dice.choice(RULES),
                "status": dice.choice(("open", "open", "in_remediation", "excluded", "resolved")),
            }
            for _ in range(400)
        ),
    )
    whose = {f.fingerprint: (f.identity_id, f.application, f.status) for f in rows_of(house, Finding)}
    seen = 0
    for number in range(QUERIES):
        if number % 100 == 0:  # somebody moved, somebody left
            above, ended = tree(dice), set(dice.sample(range(PEOPLE), 15))
            boss = dice.randrange(PEOPLE)
            people = frame(above, ended)
            settings = parse(
                {
                    "actor": [
                        {
                            "email": f"p{boss}@x.example",
                            "roles": ["manager", "application_owner"],
                            "applications": dice.sample(APPLICATIONS, dice.randrange(3)),
                        }
                    ]
                }
            )
            actor = find_actor(settings, f"p{boss}@x.example", lambda people=people: people)
            if actor.left:
                assert reach(actor).identities == reach(actor).applications == frozenset()
            else:
                assert actor.reports == reports_of(boss, above, ended)
        may = reach(actor)
        asked = findings.Filters(
            status=dice.choice(("open", "in_remediation", "excluded", "resolved")),
            rule=dice.choice((None, *RULES)),
            application=dice.choice((None, None, *APPLICATIONS)),
            text=dice.choice(("", "", "", "person1", "person")),
            identity_id=dice.choice((None, None, f"hr:{dice.randrange(PEOPLE)}")),
            reach=may,
        )
        found = findings.page(house, asked)
        for row in found.rows:
            identity, application, _ = whose[row["fingerprint"]]
            assert identity in may.identities or application in may.applications
        seen += len(found.rows)
        if number % 100 == 50:
            allowed = {
                f for f, (i, a, s) in whose.items() if s == "open" and (i in may.identities or a in may.applications)
            }
            assert tally(house, may).of("open") == len(allowed)
            assert {row["fingerprint"] for row in findings.export(house, findings.Filters(reach=may))} == allowed
            some = dice.choice(list(whose))
            identity, application, _ = whose[some]
            told = detail(house, actor, NOW, some)
            assert (told is not None) is (identity in may.identities or application in may.applications)
    assert seen > QUERIES, "the questions do bring something"


def test_who_may_read_everything_is_not_narrowed_and_who_left_reads_nothing():
    for role in ("admin", "security", "approver", "auditor"):
        assert reach(Actor("a@x.example", "A", frozenset({role, "manager"}))) is None
    left = Actor("a@x.example", "A", frozenset({"admin"}), reports=frozenset({"hr:1"}), left=True)
    assert reach(left).identities == reach(left).applications == frozenset()
    nobody = Actor("a@x.example", "A", frozenset(), reports=frozenset({"hr:1"}), applications=frozenset({"crm"}))
    assert reach(nobody).identities == reach(nobody).applications == frozenset()
