"""Role mappings as a table: one row a line, one column an attribute, and `gives`.

A cell says how its attribute is compared: `Finance` equals, `Legal; Legal Ops` one of them, `Support*` starts with,
`*Admin*` contains, `/regular expression/`. An empty cell asks nothing.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any, Final

from governance.errors import ConfigurationError
from governance.provisioning.mapping import Condition, Line, RoleMap
from governance.provisioning.written import checked, line, test

GIVES: Final = "gives"
MOST_LINES: Final = 20_000
MOST_BYTES: Final = 5_000_000


def lines_of(content: bytes, name: str) -> tuple[Line, ...]:
    """The lines in a CSV or XLSX file; ConfigurationError names the row and column and what was expected."""
    if len(content) > MOST_BYTES:
        raise ConfigurationError(f"{name}: {len(content):,} bytes; expected at most {MOST_BYTES:,}")
    rows = _sheet(content, name) if content[:2] == b"PK" else _delimited(content, name)
    return lines_of_rows(rows, name)


def _delimited(content: bytes, name: str) -> Iterable[Sequence[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: no UTF-8 text: byte {error.start:,} cannot be read") from error
    first = text.partition("\n")[0]
    delimiter = max((",", "\t", "|"), key=first.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ConfigurationError(f"{name}: {error}") from error


def _sheet(content: bytes, name: str) -> Iterable[Sequence[Any]]:
    """The first sheet of a workbook, values only."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > 20 * MOST_BYTES:
                raise ConfigurationError(f"{name}: it unpacks to more than {20 * MOST_BYTES:,} bytes")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return list(book.worksheets[0].iter_rows(values_only=True))
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, OSError) as error:
        raise ConfigurationError(f"{name}: it cannot be read as a workbook: {type(error).__name__}") from error


def lines_of_rows(rows: Iterable[Sequence[Any]], name: str) -> tuple[Line, ...]:
    """The same from rows of which the first names the columns."""
    table = iter(rows)
    header = [str(cell or "").strip() for cell in next(table, ())]
    if GIVES not in header:
        raise ConfigurationError(f"{name}: row 1: expected the names of attributes and a column {GIVES!r}")
    if twice := sorted({one for one in header if one and header.count(one) > 1}):
        raise ConfigurationError(f"{name}: row 1: the column {twice[0]!r} is there twice")
    found: list[Line] = []
    for number, row in enumerate(table, start=2):
        cells = {column: str(cell).strip() for column, cell in zip(header, row, strict=False) if cell is not None}
        if not any(cells.values()):
            continue
        if len(found) >= MOST_LINES:
            raise ConfigurationError(f"{name}: row {number}: more than {MOST_LINES:,} lines")
        if stray := [str(cell) for cell in row[len(header) :] if cell not in (None, "")]:
            raise ConfigurationError(f"{name}: row {number}: {stray[0]!r} stands beyond the last column")
        found.append(_line(cells, f"{name}: row {number}"))
    if not found:
        raise ConfigurationError(f"{name}: there is no line below the names of the columns")
    return tuple(found)


def _line(cells: dict[str, str], where: str) -> Line:
    gives = [part.strip() for part in cells.get(GIVES, "").split(";") if part.strip()]
    if not gives:
        raise ConfigurationError(f"{where}: column {GIVES!r}: expected at least one entitlement")
    when = {column: _test(cell, where) for column, cell in cells.items() if column and column != GIVES and cell}
    return line(checked({"application": "-", "when": when, "gives": gives}, where))


def _test(cell: str, where: str) -> str | list[str] | dict[str, Any]:
    if len(cell) > 2 and cell.startswith("/") and cell.endswith("/"):
        return {"regex": cell[1:-1]}
    parts = [part.strip() for part in cell.split(";") if part.strip()]
    found = [_marked(part) for part in parts]
    kinds = {kind for kind, _ in found}
    if len(kinds) > 1:
        raise ConfigurationError(f"{where}: {cell!r} mixes ways to compare: write one line for each")
    values = [value for _, value in found]
    kind, told = found[0][0] if found else "equals", values if len(values) > 1 else "".join(values)
    return told if kind == "equals" else {kind: told}


def _marked(part: str) -> tuple[str, str]:
    if len(part) > 2 and part.startswith("*") and part.endswith("*"):
        return "contains", part[1:-1]
    if len(part) > 1 and part.endswith("*"):
        return "prefix", part[:-1]
    return "equals", part


def rows_of(mapping: RoleMap) -> list[dict[str, str]]:
    """The mapping as rows that `lines_of` reads back; ConfigurationError for a test that no cell can say."""
    rows = []
    for one in mapping.lines:
        cells = {condition.attribute: _cell(condition) for condition in one.when}
        rows.append({**dict.fromkeys(mapping.attributes, ""), **cells, GIVES: "; ".join(one.gives)})
    return rows


def _cell(one: Condition) -> str:
    wrap = {"equals": "{}", "in": "{}", "prefix": "{}*", "contains": "*{}*"}.get(one.operator)
    if one.operator == "regex" and len(one.values) == 1:
        return f"/{one.values[0]}/"
    if wrap is None or one.folded:
        raise ConfigurationError(f"no cell can say how {one.attribute} is compared: export the mapping as JSON")
    cell = "; ".join(wrap.format(value) for value in one.values)
    if _test(cell, "") != test(one):
        raise ConfigurationError(f"no cell can say what {one.attribute} is compared with: export the mapping as JSON")
    return cell
