"""One person in several sources of truth: who is the same, and what holds when they disagree.

The same person if employee_id is equal and both sources say `ids = "shared"`, or if the work e-mail is equal in
overlapping validity. Facts come from the source listed first; ended only when every source that has them says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.correlation import addressed
from governance.declaration import epoch
from governance.settings import Settings, SourceSettings

Frame = nw.LazyFrame[Any]
Keep = Callable[[str, Frame], Frame]  # writes a frame down under a name and scans it again, or does not
# By these it is found who is the same.
TOLD: Final = ("identity_id", "source", "employee_id", "email_key", "hire_at_s", "ended_at_s")
_RANK_DIGITS: Final = 3


def as_it_is(_: str, frame: Frame) -> Frame:
    """Keeps nothing: the frame is computed for each of its uses."""
    return frame


def persons(identities: Frame, sources: tuple[SourceSettings, ...], keep: Keep = as_it_is) -> Frame:
    """(identity_id, person_id): the identity of the source listed first stands for the person in all of them.

    `identities` has the columns TOLD. `keep`: chains follow from the same pairs many times.
    """
    rank = nw.lit(999)
    for place, source in enumerate(sources):
        rank = nw.when(nw.col("source") == source.name).then(nw.lit(place)).otherwise(rank)
    shared = nw.col("source").is_in([source.name for source in sources if source.ids == "shared"])
    ranked = identities.select(*TOLD, rank=rank, shared=shared)
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
    pairs = keep("pairs", nw.concat([_pair(by_number), _pair(by_address)], how="vertical"))
    first = pairs.group_by("identity_id").agg(nw.col("ordered").min())
    found = first.select("identity_id", person_id=nw.col("ordered").str.slice(_RANK_DIGITS))
    # The third source may have met the person through the second one: one more step reaches the first.
    further = found.select(nw.col("identity_id").alias("person_id"), nw.col("person_id").alias("further_id"))
    people = (
        identities.select("identity_id")
        .join(found, on="identity_id", how="left")
        .join(further, on="person_id", how="left")
        .select("identity_id", person_id=nw.coalesce("further_id", "person_id", "identity_id"))
    )
    if len(sources) < 3:
        return people
    own = ranked.select("identity_id", "source", ordered=_ordered("rank", "identity_id"))
    whole = _whole(own, pairs, len(sources), keep)
    joined = people.join(whole, on="identity_id", how="left")
    return joined.select("identity_id", person_id=nw.coalesce("whole_id", "person_id"))


def _whole(own: Frame, pairs: Frame, sources: int, keep: Keep) -> Frame:
    """(identity_id, whole_id): the person of all who hang together, by whatever chain; each source knows them once.

    Where one source would have two of them somebody is mistaken: of those nothing is said here.
    """
    linked = pairs.select("identity_id", other_id=nw.col("ordered").str.slice(_RANK_DIGITS))
    turned = linked.select(nw.col("other_id").alias("identity_id"), nw.col("identity_id").alias("other_id"))
    ends = nw.concat([linked, turned], how="vertical")
    themselves = ends.select("identity_id", other_id=nw.col("identity_id"))
    near = keep("links", nw.concat([ends, themselves], how="vertical").unique(["identity_id", "other_id"]))
    known = own.select("identity_id", "ordered")
    for number in range(sources):  # no chain through so many sources has more links
        told = known.select(nw.col("identity_id").alias("other_id"), "ordered")
        nearer = near.join(told, on="other_id", how="inner").group_by("identity_id").agg(nw.col("ordered").min())
        known = keep(f"chains_{number}", nearer)
    at = known.join(own.select("identity_id", "source", itself=nw.col("ordered")), on="identity_id", how="inner")
    twice = at.group_by("ordered", "source").agg(nw.len().alias("many")).filter(nw.col("many") > 1)
    reached = at.filter(nw.col("ordered") == nw.col("itself")).select("ordered")
    sound = at.join(twice.select("ordered"), on="ordered", how="anti").join(reached, on="ordered", how="semi")
    return sound.select("identity_id", whole_id=nw.col("ordered").str.slice(_RANK_DIGITS))


def of_persons(frame: Frame, column: str, same: Frame) -> Frame:
    """The frame with the person's identity_id in the place of any of their identity_ids in this column."""
    person = same.select(nw.col("identity_id").alias(column), person=nw.col("person_id"))
    joined = frame.join(person, on=column, how="left")
    return joined.with_columns(nw.coalesce("person", column).alias(column)).drop("person")


