"""An estate to look at once more: the newest as it was stored, or one of a past day made again from its snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
from sqlmodel import col, select
from ulid import ULID

from governance.errors import DecisionError
from governance.estate import Estate
from governance.findings.evaluation import picture
from governance.findings.kept import table
from governance.house import House
from governance.records import COLUMNS
from governance.settings import Settings
from governance.snapshots import engine_of, on_disk
from governance.snapshots.frames import scan, schema
from governance.tables import DetectRun, Snapshot

Frame = nw.LazyFrame[Any]


@contextmanager
def estate_as_of(house: House, settings: Settings, as_of: datetime | None) -> Iterator[tuple[Estate, datetime]]:
    """The newest stored estate, or one correlated anew from the snapshots up to `as_of`; and the instant it is of."""
    moment = as_of or _last(house).as_of
    folder = house.snapshots / "estates" / f".{ULID.from_datetime(moment)}"
    try:
        if as_of is None:
            yield _kept(house, settings), moment
        else:
            with on_disk(folder):
                _, estate = picture(house, as_of, folder, engine_of(house.settings.engine), settings)
            yield estate, as_of
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _last(house: House) -> DetectRun:
    with house.store.read() as session:
        newest = select(DetectRun).where(DetectRun.estate != "").order_by(col(DetectRun.id).desc()).limit(1)
        run = session.exec(newest).first()
    if run is None:
        raise DecisionError(
            "nothing was judged yet, so nobody can say what would change: run `leaverwatch detect` first"
        )
    return run


def _kept(house: House, settings: Settings) -> Estate:
    """The estate of the last detect run as it lies on disk, read by Polars whichever engine wrote it."""
    run = _last(house)
    folder = house.snapshots / run.estate
    with house.store.read() as session:
        rows = [row for id in (run.snapshots or {}).values() if (row := session.get(Snapshot, id)) is not None]
    files: dict[str, dict[str, tuple[Path, int]]] = {}  # table -> feed -> file and the second it is of
    for row in rows:
        for name in COLUMNS:
            file = house.snapshots / row.path / f"{name}.parquet"
            if name not in ("identities", "accounts") and file.exists():
                files.setdefault(name, {})[row.feed] = (file, int(row.at.timestamp()))
    accounts, identities = (_of_estate(folder, name) for name in ("accounts", "identities"))
    lists = {name: _of_feeds(name, files.get(name, {})) for name in ("entitlements", "grants", "credentials", "events")}
    return Estate(
        accounts=accounts.filter(nw.col("present")),
        vanished_accounts=accounts.filter(~nw.col("present")),
        identities=identities,
        settings=settings,
        **lists,
    )


def _of_estate(folder: Path, name: str) -> Frame:
    found = table(folder, name)
    if found is None:
        raise DecisionError("the estate of the last detect run is not there any more: run `leaverwatch detect` first")
    return nw.from_native(found)


def _of_feeds(name: str, feeds: dict[str, tuple[Path, int]]) -> Frame:
    """One table of all feeds, with the `as_of_s` of each."""
    if not feeds:
        return nw.from_native(pl.LazyFrame(schema=schema(name) | {"as_of_s": pl.Int64}))
    as_of = {feed: seconds for feed, (_, seconds) in feeds.items()}
    found = pl.col("application").replace_strict(as_of, return_dtype=pl.Int64)
    return nw.from_native(scan(name, [path for path, _ in feeds.values()]).with_columns(as_of_s=found))
