"""Records become columns: the frames that snapshots are made of, with their match keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from governance.correlation import fold, skeleton
from governance.records import (
    COLUMNS,
    KEY_COLUMNS,
    Account,
    Credential,
    Entitlement,
    Event,
    Grant,
    Identity,
    Record,
    Rows,
    rows_of,
)
from governance.snapshots.keepable import texts

INSTANT: Final = pl.Datetime("us", "UTC")
TYPES: Final[dict[str, Any]] = {
    "str": pl.String,
    "bool": pl.Boolean,
    "int": pl.Int64,
    "float": pl.Float64,
    "instant": INSTANT,
}
TABLE_OF: Final[dict[type, str]] = {
    Identity: "identities",
    Account: "accounts",
    Entitlement: "entitlements",
    Grant: "grants",
    Event: "events",
    Credential: "credentials",
}
CHUNK: Final = 10_000
Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def schema(table: str) -> dict[str, Any]:
    """Column types of a snapshot table, `_s` twins and match keys included."""
    columns: dict[str, Any] = {}
    for name, kind in COLUMNS[table].items():
        columns[name] = TYPES[kind]
        if kind == "instant":
            columns[f"{name}_s"] = pl.Int64
    return columns | dict.fromkeys(KEY_COLUMNS.get(table, ()), pl.String)


def scan(table: str, paths: Sequence[Path]) -> pl.LazyFrame:
    """Snapshot files of one table; a column that came after a file was written is not told there."""
    return pl.scan_parquet(list(paths), schema=schema(table), missing_columns="insert", extra_columns="ignore")


def frames_of(records: Iterable[Record | Rows]) -> dict[str, pl.DataFrame]:
    """All records as one frame a table, in bounded chunks; a list in a record becomes `;`-joined text."""
    parts: dict[str, list[pl.DataFrame]] = {table: [] for table in COLUMNS}
    for table, rows in chunks_of(records):
        parts[table].append(frame_of(table, rows))
    return {table: pl.concat(chunks) if chunks else frame_of(table, []) for table, chunks in parts.items()}


def chunks_of(records: Iterable[Record | Rows]) -> Iterator[tuple[str, Sequence[Record] | Rows]]:
    """The records by table, in bounded portions and in their order; rows that come together stay together."""
    chunk: list[Record] = []
    for record in records:
        if isinstance(record, Rows):
            yield from _by_table(chunk)
            yield TABLE_OF[record.kind], record
            chunk = []
            continue
        chunk.append(record)
        if len(chunk) == CHUNK:
            yield from _by_table(chunk)
            chunk = []
    yield from _by_table(chunk)


def _by_table(chunk: list[Record]) -> Iterator[tuple[str, list[Record]]]:
    kinds = dict.fromkeys(map(type, chunk))
    for kind in kinds:
        yield TABLE_OF[kind], chunk if len(kinds) == 1 else [record for record in chunk if type(record) is kind]


def frame_of(table: str, rows: Sequence[Record] | Rows) -> pl.DataFrame:
    """Records of one table as columns, with `_s` twins and match keys."""
    if not rows:
        return pl.DataFrame(schema=schema(table))
    columns = rows if isinstance(rows, Rows) else rows_of(type(rows[0]), rows)
    return with_keys(table, with_twins(table, _frame(table, columns)))


def _frame(table: str, rows: Rows) -> pl.DataFrame:
    told, height = rows.columns, len(rows)
    if rows.kind is Identity:
        keys = zip(told["source"], told["employee_id"], strict=True)
        told = {**told, "identity_id": [f"{source}:{employee_id}" for source, employee_id in keys]}
    defaults = {name: rows.constant(name) for name in rows.kind.__struct_fields__ if name not in told}
    series = []
    for name, kind in COLUMNS[table].items():
        values = told.get(name)
        if values is None or (values[0] is None and values.count(None) == height):
            value = defaults.get(name)
            same = pl.repeat(None if value == () else value, height, dtype=TYPES[kind], eager=True)
            series.append(same.alias(name))
        else:
            series.append(_series(name, kind, values))
    return pl.DataFrame(series)


def _series(name: str, kind: str, values: Sequence[Any]) -> pl.Series:
    if name in {"aliases", "former_emails"}:
        values = [";".join(value) if value else None for value in values]
    if kind == "instant":
        values = [None if value is None else _microseconds(value) for value in values]
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if kind == "str":
        return texts(name, values)
    return pl.Series(name, values, dtype=TYPES[kind])


def _microseconds(instant: datetime) -> int:
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def with_twins(table: str, frame: Frame) -> Frame:
    """Every instant once more as whole seconds since 1970."""
    instants = [name for name, kind in COLUMNS[table].items() if kind == "instant"]
    return frame.with_columns(pl.col(name).dt.epoch("s").alias(f"{name}_s") for name in instants)


def with_keys(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The match keys of correlation; folding is done here because no engine folds Unicode."""
    if table == "identities":
        return frame.with_columns(
            _folded("email").alias("email_key"),
            _folded("aliases", separated=True).alias("alias_keys"),
            former_email_keys(),
            _folded("display_name").alias("name_key"),
            _look("email").alias("email_skeleton"),
        )
    if table == "accounts":
        address = pl.coalesce(
            _blank_to_null("email"), pl.when(pl.col("username").str.contains("@", literal=True)).then("username")
        )
        return (
            frame.with_columns(address.alias("address"))
            .with_columns(
                _folded("address").alias("email_key"),
                _folded("username").alias("login_key"),
                _folded("display_name").alias("name_key"),
                _look("address").alias("email_skeleton"),
            )
            .drop("address")
        )
    return frame


def former_email_keys() -> pl.Expr:
    """The match keys of former addresses: the only ones that memory changes."""
    return _folded("former_emails", separated=True).alias("former_email_keys")


def _blank_to_null(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)


def _by_python(column: pl.Expr, function: Any) -> pl.Expr:
    """ASCII is folded in columns; only the rest, which is rare, goes through Python."""
    odd = column.str.len_bytes() != column.str.len_chars()
    plain = column.str.to_lowercase()
    folded = pl.when(odd).then(column).map_elements(function, return_dtype=pl.String)
    return pl.when(odd).then(folded).otherwise(plain)


def _folded(column: str, *, separated: bool = False) -> pl.Expr:
    def each(text: str) -> str | None:
        return ";".join(key for part in text.split(";") if (key := fold(part))) or None

    return _by_python(_blank_to_null(column), each if separated else fold)


def _look(column: str) -> pl.Expr:
    return _by_python(_blank_to_null(column), skeleton)
