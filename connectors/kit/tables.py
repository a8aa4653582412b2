"""The rows of one delimited text file: its header, and every row with the line it begins on."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from connectors.kit.files import Survey, survey
from connectors.kit.quarantine import judge
from governance.errors import IncompleteFeed, UnexpectedAnswer
from governance.records import Reading, Rejected

DELIMITERS: Final = (",", ";", "\t", "|")
MAX_FIELD: Final = 1024 * 1024
_NO_TEXT: Final = re.compile("[\0\udc80-\udcff]")
_TOTALS: Final = re.compile(
    r"(?:grand[ _]?)?(?:totals?|sum|summe|gesamt|trailer|trl|ftr|footer|count|eof|end of (?:file|report)"
    r"|(?:record|row|employee)s?(?:[ _]?count)?|number of \w+|headcount)\s*(?:[:=#]?\s*([\d., ']+))?"
    r"(?:\s*(?:records|rows|employees))?\W*",
    re.IGNORECASE,
)
_INTEGER: Final = re.compile(r"\d+|\d{1,3}(?:[., ']\d{3})+")
csv.field_size_limit(MAX_FIELD)  # of the whole process; nobody else here reads delimited text


class Table:
    """One file, read row by row. `columns` tells where each of our columns stands; others are missing."""

    def __init__(
        self,
        path: Path,
        reading: Reading,
        where: str,
        *,
        known: tuple[str, ...],
        required: tuple[str, ...],
        renamed: Mapping[str, str],
        encoding: str | None = None,
        delimiter: str | None = None,
        totals: bool = False,
    ) -> None:
        self.path = path
        self.reading = reading
        self.facts: Survey = survey(path, encoding, where)
        reading.source = str(path)
        reading.sha256 = self.facts.sha256
        reading.pages = 1
        if self.facts.empty:
            raise IncompleteFeed(f"{path}: the file is empty")
        self._known = known
        self._wanted = {name: fold_header(renamed.get(name, name)) for name in known}
        self._renamed = frozenset(renamed)
        self._required = required
        self._delimiter = delimiter
        self._totals = totals  # whether the last row may be a row of totals
        self.columns: dict[str, int] = {}
        self.delimiter = ","
        with self._opened() as text, self._letters():
            self._header_lines = self._find_header(text)
        if not encoding and self.facts.encoding == "cp1252":
            self.note("the file is not UTF-8: read as Windows-1252")

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that can be believed so far, with its line; FeedError unless the whole file could be read."""
        with self._opened() as text, self._letters():
            for _ in range(self._header_lines):
                text.readline()
            yield from self._checked(self._records(text))
        self.facts.check_unchanged()
        self.judge()

    def reject(self, line: int, column: str | None, reason: str) -> None:
        """Quarantine the row on that line. More than 5 % and at least ten, or all of them, condemn the file."""
        rejected = self.reading.rejected
        rejected.append(Rejected(f"{self.path.name}:{line}", column, reason))
        if len(rejected) % 1000 == 0 and 2 * len(rejected) > self.reading.rows_read:
            self.judge()

    def note(self, text: str) -> None:
        """Keep a remark with the evidence of this pull."""
        self.reading.notes.append(text)

    def judge(self) -> None:
        """UnexpectedAnswer when too many rows were quarantined for the others to be believed."""
        judge(self.reading, str(self.path))

    def _opened(self) -> TextIO:
        errors = "strict" if self.facts.encoding == "utf-16" else "surrogateescape"
        return self.path.open(encoding=self.facts.encoding, errors=errors, newline="")

    @contextmanager
    def _letters(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError:
            raise IncompleteFeed(f"{self.path}: the file breaks off inside a letter of {self.facts.encoding}") from None

    def _records(self, text: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Every record after the header with its first line. Broken quoting over several lines ends the reading."""
        before = self._header_lines
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        while True:
            line = before + reader.line_num + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                last = before + reader.line_num
                if last > line or "unexpected end" in str(error):
                    # Which rows were swallowed cannot be known, so the file as a whole cannot be believed.
                    raise IncompleteFeed(
                        f"{self.path}:{line}: a quotation mark is opened here and not closed before line {last}"
                    ) from None
                self.reading.rows_read += 1
                size = "a field is longer than 1 MB" if "limit" in str(error) else "a quotation mark is misplaced"
                self.reject(line, None, size)
                continue
            yield line, record

    def _checked(self, records: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        damaged = self.facts.damaged
        blank = 0
        held: tuple[int, list[str]] | None = None  # the last row may be a row of totals or cut off
        width = self._width
        for item in records:
            row = item[1]
            if not any(row):
                blank += bool(row)
                continue
            if held is not None:
                if len(held[1]) == width and not damaged:
                    self.reading.rows_read += 1
                    yield held
                elif self._believed(*held, damaged=damaged):
                    yield held
            held = item
        if held is not None and not self._is_totals(*held):
            line, row = held
            if not self.facts.ends_with_newline and len(row) < self._width:
                raise IncompleteFeed(
                    f"{self.path}:{line}: the file breaks off here, after {len(row)} of {self._width} fields"
                )
            if self._believed(line, row, damaged=damaged):
                yield held
        if blank:
            self.note(f"{blank} rows without any value skipped")
        if not self.reading.rows_read:
            raise IncompleteFeed(f"{self.path}: the file holds a header and no row")

    def _believed(self, line: int, row: list[str], *, damaged: bool) -> bool:
        self.reading.rows_read += 1
        width = self._width
        if len(row) != width:
            if len(row) < width or any(row[width:]):
                self.reject(line, None, f"has {len(row)} fields where the header has {width}")
                return False
            del row[width:]
        if damaged:
            for name, cell in zip(self._header, row, strict=True):
                if _NO_TEXT.search(cell):
                    self.reject(line, name, f"holds bytes that are no text in {self.facts.encoding}")
                    return False
        return True

    def _is_totals(self, line: int, row: list[str]) -> bool:
        cells = [cell.strip() for cell in row if cell.strip()]
        label = next((match for cell in cells[:2] if (match := _TOTALS.fullmatch(cell))), None)
        if not self._totals or label is None or len(cells) > 3:
            return False
        numbers = [cell for cell in (label[1] or "", *cells) if _INTEGER.fullmatch(cell.strip())]
        self.note(f"line {line} is a row of totals")
        if len(numbers) == 1:
            declared = int(re.sub(r"\D", "", numbers[0]))
            self.reading.declared_total = declared
            if declared != self.reading.rows_read:
                raise IncompleteFeed(
                    f"{self.path}:{line}: the file declares {declared} rows and holds {self.reading.rows_read}"
                )
        return True

    def _find_header(self, text: TextIO) -> int:
        """Read up to the header; returns how many lines that took."""
        lines = 0
        for raw in iter(text.readline, ""):
            lines += 1
            stated = re.fullmatch(r"\ufeff?sep=(.)\s*", raw)
            if stated:
                self._delimiter = self._delimiter or stated[1]
            elif raw.strip():
                break
        else:
            raise IncompleteFeed(f"{self.path}: the file holds nothing but blank lines")
        while raw.count('"') % 2 and (more := text.readline()):  # a line break inside a quoted name
            raw += more
            lines += 1
        if len(raw) > MAX_FIELD:
            raise UnexpectedAnswer(f"{self.path}:{lines}: the header is longer than 1 MB", f"{self.path.name}:{lines}")
        self._understand(raw, lines)
        return lines

    def _understand(self, raw: str, line: int) -> None:
        found = {d: _split(raw, d) for d in ((self._delimiter,) if self._delimiter else DELIMITERS)}
        wanted = set(self._wanted.values())
        self.delimiter = max(found, key=lambda d: (len(wanted & set(map(fold_header, found[d]))), len(found[d])))
        header = found[self.delimiter]
        while header and not header[-1].strip():
            header.pop()
        folded = [fold_header(name) for name in header]
        place = f"{self.path.name}:{line}"
        shown = ", ".join(re.sub(r"[^\w .:/()-]", "?", name.strip())[:40] for name in header[:60])
        twice = sorted({name for name in folded if name and folded.count(name) > 1})
        if twice:
            raise UnexpectedAnswer(f"{self.path}:{line}: the header names {', '.join(twice)[:200]} twice", place)
        self._header = [name.strip() for name in header]
        self._width = len(header)
        self.columns = {name: folded.index(theirs) for name, theirs in self._wanted.items() if theirs in folded}
        missing = [n for n in self._known if n not in self.columns and (n in self._required or n in self._renamed)]
        if missing:
            named = ", ".join(n if self._wanted[n] == n else f"{n} (as {self._wanted[n]!r})" for n in missing)
            raise UnexpectedAnswer(f"{self.path}:{line}: expected the column {named}; found: {shown}", place)


def fold_header(name: str) -> str:
    """A column's name for comparing: case, blanks and hyphens make no difference."""
    return re.sub(r"[\s_-]+", "_", name.strip().strip("\ufeff").casefold())


def _split(raw: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([raw], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return raw.split(delimiter)
