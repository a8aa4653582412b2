"""What a feed remembers: who vanished, former addresses, moves. And how much changed since it was last believed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from governance.snapshots.frames import INSTANT, former_email_keys, schema, with_twins

AT_ONCE: Final = 150_000  # rows that are compared with others


@dataclass(frozen=True)
class Change:
    """How a pull differs from the last believed snapshot, in people or accounts."""

    base: int  # present and active before
    removed: int  # of those: vanished, ended or switched off, not by us
    added: int
    changed_key: int  # same employee id with another address, or the reverse
    unsure: int = 0  # missing, and not taken for gone: a row that does not say whom it is about may be about them


@dataclass(frozen=True)
class Absence:
    """What it means that somebody is missing from a source of truth."""

    means_leaver: bool = False
    pulls: int = 1
    counts: bool = True  # False: the very same file again, which is no second absence and says nothing new
    quarantined: (
        Collection[str] | None
    ) = ()  # employee ids of rows that could not be believed; None: of whom is unknown


def remember_identities(
    new: pl.DataFrame, last: pl.DataFrame | None, at: datetime, absence: Absence, keep: timedelta
) -> pl.DataFrame:
    """The same as `remembered_identities`, of a few people who are in memory anyway."""
    return remembered_identities(new.lazy(), None if last is None else last.lazy(), at, absence, keep).collect()


def remembered_identities(
    new: pl.LazyFrame, last: pl.LazyFrame | None, at: datetime, absence: Absence, keep: timedelta
) -> pl.LazyFrame:
    """The identities a snapshot holds: those present, with what is remembered of them, and those that vanished.

    Lazy, so that they are written as they come and no step holds all of them in its own copy.
    """
    columns = list(schema("identities"))
    present = new.select(columns).with_columns(
        present=pl.lit(True), last_present_at=pl.lit(at, INSTANT), absences=pl.lit(0, pl.Int64)
    )
    if last is None:
        return _finished(_stamped(present, at))
    noted = _noted(new, last)
    before = last.join(noted.filter(~pl.col("gone")).lazy(), on="identity_id", how="semi").select(
        "identity_id",
        pl.col("email").alias("was_email"),
        pl.col("email_key").alias("was_key"),
        pl.col("former_emails").alias("were_emails"),
        pl.col("department").alias("was_department"),
        pl.col("former_department").alias("were_department"),
        pl.col("title").alias("was_title"),
        pl.col("former_title").alias("were_title"),
        pl.col("moved_at").alias("was_moved_at"),
        pl.col("rehired_at").alias("was_rehired_at"),
        pl.col("readdressed_at").alias("was_readdressed_at"),
        pl.col("state").alias("was_state"),
        pl.col("ended_at").alias("was_ended_at"),
        pl.col("ended_why").alias("was_ended_why"),
        pl.coalesce("stated_at", "last_present_at").alias("was_stated_at"),
    )
    joined = present.join(before, on="identity_id", how="left", maintain_order="left")
    other_address = pl.col("was_key").is_not_null() & pl.col("was_key").ne_missing(pl.col("email_key"))
    moved = _differs("department") | _differs("title")
    # Who merely was absent from a feed and is there again was not hired again, unless it says so by a later start.
    began_anew = (pl.col("hire_at") > pl.col("was_ended_at")).fill_null(value=False)
    over = (pl.col("was_state") == "ended") & (pl.col("was_ended_why").ne_missing(pl.lit("absence")) | began_anew)
    # An end that was announced and has come since: put off too late it is the same engagement, begun anew another one.
    came = (pl.col("was_ended_at") > pl.col("was_stated_at")) & (pl.col("was_ended_at") <= pl.lit(at, INSTANT))
    rehired = pl.col("state").is_in(["current", "leave"]) & (over | (came & began_anew).fill_null(value=False))
    same_end = (pl.col("was_ended_at") == pl.col("ended_at")) & (pl.col("was_state") == pl.col("state"))
    said_before = (pl.lit(not absence.counts) & same_end).fill_null(value=False)
    joined = joined.with_columns(
        stated_at=pl.when(said_before).then("was_stated_at"),
        former_emails=pl.concat_str(
            "former_emails", "were_emails", pl.when(other_address).then("was_email"), separator=";", ignore_nulls=True
        ).replace("", None),
        former_department=pl.when(moved).then("was_department").otherwise("were_department"),
        former_title=pl.when(moved).then("was_title").otherwise("were_title"),
        moved_at=pl.when(moved).then(pl.lit(at, INSTANT)).otherwise("was_moved_at"),
        rehired_at=pl.when(rehired).then(pl.lit(at, INSTANT)).otherwise("was_rehired_at"),
        readdressed_at=pl.when(other_address).then(pl.lit(at, INSTANT)).otherwise("was_readdressed_at"),
        ended_at=pl.when((pl.col("state") == "ended") & pl.col("ended_at").is_null() & (pl.col("was_state") == "ended"))
        .then("was_ended_at")
        .otherwise("ended_at"),
    ).with_columns(_distinct_addresses())
    joined = _stamped(joined.select(columns), at)
    gone = last.join(noted.filter("gone").lazy(), on="identity_id", how="semi", maintain_order="left")
    lasting = pl.col("last_present_at") >= pl.lit(at - keep, INSTANT)
    vanished = gone.filter(lasting)
    unread = pl.lit(True) if absence.quarantined is None else pl.col("employee_id").is_in(list(absence.quarantined))
    absent = pl.col("absences") + pl.when(unread).then(0).otherwise(int(absence.counts))
    explicit = (pl.col("state") == "ended") & pl.col("ended_why").ne_missing(pl.lit("absence"))
    known = explicit | (pl.col("state") == "future")
    left = ~known & pl.lit(absence.means_leaver) & (absent >= absence.pulls)
    vanished = vanished.with_columns(
        present=pl.lit(False),
        absences=absent,
        state=pl.when(known).then("state").when(left).then(pl.lit("ended")).otherwise(pl.lit("missing")),
        ended_at=pl.when(left & (pl.col("ended_at").is_null() | (pl.col("ended_at") > pl.col("last_present_at"))))
        .then("last_present_at")
        .otherwise("ended_at"),
        ended_why=pl.when(left).then(pl.lit("absence")).otherwise("ended_why"),
    )
    kept = pl.concat([joined, vanished.select(columns)])
    return _finished(_without(kept, _addresses(gone.filter(~lasting))))


def _differs(column: str) -> pl.Expr:
    """Whether the source told another value before; one that was not told is no difference."""
    return (pl.col(f"was_{column}") != pl.col(column)).fill_null(value=False)


def _stamped(present: pl.LazyFrame, at: datetime) -> pl.LazyFrame:
    """`terminated` without a date ended at the first snapshot that says so."""
    undated = (pl.col("state") == "ended") & pl.col("ended_at").is_null()
    return present.with_columns(
        ended_at=pl.when(undated).then(pl.lit(at, INSTANT)).otherwise("ended_at"),
        ended_why=pl.when((pl.col("state") == "ended") & pl.col("ended_why").is_null())
        .then(pl.lit("source"))
        .otherwise("ended_why"),
    )


def _distinct_addresses() -> pl.Expr:
    addresses = pl.col("former_emails").str.split(";").list.unique(maintain_order=True)
    others = addresses.list.set_difference(pl.concat_list("email"))
    return pl.when(others.list.len() > 0).then(others.list.sort().list.join(";")).alias("former_emails")


def _addresses(forgotten: pl.LazyFrame) -> list[str]:
    """Every address that these people had, as match keys."""
    keys = pl.concat_str("email_key", "former_email_keys", separator=";", ignore_nulls=True).str.split(";")
    return forgotten.select(keys.explode()).unique().collect().to_series().drop_nulls().sort().to_list()


def _without(people: pl.LazyFrame, given_on: list[str]) -> pl.LazyFrame:
    """The people without these former addresses: who had one last is forgotten, and it leads back to nobody before."""
    if not given_on:
        return people
    others = pl.element().filter(~pl.element().str.strip_chars().str.to_lowercase().is_in(given_on))
    left = pl.col("former_emails").str.split(";").list.eval(others)
    return people.with_columns(former_emails=pl.when(left.list.len() > 0).then(left.list.join(";")))


def remember_accounts(
    new: pl.LazyFrame,
    last: pl.LazyFrame | None,
    at: datetime,
    keep: timedelta,
    proved: Mapping[str, datetime] | None = None,
    given_back: Collection[str] = (),
) -> pl.LazyFrame:
    """The accounts a snapshot holds: those present in their order, then those that vanished (`present` false).

    `proved`: account_id -> when it was read back as closed from here, since `last`. One that is active all the same was
    closed then and has returned. `given_back`: those that were switched on again from here since `last`, which is no
    return. Lazy, because a million accounts need not fit in memory.
    """
    columns, moment = list(schema("accounts")), pl.lit(at, INSTANT)
    present = new.with_columns(
        present=pl.lit(True), last_present_at=moment, last_present_at_s=moment.dt.epoch("s")
    ).select(columns)
    if last is None:
        return present
    noted = _noted_accounts(new, last)
    was = last.join(noted.filter(~pl.col("gone")).lazy(), on="account_id", how="semi")
    was = was.select("account_id", *(pl.col(name).alias(f"was_{name}") for name in _CLOSING))
    if given_back:
        back = pl.col("account_id").is_in(list(given_back))
        # That closure never was; one before it, from which the account had returned, still was.
        before = pl.when(pl.col("was_returned_at").is_not_null()).then(
            pl.min_horizontal("was_closed_at", "was_returned_at")
        )
        was = was.with_columns(
            was_active=back | pl.col("was_active"),
            was_closed_at=pl.when(back).then(before).otherwise("was_closed_at"),
        )
    returned_before = (pl.col("was_returned_at") >= pl.col("was_closed_at")).fill_null(value=False)
    open_before = pl.col("was_closed_at").is_null() | returned_before
    closes = (pl.col("was_active") & ~pl.col("active") & open_before).fill_null(value=False)
    reborn = (pl.col("active") & open_before & pl.col("proved_at").is_not_null()).fill_null(value=False)
    returns = (~open_before & pl.col("active")).fill_null(value=False) | reborn
    joined = present.join(was, on="account_id", how="left", maintain_order="left").join(
        _closed_here(proved or {}), on="account_id", how="left", maintain_order="left"
    )
    present = _with_twins_of_closing(
        joined.with_columns(
            closed_at=pl.when(reborn).then("proved_at").when(closes).then(moment).otherwise("was_closed_at"),
            returned_at=pl.when(returns).then(moment).otherwise("was_returned_at"),
        )
    ).select(columns)
    seen_open = pl.col("closed_at").is_null() | (pl.col("returned_at") >= pl.col("closed_at")).fill_null(value=False)
    gone = pl.col("present") & seen_open & pl.col("active").fill_null(value=True)
    vanished = (
        last.join(noted.filter("gone").lazy(), on="account_id", how="semi", maintain_order="left")
        .filter(pl.col("last_present_at") >= pl.lit(at - keep, INSTANT))
        .with_columns(closed_at=pl.when(gone).then(moment).otherwise("closed_at"), present=pl.lit(False))
    )
    return pl.concat([present, _with_twins_of_closing(vanished).select(columns)])


def _noted_accounts(new: pl.LazyFrame, last: pl.LazyFrame) -> pl.DataFrame:
    """Of the last accounts (by their key) those that are `gone`, and those that were closed once or are now."""
    now = new.select("account_id", pl.col("active").alias("now_active"), here=pl.lit(True))
    closed = pl.col("closed_at").is_not_null() | pl.col("returned_at").is_not_null()
    before = last.select("account_id", "active", closed=closed)
    gone, closes = pl.col("here").is_null(), (pl.col("active") & ~pl.col("now_active")).fill_null(value=False)
    return _told_apart("account_id", before, now, gone | pl.col("closed") | closes, gone)


def _closed_here(proved: Mapping[str, datetime]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"account_id": list(proved), "proved_at": list(proved.values())},
        schema={"account_id": pl.String, "proved_at": INSTANT},
    )


_CLOSING: Final = ("active", "closed_at", "returned_at")


def _with_twins_of_closing(accounts: pl.LazyFrame) -> pl.LazyFrame:
    return accounts.with_columns(pl.col(name).dt.epoch("s").alias(f"{name}_s") for name in _CLOSING[1:])


def _finished(frame: pl.LazyFrame) -> pl.LazyFrame:
    """With the twins of all instants and the one match key that memory changes, in their order."""
    return with_twins("identities", frame).with_columns(former_email_keys())


_REMEMBERED: Final = (
    "ended_at",
    "former_emails",
    "former_department",
    "former_title",
    "moved_at",
    "rehired_at",
    "readdressed_at",
)
_COMPARED: Final = ("email_key", "department", "title", "state")


def _noted(new: pl.LazyFrame, last: pl.LazyFrame) -> pl.DataFrame:
    """Of the last identities (identity_id) those that are `gone`, and those that memory has something to say about.

    Most people stay as they are from file to file: these are compared by a few narrow columns and by nothing else.
    """
    now = new.select("identity_id", *(pl.col(name).alias(f"now_{name}") for name in _COMPARED), here=pl.lit(True))
    remembered = pl.any_horizontal(pl.col(name).is_not_null() for name in _REMEMBERED) | (pl.col("state") == "ended")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"now_{name}")) for name in _COMPARED)
    before = last.select("identity_id", *_COMPARED, remembered=remembered)
    gone = pl.col("here").is_null()
    return _told_apart("identity_id", before, now, gone | pl.col("remembered") | differs, gone)


def _told_apart(key: str, last: pl.LazyFrame, new: pl.LazyFrame, noted: pl.Expr, gone: pl.Expr) -> pl.DataFrame:
    """The keys of the last rows that are `noted` beside the new ones, and whether they are gone."""
    return pl.concat(
        was.join(here, on=key, how="left").filter(noted).select(key, gone=gone).collect(engine="streaming")
        for was, here in _side_by_side(key, last, new)
    )


def identity_change(new: pl.DataFrame | pl.LazyFrame, last: pl.DataFrame | pl.LazyFrame | None) -> Change:
    """How a source of truth changed: `new` as read, `last` the last believed identities with memory."""
    new = new.lazy()
    if last is None:
        return Change(0, 0, _height(new), 0)
    last = last.lazy()
    works = pl.col("state") != "ended"
    before = last.filter(pl.col("present")).select("identity_id", "employee_id", "email_key", "state")
    now = new.select("identity_id", "state")
    base = gone = come = changed = 0
    for was, here in _side_by_side("identity_id", before, now):
        base += _height(was.filter(works))
        gone += _height(was.filter(works).join(here.filter(works), on="identity_id", how="anti"))
        come += _height(here.join(was, on="identity_id", how="anti"))
    keys = ["employee_id", "email_key"]
    keyed, told = before.drop_nulls(keys), new.select(keys).drop_nulls()
    for key in keys:
        for was, here in _side_by_side(key, keyed, told):
            # Whoever has two contracts has two numbers under one address: what stays beside each other is no change.
            lost = was.filter(works).join(here, on=keys, how="anti")
            changed += _height(lost.join(here.join(was, on=keys, how="anti"), on=key, how="semi"))
    return Change(base, gone, come, changed)


def account_change(new: pl.LazyFrame, last: pl.LazyFrame | None, closed_here: pl.LazyFrame) -> Change:
    """How an application changed; `closed_here` (account_id) are accounts that we closed ourselves."""
    now = new.select("account_id", "active")
    if last is None:
        return Change(0, 0, _height(now), 0)
    before = last.filter(pl.col("present")).select("account_id", "active")
    works = pl.col("active").fill_null(True)
    base = removed = added = 0
    for was, here in _side_by_side("account_id", before, now):
        active = was.filter(works).join(closed_here, on="account_id", how="anti")
        base += _height(active)
        removed += _height(active.join(here.filter(works), on="account_id", how="anti"))
        added += _height(here.join(was, on="account_id", how="anti"))
    return Change(base, removed, added, 0)


def _side_by_side(key: str, last: pl.LazyFrame, new: pl.LazyFrame) -> Iterator[tuple[pl.LazyFrame, pl.LazyFrame]]:
    """Both in pieces, of the same keys on either side: a million of them compared at once take 180 MiB."""
    pieces = -(-max(_height(last), 1) // AT_ONCE)
    if pieces == 1:
        yield last, new
        return
    for piece in range(pieces):
        here = pl.col(key).hash() % pieces == piece
        yield last.filter(here), new.filter(here)


def _height(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect(engine="streaming").item())
