"""`leaverwatch bench --mappings`: a role mapping over a whole workforce, compared, drifted and learned."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from governance.mappings.comparing import compare, drift
from governance.mappings.learning import learn
from governance.mappings.simulating import simulate
from governance.mappings.workforce import Workforce
from governance.provisioning import RoleMap
from governance.provisioning.written import undocumented
from jobs.bench import Figure, Meter

DEPARTMENTS: Final = 60
TITLES: Final = 300
GROUPS: Final = 100  # of which everybody is in five
MARKED: Final = frozenset({"Admin"})


def run(folder: Path, people: int) -> Iterator[Figure]:
    """Every step over this many people; every position, group and holding is drawn from one seed."""
    force, meter = _force(people), Meter(folder)
    live, draft = _mapping(range(50), "9"), _mapping((*range(20), *range(25, 50)), "8")
    figure, simulation = meter.step(
        f"run {len(live.lines)} lines over everybody", lambda: simulate(force, live), lambda s: f"{len(s.roles)} roles"
    )
    yield figure
    figure, _ = meter.step(
        "compare two mappings, person by person", lambda: compare(force, live, draft),
        lambda found: f"{found.people.height:,} people change",
    )  # fmt: skip
    yield figure
    figure, _ = meter.step("drift", lambda: drift(simulation, draft), lambda found: f"{found.rows.height:,} rows")
    yield figure
    figure, _ = meter.step("learn a mapping", lambda: learn(force), lambda found: f"{len(found.mapping.lines)} lines")
    yield figure


def _mapping(departments: Any, mark: str) -> RoleMap:
    """A line for each department, one for titles with a sign in them, one for groups; the first that fits counts."""
    lines: list[dict[str, Any]] = [
        {"when": {"department": f"Department {n}"}, "gives": [f"Role {n}"]} for n in departments
    ]
    lines += [
        {"when": {"title": {"contains": mark}}, "gives": ["Admin"]},
        {"when": {"groups": {"prefix": "group-1"}}, "gives": ["Builder"]},
    ]
    told = {"lines": lines, "matching": "first", "updates": "authoritative", "default": ["Viewer"]}
    return undocumented(told, "crm")


def _force(people: int) -> Workforce:
    luck = random.Random(7)  # noqa: S311 - it invents, it guards nothing
    departments = [luck.randrange(DEPARTMENTS) for _ in range(people)]
    numbers = [str(number) for number in range(people)]
    groups = [f"group-{number}" for number in range(GROUPS)]
    none = pl.Series([None] * people, dtype=pl.String)
    frame = pl.DataFrame(
        {
            "identity_id": [f"hr:{number}" for number in numbers],
            "employee_id": numbers,
            "display_name": [f"Person {number}" for number in numbers],
            "email": [f"person{number}@example.com" for number in numbers],
            "department": [f"Department {number}" for number in departments],
            "title": [f"Title {luck.randrange(TITLES)}" for _ in numbers],
            "kind": ["employee"] * people,
            "manager_id": none,
            "former_department": none,
            "former_title": none,
            "accounts": [[number] for number in numbers],
            "held": [[f"Role {number}"] for number in departments],
            "groups": [sorted(luck.sample(groups, 5)) for _ in numbers],
        }
    )
    return Workforce("crm", frame, frozenset(), MARKED, ())
