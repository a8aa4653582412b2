"""Reading `leaverwatch.toml` and the environment: values, where each came from, and errors that name file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from governance.errors import ConfigurationError
from governance.settings import Settings, parse

FILE: Final = "leaverwatch.toml"
PREFIX: Final = "LEAVERWATCH_"
_TABLE: Final = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_SAID: Final = re.compile(rf"{re.escape(FILE)}: (?:\[\[(\w+)\]\] ([\w-]+): )?([\w.-]*\w)")
_KEY: Final = re.compile(r"""^\s*([A-Za-z0-9_."' -]+?)\s*=""")

Path_ = tuple[str | int, ...]
Lines = dict[Path_, int]


def find_home(environ: Mapping[str, str]) -> Path:
    """The folder everything is kept in: LEAVERWATCH_HOME, else `./.leaverwatch`."""
    return Path(environ.get("LEAVERWATCH_HOME") or ".leaverwatch").expanduser().absolute()


def read_settings(home: Path, environ: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """The settings of that folder and the origin of each key; ConfigurationError names the file, line and key."""
    return read_settings_file(home / FILE, environ)


def read_settings_file(file: Path, environ: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """The settings of that file and the origin of each key."""
    values, keys, headers = _read_toml(file)
    origin = {_dotted(values, path): f"{file}:{line}" for path, line in keys.items()}
    origin |= _override(values, environ)
    try:
        return parse(values, origin=str(file)), origin
    except ConfigurationError as error:
        raise _with_line(error, file, headers | keys, values, origin) from error


def _read_toml(file: Path) -> tuple[dict[str, Any], Lines, Lines]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            f"{file}: there is no such file: `leaverwatch init` writes one, LEAVERWATCH_HOME names another folder"
        ) from None
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{file}:{line}: expected UTF-8 text") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        return tomllib.loads(text), *_lines(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column (\d+)\)", str(error))
        where = f":{found[1]}" if found else f":{text.count(chr(10)) + 1}"
        what = str(error)[: found.start()] if found else str(error)
        raise ConfigurationError(f"{file}{where}: this is not TOML: {what}") from error


def _lines(text: str) -> tuple[Lines, Lines]:
    """Where each key and each table stands; TOML keeps no positions, so the lines are read again for them."""
    keys: Lines = {}
    headers: Lines = {}
    count: dict[str, int] = {}
    table: Path_ = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            names = [part.strip().strip("\"'") for part in header[2].split(".")]
            if header[1] == "[[":
                count[".".join(names)] = count.get(".".join(names), -1) + 1
            table = tuple(_indexed(names, count))
            headers.setdefault(table, number)
        elif (key := _KEY.match(line)) and not line.lstrip().startswith("#"):
            keys.setdefault((*table, *(part.strip().strip("\"'") for part in key[1].split("."))), number)
    return keys, headers


def _indexed(names: list[str], count: Mapping[str, int]) -> Iterator[str | int]:
    """A table's name with the index of each array it lies in: `source.columns` is `source`, 0, `columns`."""
    for end, name in enumerate(names, 1):
        yield name
        if (index := count.get(".".join(names[:end]))) is not None:
            yield index


def _at(values: Any, path: Path_) -> Any:
    for step in path:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _dotted(values: dict[str, Any], path: Path_) -> str:
    """A key as people write it: `application.crm.path`, entries of an array by name, else by position from 1."""
    parts: list[str] = []
    for end, step in enumerate(path, 1):
        if isinstance(step, int):
            entry = _at(values, path[:end])
            parts.append(str(entry.get("name", step + 1)) if isinstance(entry, dict) else str(step + 1))
        else:
            parts.append(step)
    return ".".join(parts)


def _with_line(
    error: ConfigurationError,
    file: Path,
    lines: Mapping[Path_, int],
    values: dict[str, Any],
    origin: Mapping[str, str],
) -> ConfigurationError:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return error
    path: Path_ = tuple(cause.errors()[0]["loc"])
    key, (inner, *_) = _dotted(values, path), cause.errors()[0]["msg"].removeprefix("Value error, ").split(":")
    variable = next((v for k in (key, f"{key}.{inner}") if (v := origin.get(k, "")).startswith(PREFIX)), "")
    below = [] if variable else _variables_below(origin, key)
    if below and path not in lines:  # the file does not hold it at all
        variable = below[0]
    if variable:
        return ConfigurationError(str(error).replace(str(file), variable, 1))
    also = f" (set in the environment: {', '.join(below)})" if below else ""
    for end in range(len(path), 0, -1):  # the key itself, else the table it would stand in
        if line := lines.get(path[:end]):
            return ConfigurationError(str(error).replace(str(file), f"{file}:{line}", 1) + also)
    return ConfigurationError(f"{error}{also}")


def _variables_below(origin: Mapping[str, str], key: str) -> list[str]:
    return sorted({v for k, v in origin.items() if k.startswith(f"{key}.") and v.startswith(PREFIX)})


def as_it_was_set(error: ConfigurationError, origin: Mapping[str, str]) -> ConfigurationError:
    """The same error; what it says of `leaverwatch.toml` it says of the environment variable where one set that key."""
    said = _SAID.match(str(error))
    key = ".".join(filter(None, said.groups())) if said else ""
    named = (key, f"source.{key}", f"application.{key}")
    if variable := next((v for k in named if (v := origin.get(k, "")).startswith(PREFIX)), ""):
        return ConfigurationError(str(error).replace(FILE, variable, 1))
    below = _variables_below(origin, key) if key else []
    return ConfigurationError(f"{error} (set in the environment: {', '.join(below)})") if below else error


def _override(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Put LEAVERWATCH_SECTION__KEY values into place; feeds are named: LEAVERWATCH_APPLICATION__CRM__PATH."""
    origin: dict[str, str] = {}
    secrets = set(_secret_names(values))
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in secrets:
            continue
        steps = variable.removeprefix(PREFIX).lower().split("__")
        if len(steps) == 1:
            section = next((s for s in Settings.model_fields if steps[0].startswith(f"{s}_")), None)
            if section:  # a misspelled override must not be silently without effect
                key = steps[0].removeprefix(f"{section}_").upper()
                raise ConfigurationError(f"{variable}: not a setting; expected {PREFIX}{section.upper()}__{key}")
            continue
        place: Any = values
        path: list[str | int] = []
        for step in steps[:-1]:
            if isinstance(place, list):
                index = next((i for i, e in enumerate(place) if _as_variable(e.get("name")) == step), None)
                if index is None:
                    raise ConfigurationError(f"{variable}: {'.'.join(map(str, path))} has no entry named {step!r}")
                path.append(index)
                place = place[index]
            else:
                path.append(step)
                place = place.setdefault(step, {})
        if not isinstance(place, dict):
            raise ConfigurationError(f"{variable}: {'.'.join(map(str, path))} is not a table")
        place[steps[-1]] = value_of(text)
        origin[_dotted(values, (*path, steps[-1]))] = variable
    return origin


def _as_variable(name: object) -> str:
    return str(name).lower().replace("-", "_")


def value_of(text: str) -> Any:
    """A number, flag, list, table or quoted text as TOML writes it; anything else is text as it stands."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str | list | dict) else text


def _secret_names(values: Any) -> Iterator[str]:
    """The environment variables that `{ env = "NAME" }` refers to: they hold secrets, not settings."""
    if isinstance(values, dict):
        if isinstance(values.get("env"), str):
            yield values["env"]
        for value in values.values():
            yield from _secret_names(value)
    elif isinstance(values, list):
        for value in values:
            yield from _secret_names(value)
