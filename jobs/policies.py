"""Writing thresholds into `leaverwatch.toml`, its comments kept, and keeping the policy as a version."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from ulid import ULID

from governance import policies
from governance.access import Actor
from governance.configuring import FILE, VERB
from governance.errors import ConfigurationError
from governance.house import House
from governance.settings import Policy
from governance.tables import PolicyVersion, Request
from jobs import home
from jobs.configuration import read_settings_file
from jobs.configuring import beside, kept, renewed
from jobs.work import recorded

_COMMENT: Final = re.compile(r"#.*$", re.MULTILINE)


def answer(house: House, arguments: Mapping[str, Any], by: str, environ: Mapping[str, str]) -> str:
    """Write the thresholds that a page asked for; gives the file's new SHA-256."""
    with recorded(house, VERB, by, "policy"):
        actor, reason = home.actor_named(house, by), str(arguments.get("reason") or "")
        changes = dict(arguments.get("policy") or {})
        set_policy(house, actor, changes, reason, environ, asked=str(arguments.get("sha256") or ""))
        return hashlib.sha256((house.home / FILE).read_bytes()).hexdigest()


def set_policy(
    house: House,
    actor: Actor,
    changes: Mapping[str, Any],
    reason: str,
    environ: Mapping[str, str],
    *,
    asked: str = "",
) -> PolicyVersion:
    """Write these thresholds into the settings and keep what is in force then as a version, audited before it counts.

    `asked`: the SHA-256 the file had when it was asked for. ConfigurationError, and nothing is written, when the file
    changed since, may not be written, or would say something else than what was asked for.
    """
    file = house.home / FILE
    house = renewed(house, environ)  # the file may have been edited since this process started
    policies.note(house, home.clock())  # an edit by hand is a version of its own, not part of this one
    made = policies.demanded(house, actor, changes, reason)
    before = file.read_bytes()
    if asked and hashlib.sha256(before).hexdigest() != asked:
        raise ConfigurationError(f"{file}: it was changed by somebody else meanwhile; nothing was written: ask again")
    after = with_thresholds(before.decode("utf-8-sig"), changes, file).encode()
    now = home.clock()
    with beside(file, after) as written:
        _prove(house, written, made, environ)
        with kept(file, before, after), house.store.write() as session:
            version = policies.put(session, made, now, actor.email, reason.strip())
            policies.audit_line(session, version)
            # A request that is done already: by it the worker and the dashboard learn that the settings changed.
            session.add(
                Request(
                    id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=VERB, status="done",
                    finished_at=now, arguments={"policy": dict(changes), "reason": reason.strip()},
                )
            )  # fmt: skip
            if file.read_bytes() != before:
                raise ConfigurationError(f"{file}: it was changed by somebody else meanwhile; nothing was written")
            written.replace(file)
    return version


def with_thresholds(text: str, changes: Mapping[str, Any], file: Path) -> str:
    """The text with these values under `[policy]`; every comment and everything else stays as it was."""
    wanted = tomllib.loads(text)
    _lay(wanted.setdefault("policy", {}), changes, dict)
    try:
        document = tomlkit.parse(text)
        if "policy" not in document:
            document["policy"] = tomlkit.table()
        _lay(document["policy"], changes, tomlkit.inline_table)
        result = tomlkit.dumps(document)
        lost = set(_COMMENT.findall(text)) - set(_COMMENT.findall(result))
        taken_out = sum(value is None for value in changes.values())  # what stood beside such a key goes with it
        same = tomllib.loads(result) == wanted and len(lost) <= taken_out
    except (TOMLKitError, tomllib.TOMLDecodeError, TypeError, AttributeError):
        same = False
    if not same:
        raise ConfigurationError(f"{file}: [policy] cannot be changed the way this file is written; edit it by hand")
    return result


def _lay(table: Any, changes: Mapping[str, Any], new: Callable[[], Any]) -> None:
    """Put values into `[policy]`, of a document or a plain dictionary; None takes one out."""
    for key, value in changes.items():
        name, _, rule = key.partition(".")
        place = table
        if rule:
            if name not in table and value is None:
                continue
            if name not in table:
                table[name] = new()
            place, name = table[name], rule
        if value is None:
            place.pop(name, None)
        else:
            place[name] = list(value) if isinstance(value, tuple | list) else value


def _prove(house: House, written: Path, made: Policy, environ: Mapping[str, str]) -> None:
    """Read the new file as the program does at its start: the policy in it must be the one that was asked for."""
    try:
        settings, origin = read_settings_file(written, environ)
        proved = replace(house, settings=settings, origin=origin)
    except ConfigurationError as error:
        said = str(error).replace(str(written), str(written.with_name(FILE)))
        raise ConfigurationError(f"nothing was written: {said}") from error
    if policies.digest(proved.settings.policy) != policies.digest(made):
        raise ConfigurationError(f"nothing was written: {FILE} would not say what was asked for; edit it by hand")
