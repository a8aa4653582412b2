"""The figures: time, memory and growth on a seeded estate."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from jobs import home
from jobs.commands.options import Output, noun
from jobs.commands.printing import Format, say, show

app = noun("The figures.")


@app.command(name="bench")
def run(
    size: Annotated[int, typer.Option(metavar="ACCOUNTS", min=100, help="With five grants each.")] = 7_500,
    connectors: Annotated[bool, typer.Option("--connectors", help="Read them over HTTP instead.")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Pull the invented company instead.")] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Every rule, beside the same rules written otherwise.")
    ] = False,
    reviews: Annotated[bool, typer.Option("--reviews", help="One access review of so many items instead.")] = False,
    sessions: Annotated[
        bool, typer.Option("--sessions", help="Fifty reviewers at once in a review of so many items instead.")
    ] = False,
    mappings: Annotated[bool, typer.Option("--mappings", help="A role mapping over so many people instead.")] = False,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="PostgreSQL: --rules as SQL there too, --sessions over it."),
    ] = None,
    format: Output = Format.TABLE,
) -> None:
    """Measure each step on a seeded estate of this many accounts, in a folder that goes afterwards."""
    from jobs import bench, bench_connectors, bench_mappings, bench_reviews, bench_rules, bench_sandbox, bench_sessions

    rows = []
    now = home.clock().replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="leaverwatch-bench-") as folder:
        figures = (
            bench_sandbox.run(Path(folder))
            if sandbox
            else bench_connectors.run(size, now)
            if connectors
            else bench_rules.run(Path(folder), size, now, database)
            if rules
            else bench_reviews.run(Path(folder), size, now)
            if reviews
            else bench_sessions.run(Path(folder), size, now, database)
            if sessions
            else bench_mappings.run(Path(folder), size)
            if mappings
            else bench.run(Path(folder), size, now)
        )
        for figure in figures:
            say(f"{figure.step}: {figure.seconds:,.3f} s")
            peak = None if figure.peak_mib is None else round(figure.peak_mib)
            rows.append(
                {
                    "step": figure.step,
                    "seconds": round(figure.seconds, 4),
                    "peak_mib": peak,
                    "growth_mib": round(figure.growth_mib, 2),
                    "note": figure.note,
                }
            )
    show(rows, format)
