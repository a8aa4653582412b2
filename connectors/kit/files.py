"""The newest file of a feed, and what has to be known about it before its first row is read."""

from __future__ import annotations

import codecs
import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from governance.errors import ConfigurationError, IncompleteFeed, Unavailable, UnexpectedAnswer

CHUNK: Final = 1024 * 1024
MAX_LINE_CHUNKS: Final = 64  # a line of over 64 MiB is no table
_ENDINGS: Final = (".csv", ".txt", ".tsv")
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".sha256", ".done")
_STAMP: Final = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12]\d|3[01]))?"
    r"(?:[-_.T ]?([01]\d|2[0-3])[-_.:]?([0-5]\d)(?:[-_.:]?([0-5]\d))?)?(?!\d)"
)
_DIGEST: Final = re.compile(r"\s*(?:SHA256 \(.*\) = )?([0-9a-fA-F]{64})\b")
_HIGH: Final = re.compile("[^\x00-\x7f\udc80-\udcff]")
_BROKEN: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Survey:
    """A file as it was looked at once from end to end: its digest, its encoding and whether it is damaged."""

    path: Path
    sha256: str
    encoding: str
    damaged: bool  # holds bytes that are no text: rows must be looked at one by one
    ends_with_newline: bool
    empty: bool
    stamp: tuple[int, int]  # size and time of change, to notice a file that is still being written

    def check_unchanged(self) -> None:
        """IncompleteFeed when the file changed while it was read."""
        if _stamp_of(self.path) != self.stamp:
            raise IncompleteFeed(f"{self.path}: the file changed while it was read")


def newest_file(pattern: str, home: Path) -> Path:
    """The file a feed's `path` means: itself, or the newest of a folder or glob (time in the name, then of change)."""
    path = home / os.path.expanduser(pattern)
    if path.is_file():
        return path
    if path.is_dir():
        found = list(path.iterdir())
    elif glob.has_magic(str(path)):
        found = [Path(p) for p in glob.glob(str(path), recursive=True)]
    else:
        raise Unavailable(f"{path}: there is no such file")
    at = {str(p): p for p in found if p.is_file()}
    markers = [marker for p in at for marker in _markers(p) if os.path.exists(marker)]
    named = finished(at, markers, every=not path.is_dir())
    if not named:
        raise Unavailable(f"{path}: there is no finished file")
    return at[newest_of({name: at[name].stat().st_mtime_ns for name in named})]


def finished(paths: Iterable[str], listed: Iterable[str], *, every: bool = False) -> list[str]:
    """Which of these are whole tables (`every`: whatever their ending); where a `.done` is listed, only those with one.

    A sender that writes such a marker after each file has not finished one without.
    """
    found = []
    for path in paths:
        name = os.path.basename(path).lower()
        if not name.startswith(".") and not name.endswith(_UNFINISHED) and (every or name.endswith(_ENDINGS)):
            found.append(path)
    there = frozenset(listed)
    return [path for path in found if not there.isdisjoint(_markers(path))] or found


def newest_of(changed: Mapping[str, int | float]) -> str:
    """The path with the latest time in its name, then of change."""
    return max(changed, key=lambda path: (_stamp_in(os.path.basename(path)), changed[path], path))


def sidecars(name: str) -> tuple[str, str]:
    """Names under which a digest may stand beside a file."""
    return name + ".sha256", os.path.splitext(name)[0] + ".sha256"


def survey(path: Path, encoding: str | None, where: str) -> Survey:
    """Look at the whole file once, in pieces; a digest beside it (`.sha256`) must agree."""
    stamp = _stamp_of(path)
    digest = hashlib.sha256()
    head = last = b""
    nul = False
    strict = codecs.getincrementaldecoder("utf-8")("strict")
    utf8 = True
    unbroken = 0
    for piece in _pieces(path):
        digest.update(piece)
        head = head or piece[:4]
        last = piece[-2:]
        nul = nul or b"\0" in piece
        unbroken = 0 if b"\n" in piece or b"\r" in piece else unbroken + 1
        if unbroken > MAX_LINE_CHUNKS:
            raise UnexpectedAnswer(f"{path}: a line is longer than {MAX_LINE_CHUNKS} MiB", str(path))
        try:
            utf8 = utf8 and strict.decode(piece) is not None
        except UnicodeDecodeError:
            utf8 = False
    try:
        utf8 = utf8 and strict.decode(b"", True) is not None
    except UnicodeDecodeError:
        utf8 = False
    _check_beside(path, digest.hexdigest())
    found, damaged = _encoding(path, head, encoding, where, utf8=utf8)
    if found == "utf-16":
        nul = False  # half of every letter
    return Survey(
        path=path,
        sha256=digest.hexdigest(),
        encoding=found,
        damaged=damaged or nul,
        ends_with_newline=b"\n" in last or b"\r" in last,
        empty=not head,
        stamp=stamp,
    )


def _encoding(path: Path, head: bytes, declared: str | None, where: str, *, utf8: bool) -> tuple[str, bool]:
    """The encoding and whether bytes are in it that are no text."""
    if declared:
        try:
            name = codecs.lookup(declared).name
        except LookupError:
            raise ConfigurationError(f"{where}: encoding: {declared!r} is not an encoding such as utf-8") from None
        if name == "utf-8":
            return "utf-8-sig", not utf8
        return name, True
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise UnexpectedAnswer(f"{path}: the file is UTF-32; send it as UTF-8", str(path))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", False
    if utf8:
        return "utf-8-sig", False
    return _mend_or_western(path)


def _mend_or_western(path: Path) -> tuple[str, bool]:
    """UTF-8 with broken places or Windows-1252: told apart by what there is more of.

    Letters beyond ASCII that are right UTF-8 do not come about by chance, and one broken byte must not turn the names
    of all the others into gibberish. A file cut inside a letter has its only broken place at its end.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    right = wrong = 0
    for piece in _pieces(path):
        text = decoder.decode(piece)
        right += len(_HIGH.findall(text))
        wrong += len(_BROKEN.findall(text))
    at_the_end = len(_BROKEN.findall(decoder.decode(b"", True)))
    if 10 * right >= wrong > 0 or (wrong == 0 and at_the_end):
        return "utf-8-sig", True
    return "cp1252", True  # five bytes mean nothing there: rows are looked at


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    except OSError as error:
        raise Unavailable(f"{path}: the file cannot be read ({error.strerror})") from None


def _check_beside(path: Path, digest: str) -> None:
    for beside in map(path.with_name, sidecars(path.name)):
        if not beside.is_file():
            continue
        match = _DIGEST.match(beside.read_text(encoding="utf-8", errors="replace")[:4096])
        if not match:
            raise UnexpectedAnswer(f"{beside}: expected a SHA-256 digest of 64 hexadecimal digits", str(beside))
        if match[1].lower() != digest:
            raise IncompleteFeed(f"{path}: the file is not the one that {beside.name} promises; it arrived incomplete")
        return


def _stamp_of(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise Unavailable(f"{path}: the file cannot be read ({error.strerror})") from None
    return stat.st_size, stat.st_mtime_ns


def _markers(path: str) -> tuple[str, str]:
    return path + ".done", os.path.splitext(path)[0] + ".done"


def _stamp_in(name: str) -> tuple[int, ...]:
    stamps = [tuple(int(part or 0) for part in match.groups()) for match in _STAMP.finditer(name)]
    return max(stamps, default=())
