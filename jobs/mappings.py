"""Writing an approved role mapping into `leaverwatch.toml`, its other lines and comments kept."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from ulid import ULID

from governance import mappings
from governance.access import Verb, demand
from governance.configuring import FILE, VERB
from governance.errors import ConfigurationError, DecisionError
from governance.house import House
from governance.mappings.versions import label
from governance.provisioning.written import digest
from governance.tables import MappingVersion, Request
from jobs import home
from jobs.configuration import read_settings_file
from jobs.configuring import beside, kept, renewed
from jobs.work import recorded

_HEADER: Final = re.compile(r"\s*\[")
_APPLICATION: Final = re.compile(r"\s*\[\[\s*application\s*\]\]")
_LINES: Final = re.compile(r"\s*\[\[\s*role_mapping\s*\]\]")


def answer(house: House, arguments: Mapping[str, Any], by: str, environ: Mapping[str, str]) -> str:
    """Bring in the approved version a request names; gives the file's new SHA-256."""
    with recorded(house, VERB, by, "mapping"):
        demand(home.actor_named(house, by), Verb.MAP)
        bring_in(house, str(arguments.get("mapping") or ""), environ)
        return hashlib.sha256((house.home / FILE).read_bytes()).hexdigest()


def bring_in(house: House, id: str, environ: Mapping[str, str]) -> MappingVersion:
    """Write an approved version into the settings and note it as live, audited before it counts; safe to do twice.

    ConfigurationError or DecisionError, and nothing is written, when it was not approved, when another mapping is live
    than the one it was compared with, or when the file cannot be changed the way it is written.
    """
    file = house.home / FILE
    house = renewed(house, environ)  # the file may have been edited since this process started
    mappings.note(house, home.clock())
    version = mappings.version(house, id)
    if version.status == "live":
        return version
    if version.status != "approved":
        raise DecisionError(f"{label(version)} is {version.status}: only an approved version is brought in")
    if digest(mappings.live(house, version.application)) != version.base:
        raise DecisionError(f"the role mapping of {version.application} changed since {label(version)} was approved")
    before = file.read_bytes()
    after = with_mapping(before.decode("utf-8-sig"), version.application, version.content, file).encode()
    now = home.clock()
    with beside(file, after) as written:
        _prove(house, written, version, environ)
        with kept(file, before, after), house.store.write() as session:
            found = session.get_one(MappingVersion, version.id)
            mappings.bring_in(session, found, now)
            # A request that is done already: by it the worker and the dashboard learn that the settings changed.
            session.add(
                Request(
                    id=str(ULID.from_datetime(now)), at=now, actor=found.decided_by or "", verb=VERB, status="done",
                    finished_at=now, arguments={"mapping": found.id},
                )
            )  # fmt: skip
            if file.read_bytes() != before:
                raise ConfigurationError(f"{file}: it was changed by somebody else meanwhile; nothing was written")
            written.replace(file)
    return found


def with_mapping(text: str, application: str, content: Mapping[str, Any], file: Path) -> str:
    """The text with this mapping of one application; lines that stay keep their comments, all else stays as it was."""
    wanted = tomllib.loads(text)
    others = [line for line in wanted.get("role_mapping", []) if line["application"] != application]
    lines = [{"application": application, **line} for line in content["lines"]]
    own = next(a for a in wanted["application"] if a["name"] == application)
    way = _way(own, content)
    try:
        result = _with_way(_with_lines(text, application, lines), application, way)
        now = tomllib.loads(result)
        _lay(own, way)
        mine = [line for line in now.get("role_mapping", []) if line["application"] == application]
        theirs = [line for line in now.get("role_mapping", []) if line["application"] != application]
        same = mine == lines and theirs == others and _rest(now) == _rest(wanted)
    except (TOMLKitError, tomllib.TOMLDecodeError, TypeError, KeyError):
        same = False
    if not same:
        raise ConfigurationError(
            f"{file}: [[role_mapping]] cannot be changed the way this file is written; edit it by hand"
        )
    return result


