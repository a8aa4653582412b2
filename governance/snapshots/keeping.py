"""Publish, read, sweep: a snapshot becomes visible by one committed row, and nothing edits it afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.errors import StoreError
from governance.estate import Facts
from governance.house import House
from governance.persons import people
from governance.records import COLUMNS
from governance.settings import ApplicationSettings, SourceSettings
from governance.snapshots.engine import Engine, Frame
from governance.snapshots.frames import scan, schema
from governance.snapshots.given_back import given_back, switched_on
from governance.snapshots.hindsight import PINNED, corrected, pinned, said_since
from governance.tables import DetectRun, Snapshot

Feed = SourceSettings | ApplicationSettings
NewestTold = dict[str, tuple[datetime, dict[str, Any] | None]]  # feed -> what time it is of, and how it had changed
TABLES_OF = {"source": ("identities",), "application": ("accounts", "entitlements", "grants", "credentials", "events")}

_NEWEST_FIRST: Final = (col(Snapshot.at).desc(), col(Snapshot.id).desc())
_BELIEVED: Final = (col(Snapshot.feed) == sa.bindparam("feed"), col(Snapshot.status) == "published")
# Asked feed by feed: a feed has tens of thousands of snapshots a year, and the index leads to the newest of each.
_NEWEST_TOLD: Final = (
    sa.select(col(Snapshot.at), col(Snapshot.change)).where(*_BELIEVED).order_by(*_NEWEST_FIRST).limit(1)
)


def believed(
    session: Session, feed: str, as_of: datetime | None = None, known_at: datetime | None = None
) -> Snapshot | None:
    """The newest published snapshot of a feed: of times up to `as_of`, published by `known_at`, when given."""
    newest = select(Snapshot).where(*_BELIEVED)
    if as_of is not None:
        newest = newest.where(Snapshot.at <= as_of)
    if known_at is not None:
        newest = newest.where(col(Snapshot.published_at) <= known_at)
    return session.exec(newest.order_by(*_NEWEST_FIRST).limit(1), params={"feed": feed}).first()


def newest_told(session: Session, feeds: Iterable[str]) -> NewestTold:
    """Of each feed that was ever believed, the time its newest published snapshot is of, and how it had changed."""
    asked = ((feed, session.execute(_NEWEST_TOLD, {"feed": feed}).first()) for feed in feeds)
    return {feed: (row[0], row[1]) for feed, row in asked if row is not None}


def lost(house: House, snapshot: Snapshot) -> str | None:
    """Why nothing can be read of a snapshot whose files are not where they were written; None while they are there.

    StoreError where they are there and may not be read: nothing is lost, and nothing must be forgotten.
    """
    folder = house.snapshots / snapshot.path
    try:
        (folder / f"{TABLES_OF[snapshot.kind][0]}.parquet").open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise StoreError(
            f"{snapshot.feed}: what was read as of {snapshot.at:%Y-%m-%d %H:%M}Z cannot be read: {error.filename}:"
            f" {error.strerror}; whoever runs leaverwatch must be able to read and write all of {house.snapshots}"
        ) from error
    else:
        return None
    return (
        f"{snapshot.feed}: what was read as of {snapshot.at:%Y-%m-%d %H:%M}Z is not in {folder} any more: put that"
        f" folder back ([snapshots] url says where they lie), or read it anew with leaverwatch pull {snapshot.feed}"
    )


def newest_estate(house: House, session: Session) -> Path | None:
    """The folder of the estate that the last detect run stored; None before the first one.

    StoreError when it is not there any more, as after a restore: nothing would be left in it.
    """
    stored = select(DetectRun.estate).where(DetectRun.estate != "").order_by(col(DetectRun.id).desc()).limit(1)
    name = session.exec(stored).first()
    if name is None:
        return None
    demand_estate(house.snapshots / name)
    return house.snapshots / name


def demand_estate(folder: Path) -> None:
    """StoreError when an estate that was stored is not there any more."""
    if not folder.is_dir():
        raise StoreError(f"what the last detect run found is not in {folder} any more: run leaverwatch detect")


def last_told(house: House, now: datetime) -> pl.LazyFrame | None:
    """Everybody as the sources of truth told last, believed or held back; None where no file of them is there.

    Of one person in several sources there is one row, as in an estate.
    """
    told = select(Snapshot).where(col(Snapshot.status).in_(("published", "held"))).order_by(*_NEWEST_FIRST)
    found: dict[str, Path] = {}
    with house.store.read() as session:
        for name in (source.name for source in house.settings.source):
            rows = session.exec(told.where(Snapshot.feed == name).execution_options(yield_per=100))
            newest = next((row for row in rows if not lost(house, row)), None)
            if newest is not None:
                found[name] = house.snapshots / newest.path / "identities.parquet"
    if not found:
        return None
    identities = nw.from_native(scan("identities", list(found.values())))
    everybody: pl.LazyFrame = people(identities, tuple(found), house.settings, now).to_native()
    return everybody


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


def facts(house: House, engine: Engine, as_of: datetime, work: Path, known_at: datetime | None = None) -> Facts:
    """What all configured feeds said up to `as_of`; `work` is a folder for small frames the engine needs as files.

    `known_at`: only what was published, pinned and said about leavings by then, for better or worse (as known then:
    `as_of`; as known now: now). Without it: snapshots whenever they were published, the pins of that day, and nothing
    that a source said later. An account that was given back from here after its snapshot is there and active.
    StoreError when the files of a snapshot are not there any more: nobody would be left in what they held.
    """
    with house.store.read() as session:
        found = {
            feed.name: believed(session, feed.name, as_of, known_at)
            for feed in (*house.settings.source, *house.settings.application)
        }
        visible = {name: snapshot for name, snapshot in found.items() if snapshot is not None}
        pins = pinned(session, as_of if known_at is None else known_at)
        later = {
            name: said_since(session, name, as_of, known_at)
            for name, snapshot in visible.items()
            if known_at is not None and snapshot.kind == "source"
        }
        read = {name: snapshot.at for name, snapshot in visible.items() if snapshot.kind == "application"}
        back = given_back(session, read, as_of if known_at is None else min(as_of, known_at))
    if missing := [why for snapshot in visible.values() if (why := lost(house, snapshot))]:
        raise StoreError("\n".join([*missing, "nothing was judged"]))
    work.mkdir(parents=True, exist_ok=True)
    files = {name: _with_hindsight(house, visible[name], since, as_of, work) for name, since in later.items()}
    frames = {table: _scan(house, engine, table, list(visible.values()), work, files) for table in COLUMNS}
    frames["accounts"] = switched_on(frames["accounts"], back)
    pl.DataFrame(pins, schema=dict.fromkeys(PINNED, pl.String), orient="row").write_parquet(work / "pins.parquet")
    return Facts(
        **frames,
        pins=engine.scan([work / "pins.parquet"]),
        snapshots={name: snapshot.id for name, snapshot in visible.items()},
        sources=tuple(name for name, snapshot in visible.items() if snapshot.kind == "source"),
    )


def _with_hindsight(house: House, snapshot: Snapshot, since: list[Snapshot], as_of: datetime, work: Path) -> Path:
    """The identities of a source with what it said later about that day, as a file of its own."""
    place, *places = [house.snapshots / each.path / "identities.parquet" for each in (snapshot, *since)]
    if not since or not place.exists():
        return place
    later = [scan("identities", [each]) for each in places if each.exists()]
    file = work / f"hindsight_{snapshot.feed}.parquet"
    corrected(scan("identities", [place]).collect(), later, int(as_of.timestamp())).write_parquet(file)
    return file


def _scan(
    house: House, engine: Engine, table: str, snapshots: list[Snapshot], work: Path, instead: dict[str, Path]
) -> Frame:
    """One table of all snapshots; `instead`: another file of the identities of a feed."""
    files = {s.feed: house.snapshots / s.path / f"{table}.parquet" for s in snapshots if table in TABLES_OF[s.kind]}
    if table == "identities":
        files |= instead
    feeds = {s.feed: (file, int(s.at.timestamp())) for s in snapshots if (file := files.get(s.feed)) and file.exists()}
    if feeds:
        return engine.united(table, feeds, work / f"all_{table}.parquet")
    empty = work / f"no_{table}.parquet"
    pl.DataFrame(schema=schema(table)).write_parquet(empty)
    return engine.scan([empty]).with_columns(as_of_s=nw.lit(0))


def sweep(house: House, now: datetime, *, left_alone: timedelta = timedelta(hours=1)) -> int:
    """Delete what killed pulls left behind and what is older than `keep_days`; returns how many folders went.

    The newest published snapshot of a feed stays whatever its age while the feed is configured; folders younger than
    `left_alone` may belong to a pull that is running.
    """
    oldest = now - timedelta(days=house.settings.snapshots.keep_days)
    feeds = {feed.name for feed in house.settings.feeds}
    with house.store.write() as session:
        rows = session.exec(select(Snapshot).order_by(col(Snapshot.at), col(Snapshot.id))).all()
        newest = {row.feed: row.id for row in rows if row.status == "published" and row.feed in feeds}
        feeds |= {row.feed for row in rows}
        for row in rows:
            abandoned = row.status == "staged" and row.pulled_at < now - left_alone
            outlived = row.at < oldest and newest.get(row.feed) != row.id and row.status != "held"
            if abandoned or outlived or row.status == "replaced":
                session.delete(row)
        session.flush()
        known = set(session.exec(select(Snapshot.path)).all())
    gone = 0
    for feed in sorted(feeds):
        for folder in (house.snapshots / feed).glob("*"):
            if f"{feed}/{folder.name}" in known or _age(folder, now) < left_alone:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _age(folder: Path, now: datetime) -> timedelta:
    return timedelta(seconds=now.timestamp() - folder.stat().st_mtime)
