"""What every store and every file can keep: a text without NUL and without half a character.

Names come from outside, and whoever may write one may write anything: it must not stop what is read beside it. A text
is kept with what cannot be kept made visible, as in the audit. An id is not: the account would be asked for by another
id, be found nowhere and be taken for gone; such a row is quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Final

import polars as pl

from governance.records import Record, Rejected, Rows, rows_of
from governance.store.chain import clean

_OWN_ID: Final = {"accounts": "account_id", "identities": "employee_id"}
_NUL: Final = "\0"


def with_keepable_ids(
    table: str, rows: Sequence[Record] | Rows, reject: Callable[[Rejected], object]
) -> Sequence[Record] | Rows:
    """The rows without those about an account or a person whose id cannot be kept; `reject` is given each of those."""
    name = _OWN_ID.get(table)
    if name is None or not rows:
        return rows
    told = rows if isinstance(rows, Rows) else rows_of(type(rows[0]), rows)
    ids = told.columns[name]
    if _is_keepable("".join(ids)):
        return told
    kept = [_is_keepable(id) for id in ids]
    for id in (id for id, is_kept in zip(ids, kept, strict=True) if not is_kept):
        reject(Rejected(clean(id), name, "holds NUL or half a character, which no store can keep", clean(id)))
    return Rows(told.kind, {key: list(compress(values, kept)) for key, values in told.columns.items()})


def texts(name: str, values: Sequence[str | None]) -> pl.Series:
    """A column of texts as they can be kept."""
    try:
        series = pl.Series(name, values, dtype=pl.String)
    except UnicodeEncodeError:  # half a character
        return pl.Series(name, [None if text is None else clean(text) for text in values], dtype=pl.String)
    return series.str.replace_all(_NUL, clean(_NUL), literal=True) if _holds_nul(series) else series


def keys(rejected: Iterable[Rejected]) -> set[str | None]:
    """Whom quarantined rows are about, by ids as they can be kept; None for a row that does not say."""
    return {None if row.key is None else clean(row.key) for row in rejected}


def _holds_nul(series: pl.Series) -> bool:
    return bool(series.str.contains(_NUL, literal=True).any())


def _is_keepable(text: str) -> bool:
    return clean(text) == text