def _overlap() -> nw.Expr:
    def open_or_before(start: str, end: str) -> nw.Expr:
        unknown = nw.col(start).is_null() | nw.col(end).is_null()
        return unknown | (nw.col(start) < nw.col(end))

    return open_or_before("first_hire_s", "ended_at_s") & open_or_before("hire_at_s", "first_ended_s")


def _pair(joined: Frame) -> Frame:
    return joined.select("identity_id", ordered=_ordered("first_rank", "first_id"))


def _ordered(rank: str, identity_id: str) -> nw.Expr:
    padded = nw.concat_str(nw.lit("000"), nw.col(rank).cast(nw.String)).str.slice(-_RANK_DIGITS)
    return nw.concat_str(padded, nw.col(identity_id))


def merged(identities: Frame, same: Frame, sources: tuple[SourceSettings, ...]) -> Frame:
    """One row a person: the facts of the first source; present when any source holds them.

    Their addresses in the other sources stand among the aliases: they are the same person's.

    Ended only when all that hold them say so, whatever one that lost them last said; where one of several says
    something else, that counts instead of the end. Of whom none holds any more, one that said so before it lost them.
    """
    rows = identities.join(same, on="identity_id", how="left")
    there, ended = nw.col("present").fill_null(False), (nw.col("state") == "ended").fill_null(False)
    working = nw.col("state").is_in(["current", "leave"]).fill_null(False)
    ended_there, begins_there = there & ended, there & (nw.col("state") == "future").fill_null(False)
    ended_gone = ~there & ended & (nw.col("ended_why") != "absence").fill_null(True)
    further = {f"addresses_{place}": source.name for place, source in enumerate(sources)}
    addresses = nw.concat_str("email", "aliases", "former_emails", separator=";", ignore_nulls=True)
    flags = rows.select(
        "person_id",
        working=working.cast(nw.Int64),
        there=there.cast(nw.Int64),
        ended=ended_there.cast(nw.Int64),
        begins=begins_there.cast(nw.Int64),
        last_end=nw.when(ended_there).then(nw.col("ended_at")),
        last_end_s=nw.when(ended_there).then(nw.col("ended_at_s")),
        last_why=nw.when(ended_there).then(nw.col("ended_why")),
        gone=ended_gone.cast(nw.Int64),
        gone_end=nw.when(ended_gone).then(nw.col("ended_at")),
        gone_end_s=nw.when(ended_gone).then(nw.col("ended_at_s")),
        gone_why=nw.when(ended_gone).then(nw.col("ended_why")),
        seen=nw.col("last_present_at"),
        seen_s=nw.col("last_present_at_s"),
        **{
            name: nw.when((nw.col("source") == source) & (nw.col("identity_id") != nw.col("person_id"))).then(addresses)
            for name, source in further.items()
        },
    )
    gone = ("gone", "gone_end", "gone_end_s", "gone_why")
    together = flags.group_by("person_id").agg(
        nw.col("working").max(),
        nw.col("there").sum(),
        nw.col("ended").sum(),
        nw.col("begins").max(),
        nw.col("last_end").max(),
        nw.col("last_end_s").max(),
        nw.col("last_why").max(),
        *(nw.col(name).max() for name in gone),
        nw.col("seen").max(),
        nw.col("seen_s").max(),
        *(nw.col(name).max() for name in further),
    )
    first = identities.join(together.rename({"person_id": "identity_id"}), on="identity_id", how="inner")
    held = nw.col("there") > 0
    all_say_so = held & (nw.col("ended") == nw.col("there"))
    had_left = ~held & (nw.col("gone") == 1) & (nw.col("working") == 0)
    works = (nw.col("working") == 1) & ~nw.col("state").is_in(["current", "leave"])
    otherwise = held & (nw.col("state") == "ended")  # the first says ended, another one that holds them does not
    begins = nw.when(nw.col("begins") == 1).then(nw.lit("future")).otherwise(nw.lit("unknown"))
    state = nw.when(otherwise).then(begins).otherwise(nw.col("state"))
    state = nw.when(works).then(nw.lit("current")).otherwise(state)

    def end(name: str, last: str, gone: str) -> nw.Expr:
        kept = nw.when(otherwise).then(nw.lit(None)).otherwise(name)
        return nw.when(all_say_so).then(nw.col(last)).otherwise(nw.when(had_left).then(nw.col(gone)).otherwise(kept))

    own_and_further = nw.concat_str("aliases", *further, separator=";", ignore_nulls=True)
    return first.with_columns(
        aliases=nw.when(own_and_further != "").then(own_and_further),
        state=nw.when(all_say_so | had_left).then(nw.lit("ended")).otherwise(state),
        ended_why=nw.when(all_say_so & ~nw.col("present"))
        .then(nw.col("last_why"))
        .otherwise(nw.when(had_left).then(nw.col("gone_why")).otherwise("ended_why")),
        ended_at=end("ended_at", "last_end", "gone_end"),
        ended_at_s=end("ended_at_s", "last_end_s", "gone_end_s"),
        present=held,
        last_present_at=nw.col("seen"),
        last_present_at_s=nw.col("seen_s"),
    ).drop(
        "working", "there", "ended", "begins", "last_end", "last_end_s", "last_why", "seen", "seen_s", *gone, *further
    )


