"""What computes: Polars in this process by default, or Apache Spark. Both read and write the same Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import narwhals as nw
import polars as pl

from governance.errors import ConfigurationError
from governance.settings import EngineSettings
from governance.snapshots.frames import scan, schema

Frame = nw.LazyFrame[Any]
FEW: Final = 10  # feeds; a thread waits for each file of each use of a scan, and there are 512 of them


class Engine(Protocol):
    """Reads Parquet as lazy frames, and writes lazy frames so that they are computed once."""

    def scan(self, paths: Sequence[Path]) -> Frame:
        """One lazy frame over Parquet files of the same columns."""

    def united(self, table: str, feeds: Mapping[str, tuple[Path, int]], work: Path) -> Frame:
        """One table of many feeds as one frame, with the `as_of_s` of each.

        `work` is where it may be written as one file.
        """

    def persist(self, frame: Frame, path: Path, sort_by: Sequence[str]) -> Frame:
        """Compute the frame, write it sorted and scan it again."""


class PolarsEngine:
    """Polars streaming, in this process."""

    def scan(self, paths: Sequence[Path]) -> Frame:
        """One lazy frame over Parquet files of the same columns."""
        return nw.from_native(pl.scan_parquet([str(path) for path in paths]))

    def united(self, table: str, feeds: Mapping[str, tuple[Path, int]], work: Path) -> Frame:
        """One scan of all files; of many files, one file: each use of each file would hold threads of its own."""
        as_of = {name: seconds for name, (_, seconds) in feeds.items()}
        key = "source" if table == "identities" else "application"
        found = pl.col(key).replace_strict(as_of, return_dtype=pl.Int64)
        whole = scan(table, [path for path, _ in feeds.values()]).with_columns(as_of_s=found)
        if len(feeds) <= FEW:
            return nw.from_native(whole)
        whole.sink_parquet(work, compression="zstd", compression_level=1)
        return self.scan([work])

    def persist(self, frame: Frame, path: Path, sort_by: Sequence[str]) -> Frame:
        """Compute the frame, write it sorted and scan it again."""
        native = nw.to_native(frame)
        native = native.sort(*sort_by) if sort_by else native
        # Reordered joins can multiply rows before a filter reduces them: keep the order in which they are written.
        written = pl.QueryOptFlags(join_order=False)
        native.sink_parquet(path, compression="zstd", compression_level=1, optimizations=written)
        return self.scan([path])


class SparkEngine:
    """Apache Spark, for estates that outgrow one machine."""

    def __init__(self, session: Any) -> None:
        self.session = session
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")

    @classmethod
    def connected(cls, master: str) -> SparkEngine:
        """The engine on the cluster at `master`; ConfigurationError when pyspark is not installed."""
        try:
            from pyspark.sql import SparkSession
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                'leaverwatch.toml: engine.kind = "spark" needs pyspark: pip install -r tests/spark.lock'
            ) from error
        builder = SparkSession.builder.master(master).appName("leaverwatch")
        return cls(builder.config("spark.ui.enabled", "false").getOrCreate())

    def scan(self, paths: Sequence[Path]) -> Frame:
        """One lazy frame over Parquet files of the same columns."""
        frame: Frame = nw.from_native(self.session.read.parquet(*(str(path.resolve()) for path in paths)))
        return frame

    def united(self, table: str, feeds: Mapping[str, tuple[Path, int]], work: Path) -> Frame:
        """The files of each feed with its `as_of_s`, one after another."""
        parts = [self._whole(table, path).with_columns(as_of_s=nw.lit(seconds)) for path, seconds in feeds.values()]
        return nw.concat(parts, how="vertical")

    def _whole(self, table: str, path: Path) -> Frame:
        """A snapshot file with every column of its table; one that came after it was written is not told."""
        frame, columns = self.scan([path]), schema(table)
        there = frame.collect_schema().names()
        kinds = {pl.String: nw.String(), pl.Boolean: nw.Boolean(), pl.Int64: nw.Int64(), pl.Float64: nw.Float64()}
        missing = {
            name: nw.lit(None).cast(kinds.get(kind, nw.Datetime("us", "UTC")))
            for name, kind in columns.items()
            if name not in there
        }
        return (frame.with_columns(**missing) if missing else frame).select(*columns)

    def persist(self, frame: Frame, path: Path, sort_by: Sequence[str]) -> Frame:
        """Compute the frame, write it sorted (as a folder of parts) and scan it again."""
        native = nw.to_native(frame)
        (native.sort(*sort_by) if sort_by else native).write.mode("overwrite").parquet(str(path.resolve()))
        for note in (*path.glob(".*"), *path.glob("_*")):  # check sums and marks, which other readers take for data
            note.unlink()
        return self.scan([path])


def engine_of(settings: EngineSettings) -> Engine:
    """The engine the settings ask for."""
    return SparkEngine.connected(settings.master or "local[*]") if settings.kind == "spark" else PolarsEngine()
