"""Stage, publish, read, sweep: a snapshot becomes visible by one committed row, and nothing edits it afterwards."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import narwhals as nw
import polars as pl
from sqlmodel import Session, col, select
from ulid import ULID

from governance.errors import ConfigurationError, IncompleteFeed
from governance.estate import Facts
from governance.house import House
from governance.records import COLUMNS, Reading, Record
from governance.settings import ApplicationSettings, SourceSettings
from governance.snapshots.engine import Engine, Frame
from governance.snapshots.frames import frames_of, schema
from governance.snapshots.happened import remember_events, with_last_use
from governance.snapshots.memory import (
    Absence,
    Change,
    account_change,
    identity_change,
    remember_accounts,
    remember_identities,
)
from governance.snapshots.writing import write
from governance.tables import Pin, Remediation, Snapshot

Feed = SourceSettings | ApplicationSettings
TABLES_OF = {"source": ("identities",), "application": ("accounts", "entitlements", "grants", "events")}


def believed(session: Session, feed: str, as_of: datetime | None = None) -> Snapshot | None:
    """The newest published snapshot of a feed, up to an instant when given."""
    newest = select(Snapshot).where(Snapshot.feed == feed, Snapshot.status == "published")
    if as_of is not None:
        newest = newest.where(Snapshot.at <= as_of)
    return session.exec(newest.order_by(col(Snapshot.at).desc(), col(Snapshot.id).desc()).limit(1)).first()


def stage(
    house: House,
    feed: Feed,
    records: Iterable[Record],
    reading: Reading,
    at: datetime,
    now: datetime,
    event_mark: Callable[[], str | None] = lambda: None,
) -> Snapshot:
    """Write what a feed said, invisible to all: files first, then one row with status `staged`.

    `event_mark` is asked after the records came: where the next pull goes on reading events.
    Raises what reading the records raises, and IncompleteFeed when the feed holds nobody; then nothing is left behind.
    """
    kind = "source" if isinstance(feed, SourceSettings) else "application"
    with house.store.read() as session:
        last = believed(session, feed.name)
        closed = session.exec(
            select(Remediation.account_id).where(
                Remediation.application == feed.name, col(Remediation.status).in_(("executing", "executed", "verified"))
            )
        ).all()
    if last is not None and at < last.at:
        raise ConfigurationError(
            f"{feed.name} was already read as of {last.at:%Y-%m-%d %H:%M}Z; a snapshot as of {at:%Y-%m-%d %H:%M}Z would"
            " rewrite history: historical snapshots are pulled in their order"
        )
    frames = frames_of(records)
    mark = event_mark()
    main = TABLES_OF[kind][0]
    if frames[main].is_empty():
        raise IncompleteFeed(
            f"{feed.name}: {reading.source or 'the feed'} holds no {main}; the last good snapshot stays"
        )
    sha256 = reading.sha256 or _digest(frames)
    before = _read(house, last, main)
    keep = timedelta(days=house.settings.snapshots.keep_days)
    if isinstance(feed, SourceSettings):
        change = identity_change(frames[main], before)
        again = last is not None and last.sha256 == sha256
        absence = Absence(feed.absence_means == "leaver", feed.absence_pulls, counts=not again)
        kept: dict[str, pl.DataFrame | pl.LazyFrame] = {
            main: remember_identities(frames[main], before, at, absence, keep)
        }
    else:
        change = account_change(
            frames[main], before, pl.DataFrame({"account_id": closed}, schema={"account_id": pl.String})
        )
        kept = {name: frames[name].select(list(schema(name))) for name in TABLES_OF[kind]}
        events = remember_events(
            frames["events"],
            None if last is None else house.snapshots / last.path / "events.parquet",
            at - timedelta(days=house.settings.snapshots.event_days),
        )
        kept["events"] = events
        kept[main] = remember_accounts(with_last_use(frames[main], events), before, at, keep)
    row = Snapshot(
        id=str(ULID.from_datetime(now)),
        feed=feed.name,
        kind=kind,
        at=at,
        pulled_at=now,
        status="staged",
        sha256=sha256,
        rows={name: frames[name].height for name in TABLES_OF[kind]},
        change=_change(change),
        event_mark=mark,
        released_by=[],
    )
    row.path = f"{feed.name}/{row.id}"
    write(house.snapshots / row.path, kept)
    with house.store.write() as session:
        session.add(row)
    return row


def _change(change: Change) -> dict[str, int]:
    return {
        "base": change.base,
        "removed": change.removed,
        "added": change.added,
        "changed_key": change.changed_key,
    }


def _digest(frames: dict[str, pl.DataFrame]) -> str:
    """SHA-256 over the rows as read, the same for the same rows in the same order."""
    digest = hashlib.sha256()
    for name in sorted(frames):
        buffer = BytesIO()
        frames[name].write_ipc(buffer)
        digest.update(buffer.getbuffer())
    return digest.hexdigest()


def _read(house: House, snapshot: Snapshot | None, table: str) -> pl.DataFrame | None:
    return None if snapshot is None else pl.read_parquet(house.snapshots / snapshot.path / f"{table}.parquet")


def publish(session: Session, snapshot: Snapshot, now: datetime) -> None:
    """Make a snapshot visible; whatever else of the feed was staged or held is replaced by it."""
    others = select(Snapshot).where(
        Snapshot.feed == snapshot.feed, Snapshot.id != snapshot.id, col(Snapshot.status).in_(("held", "staged"))
    )
    for other in session.exec(others):
        other.status = "replaced"
        session.add(other)
    snapshot.status, snapshot.published_at = "published", now
    session.add(snapshot)


def facts(house: House, engine: Engine, as_of: datetime, work: Path) -> Facts:
    """What all configured feeds said up to `as_of`; `work` is a folder for small frames the engine needs as files."""
    with house.store.read() as session:
        found = {
            feed.name: believed(session, feed.name, as_of)
            for feed in (*house.settings.source, *house.settings.application)
        }
        pins = session.exec(select(Pin.application, Pin.account_id, Pin.identity_id).where(Pin.at <= as_of)).all()
    visible = {name: snapshot for name, snapshot in found.items() if snapshot is not None}
    work.mkdir(parents=True, exist_ok=True)
    frames = {table: _scan(house, engine, table, list(visible.values()), work) for table in COLUMNS}
    pinned = pl.DataFrame(
        pins, schema=dict.fromkeys(("application", "account_id", "pinned_id"), pl.String), orient="row"
    )
    pinned.write_parquet(work / "pins.parquet")
    return Facts(
        **frames,
        pins=engine.scan([work / "pins.parquet"]),
        snapshots={name: snapshot.id for name, snapshot in visible.items()},
        sources=tuple(name for name, snapshot in visible.items() if snapshot.kind == "source"),
    )


def _scan(house: House, engine: Engine, table: str, snapshots: list[Snapshot], work: Path) -> Frame:
    parts = [
        engine.scan([house.snapshots / s.path / f"{table}.parquet"]).with_columns(as_of_s=nw.lit(int(s.at.timestamp())))
        for s in snapshots
        if table in TABLES_OF[s.kind]
    ]
    if parts:
        return nw.concat(parts, how="vertical")
    empty = work / f"no_{table}.parquet"
    pl.DataFrame(schema=schema(table)).write_parquet(empty)
    return engine.scan([empty]).with_columns(as_of_s=nw.lit(0))


def sweep(house: House, now: datetime, *, left_alone: timedelta = timedelta(hours=1)) -> int:
    """Delete what killed pulls left behind and what is older than `keep_days`; returns how many folders went.

    The newest published snapshot of a feed stays whatever its age; folders younger than `left_alone` may belong to a
    pull that is running.
    """
    oldest = now - timedelta(days=house.settings.snapshots.keep_days)
    with house.store.write() as session:
        rows = session.exec(select(Snapshot).order_by(col(Snapshot.at), col(Snapshot.id))).all()
        newest = {row.feed: row.id for row in rows if row.status == "published"}
        for row in rows:
            abandoned = row.status == "staged" and row.pulled_at < now - left_alone
            outlived = row.at < oldest and newest.get(row.feed) != row.id and row.status != "held"
            if abandoned or outlived or row.status == "replaced":
                session.delete(row)
        session.flush()
        known = set(session.exec(select(Snapshot.path)).all())
    gone = 0
    for feed in (*house.settings.source, *house.settings.application):
        for folder in (house.snapshots / feed.name).glob("*"):
            if f"{feed.name}/{folder.name}" in known or _age(folder, now) < left_alone:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _age(folder: Path, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - folder.stat().st_mtime)
