"""Adding or changing a feed from a page: what was typed is checked, secrets are sealed, the worker is asked to write.

A secret that is there already can never be sent to another address from here: with the address it is asked for anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError
from sqlmodel import col, select
from ulid import ULID

from governance import secrets
from governance.access import Actor, Verb, demand
from governance.errors import ConfigurationError
from governance.house import House
from governance.settings import ApplicationSettings, SourceSettings
from governance.store import Store
from governance.store.chain import append
from governance.tables import Connector, Request

if TYPE_CHECKING:
    from tomlkit.items import Table

FILE: Final = "leaverwatch.toml"
VERB: Final = "configure"
Kind = Literal["source", "application"]
_SETTINGS: Final[dict[Kind, type[SourceSettings | ApplicationSettings]]] = {
    "source": SourceSettings,
    "application": ApplicationSettings,
}
# What decides where a secret is sent, and who might read it on the way.
_WHERE_KINDS: Final = ("url", "path")
_WHERE_NAMES: Final = ("allow_private", "start_tls", "host_key")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS: Final = "LEAVERWATCH_"
_PEM: Final = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----)\s*(.*?)\s*(-----END [A-Z0-9 ]+-----)", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """One feed as somebody fills it in: the table as it will stand in the file, and the secrets typed beside it."""

    kind: Kind
    table: Mapping[str, Any]
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)  # by field; sealed, never written to the file

    @property
    def name(self) -> str:
        """The feed's name."""
        return str(self.table.get("name") or "")


@dataclass(frozen=True)
class Standing:
    """One feed as the settings file says it now, word for word."""

    kind: Kind
    table: Mapping[str, Any]


