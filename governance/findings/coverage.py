"""Leaver coverage: what became of the accounts that those who left lately held."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col

from governance.declaration import epoch
from governance.findings.headline import LEFT_LATELY
from governance.tables import Finding, Remediation

PROVED: Final = ("verified", "inactive", "gone")  # why a finding was resolved: a reading showed its account closed
_ACCOUNT: Final = ("application", "account_id")
_SEEN: Final = {**dict.fromkeys(_ACCOUNT, pl.String), "seen": pl.String}


@dataclass(frozen=True)
class Coverage:
    """What became of the accounts that the leavers of the last 30 days held. Each is in one of the five states."""

    held: int
    closed: int  # and verified: a reading of the application found it inactive or gone
    open: int
    excluded: int
    unknown: int  # the application does not tell
    acknowledged: int = 0  # the application, or the owner of a manual task, says so; no reading has proved it yet
    ghosts: int = 0  # of those closed: found open after their owner had left, and closed since

    @property
    def share(self) -> float | None:
        """The share that is closed and verified in percent; None when nobody left."""
        return 100 * self.closed / self.held if self.held else None

    def numbers(self) -> dict[str, int]:
        """The same numbers as a detect run keeps them."""
        return asdict(self)


def coverage(session: Session, accounts: pl.LazyFrame, as_of: datetime) -> Coverage:
    """Leaver coverage of the accounts as they were read, with what was proved, claimed and excluded since."""
    ended = pl.col("owner_ended_at_s")
    since, until = epoch(as_of - LEFT_LATELY), epoch(as_of)
    lately = accounts.filter(pl.col("owner_state") == "ended", ended > since, ended <= until)
    known = pl.LazyFrame(_known(session, as_of), schema=_SEEN, orient="row").unique(_ACCOUNT, keep="first")
    seen = pl.col("seen").fill_null("")
    state = (
        pl.when(~pl.col("present").fill_null(value=True) | (seen == "proved"))
        .then(pl.lit("closed"))
        .when(pl.col("active").is_null())
        .then(pl.lit("unknown"))
        .when(~pl.col("active"))
        .then(pl.lit("closed"))
        .when(seen.is_in(("excluded", "acknowledged")))
        .then(seen)
        .otherwise(pl.lit("open"))
    )
    told = lately.join(known, on=_ACCOUNT, how="left").select(state.alias("state"), seen.is_in(("proved", "before")))
    counts: dict[str, int] = {}
    ghosts = 0
    for word, found, number in told.group_by("state", "seen").len().collect().iter_rows():
        counts[word] = counts.get(word, 0) + number
        ghosts += number if found and word == "closed" else 0
    return Coverage(
        held=sum(counts.values()),
        **{word: counts.get(word, 0) for word in ("closed", "open", "excluded", "unknown", "acknowledged")},
        ghosts=ghosts,
    )


def _known(session: Session, as_of: datetime) -> list[tuple[str, str, str]]:
    """What decisions say of accounts of those who left lately, the strongest first."""
    account = (col(Finding.application), col(Finding.account_id))
    ghost = (col(Finding.rule) == "ghost", col(Finding.since_at) > as_of - LEFT_LATELY)
    proved = sa.select(*account, col(Finding.resolved_at)).where(
        *ghost, col(Finding.status) == "resolved", col(Finding.resolved_why).in_(PROVED)
    )
    excluded = sa.select(*account).where(*ghost, col(Finding.status) == "excluded")
    claimed = sa.select(
        *(col(Remediation.application), col(Remediation.account_id)),
        *(col(Remediation.status), col(Remediation.evidence)),
    ).where(col(Remediation.status).in_(("executing", "executed")), col(Remediation.entitlement_id).is_(None))
    found = [
        (application, account_id, "proved" if at is not None and at > as_of else "before")
        for application, account_id, at in session.execute(proved)
    ]
    found += [(application, account_id, "excluded") for application, account_id in session.execute(excluded)]
    return found + [
        (application, account_id, "acknowledged")
        for application, account_id, status, evidence in session.execute(claimed)
        if status == "executed" or "claimed" in (evidence or {})
    ]
