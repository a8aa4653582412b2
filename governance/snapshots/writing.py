"""Snapshot files: all of them on the disk, or none; a disk that is full or fails is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from governance.errors import StoreError
from governance.house import House
from governance.store.disks import described

ROWS: Final = 30_000  # of a group; groups are held until they are full, several at once


@contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """Turn what the disk refuses while files are written at `place` into a StoreError that names it."""
    try:
        yield
    except OSError as error:
        named = str(error.filename or "")  # what is read meanwhile lies elsewhere
        where = Path(named) if named and not named.startswith(str(place.parent)) else place
        raise StoreError(_refused(where, error.strerror or str(error))) from error
    except pl.exceptions.ComputeError as error:  # what Polars makes of an I/O error while it writes Parquet
        if "parquet" not in str(error) and "os error" not in str(error):
            raise
        raise StoreError(_refused(place, str(error).rpartition("IO error: ")[2])) from error


def _refused(place: Path, why: str) -> str:
    disk = described(place)
    return f"{place}: {why}{f' ({disk})' if disk else ''}; nothing was kept"


def make_root(house: House) -> None:
    """Make the folder of all snapshots, where it is not there yet, so that nobody else on this machine reads it.

    On Spark the executors read it, who may be somebody else: there it is as its maker's mask says.
    """
    mode = 0o777 if house.settings.engine.kind == "spark" else 0o700
    with on_disk(house.snapshots):
        house.snapshots.mkdir(mode=mode, parents=True, exist_ok=True)


def write(folder: Path, frames: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> None:
    """All files or none: written beside, brought to the disk, then moved into place."""
    beside = folder.with_name(f".{folder.name}")
    with on_disk(folder):
        try:
            beside.mkdir(parents=True, exist_ok=True)
            for name, frame in frames.items():
                file = beside / f"{name}.parquet"
                frame.lazy().sink_parquet(file, compression="zstd", compression_level=1, row_group_size=ROWS)
                _settle(file)
            _settle(beside)
            beside.rename(folder)
            _settle(folder.parent)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)  # it takes room that is needed now
            raise


def _settle(place: Path) -> None:
    """Wait until a file or the names in a folder are on the disk: a row must never name files a power cut took."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
