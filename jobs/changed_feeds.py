"""Writing a feed that was changed from a page: its own lines change where they stand, every other line stays."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
import tomlkit.items
from tomlkit.exceptions import TOMLKitError

from governance.access import Actor
from governance.configuring import FILE, Kind, as_table, changed, problems, standing
from governance.errors import ConfigurationError
from governance.house import House
from jobs.configuring import asked_for, put_in_place, renewed

Path_ = tuple[str, ...]
_HEADER: Final = re.compile(r"\s*\[")


def change_feed(house: House, actor: Actor, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Write the feed a request changes; gives the file's new SHA-256.

    ConfigurationError, and nothing is written, when the file changed since it was asked for, may not be written, or
    would not be whole afterwards.
    """
    draft, before = asked_for(house, actor, arguments)
    file = house.home / FILE
    now = standing(house.home, draft.name)
    if now is None:
        raise ConfigurationError(f"{file}: no feed is named {draft.name!r} any more; nothing was written")
    for key, problem in problems(renewed(house, environ), draft, asked=True, before=now).items():
        raise ConfigurationError(f"{file}: [[{draft.kind}]] {draft.name}: {key}: {problem}")
    after = with_change(before.decode("utf-8-sig"), draft.kind, draft.table, file).encode()
    keys = {"changed": changed(now.table, draft.table)}
    return put_in_place(renewed(house, environ), actor, draft, before, after, keys, environ)


def with_change(text: str, kind: Kind, table: Mapping[str, Any], file: Path) -> str:
    """The text with the feed of that name as `table` says it; comments, and the order of what stays, are kept."""
    wanted = tomllib.loads(text)
    place = next((n for n, one in enumerate(wanted.get(kind, ())) if one.get("name") == table["name"]), None)
    if place is not None:
        wanted[kind][place] = dict(table)
        ways: tuple[Callable[[str, Kind, int, Mapping[str, Any]], str], ...] = (_beside_its_keys, _as_it_is_written)
        for way in ways:
            with contextlib.suppress(TOMLKitError, LookupError, TypeError, ValueError, StopIteration):
                result = way(text, kind, place, table)
                if tomllib.loads(result) == wanted and _comments(result) == _comments(text):
                    return result
    raise ConfigurationError(
        f"{file}: [[{kind}]] {table['name']} cannot be changed the way this file is written; edit it by hand"
    )


def _beside_its_keys(text: str, kind: Kind, place: int, table: Mapping[str, Any]) -> str:
    """What is new stands below the keys of its table, above the comments of what follows."""
    document = tomlkit.parse(text)
    own = document[kind][place]
    new = list(_new((kind,), own, table))
    _lay(own, table, tomlkit.items.InlineTable)
    rows = tomlkit.dumps(document).splitlines(keepends=True)
    for path, key, value in new:
        _put(rows, kind, place, path, key, value)
    return "".join(rows)


def _new(path: Path_, own: Any, wanted: Mapping[str, Any]) -> Iterator[tuple[Path_, str, Any]]:
    """What has no line yet: the table it belongs to, its key and its value."""
    for key, value in wanted.items():
        if key not in own:
            yield path, key, value
        elif isinstance(value, Mapping) and isinstance(own[key], tomlkit.items.Table):
            yield from _new((*path, key), own[key], value)


def _put(rows: list[str], kind: Kind, place: int, path: Path_, key: str, value: Any) -> None:
    """One key into the rows: a line below the others of its table, or a table of its own below those of the feed."""
    headers = [(n, tuple(_names(row))) for n, row in enumerate(rows) if _HEADER.match(row)]
    first = [n for n, names in headers if names == (kind,)][place]
    of_it = [first]
    for n, names in headers:
        if n > first and (len(names) < 2 or names[0] != kind):
            break
        if n > first:
            of_it.append(n)
    at = first if path == (kind,) else next(n for n, names in headers if n in of_it and names == path)
    if _below(value):
        at, written = of_it[-1], "\n" + "\n".join(_sections((*path, key), value)).lstrip("\n")
    else:
        written = tomlkit.dumps(as_table({key: value})).rstrip("\n")
    until = next((n for n, _ in headers if n > at), len(rows))
    last = max(n for n in range(at, until) if rows[n].strip() and not rows[n].lstrip().startswith("#"))
    end = "\r\n" if rows[first].endswith("\r\n") else "\n"
    rows[last] = rows[last].rstrip("\r\n") + end
    rows[last + 1 : last + 1] = [f"{line}{end}" for line in written.split("\n")]


def _names(header: str) -> list[str]:
    """The parts of a table's name, as its header says them."""
    told = tomllib.loads(header.strip())
    names = []
    while told:
        ((name, inner),) = told.items()
        names.append(name)
        told = inner[0] if isinstance(inner, list) else inner
    return names


def _sections(path: Path_, value: Mapping[str, Any]) -> Iterator[str]:
    """A table with its name above it, and the tables in it below."""
    lines = tomlkit.dumps(as_table({key: one for key, one in value.items() if not _below(one)})).splitlines()
    if lines or not value:
        yield f"[{'.'.join(tomlkit.key(part).as_string() for part in path)}]"
        yield from lines
    for key, one in value.items():
        if _below(one):
            yield ""
            yield from _sections((*path, key), one)


def _below(value: Any) -> bool:
    """Whether a value is written as a table of its own: where a secret is kept stands on one line."""
    return isinstance(value, Mapping) and not (value and set(value) <= {"env", "file", "store"})


def _as_it_is_written(text: str, kind: Kind, place: int, table: Mapping[str, Any]) -> str:
    document = tomlkit.parse(text)
    _lay(document[kind][place], table, object)
    return tomlkit.dumps(document)


def _lay(target: Any, wanted: Mapping[str, Any], takes_new: Any) -> None:
    """Make one table say what is wanted; what says it already is not touched, new keys go where `takes_new` says."""
    for key in [key for key in target if key not in wanted]:
        del target[key]
    for key, value in wanted.items():
        if key not in target:
            if isinstance(target, takes_new):
                target[key] = value
        elif isinstance(value, Mapping) and isinstance(target[key], Mapping):
            _lay(target[key], value, takes_new)
        elif target[key] != value:
            target[key] = value


def _comments(text: str) -> list[str]:
    """The lines that are comments, in their order."""
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