def standing(home: Path, name: str) -> Standing | None:
    """The feed of that name in the file; None when there is none, or the file cannot be read."""
    try:
        told = tomllib.loads((home / FILE).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    kinds: tuple[Kind, ...] = ("source", "application")
    found = ((kind, table) for kind in kinds for table in told.get(kind) or () if table.get("name") == name)
    return next((Standing(kind, table) for kind, table in found), None)


def add(house: House, actor: Actor, now: datetime, draft: Draft) -> Request:
    """Seal the typed secrets and ask the worker to write the feed; ConfigurationError for the first thing wrong."""
    return _ask(house, actor, now, draft, None)


def change(house: House, actor: Actor, now: datetime, draft: Draft) -> Request:
    """Ask the worker to write a feed that is there as `draft` says it; ConfigurationError for the first thing wrong.

    A typed secret is sealed beside the one in force, which stays until the file names the new one.
    """
    demand(actor, Verb.CONFIGURE)
    before = standing(house.home, draft.name)
    if before is None:
        raise ConfigurationError(f"{house.home / FILE}: no feed is named {draft.name!r}")
    if not draft.typed and dict(draft.table) == dict(before.table):
        raise ConfigurationError(f"[[{draft.kind}]] {draft.name}: nothing is changed by it")
    return _ask(house, actor, now, draft, before)


def _ask(house: House, actor: Actor, now: datetime, draft: Draft, before: Standing | None) -> Request:
    demand(actor, Verb.CONFIGURE)
    why = not_writable(house.home)
    if why:
        raise ConfigurationError(f"{house.home / FILE}: {why}")
    digest = file_digest(house.home)
    for key, problem in problems(house, draft, before=before).items():
        raise ConfigurationError(f"[[{draft.kind}]] {draft.name or 'without a name'}: {key}: {problem}")
    table = dict(draft.table)
    for key, value in draft.typed.items():
        name = _unused(draft.name, key, before)
        secrets.put(house, actor, now, name, mended(value))
        table[key] = {"store": name}
    arguments: dict[str, Any] = {"kind": draft.kind, "table": table, "sha256": digest}
    facts: dict[str, Any] = {"kind": draft.kind, "connector": table.get("connector"), "keys": sorted(table)}
    if before is not None:
        arguments["change"] = True
        facts["changed"] = changed(before.table, table)
    request = Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=VERB, arguments=arguments)
    with house.store.write() as session:
        session.add(request)
        append(session, now=now, actor=actor.email, verb="ask", object=f"{VERB}/{draft.name}", facts=facts)
    return request


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys that are not the same in both."""
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def problems(house: House, draft: Draft, *, asked: bool = False, before: Standing | None = None) -> dict[str, str]:
    """What is wrong, by key; empty when it may be written.

    `asked`: its secrets are sealed already. `before`: what stands in the file, where a feed is changed, not added.
    """
    found = _of_the_feed(draft)
    if not found.get("name"):
        if before is None and any(feed.name == draft.name for feed in house.settings.feeds):
            found["name"] = f"the name {draft.name!r} is given to another feed"
        elif not asked and draft.name in _waiting(house.store):
            found["name"] = f"{draft.name!r} is being {'added' if before is None else 'changed'} just now"
    if before is not None and (before.kind, before.table.get("connector")) != (
        draft.kind,
        draft.table.get("connector"),
    ):
        return {**found, "connector": "what reads a feed is not changed: connect another one"}
    with house.store.read() as session:
        connector = session.get(Connector, str(draft.table.get("connector")))
    if connector is None or connector.kind not in (draft.kind, "both"):
        return {**found, "connector": f"no connector for this is named {draft.table.get('connector')!r}"}
    declared = {one["name"]: one for one in connector.fields or []}
    moved = _moved(declared, before, draft)
    for key in set(draft.table) - set(_SETTINGS[draft.kind].model_fields) - set(declared):
        found[key] = f"this key is not known to the connector {connector.name!r}"
    for key, one in declared.items():
        value = draft.typed.get(key) if key in draft.typed else draft.table.get(key)
        if value in (None, ""):
            if one.get("required"):
                found[key] = "is missing"
        elif one["kind"] != "secret":
            if problem := _of_kind(one["kind"], value):
                found[key] = problem
        elif before is not None and key not in draft.typed and value == before.table.get(key):
            if moved:
                found[key] = f"with another {moved.replace('_', ' ')} it must be given again: it would be sent there"
        elif problem := _of_secret(draft, key, asked):
            found[key] = problem
    return found


def _of_the_feed(draft: Draft) -> dict[str, str]:
    """What every feed must fulfil, by the same rules as the file."""
    try:
        _SETTINGS[draft.kind].model_validate(dict(draft.table))
    except ValidationError as error:
        said = {str(one["loc"][0]): str(one["msg"]).removeprefix("Value error, ") for one in error.errors()}
        if "name" in said:
            signs = "expected small letters, digits, - and _, beginning with a letter or digit"
            said["name"] = signs if draft.name else "is missing"
        return said
    return {}


def _moved(declared: Mapping[str, Mapping[str, Any]], before: Standing | None, draft: Draft) -> str:
    """The first setting that would send the secrets that are there somewhere else; empty when there is none."""
    if before is None:
        return ""
    said = {key: one for key, one in declared.items() if one["kind"] in _WHERE_KINDS or key in _WHERE_NAMES}
    there = ((key, one.get("default")) for key, one in said.items())
    return next((k for k, default in there if before.table.get(k, default) != draft.table.get(k, default)), "")


def _of_secret(draft: Draft, key: str, asked: bool) -> str:
    if key in draft.typed:
        return ""
    place = draft.table.get(key)
    if asked and place in [{"store": name} for name in _names(draft.name, key)]:
        return ""
    variable = place.get("env") if isinstance(place, Mapping) and set(place) == {"env"} else None
    if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
        return "expected the secret itself, or the name of an environment variable"
    if variable.upper().startswith(_OURS):
        return f"{variable} is a variable of Leaverwatch itself"
    return ""


def _of_kind(kind: str, value: Any) -> str:
    if kind == "flag":
        return "" if isinstance(value, bool) else "expected true or false"
    if kind == "number":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "expected a whole number"
    if kind == "table":
        return "" if isinstance(value, Mapping) else "expected a table"
    if not isinstance(value, str) or not value.strip():
        return "expected text"
    return _of_address(value) if kind == "url" else ""


def _of_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        whole = parts.scheme and parts.hostname and (parts.port is None or parts.port > 0)  # ldaps: too
    except ValueError:
        whole = False
    if not whole:
        return "expected an address such as https://example.com/"
    return "a name or password must not stand in an address" if parts.username or parts.password else ""


def secret_name(feed: str, key: str) -> str:
    """What the secret of one field is called in the store."""
    return f"{feed}.{key}"


def _names(feed: str, key: str) -> tuple[str, str]:
    """The two names the secret of one field goes by in turn: the one in force, and the next one or the one before."""
    return secret_name(feed, key), f"{secret_name(feed, key)}.other"


def _unused(feed: str, key: str, before: Standing | None) -> str:
    """The name under which a new secret is sealed: never the one that is in force."""
    first, second = _names(feed, key)
    return second if before is not None and before.table.get(key) == {"store": first} else first


def mended(secret: str) -> str:
    """A secret as it was meant: a key in PEM form loses its line breaks in a field of one line."""
    if "\n" in secret.strip() or "-----BEGIN" not in secret:
        return secret.strip()

    def lines(block: re.Match[str]) -> str:
        body = re.sub(r"\s+", "", block[2])
        return "\n".join([block[1], *re.findall(".{1,64}", body), block[3], ""])

    return _PEM.sub(lines, secret.strip())


def as_toml(kind: Kind, table: Mapping[str, Any]) -> str:
    """The table as it stands in the file: simple keys first, then the tables below it."""
    import tomlkit  # 0.05 s: whoever only reads versions of mappings writes no TOML

    document = tomlkit.document()
    every = tomlkit.aot()
    every.append(as_table(table))
    document.append(kind, every)
    return tomlkit.dumps(document)


def as_table(given: Mapping[str, Any]) -> Table:
    """The table as tomlkit writes it: where a secret is kept stands on one line."""
    import tomlkit

    table = tomlkit.table()
    simple = {k: v for k, v in given.items() if not isinstance(v, Mapping)}
    places = {k: v for k, v in given.items() if isinstance(v, Mapping) and set(v) <= {"env", "file", "store"} and v}
    for key, value in {**simple, **places}.items():
        if isinstance(value, Mapping):
            line = tomlkit.inline_table()
            line.update(value)
            table.append(key, tomlkit.value(f"{{ {line.as_string()[1:-1]} }}"))
        else:
            table.append(key, value)
    for key, value in given.items():
        if key not in simple and key not in places:
            table.append(key, value)
    return table


def not_writable(home: Path) -> str:
    """Why the settings cannot be written from here; empty when they can."""
    file = home / FILE
    if file.is_symlink():
        return "it is a link to a file that is kept elsewhere"
    if not file.is_file():
        return "there is no such file here"
    if not os.access(file, os.W_OK) or not os.access(home, os.W_OK):
        return "it may not be written here (read-only)"
    return ""


def file_digest(home: Path) -> str:
    """The SHA-256 of the settings file as it is now; empty when it cannot be read."""
    try:
        return hashlib.sha256((home / FILE).read_bytes()).hexdigest()
    except OSError:
        return ""


def newest_change(store: Store) -> str | None:
    """The id of the newest request by which the settings were changed; None when there was none."""
    done = select(Request.id).where(Request.verb == VERB, Request.status == "done")
    with store.read() as session:
        return session.exec(done.order_by(col(Request.id).desc()).limit(1)).first()


def _waiting(store: Store) -> set[str]:
    asked = select(Request.arguments).where(Request.verb == VERB, col(Request.status).in_(("waiting", "doing")))
    with store.read() as session:
        return {str((arguments or {}).get("table", {}).get("name")) for arguments in session.exec(asked)}