def _rest(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "role_mapping"}


def _with_lines(text: str, application: str, lines: list[dict[str, Any]]) -> str:
    """The text with these lines where the application's first one stood, else at the end."""
    rows = text.splitlines(keepends=True)
    headers = [n for n, row in enumerate(rows) if _HEADER.match(row)] + [len(rows)]
    known: list[tuple[dict[str, Any], str]] = []
    place, taken = None, set[int]()
    for start, following in pairwise(headers):
        end = following
        while end > start + 1 and (not rows[end - 1].strip() or rows[end - 1].lstrip().startswith("#")):
            end -= 1
        block = "".join(rows[start:end])
        if not _LINES.match(rows[start]):
            continue
        (line,) = tomllib.loads(block)["role_mapping"]
        if line["application"] == application:
            place = start if place is None else place
            taken.update(range(start, end))
            known.append((line, block.rstrip() + "\n"))
    written = []
    for line in lines:
        written.append(next((one for told, one in known if told == line), None) or _block(line))
    new = "\n".join(written)
    if place is None:
        return f"{text.rstrip()}\n\n{new}" if new else text
    kept_rows = ["" if n in taken else row for n, row in enumerate(rows)]
    kept_rows[place] = new
    return re.sub(r"\n{3,}", "\n\n", "".join(kept_rows))


def _block(line: Mapping[str, Any]) -> str:
    """One line of the mapping as the file writes it."""
    return "[[role_mapping]]\n" + "".join(f"{key} = {_written(value)}\n" for key, value in line.items())


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{tomlkit.key(key).as_string()} = {_written(v)}" for key, v in value.items()) + " }"
    return str(tomlkit.item(value).as_string())


def _way(own: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the application that must change, with their values; None takes one out."""
    way: dict[str, Any] = {}
    if list(own.get("default_role") or ()) != content["default"]:
        way["default_role"] = content["default"] or None
    told = {"matching": "all", "updates": "create_only"} | dict(own.get("mapping") or {})
    wanted = {"matching": content["matching"], "updates": content["updates"]}
    return way if told == wanted else way | {"mapping": wanted}


def _lay(table: Any, way: Mapping[str, Any]) -> None:
    for key, value in way.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _with_way(text: str, application: str, way: Mapping[str, Any]) -> str:
    """The text with these keys in the application's table, in the place of those it has."""
    rows = text.splitlines(keepends=True)
    headers = [n for n, row in enumerate(rows) if _HEADER.match(row)] + [len(rows)]
    for start, end in pairwise(headers):
        if not _APPLICATION.match(rows[start]):
            continue
        (own,) = tomllib.loads("".join(rows[start:end]))["application"]
        if own.get("name") != application:
            continue
        for key, value in way.items():
            new = "" if value is None else f"{key} = {_written(value)}\n"
            places = [n for n in range(start, end) if re.match(rf"\s*{key}\s*=", rows[n])]
            if places:
                rows[places[0]] = new
            else:
                last = max(n for n in range(start, end) if rows[n].strip() and not rows[n].lstrip().startswith("#"))
                rows[last] = f"{rows[last].rstrip()}\n{new}"
    return "".join(rows)


def _prove(house: House, written: Path, version: MappingVersion, environ: Mapping[str, str]) -> None:
    """Read the new file as the program does at its start: the mapping in it must be the one that was approved."""
    try:
        settings, origin = read_settings_file(written, environ)
        proved = replace(house, settings=settings, origin=origin)
    except ConfigurationError as error:
        said = str(error).replace(str(written), str(written.with_name(FILE)))
        raise ConfigurationError(f"nothing was written: {said}") from error
    if digest(mappings.live(proved, version.application)) != version.digest:
        raise ConfigurationError(f"nothing was written: {FILE} would not say what was approved; edit it by hand")