def resolve(identities: Frame, now: datetime) -> Frame:
    """Identities with their state at `now`, and whether the source contradicts itself.

    A future end that has passed since it was stated makes `ended`; an end that had passed when the source still said
    `active` makes `contradictory` and no leaver. A file that is merely read again states nothing anew. A start date
    that has passed makes `current`.
    """
    stated, moment = nw.coalesce("stated_at_s", "last_present_at_s"), epoch(now)
    ended = nw.col("ended_at_s")
    announced = ~ended.is_null() & (ended > stated) & (ended <= moment)
    working = nw.col("state").is_in(["current", "leave"])
    begun = (nw.col("state") == "future") & ~nw.col("hire_at_s").is_null() & (nw.col("hire_at_s") <= moment)
    return identities.with_columns(
        contradictory=working & nw.col("present") & ~ended.is_null() & (ended <= stated),
        state=nw.when(announced & nw.col("state").is_in(["current", "leave", "missing", "future"]))
        .then(nw.lit("ended"))
        .otherwise(nw.when(begun).then(nw.lit("current")).otherwise(nw.col("state"))),
    )


def _with_told(identities: Frame) -> Frame:
    """Adds what each source tells at all: whether any of its people has an end of contract, or somebody who manages."""
    its = identities.group_by("source").agg(
        contracts=(~nw.col("contract_end_s").is_null()).cast(nw.Int64).max(),
        managers=(~nw.col("manager_id").is_null()).cast(nw.Int64).max(),
    )
    return (
        identities.join(its, on="source", how="left")
        .with_columns(contract_end_told=nw.col("contracts") == 1, manager_told=nw.col("managers") == 1)
        .drop("contracts", "managers")
    )


def told(identities: Frame, settings: Settings, now: datetime) -> Frame:
    """What each source of truth tells of its own people."""
    return _with_told(addressed(resolve(identities, now), settings.domain))


def same_persons(identities: Frame, sources: Sequence[str], settings: Settings, keep: Keep = as_it_is) -> Frame | None:
    """(identity_id, person_id) of everybody in these sources of truth, as far as there are several."""
    if len(sources) < 2:
        return None
    known_by = keep("told", addressed(identities, settings.domain).select(*TOLD))
    return keep("persons", persons(known_by, settings.source, keep))


def people(
    identities: Frame, sources: Sequence[str], settings: Settings, now: datetime, same: Frame | None = None
) -> Frame:
    """Everybody these sources of truth know or knew, one row a person, with their state at `now`.

    Adds to the snapshot's columns: contradictory, contract_end_told, manager_told (bool). `same`: `same_persons`, where
    it was written already.
    """
    everybody = told(identities, settings, now)
    same = same_persons(identities, sources, settings) if same is None else same
    if same is None:
        return everybody
    return of_persons(merged(everybody, same, settings.source), "manager_id", same)
