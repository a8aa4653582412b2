"""What the role mapping and the approved baseline give to whom: narwhals over lazy frames, of either engine."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any, Final

import narwhals as nw

from governance.declaration import told
from governance.provisioning.coverage import PRESENT, SEPARATOR, mapped, role_maps
from governance.provisioning.fitting import Columns, compared_as_it_stands, keys, may_fit, surely_fits
from governance.provisioning.mapping import Line
from governance.provisioning.written import condition
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
ACCOUNT: Final = ["application", "account_id"]
SHOWN: Final = 5  # entitlements named in the evidence; the others are counted
# What somebody held before they moved; a title that did not change is the present one. `formerly` makes the columns.
FORMER: Final = {"department": "was_department", "title": "was_title", "kind": "owner_kind"}


def formerly() -> dict[str, nw.Expr]:
    """The columns of the position before the last move; null for who never moved."""
    moved = ~nw.col("owner_former_department").is_null() | ~nw.col("owner_former_title").is_null()
    return {
        f"was_{name}": nw.when(moved).then(nw.coalesce(f"owner_former_{name}", f"owner_{name}"))
        for name in ("department", "title")
    }


def comparable(settings: Settings) -> nw.Expr:
    """Whether what the account in this row holds can be held against what its owner's position gives; never null.

    Active accounts of people who work here or are on leave, in applications with a role mapping, of which everything is
    told that this takes.
    """
    works = nw.col("owner_state").is_in(["current", "leave"]).fill_null(False)
    signals = told(settings)
    known = signals["account.grants"] & signals["owner.attributes"]
    return mapped(settings) & nw.col("active").fill_null(False) & works & known


def given(settings: Settings, owner: Columns = PRESENT) -> nw.Expr:
    """Whether the mapping or the baseline gives the entitlement in this row to the owner in it, or may; never null.

    `owner`: in which columns the owner's attributes stand. Where the first line that fits decides, a line gives nothing
    to whom an earlier one surely fits.
    """
    named: dict[tuple[str, ...], set[str]] = {}

    def look_up(application: str, line: Line) -> None:
        names, combinations = keys(line)
        found = named.setdefault(names, set())
        found.update(SEPARATOR.join((application, name, *values)) for name in line.gives for values in combinations)

    fits: nw.Expr = nw.col("application").is_null()  # never: nothing is given where nothing is said
    for application, table in role_maps(settings).items():
        for number, line in enumerate(table.lines, start=1):
            before = table.blockers(number)
            if compared_as_it_stands(line, owner) and not before:
                look_up(application, line)
                continue
            first = reduce(and_, (~surely_fits(other, owner) for other in before), may_fit(line, owner))
            fits = fits | ((nw.col("application") == application) & nw.col("name").is_in(sorted(line.gives)) & first)
    for approved in settings.baseline:
        conditions = tuple(condition(name, value) for name, value in approved.when.items())
        look_up(approved.application, Line(conditions, approved.entitlements))
    for names, values_here in named.items():
        asked = nw.concat_str("application", "name", *(owner[name] for name in names), separator=SEPARATOR)
        fits = fits | asked.is_in(sorted(values_here)).fill_null(False)
    return fits


def _handed_out(settings: Settings) -> nw.Expr:
    """Whether any line of the mapping hands out the entitlement in this row."""
    keys = {SEPARATOR.join((line.application, name)) for line in settings.role_mapping for name in line.gives}
    return nw.concat_str("application", "name", separator=SEPARATOR).is_in(sorted(keys)).fill_null(False)


def beyond(accounts: Frame, entitlements: Frame, grants: Frame, settings: Settings) -> Frame:
    """What these accounts hold that their owners' present position does not give: application, account_id, name, …

    Of entitlements that the mapping hands out or that are privileged. `left_over` tells whether the position before the
    last move gave it. `accounts` has the owners' columns.
    """
    governed = entitlements.filter(mapped(settings), nw.col("privileged").fill_null(False) | _handed_out(settings))
    positions = accounts.select(
        *ACCOUNT, *PRESENT.values(), *(expression.alias(name) for name, expression in formerly().items())
    )
    held = (
        grants.select(*ACCOUNT, "entitlement_id")
        .filter(mapped(settings))
        .join(
            governed.select("application", "entitlement_id", "name"), on=["application", "entitlement_id"], how="inner"
        )
        .join(positions, on=ACCOUNT, how="inner")
    )
    moved = ~nw.col("was_department").is_null() | ~nw.col("was_title").is_null()
    return held.filter(~given(settings)).select(*ACCOUNT, "name", left_over=moved & given(settings, FORMER))


def listed(names: Frame, as_column: str) -> Frame:
    """One row an account: `as_column` has the first entitlements by name, `<as_column>_count` how many there are."""
    numbered = (
        names.select(*ACCOUNT, "name")
        .unique([*ACCOUNT, "name"])
        .with_columns(one=nw.lit(1))
        .with_columns(place=nw.col("one").cum_sum().over(*ACCOUNT, order_by="name"))
    )
    places = [f"place_{number}" for number in range(1, SHOWN + 1)]
    quoted = nw.concat_str(nw.lit("“"), "name", nw.lit("”"))
    spread = numbered.with_columns(
        nw.when(nw.col("place") == number).then(quoted).alias(name) for number, name in enumerate(places, start=1)
    )
    together = spread.group_by(*ACCOUNT).agg(nw.col("one").sum(), *(nw.col(name).max() for name in places))
    return together.select(
        *ACCOUNT,
        nw.concat_str(*places, separator=", ", ignore_nulls=True).alias(as_column),
        nw.col("one").cast(nw.Int64).alias(f"{as_column}_count"),
    )


def counted(count: int, noun: str = "entitlement") -> str:
    """`1 entitlement`, `7 entitlements`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def said(text: str, count: int) -> str:
    """The names `listed` shows, and how many more there are."""
    return text + (f" and {count - SHOWN} more" if count > SHOWN else "")
