"""The four numbers of the overview as equally tall cards, each with its denominator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as GridContainer

from governance.findings import Coverage
from governance.parts.text import plain
from governance.views.closures import POLICY
from governance.views.overview import Overview
from governance.views.words import UNKNOWN, count, share


def four_numbers(seen: Overview) -> None:
    """Ghosts open, leaver coverage, median time to verified closure, not evaluable."""
    covered, closed = seen.coverage, seen.closures
    grid = st.grid(4, min_column_width=220, gap="small")
    held = [count(seen.holders, "identity", "identities")]
    held += [f"{seen.ghosts_in_remediation:,} being closed"] if seen.ghosts_in_remediation else []
    trend = [*seen.ghost_history, seen.headline.ghosts if seen.headline else 0]
    change = trend[-1] - trend[-2] if len(trend) > 1 else None
    said = ["since the last run", *held] if change else held
    _card(
        grid,
        "Ghosts open",
        f"{seen.ghosts_open:,}",
        ", ".join(said),
        trend,
        "bar" if len(trend) > 7 else "area",
        change,
    )
    value, of = UNKNOWN, "nobody left in 30 days"
    if covered is None:
        of = "unknown"
    elif covered.share is not None:
        value = f"{covered.share:.1f} %"
        of = f"{covered.closed:,} of {covered.held:,} closed and verified"
    _card(grid, "Leaver coverage, 30 days", value, of, seen.coverage_history, told=parts_of(covered))
    value, of = UNKNOWN, "no ghost closed in 90 days"
    if closed.median is not None:
        hours = POLICY.total_seconds() / 3600
        number = count(len(closed.hours), "ghost", "ghosts")
        value, of = _long(closed.median), f"policy {hours:.0f} h, {number}, 90 days"
    _card(grid, "Median time to verified closure", value, of)
    value, of = UNKNOWN, "unknown"
    if seen.checks and seen.not_evaluable is not None:
        value, of = share(seen.not_evaluable, seen.checks), f"{seen.not_evaluable:,} of {seen.checks:,} checks"
    _card(grid, "Not evaluable", value, of, seen.unjudged_history, "area")


def parts_of(covered: Coverage | None) -> str | None:
    """What became of each account that counts, in a sentence whose numbers add up; None where nothing counts."""
    if covered is None or not covered.held:
        return None
    rest = {
        "acknowledged (the verifying read is still to come)": covered.acknowledged,
        "open": covered.open,
        "open and excluded": covered.excluded,
        "not told by the application": covered.unknown,
    }
    parts = [
        f"{covered.closed:,} closed and verified",
        *(f"{number:,} {word}" for word, number in rest.items() if number),
    ]
    held = count(covered.held, "account was", "accounts were")
    return f"{held} held by those who left in the last 30 days: {', '.join(parts)}."


def _long(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:,.1f} d"


def _card(
    grid: GridContainer,
    label: str,
    value: str,
    description: str,
    trend: Sequence[float] = (),
    kind: Literal["area", "bar"] = "area",
    change: int | None = None,
    told: str | None = None,
) -> None:
    grid.metric(
        label,
        value,
        delta=change or None,
        delta_color="green" if change is not None and change < 0 else "red" if change is not None else "off",
        delta_description=f":gray[{plain(description)}]",  # as it is, it is too pale to read
        help=told,
        border=True,
        height=148 if len(trend) > 1 else "stretch",
        chart_data=list(trend) if len(trend) > 1 else None,
        chart_type=kind,
    )
