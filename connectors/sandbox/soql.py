"""The part of SOQL that connectors use: columns of one object, conditions joined by AND, one order, a limit.

Everything else is refused as Salesforce refuses it: MALFORMED_QUERY, INVALID_TYPE for an object, INVALID_FIELD for a
column. Texts compare without case, as at the vendor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)|(?P<number>\d+)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_.]*)|(?P<sign>>=|<=|!=|[=<>(),]))"
)
_SIGNS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">=": lambda a, b: a is not None and a >= b,
    "<=": lambda a, b: a is not None and a <= b,
    ">": lambda a, b: a is not None and a > b,
    "<": lambda a, b: a is not None and a < b,
}


class SoqlError(Exception):
    """A query that is refused, with Salesforce's code."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True)
class Condition:
    """One column, compared with a value or with several."""

    column: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class Query:
    """A query as it was understood."""

    columns: tuple[str, ...]
    table: str
    conditions: tuple[Condition, ...]
    order: str | None = None
    descending: bool = False
    limit: int | None = None


def parsed(text: str) -> Query:
    """The query; SoqlError when it is none this understands."""
    return _Parser(text).query()


def run(query: Query, tables: Mapping[str, Callable[[], Iterable[Mapping[str, Any]]]], columns: Any) -> list[Any]:
    """The records of a query, each with the wanted columns; `columns` tells which there are of an object."""
    if query.table not in tables:
        raise SoqlError("INVALID_TYPE", f"sObject type '{query.table}' is not supported.")
    known = columns(query.table)
    for column in (*query.columns, *(c.column for c in query.conditions), *((query.order,) if query.order else ())):
        if column not in known:
            raise SoqlError("INVALID_FIELD", f"No such column '{column}' on entity '{query.table}'.")
    rows = [row for row in tables[query.table]() if all(c.holds(folded(at(row, c.column))) for c in query.conditions)]
    if query.order:
        rows.sort(key=lambda row: (at(row, query.order or "") is None, at(row, query.order or "")))
        rows = rows[::-1] if query.descending else rows
    return [shown(row, query) for row in rows[: query.limit]]


def shown(row: Mapping[str, Any], query: Query) -> dict[str, Any]:
    """One record as the answer holds it: related objects nested, each with its type."""
    url = f"/services/data/v64.0/sobjects/{query.table}/{row.get('Id')}"
    told: dict[str, Any] = {"attributes": {"type": query.table, "url": url}}
    for column in query.columns:
        *outer, last = column.split(".")
        place = told
        for name in outer:
            place = place.setdefault(name, {"attributes": {"type": name}})
        value = at(row, column)
        place[last] = written(value) if isinstance(value, datetime) else value
    return told


def at(row: Mapping[str, Any], column: str) -> Any:
    """The value of a column, also of a related object."""
    value: Any = row
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def folded(value: Any) -> Any:
    """Text without its case."""
    return value.casefold() if isinstance(value, str) else value


def written(at_: datetime) -> str:
    """An instant as Salesforce writes it."""
    return at_.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, text = 0, text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text[place : place + 20]}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self._next = 0

    def query(self) -> Query:
        self._word("SELECT")
        columns = [self._name()]
        while self._is("sign", ","):
            columns.append(self._name())
        self._word("FROM")
        table = self._name()
        conditions = []
        if self._has("WHERE"):
            conditions.append(self._condition())
            while self._has("AND"):
                conditions.append(self._condition())
        order, descending, limit = None, False, None
        if self._has("ORDER"):
            self._word("BY")
            order = self._name()
            descending = self._has("DESC")
            if not descending:
                self._has("ASC")
        if self._has("LIMIT"):
            limit = int(self._take("number"))
        if self._next < len(self._tokens):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{self._tokens[self._next][1]}'")
        return Query(tuple(columns), table, tuple(conditions), order, descending, limit)

    def _condition(self) -> Condition:
        column = self._name()
        negated = self._has("NOT")
        if negated or self._peek("IN"):
            self._word("IN")
            values = set(self._values())
            return Condition(column, lambda v: (v in values) is not negated)
        sign, value = self._take("sign"), None
        if sign not in _SIGNS:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{sign}'")
        value = self._value()
        return Condition(column, lambda v: _SIGNS[sign](v, value))

    def _values(self) -> list[Any]:
        values: list[Any] = []
        if not self._is("sign", "("):
            raise SoqlError("MALFORMED_QUERY", "expecting a left parenthesis")
        values.append(self._value())
        while self._is("sign", ","):
            values.append(self._value())
        if not self._is("sign", ")"):
            raise SoqlError("MALFORMED_QUERY", "expecting a right parenthesis")
        return values

    def _value(self) -> Any:
        if self._next >= len(self._tokens):
            raise SoqlError("MALFORMED_QUERY", "unexpected end of the query")
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1]).casefold()
        if kind == "number":
            return int(text)
        if kind == "instant":
            return datetime.fromisoformat(text)
        words = {"true": True, "false": False, "null": None}
        if kind == "name" and text.casefold() in words:
            return words[text.casefold()]
        raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text}'")

    def _peek(self, word: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next] in (("name", word), ("name", word.lower()))

    def _has(self, word: str) -> bool:
        found = self._peek(word)
        self._next += found
        return found

    def _is(self, kind: str, text: str) -> bool:
        found = self._next < len(self._tokens) and self._tokens[self._next] == (kind, text)
        self._next += found
        return found

    def _word(self, word: str) -> None:
        if not self._has(word):
            raise SoqlError("MALFORMED_QUERY", f"expecting {word}")

    def _name(self) -> str:
        return self._take("name")

    def _take(self, kind: str) -> str:
        if self._next >= len(self._tokens) or self._tokens[self._next][0] != kind:
            raise SoqlError("MALFORMED_QUERY", f"expecting a {kind}")
        self._next += 1
        return self._tokens[self._next - 1][1]
