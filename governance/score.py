"""The risk score of a finding, 0 to 100, with its parts: severity, privilege, exposure, recency, criticality, leaver.

The parts add up, so that a reader can follow them. Severity gives twenties, all others together at most nineteen: the
score orders findings of a severity and never lifts one above a graver one. What is not told gives nothing. A score
changes from one day to the next only where a last use grows older than `RECENT`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from governance.declaration import CLOCKS_DIFFER_BY, Severity

SEVERITY: Final[dict[Severity, int]] = {"critical": 80, "high": 60, "medium": 40, "low": 20, "informational": 0}
CRITICALITY: Final = {"high": 3, "medium": 1}
RECENT: Final = timedelta(days=30)
# Each part, the most it can give, and what it looks at.
PARTS: Final[dict[str, tuple[int, str]]] = {
    "severity": (80, "how grave the rule's verdict is, as the policy says"),
    "privilege": (6, "holds privileged access"),
    "exposure": (4, "no second factor, an external's account, a password beside single sign-on, tokens or keys"),
    "recency": (4, "used in the 30 days before; twice that when used after its owner had left"),
    "criticality": (3, "how critical the application is"),
    "leaver": (2, "its owner has left"),
}


def parts(severity: Severity, now: datetime) -> dict[str, pl.Expr]:
    """The points of each part as columns (Int64, never null) over the rows a rule fires on."""
    external = pl.col("kind").eq("guest") | pl.col("owner_kind").is_in(["contractor", "guest"])
    exposures = (~pl.col("mfa"), external, pl.col("password"), pl.col("credentials") > 0)
    left = pl.col("state") == "ended"
    used_after_leaving = left & (pl.col("last_seen_at") > pl.col("ended_at") + pl.lit(CLOCKS_DIFFER_BY))
    recently = pl.col("last_seen_at") > pl.lit(now - RECENT, pl.Datetime("us", "UTC"))
    points = {
        "severity": pl.lit(SEVERITY[severity], pl.Int64),
        "privilege": _points(6, pl.col("privileged")),
        "exposure": pl.sum_horizontal(_points(2, exposure) for exposure in exposures).clip(upper_bound=4),
        "recency": pl.max_horizontal(_points(4, used_after_leaving), _points(2, recently)),
        "criticality": pl.col("criticality").replace_strict(CRITICALITY, default=0, return_dtype=pl.Int64),
        "leaver": _points(2, left),
    }
    return {name: column.fill_null(0).cast(pl.Int64) for name, column in points.items()}


def total(columns: dict[str, pl.Expr]) -> pl.Expr:
    """The score: the sum of the parts."""
    return pl.sum_horizontal(*columns.values()).alias("score")


def explained(row: Any) -> list[dict[str, Any]]:
    """The parts of one row's score that gave something, as a finding keeps them: name, points and most."""
    return [
        {"part": name, "points": row[f"score_{name}"], "most": most, "why": why}
        for name, (most, why) in PARTS.items()
        if row.get(f"score_{name}")
    ]


def _points(weight: int, reason: pl.Expr) -> pl.Expr:
    return weight * reason.fill_null(value=False).cast(pl.Int64)
