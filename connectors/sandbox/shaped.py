"""Rows that are brought into a vendor's shape when they are shown, a page at a time, not all for every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class Shaped:
    """A list of rows of which slices are taken."""

    def __init__(self, rows: Sequence[T], shape: Callable[[T], dict[str, Any]]) -> None:
        self._rows: Sequence[Any] = rows
        self._shape = shape

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        return [self._shape(row) for row in self._rows[part]]
