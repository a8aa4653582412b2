"""The rows of one delimited text file: its header, and every row with the line it begins on.

Rows are read by the thousand and told column by column: what is alike for all of them is paid once for a portion.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, repeat
from operator import attrgetter
from pathlib import Path
from typing import Final, TextIO

from connectors.kit.files import Survey, survey
from connectors.kit.headings import as_setting, looks_like
from connectors.kit.portions import PORTION, Portion
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
        self._renamed = renamed
        self._required = required
        self._delimiter = delimiter
        self._totals = totals  # whether the last row may be a row of totals
        self.columns: dict[str, int] = {}
        self.delimiter = ","
        with self._opened() as text, self._letters():
            self._header_lines = self._find_header(text)
        if not encoding and self.facts.encoding == "cp1252":
            self.note("the file is not UTF-8: read as Windows-1252")
        if proposed := self._proposed():
            self.note(f"columns are not read that look as if they should be, perhaps: {proposed}")

    def portions(self) -> Iterator[Portion]:
        """Every row that can be believed so far; FeedError unless the whole file could be read."""
        with self._opened() as text, self._letters():
            for _ in range(self._header_lines):
                text.readline()
            for lines, rows in self._checked(self._records(text)):
                cells = list(zip(*rows, strict=True))
                yield Portion(lines, {name: list(map(str.strip, cells[at])) for name, at in self.columns.items()})
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

    def _records(self, text: TextIO) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        """The records after the header with their first lines. Broken quoting over several lines ends the reading."""
        before = self._header_lines
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        ended = zip(reader, map(attrgetter("line_num"), repeat(reader)), strict=False)  # each record, its last line
        while True:
            begun = reader.line_num
            found: list[tuple[list[str], int]] = []
            broken = None
            try:
                found.extend(islice(ended, PORTION))  # what came before an error stays in the list
            except csv.Error as error:
                broken = error
            if found:
                last = found[-1][1]
                lines = range(before + begun + 1, before + last + 1)
                if len(lines) == len(found):  # each record on a line of its own
                    yield lines, [record for record, _ in found]
                else:
                    ends = [begun, *(end for _, end in found)]
                    yield [before + end + 1 for end in ends[:-1]], [record for record, _ in found]
                begun = last
            if broken is not None:
                self._refuse_broken(broken, before + begun + 1, before + reader.line_num)
            elif not found:
                return

    def _refuse_broken(self, error: csv.Error, line: int, last: int) -> None:
        if last > line or "unexpected end" in str(error):
            # Which rows were swallowed cannot be known, so the file as a whole cannot be believed.
            raise IncompleteFeed(
                f"{self.path}:{line}: a quotation mark is opened here and not closed before line {last}"
            )
        self.reading.rows_read += 1
        size = "a field is longer than 1 MB" if "limit" in str(error) else "a quotation mark is misplaced"
        self.reject(line, None, size)

    def _checked(
        self, records: Iterator[tuple[Sequence[int], list[list[str]]]]
    ) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        blank = 0
        held_line: list[int] = []
        held: list[list[str]] = []  # the last row may be a row of totals or cut off
        for lines, rows in records:
            if not all(map(any, rows)):
                blank += sum(1 for row in rows if row and not any(row))
                lines = [line for line, row in zip(lines, rows, strict=True) if any(row)]
                rows = [row for row in rows if any(row)]
            if rows:
                whole = [*held, *rows]
                yield from self._believed([*held_line, *lines[:-1]], whole[:-1])
                held_line, held = [lines[-1]], [rows[-1]]
        for line, row in zip(held_line, held, strict=True):
            if self._is_totals(line, row):
                continue
            if not self.facts.ends_with_newline and len(row) < self._width:
                raise IncompleteFeed(
                    f"{self.path}:{line}: the file breaks off here, after {len(row)} of {self._width} fields"
                )
            yield from self._believed([line], [row])
        if blank:
            self.note(f"{blank} rows without any value skipped")
        if not self.reading.rows_read:
            raise IncompleteFeed(f"{self.path}: the file holds a header and no row")

    def _believed(self, lines: Sequence[int], rows: list[list[str]]) -> Iterator[tuple[Sequence[int], list[list[str]]]]:
        """The rows between those that are quarantined for what every row must be."""
        begin = 0
        if self.facts.damaged or set(map(len, rows)) != {self._width}:
            for place, row in enumerate(rows):
                refusal = self._refusal(row)
                if refusal is not None:
                    if place > begin:
                        self.reading.rows_read += place - begin
                        yield lines[begin:place], rows[begin:place]
                    begin = place + 1
                    self.reading.rows_read += 1
                    self.reject(lines[place], *refusal)
        if begin < len(rows):
            self.reading.rows_read += len(rows) - begin
            yield lines[begin:], rows[begin:]

    def _refusal(self, row: list[str]) -> tuple[str | None, str] | None:
        """The column and the reason why the row cannot be believed; what is too much and empty is taken off."""
        width = self._width
        if len(row) != width:
            if len(row) < width or any(row[width:]):
                return None, f"has {len(row)} fields where the header has {width}"
            del row[width:]
        if self.facts.damaged:
            for name, cell in zip(self._header, row, strict=True):
                if _NO_TEXT.search(cell):
                    return name, f"holds bytes that are no text in {self.facts.encoding}"
        return None

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
        shown = ", ".join(map(_shown, header[:60]))
        twice = sorted({name for name in folded if name and folded.count(name) > 1})
        if twice:
            raise UnexpectedAnswer(f"{self.path}:{line}: the header names {', '.join(twice)[:200]} twice", place)
        self._header = [name.strip() for name in header]
        self._width = len(header)
        self.columns = {name: folded.index(theirs) for name, theirs in self._wanted.items() if theirs in folded}
        missing = [n for n in self._known if n not in self.columns and (n in self._required or n in self._renamed)]
        if missing:
            named = ", ".join(n if self._wanted[n] == n else f"{n} (as {self._wanted[n]!r})" for n in missing)
            wrong = f"{self.path}:{line}: expected the column {named}; found: {shown}"
            raise UnexpectedAnswer(f"{wrong}; perhaps {proposed}" if (proposed := self._proposed()) else wrong, place)

    def _proposed(self) -> str | None:
        """What to write into the settings of the feed where columns that are not read look like columns of ours."""
        used = set(self.columns.values())
        unread = [_shown(name) for at, name in enumerate(self._header) if at not in used]
        found = looks_like(unread, [name for name in self._known if name not in self.columns])
        # What stands there already would be replaced: it is written down again.
        return as_setting({**self._renamed, **found}) if found else None


def fold_header(name: str) -> str:
    """A column's name for comparing: case, blanks and hyphens make no difference."""
    return re.sub(r"[\s_-]+", "_", name.strip().strip("\ufeff").casefold())


def _shown(name: str) -> str:
    return re.sub(r"[^\w .:/()-]", "?", name.strip())[:40]


def _split(raw: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([raw], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return raw.split(delimiter)
