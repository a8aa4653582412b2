"""One person in several sources of truth: who is the same, and what holds when they disagree.

The same person if employee_id is equal and both sources say `ids = "shared"`, or if the work e-mail is equal in
overlapping validity. Facts come from the source listed first; ended only when every source that has them says so.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.settings import SourceSettings

Frame = nw.LazyFrame[Any]
_RANK_DIGITS: Final = 3


def persons(identities: Frame, sources: tuple[SourceSettings, ...]) -> Frame:
    """(identity_id, person_id): the identity of the source listed first stands for the person in all of them."""
    rank = nw.lit(999)
    for place, source in enumerate(sources):
        rank = nw.when(nw.col("source") == source.name).then(nw.lit(place)).otherwise(rank)
    shared = nw.col("source").is_in([source.name for source in sources if source.ids == "shared"])
    ranked = identities.with_columns(rank=rank).select(
        "identity_id", "employee_id", "email_key", "hire_at_s", "ended_at_s", "rank", shared=shared
    )
    earlier = ranked.select(
        "employee_id",
        "email_key",
        first_id=nw.col("identity_id"),
        first_rank=nw.col("rank"),
        first_shared=nw.col("shared"),
        first_hire_s=nw.col("hire_at_s"),
        first_ended_s=nw.col("ended_at_s"),
    )
    by_number = ranked.join(earlier.drop("email_key"), on="employee_id", how="inner").filter(
        (nw.col("first_rank") < nw.col("rank")) & nw.col("shared") & nw.col("first_shared")
    )
    by_address = ranked.join(earlier.drop("employee_id"), on="email_key", how="inner").filter(
        (nw.col("first_rank") < nw.col("rank")) & _overlap()
    )
    pairs = nw.concat([_pair(by_number), _pair(by_address)], how="vertical")
    first = pairs.group_by("identity_id").agg(nw.col("ordered").min())
    found = first.select("identity_id", person_id=nw.col("ordered").str.slice(_RANK_DIGITS))
    # The third source may have met the person through the second one: one more step reaches the first.
    further = found.select(nw.col("identity_id").alias("person_id"), nw.col("person_id").alias("further_id"))
    return (
        identities.select("identity_id")
        .join(found, on="identity_id", how="left")
        .join(further, on="person_id", how="left")
        .select("identity_id", person_id=nw.coalesce("further_id", "person_id", "identity_id"))
    )


def _overlap() -> nw.Expr:
    def open_or_before(start: str, end: str) -> nw.Expr:
        unknown = nw.col(start).is_null() | nw.col(end).is_null()
        return unknown | (nw.col(start) < nw.col(end))

    return open_or_before("first_hire_s", "ended_at_s") & open_or_before("hire_at_s", "first_ended_s")


def _pair(joined: Frame) -> Frame:
    padded = nw.concat_str(nw.lit("000"), nw.col("first_rank").cast(nw.String)).str.slice(-_RANK_DIGITS)
    return joined.select("identity_id", ordered=nw.concat_str(padded, nw.col("first_id")))


def merged(identities: Frame, same: Frame) -> Frame:
    """One row a person: the facts of the first source; ended only when all say so; present when any holds them."""
    rows = identities.join(same, on="identity_id", how="left")
    ended = (nw.col("state") == "ended").fill_null(False)
    working = nw.col("state").is_in(["current", "leave"]).fill_null(False)
    flags = rows.select(
        "person_id",
        ended=ended.cast(nw.Int64),
        working=working.cast(nw.Int64),
        there=nw.col("present").cast(nw.Int64),
        last_end=nw.col("ended_at"),
        last_end_s=nw.col("ended_at_s"),
        seen=nw.col("last_present_at"),
        seen_s=nw.col("last_present_at_s"),
    )
    together = flags.group_by("person_id").agg(
        nw.col("ended").min(),
        nw.col("working").max(),
        nw.col("there").max(),
        nw.col("last_end").max(),
        nw.col("last_end_s").max(),
        nw.col("seen").max(),
        nw.col("seen_s").max(),
    )
    first = identities.join(together.rename({"person_id": "identity_id"}), on="identity_id", how="inner")
    nothing = nw.lit(None)
    return first.with_columns(
        state=nw.when((nw.col("working") == 1) & ~nw.col("state").is_in(["current", "leave"]))
        .then(nw.lit("current"))
        .otherwise(nw.col("state")),
        ended_at=nw.when(nw.col("ended") == 1)
        .then(nw.col("last_end"))
        .otherwise(
            nw.when((nw.col("working") == 1) & (nw.col("state") == "ended")).then(nothing).otherwise("ended_at")
        ),
        ended_at_s=nw.when(nw.col("ended") == 1)
        .then(nw.col("last_end_s"))
        .otherwise(
            nw.when((nw.col("working") == 1) & (nw.col("state") == "ended")).then(nothing).otherwise("ended_at_s")
        ),
        present=nw.col("there") == 1,
        last_present_at=nw.col("seen"),
        last_present_at_s=nw.col("seen_s"),
    ).drop("ended", "working", "there", "last_end", "last_end_s", "seen", "seen_s")
