"""What computes: Polars in this process by default, or Apache Spark. Both read and write the same Parquet."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import socket
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import narwhals as nw
import polars as pl

from governance.errors import ConfigurationError
from governance.settings import EngineSettings
from governance.snapshots.frames import scan, schema

Frame = nw.LazyFrame[Any]
ANSWER_S: Final = 5.0  # how long a Spark master may take to accept a connection
_KIND: Final = 'leaverwatch.toml: engine.kind = "spark"'
# Reordered joins can multiply rows before a filter reduces them: keep the order in which they are written.
AS_WRITTEN: Final = pl.QueryOptFlags(join_order=False)
FEW: Final = 10  # feeds; a thread waits for each file of each use of a scan, and there are 512 of them


class Engine(Protocol):
    """Reads Parquet as lazy frames, and writes lazy frames so that they are computed once."""

    def scan(self, paths: Sequence[Path]) -> Frame:
        """One lazy frame over Parquet files of the same columns."""

    def united(self, table: str, feeds: Mapping[str, tuple[Path, int]], work: Path) -> Frame:
        """One table of many feeds as one frame, with the `as_of_s` of each.

        `work` is where it may be written as one file.
        """

    def persist(self, frame: Frame, path: Path) -> Frame:
        """Compute the frame once, write it in whatever order its rows come and scan it again."""

    def keep(self, frame: Frame, path: Path, few: bool) -> Frame:
        """Compute the frame once for many uses; it stays in memory where its rows are `few`, else it is persisted."""


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

    def persist(self, frame: Frame, path: Path) -> Frame:
        """Compute the frame once, write it in whatever order its rows come and scan it again.

        Sorted, all rows with all their columns would be held twice: 250 MiB more at 200,000 accounts.
        """
        native: pl.LazyFrame = nw.to_native(frame)
        # No statistics of columns: the rows have no order, so that no filter could leave out a part by them.
        native.sink_parquet(path, compression="zstd", compression_level=1, statistics=False, optimizations=AS_WRITTEN)
        return self.scan([path])

    def keep(self, frame: Frame, path: Path, few: bool) -> Frame:
        """Compute the frame once for many uses; it stays in memory where its rows are `few`, else it is persisted."""
        if not few:
            return self.persist(frame, path)
        held: pl.DataFrame = nw.to_native(frame).collect(engine="in-memory", optimizations=AS_WRITTEN)
        return nw.from_native(held.lazy())


class SparkEngine:
    """Apache Spark, for estates that outgrow one machine."""

    def __init__(self, session: Any) -> None:
        self.session = session
        session.conf.set("spark.sql.session.timeZone", "UTC")
        session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")

    @classmethod
    def connected(cls, master: str) -> SparkEngine:
        """The engine on the cluster at `master`; a process keeps the session it has.

        ConfigurationError when pyspark or Java is not installed, or no cluster answers there. Memory and cores are set
        as Spark does it: in the spark-defaults.conf of SPARK_CONF_DIR.
        """
        if importlib.util.find_spec("pyspark") is None:
            raise ConfigurationError(f"{_KIND} needs pyspark: pip install -r tests/spark.lock")
        if shutil.which("java", path=_where_java_is()) is None:
            raise ConfigurationError(f"{_KIND} needs Java 17 or newer: install it, or set JAVA_HOME to where it is")
        _demand_answer(master)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            from py4j.protocol import Py4JError
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession

            builder = SparkSession.builder.master(master).appName("leaverwatch")
            quiet = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
            # Else each expression tells Spark the line it stands in: twice the time until a rule is handed over.
            quiet = quiet.config("spark.python.sql.dataFrameDebugging.enabled", "false")
            try:
                fresh = SparkSession.getActiveSession() is None
                session = quiet.getOrCreate()
                session.sparkContext.setLogLevel("ERROR")
                if fresh:
                    atexit.register(session.stop)  # else executors that outlive the driver fill the screen
            except (PySparkException, Py4JError, OSError) as error:
                why = str(error).strip().splitlines()
                raise ConfigurationError(f"{_KIND}: no session at {master}: {why[0] if why else error!r}") from error
        return cls(session)

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
        kinds = {pl.String: "STRING", pl.Boolean: "BOOLEAN", pl.Int64: "BIGINT", pl.Float64: "DOUBLE"}
        columns = (f"`{name}` {kinds.get(kind, 'TIMESTAMP')}" for name, kind in schema(table).items())
        return self._read([path], ", ".join(columns))

    def persist(self, frame: Frame, path: Path) -> Frame:
        """Compute the frame once, write it (as a folder of parts) and scan it again."""
        native = nw.to_native(frame)
        native.write.mode("overwrite").parquet(str(path.resolve()))
        for note in (*path.glob(".*"), *path.glob("_*")):  # check sums and marks, which other readers take for data
            note.unlink()
        return self._read([path], native.schema)

    def _read(self, paths: Sequence[Path], columns: Any) -> Frame:
        """Parquet files of these columns; Spark would start a job to find out what they are."""
        frame: Frame = nw.from_native(self.session.read.schema(columns).parquet(*(str(p.resolve()) for p in paths)))
        return frame

    def keep(self, frame: Frame, path: Path, few: bool) -> Frame:
        """Persists, as Spark would compute it anew for each use."""
        return self.persist(frame, path)


def _where_java_is() -> str:
    """Where Spark looks for Java: below JAVA_HOME when it is set, else on the path."""
    given = os.environ.get("JAVA_HOME")
    return str(Path(given) / "bin") if given else os.environ.get("PATH", os.defpath)


def _demand_answer(master: str) -> None:
    """ConfigurationError when nobody listens at any address of a standalone master; Spark itself tries for a minute."""
    standalone = master.removeprefix("spark://")
    if standalone == master:
        return
    for place in standalone.split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
        except (OSError, ValueError):
            continue
        return
    raise ConfigurationError(f"{_KIND}: no Spark master answers at {master}")


def engine_of(settings: EngineSettings) -> Engine:
    """The engine the settings ask for."""
    return SparkEngine.connected(settings.master or "local[*]") if settings.kind == "spark" else PolarsEngine()
