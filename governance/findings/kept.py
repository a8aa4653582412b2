"""The tables of an estate that was written, whichever engine wrote it."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def table(estate: Path, name: str) -> pl.LazyFrame | None:
    """A table of the estate in this folder, to be read by filter and head; None when there is none or it is empty."""
    path = estate / f"{name}.parquet"
    if path.is_dir():  # parts: one a feed or portion, each a file, or a folder as Spark writes it
        there = any(part.is_file() for part in path.rglob("*.parquet"))
        return pl.scan_parquet(str(path / "**/*.parquet")) if there else None
    return pl.scan_parquet(path) if path.exists() else None
