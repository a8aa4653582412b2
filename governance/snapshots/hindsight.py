"""What was known when: the pins made by an instant, and what sources of truth said later about an earlier day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.tables import AuditDetail, AuditEntry, Pin, Snapshot

PINNED: Final = ("application", "account_id", "pinned_id")
_SAID: Final = ("state", "ended_at", "ended_at_s", "ended_why", "contract_end", "contract_end_s", "hire_at")
_READ: Final = ("identity_id", *_SAID, "hire_at_s", "rehired_at_s", "present", "last_present_at_s")


def pinned(session: Session, known_at: datetime) -> list[tuple[str, str, str]]:
    """Whose accounts people had said they are by `known_at`; what a later pin replaced stands in the audit."""
    found, replaced = [], []
    for pin in session.exec(select(Pin).order_by(Pin.application, Pin.account_id)):
        if pin.at <= known_at:
            found.append((pin.application, pin.account_id, pin.identity_id))
        else:
            replaced.append((pin.application, pin.account_id))
    for application, account_id in replaced:
        last = (
            sa.select(col(AuditDetail.facts))
            .join(AuditEntry, col(AuditEntry.seq) == col(AuditDetail.seq))
            .where(col(AuditEntry.object) == f"account/{application}/{account_id}", col(AuditEntry.verb) == "pin")
            .where(col(AuditEntry.at) <= known_at)
            .order_by(col(AuditEntry.seq).desc())
            .limit(1)
        )
        facts = session.execute(last).scalar()
        if facts and "identity_id" in facts:  # erased details tell nobody any more
            found.append((application, account_id, facts["identity_id"]))
    return found


def said_since(session: Session, feed: str, as_of: datetime, known_at: datetime) -> list[Snapshot]:
    """The snapshots of a feed of times after `as_of` that were published by `known_at`, newest first.

    Of the same content read many times in a row only the first reading says anything new.
    """
    rows = session.exec(
        select(Snapshot)
        .where(Snapshot.feed == feed, Snapshot.status == "published", Snapshot.at > as_of)
        .where(col(Snapshot.published_at) <= known_at)
        .order_by(col(Snapshot.at), col(Snapshot.id))
    ).all()
    told = [row for before, row in zip((None, *rows), rows, strict=False) if not before or before.sha256 != row.sha256]
    return told[::-1]


def corrected(of_the_day: pl.DataFrame, later: Iterable[pl.LazyFrame], as_of_s: int) -> pl.DataFrame:
    """The identities of a day with the newest words of their source about that day: had they left by then, and when?

    `later`: the same source at later times, newest first. A leaving told later counts when its day was not after
    `as_of_s`, and so does a leaving that was taken back or put off. What is said of an engagement that began after
    the day says nothing about it: then the words before the rehire stand. Who was in no snapshot of the day is not
    added.
    """
    was = of_the_day.select(
        "identity_id",
        pl.col("rehired_at_s").alias("was_rehired_s"),
        pl.coalesce("hire_at_s", "ended_at_s").alias("was_hired_s"),
        pl.col("last_present_at_s").alias("was_present_s"),
    )
    found: list[pl.DataFrame] = []
    for frame in later:
        if was.is_empty():
            break
        rows = frame.select(_READ).join(was.lazy(), on="identity_id").with_columns(_about(as_of_s)).collect()
        speaks = rows.filter(pl.col("left") | pl.col("worked"))
        found.append(speaks)
        # Who has been absent ever since will not be spoken of by anything in between either.
        silent = rows.filter(~pl.col("present"), pl.col("last_present_at_s") <= pl.col("was_present_s"))
        was = was.join(speaks, on="identity_id", how="anti").join(silent, on="identity_id", how="anti")
    return _applied(of_the_day, pl.concat(found)) if found else of_the_day


def _about(as_of_s: int) -> list[pl.Expr]:
    """Whether a later word says that somebody had left by the day, or worked on it; neither when it says nothing."""
    begun = (pl.col("hire_at_s") <= as_of_s).fill_null(value=True)
    same = pl.col("rehired_at_s").eq_missing(pl.col("was_rehired_s"))
    anew = ((pl.col("hire_at_s") <= as_of_s) & (pl.col("hire_at_s") > pl.col("was_hired_s"))).fill_null(value=False)
    over = (pl.col("ended_at_s") <= as_of_s).fill_null(value=False)
    told, ended = begun & (same | anew), (pl.col("state") == "ended").fill_null(value=False)
    working = pl.col("state").is_in(["current", "leave"]).fill_null(value=False)
    return [
        (told & ended & over).alias("left"),
        (told & (ended | working) & ~over).alias("worked"),
        anew.alias("anew"),
    ]


def _applied(of_the_day: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    said = words.select(
        "identity_id", "left", "worked", "anew", *(pl.col(name).alias(f"said_{name}") for name in _SAID)
    )
    joined = of_the_day.join(said, on="identity_id", how="left", maintain_order="left")
    spoken, left, worked = pl.col("left").is_not_null(), pl.col("left"), pl.col("worked")
    working = pl.col("state").is_in(["current", "leave"])
    hired = pl.when(worked & pl.col("anew")).then("said_hire_at").otherwise("hire_at")
    return joined.with_columns(
        state=pl.when(left).then(pl.lit("ended")).when(worked & ~working).then(pl.lit("current")).otherwise("state"),
        ended_why=pl.when(left)
        .then("said_ended_why")
        .when(worked & pl.col("said_ended_at").is_null())
        .then(None)
        .otherwise("ended_why"),
        hire_at=hired,
        hire_at_s=hired.dt.epoch("s"),
        **{
            name: pl.when(spoken).then(f"said_{name}").otherwise(name)
            for name in ("ended_at", "ended_at_s", "contract_end", "contract_end_s")
        },
    ).select(of_the_day.columns)
