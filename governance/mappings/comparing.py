"""One role mapping against another over a whole workforce, and what people hold against what a mapping gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from governance.mappings.simulating import Simulation, simulate, with_outcome
from governance.mappings.workforce import Workforce
from governance.provisioning.mapping import RoleMap

# What becomes of somebody, in the order in which pages show it.
EFFECTS: Final = {
    "gains_privilege": "Gains privilege",
    "loses_privilege": "Loses privilege",
    "loses_access": "Loses access",
    "gains_access": "Gains access",
    "changes": "Role changes",
}
CAUSES: Final = {
    "move": "left from before a move",
    "mapping": "left from an earlier mapping",
    "by_hand": "no mapping gave it: by hand",
    "lacking": "the mapping gives it, it is not held",
}


@dataclass(frozen=True)
class Comparison:
    """What a draft changes against what is live, person by person.

    `people`: those for whom anything changes, privilege first: identity_id, display_name, department, title, before and
    after (names), gains, loses, line (that decides in the draft; null: none), effect, held, next_grants and
    next_revokes (what the next sign-in does to an account there is, as the draft's way of updating says).
    """

    live: Simulation
    draft: Simulation
    people: pl.DataFrame
    effects: dict[str, int]
    lockouts: tuple[str, ...]  # privileged entitlements that nobody with an account would hold any more


def compare(workforce: Workforce, live: RoleMap, draft: RoleMap) -> Comparison:
    """Compare two mappings over everybody."""
    before, after = simulate(workforce, live), simulate(workforce, draft)
    named = {*live.named, *draft.named, *workforce.marked, *workforce.others}
    privileged = sorted(name for name in named if workforce.privileged(name))
    both = before.people.select(
        *("identity_id", "display_name", "department", "title", "held", "accounts"), pl.col("gives").alias("before")
    ).with_columns(after.people["gives"].alias("after"), after.people["lines"])
    both = both.with_columns(
        gains=pl.col("after").list.set_difference("before").list.sort(),
        loses=pl.col("before").list.set_difference("after").list.sort(),
        **next_sign_in(draft),
    )
    changed = both.filter((pl.col("gains").list.len() > 0) | (pl.col("loses").list.len() > 0))
    changed = changed.with_columns(effect=_effect(privileged), line=_line(changed, draft, set(privileged)))
    changed = changed.drop("lines")
    order = {name: place for place, name in enumerate(EFFECTS)}
    changed = changed.sort(
        pl.col("effect").replace_strict(order, return_dtype=pl.Int64), "line", "display_name", "identity_id"
    )
    counts = dict(changed.group_by("effect").len().iter_rows())
    return Comparison(
        live=before,
        draft=after,
        people=changed,
        effects={name: counts.get(name, 0) for name in EFFECTS},
        lockouts=_lockouts(workforce, both, privileged),
    )


def next_sign_in(mapping: RoleMap, gives: str = "after") -> dict[str, pl.Expr]:
    """Columns next_grants and next_revokes: what the next sign-in does to what is `held` (as `decide`)."""
    nothing = pl.col("held").list.head(0)
    if mapping.updates == "create_only":
        return {"next_grants": nothing, "next_revokes": nothing}
    revokes = pl.col("held").list.set_difference(gives)
    if mapping.updates == "explicit":
        revokes = revokes.list.set_intersection(
            pl.lit(pl.Series([sorted(mapping.named)], dtype=pl.List(pl.String))).first()
        )
    has_account = pl.col("accounts").list.len() > 0
    grants = pl.col(gives).list.set_difference("held")
    return {
        "next_grants": pl.when(has_account).then(grants).otherwise(nothing).list.sort(),
        "next_revokes": revokes.list.sort(),
    }


def _line(changed: pl.DataFrame, draft: RoleMap, privileged: set[str]) -> pl.Series:
    """The line behind what somebody gains, first of all privilege; else the one that fires, null where none does."""
    found: list[int | None] = []
    for lines, gains in changed.select("lines", "gains").iter_rows():
        wanted = set(gains) & privileged or set(gains)
        giving = (number for number in lines if wanted & set(draft.lines[number - 1].gives))
        found.append(next(giving, lines[0] if lines else None))
    return pl.Series("line", found, dtype=pl.Int64)


def _effect(privileged: list[str]) -> pl.Expr:
    def some(column: str) -> pl.Expr:
        return pl.col(column).list.eval(pl.element().is_in(privileged)).list.any()

    def none(column: str) -> pl.Expr:
        return pl.col(column).list.len() == 0

    return (
        pl.when(some("gains"))
        .then(pl.lit("gains_privilege"))
        .when(some("loses"))
        .then(pl.lit("loses_privilege"))
        .when(none("after"))
        .then(pl.lit("loses_access"))
        .when(none("before"))
        .then(pl.lit("gains_access"))
        .otherwise(pl.lit("changes"))
    )


def _lockouts(workforce: Workforce, both: pl.DataFrame, privileged: list[str]) -> tuple[str, ...]:
    """Privileged entitlements somebody holds now, and nobody after everybody signed in once."""
    now = set(both.select(pl.col("held").explode()).drop_nulls()["held"].unique())
    stays = both.select(
        pl.concat_list(pl.col("held").list.set_difference("next_revokes"), "next_grants").explode().alias("name")
    )
    later = set(stays.drop_nulls()["name"].unique()) | workforce.others
    return tuple(name for name in privileged if name in now | workforce.others and name not in later)


@dataclass(frozen=True)
class Drift:
    """What people with an account hold against what the mapping gives them.

    `rows`: identity_id, display_name, department, title, former_department, name (of the entitlement), privileged,
    cause (a key of CAUSES); privileged ones first.
    """

    rows: pl.DataFrame
    causes: dict[str, int]  # people


def drift(simulation: Simulation, earlier: RoleMap | None = None) -> Drift:
    """Where holding and mapping part, and why; `earlier`: the mapping that was live before this one.

    Only entitlements that the mapping speaks of, or that are privileged: what it does not govern it cannot explain. Of
    people for whom it asks something that is not told, only what is lacking for sure is left out too.
    """
    mapping, force = simulation.mapping, simulation.workforce
    spoken = mapping.named | (earlier.named if earlier else frozenset())
    governed = sorted(spoken | {n for n in force.marked if force.privileged(n)})
    people = simulation.people.filter(pl.col("accounts").list.len() > 0, pl.col("unknown").list.len() == 0)
    formerly = with_outcome(people.drop(*_OUTCOME), mapping, former=True)["gives"]
    moved = people["former_department"].is_not_null() | people["former_title"].is_not_null()
    people = people.with_columns(formerly.alias("formerly"), moved.alias("moved"))
    nothing = pl.Series([[]] * people.height, dtype=pl.List(pl.String))
    old = with_outcome(people.drop(*_OUTCOME), earlier)["gives"] if earlier else nothing
    people = people.with_columns(old.alias("earlier"))
    shown = ("identity_id", "display_name", "department", "title", "former_department")
    extra = (
        people.select(*shown, "moved", "formerly", "earlier", pl.col("held").list.set_difference("gives").alias("name"))
        .explode("name")
        .filter(pl.col("name").is_in(governed))
        .with_columns(
            cause=pl.when(pl.col("moved") & pl.col("name").is_in(pl.col("formerly")))
            .then(pl.lit("move"))
            .when(pl.col("name").is_in(pl.col("earlier")))
            .then(pl.lit("mapping"))
            .otherwise(pl.lit("by_hand"))
        )
    )
    lacking = (
        people.select(*shown, pl.col("gives").list.set_difference("held").alias("name"))
        .explode("name")
        .drop_nulls("name")
        .with_columns(cause=pl.lit("lacking"))
    )
    rows = pl.concat([extra.select(*shown, "name", "cause"), lacking.select(*shown, "name", "cause")])
    weight: Callable[[str], bool] = force.privileged
    names = [name for name in rows["name"].unique() if weight(name)]
    rows = rows.with_columns(privileged=pl.col("name").is_in(names))
    place = {cause: number for number, cause in enumerate(CAUSES)}
    rows = rows.sort(
        pl.col("cause").replace_strict(place, return_dtype=pl.Int64) == place["lacking"],
        ~pl.col("privileged"),
        "cause",
        "display_name",
        "identity_id",
        "name",
    )
    counts = dict(rows.group_by("cause").agg(pl.col("identity_id").n_unique()).iter_rows())
    return Drift(rows, {cause: counts.get(cause, 0) for cause in CAUSES})


_OUTCOME: Final = ("gives", "lines", "fit", "by_default", "unknown")
