"""Publish, read, sweep: a snapshot becomes visible by one committed row, and nothing edits it afterwards."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import narwhals as nw
import polars as pl
from sqlmodel import Session, col, select

from governance.estate import Facts
from governance.house import House
from governance.records import COLUMNS
from governance.settings import ApplicationSettings, SourceSettings
from governance.snapshots.engine import Engine, Frame
from governance.snapshots.frames import schema
from governance.tables import Pin, Snapshot

Feed = SourceSettings | ApplicationSettings
TABLES_OF = {"source": ("identities",), "application": ("accounts", "entitlements", "grants", "credentials", "events")}


def believed(session: Session, feed: str, as_of: datetime | None = None) -> Snapshot | None:
    """The newest published snapshot of a feed, up to an instant when given."""
    newest = select(Snapshot).where(Snapshot.feed == feed, Snapshot.status == "published")
    if as_of is not None:
        newest = newest.where(Snapshot.at <= as_of)
    return session.exec(newest.order_by(col(Snapshot.at).desc(), col(Snapshot.id).desc()).limit(1)).first()


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
    feeds = {
        s.feed: (file, int(s.at.timestamp()))
        for s in snapshots
        if table in TABLES_OF[s.kind] and (file := house.snapshots / s.path / f"{table}.parquet").exists()
    }
    if feeds:
        return engine.united(table, feeds, work / f"all_{table}.parquet")
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
