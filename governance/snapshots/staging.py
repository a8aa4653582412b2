"""Stage: what a feed said becomes files and one row, invisible to all, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

import polars as pl
from sqlmodel import col, select
from ulid import ULID

from governance.declaration import CLOCKS_DIFFER_BY
from governance.errors import ConfigurationError, IncompleteFeed
from governance.house import House
from governance.records import Gone, Reading, Record, Rows
from governance.settings import ApplicationSettings, SourceSettings
from governance.snapshots.frames import scan, schema
from governance.snapshots.given_back import given_back
from governance.snapshots.happened import remember_events, with_last_use
from governance.snapshots.keepable import keys as keys_of
from governance.snapshots.keeping import TABLES_OF, Feed, believed, lost
from governance.snapshots.laying import Laid, as_told
from governance.snapshots.memory import (
    Absence,
    Change,
    account_change,
    identity_change,
    remember_accounts,
    remembered_identities,
)
from governance.snapshots.parts import Parts
from governance.snapshots.unread import doubted, remembered_by_decisions, still_unread, unread
from governance.snapshots.writing import make_root, write
from governance.tables import Remediation, Snapshot

# Feeds are read side by side, composed one after another: the engine uses every core for one, and bounds its threads.
_COMPOSING: Final = Lock()
Frames = dict[str, pl.DataFrame | pl.LazyFrame]
Keys = Collection[str | None]  # of quarantined rows: whom they are about


def stage(
    house: House,
    feed: Feed,
    records: Iterable[Record | Rows | Gone],
    reading: Reading,
    at: datetime,
    now: datetime,
    event_mark: Callable[[], str | None] = lambda: None,
    account_mark: Callable[[], str | None] = lambda: None,
    over: Snapshot | None = None,
) -> Snapshot:
    """Write what a feed said, invisible to all: files first, then one row with status `staged`.

    `event_mark` and `account_mark` are asked after the records came: where the next pull goes on reading. `over`: the
    records are what changed since this snapshot.
    Raises what reading the records raises, and IncompleteFeed when the feed holds nobody; then nothing is left behind.
    """
    kind = "source" if isinstance(feed, SourceSettings) else "application"
    with house.store.read() as session:
        last = believed(session, feed.name)
    if last is not None and at < last.at:
        ahead = now < last.at - CLOCKS_DIFFER_BY
        why = "; that time has not come yet: where the clock was ahead then, leaverwatch restore a backup from before"
        raise ConfigurationError(
            f"{feed.name} was already read as of {last.at:%Y-%m-%d %H:%M}Z; a snapshot as of {at:%Y-%m-%d %H:%M}Z would"
            f" rewrite history: historical snapshots are pulled in their order{why if ahead else ''}"
        )
    row = Snapshot(
        id=str(ULID.from_datetime(now)),
        feed=feed.name,
        kind=kind,
        at=at,
        pulled_at=now,
        status="staged",
        released_by=[],
        whole_at=over.whole_at if over else at,
    )
    make_root(house)
    row.path = f"{feed.name}/{row.id}"
    folder = house.snapshots / row.path
    told = Parts(folder.with_name(f".{row.id}.parts"), reading, lambda: over is None and bool(reading.sha256))
    parts = Laid(told, house, over) if over else told
    try:
        parts.take(records)  # type: ignore[arg-type]  # Gone comes only where there is something to lay changes over
        main = TABLES_OF[kind][0]
        rows = parts.rows
        if not rows[main]:
            raise IncompleteFeed(
                f"{feed.name}: {reading.source or 'the feed'} holds no {main}; the last good snapshot stays"
            )
        row.sha256 = parts.sha256 if over else reading.sha256 or parts.sha256
        row.event_mark, row.account_mark = event_mark(), account_mark()
        row.rows = {name: rows[name] for name in TABLES_OF[kind]}
        compose = _people if isinstance(feed, SourceSettings) else _accounts
        missing = lost(house, last) if last else None
        with _COMPOSING:
            known, forgotten = (None, last) if missing else (last, None)
            change, frames = compose(house, feed, parts, known, forgotten, row, reading)
            if last is not None and missing is not None:
                change = replace(_in_number(last.rows[main], rows[main]), unsure=change.unsure)
                reading.notes.append(f"{missing}; what it remembered is forgotten, only numbers could be compared")
            if over:  # they are laid over with the rest, and no more is known of them
                change = replace(change, unsure=over.change.get("unsure", 0))
            row.change = asdict(change)
            write(folder, frames)
        if isinstance(feed, ApplicationSettings) and not feed.privileged:
            reading.notes += _unnamed(parts.scan("entitlements"))
    finally:
        parts.clear()
    with house.store.write() as session:
        session.add(row)
    return row


def _unnamed(entitlements: pl.LazyFrame) -> Iterator[str]:
    """A remark where nothing that is held is known to be privileged, which is rare, and nobody said what is."""
    told = entitlements.select(many=pl.len(), privileged=pl.col("privileged").any()).collect()
    many, privileged = told.row(0)
    if many and not privileged:
        yield (
            f"no entitlement ({many:,} here) is known to be privileged: if one is, name it in `privileged`, such as"
            " admin*; until then rules about privileged access find nothing here"
        )


def _people(
    house: House,
    feed: Feed,
    parts: Parts | Laid,
    last: Snapshot | None,
    _forgotten: Snapshot | None,
    row: Snapshot,
    reading: Reading,
) -> tuple[Change, Frames]:
    """A source of truth with its memory: who vanished, former addresses, moves."""
    assert isinstance(feed, SourceSettings)
    new = parts.scan("identities")
    file = _file(house, last, "identities")
    before = None if file is None else scan("identities", [file])
    again = last is not None and last.sha256 == row.sha256
    keys = keys_of(reading.rejected)
    quarantined = None if None in keys else {key for key in keys if key is not None}
    unsaid = quarantined is None and feed.absence_means == "leaver"
    if unsaid:
        reading.notes.append("nobody's absence counts: a row that could not be believed does not say whom it is about")
    absence = Absence(feed.absence_means == "leaver", feed.absence_pulls, counts=not again, quarantined=quarantined)
    kept = remembered_identities(new, before, row.at, absence, _keep(house))
    doubted = kept.filter(~pl.col("present"), pl.col("state") == "missing").select(pl.len())
    unsure = int(doubted.collect().item()) if unsaid else 0
    return replace(identity_change(new, before), unsure=unsure), {"identities": kept}


def _accounts(
    house: House,
    feed: Feed,
    parts: Parts | Laid,
    last: Snapshot | None,
    forgotten: Snapshot | None,
    row: Snapshot,
    reading: Reading,
) -> tuple[Change, Frames]:
    """An application with its memory: accounts that vanished, and what happened. Never whole in memory.

    `forgotten`: the last snapshot where its files are lost; what decisions remember is then all that is known.
    """
    with house.store.read() as session:
        ours = session.exec(
            select(Remediation.account_id, Remediation.status, Remediation.verified_at).where(
                Remediation.application == feed.name, col(Remediation.status).in_(("executing", "executed", "verified"))
            )
        ).all()
        back = given_back(session, {feed.name: last.at}, row.at) if last else {}
    closed = [account_id for account_id, _, _ in ours]
    proved = {a: when for a, status, when in ours if status == "verified" and when and last and last.at < when < row.at}
    file = _file(house, last, "accounts")
    before = None if file is None else scan("accounts", [file])
    keys = keys_of(reading.rejected)
    blank = _unread(house, feed, parts.scan("accounts"), before, last or forgotten, keys)
    told, unsure = _with_quarantined(house, parts, last, reading, blank["account_id"])
    new = told["accounts"]
    closed_here = pl.LazyFrame({"account_id": closed}, schema={"account_id": pl.String})
    since = row.at - timedelta(days=house.settings.snapshots.event_days)
    events = remember_events(parts.scan("events"), _file(house, last, "events"), since)
    kept: Frames = {name: told[name].select(list(schema(name))) for name in ("entitlements", "grants", "credentials")}
    kept["events"] = events
    used = with_last_use(new, events)
    if not blank.is_empty():
        unsure += blank.height if None in keys else 0
        reading.notes.append(f"{blank.height:,} known from decisions alone: there, but nothing of them could be read")
        before = before if before is None else before.filter(~pl.col("account_id").is_in(blank["account_id"].implode()))
        row.account_mark = None  # until they are read, everything is: changes would say nothing of them
    remembered = remember_accounts(used, before, row.at, _keep(house), proved, {a for _, a in back})
    kept["accounts"] = pl.concat([remembered, blank.lazy()]) if blank.height else remembered
    return replace(account_change(new, before, closed_here), unsure=unsure), kept


def _unread(
    house: House, feed: Feed, read: pl.LazyFrame, before: pl.LazyFrame | None, last: Snapshot | None, keys: Keys
) -> pl.DataFrame:
    """The rows of accounts that are there while nothing could be read of them, neither now nor, as it is lost, before.

    `last` without the rows it held (`before`): they are lost.
    """
    if last is None or not keys:
        return pl.DataFrame(schema=schema("accounts"))
    if before is not None:
        return still_unread(before, last.at, keys, read)
    with house.store.read() as session:
        ids = doubted(remembered_by_decisions(session, feed.name), keys, read)
    return unread(feed.name, ids, last.at).collect()


def _with_quarantined(
    house: House, parts: Parts | Laid, last: Snapshot | None, reading: Reading, blank: pl.Series
) -> tuple[dict[str, pl.LazyFrame], int]:
    """What was told of accounts; one whose row is there but could not be believed is what it was, and is not gone.

    A row that does not say whom it is about may be about anybody who is missing; how many these are is told, too. When
    such an account was last used is not known: the row that would have told it was not believed. `blank`: accounts of
    which nothing was known before, either.
    """
    tables = {name: parts.scan(name) for name in TABLES_OF["application"]}
    keys = keys_of(reading.rejected)
    if not keys or last is None or isinstance(parts, Laid):  # changes say by themselves who is gone
        return tables, 0
    folder = house.snapshots / last.path
    read = tables["accounts"].select("account_id")
    before = as_told(scan("accounts", [folder / "accounts.parquet"])).join(read, on="account_id", how="anti")
    before = before.filter(~pl.col("account_id").is_in(blank.implode()))
    if None not in keys:
        before = before.filter(pl.col("account_id").is_in(sorted(key for key in keys if key is not None)))
    ids = before.select("account_id").collect()["account_id"]
    if ids.is_empty():
        return tables, 0
    if None in keys:
        reading.notes.append(
            f"{ids.len()} missing {'account is' if ids.len() == 1 else 'accounts are'} taken for unchanged, not for"
            " gone: a row that could not be believed does not say whom it is about"
        )
    unknown = {"last_seen_at": None, "last_seen_at_s": None, "last_seen_known": False}
    kinds = schema("accounts")
    rows = {"accounts": before.with_columns(pl.lit(value, kinds[name]).alias(name) for name, value in unknown.items())}
    for name in ("grants", "credentials"):
        rows[name] = scan(name, [folder / f"{name}.parquet"]).filter(pl.col("account_id").is_in(ids.implode()))
    held = scan("entitlements", [folder / "entitlements.parquet"])
    named = held.join(tables["entitlements"], on="entitlement_id", how="anti")
    rows["entitlements"] = named.join(rows["grants"], on="entitlement_id", how="semi")
    for name, kept in rows.items():
        columns = list(schema(name))
        tables[name] = pl.concat([tables[name].select(columns), kept.select(columns)])
    return tables, ids.len() if None in keys else 0


def _in_number(before: int, now: int) -> Change:
    """The least that can have changed, where it cannot be looked up who was there."""
    return Change(base=before, removed=max(0, before - now), added=max(0, now - before), changed_key=0)


def _file(house: House, last: Snapshot | None, table: str) -> Path | None:
    return None if last is None else house.snapshots / last.path / f"{table}.parquet"


def _keep(house: House) -> timedelta:
    return timedelta(days=house.settings.snapshots.keep_days)
