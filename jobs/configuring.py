"""Writing a feed into `leaverwatch.toml`, and reading the settings anew afterwards.

The file is edited as text with its comments and order kept, proved by reading it as the program would, and put in place
in one step; the one before stays beside it as `leaverwatch.toml.bak`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from governance import audit
from governance.access import Actor, Verb, demand
from governance.configuring import FILE, VERB, Draft, Kind, as_toml, newest_change, not_writable, problems
from governance.errors import ConfigurationError
from governance.house import House
from jobs import home
from jobs.configuration import read_settings, read_settings_file
from jobs.work import recorded

if TYPE_CHECKING:
    from connectors.kit.contract import Checked

log = logging.getLogger("leaverwatch")
BACKUP: Final = f"{FILE}.bak"
_HEADER: Final = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]")


def configure(house: House, arguments: Mapping[str, Any], by: str, environ: Mapping[str, str]) -> str:
    """Write what a page asked for into the settings, a feed, the policy or a role mapping; gives the file's SHA-256."""
    if "policy" in arguments:
        from jobs.policies import answer

        return answer(house, arguments, by, environ)
    if "mapping" in arguments:
        from jobs import mappings

        return mappings.answer(house, arguments, by, environ)
    name = str((arguments.get("table") or {}).get("name"))
    with recorded(house, VERB, by, name):
        if arguments.get("change"):
            from jobs.changed_feeds import change_feed

            return change_feed(house, home.actor_named(house, by), arguments, environ)
        return add_feed(house, home.actor_named(house, by), arguments, environ)


def check(house: House, arguments: Mapping[str, Any], by: str, environ: Mapping[str, str]) -> list[Checked]:
    """Prove the credentials of feeds as the settings name them now; what was found stands in the job runs."""
    house, found = renewed(house, environ), []
    for name in arguments.get("feeds") or ():
        house.settings.feed(name)
        with recorded(house, "check", by, name) as running:
            with contextlib.closing(home.connect(house, name, home.clock(), environ=environ)) as connector:
                checked = connector.check()
            running.counts |= {"missing": list(checked.missing), "excess": list(checked.excess)}
            running.counts |= {"notes": list(checked.notes)}
            found.append(checked)
    return found


def add_feed(house: House, actor: Actor, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Write the feed a request asks for; gives the file's new SHA-256.

    ConfigurationError, and nothing is written, when the file changed since it was asked for, may not be written, or
    would not be whole afterwards.
    """
    draft, before = asked_for(house, actor, arguments)
    file = house.home / FILE
    house = renewed(house, environ)  # the file may have been edited since the worker started
    for key, problem in problems(house, draft, asked=True).items():
        raise ConfigurationError(f"{file}: [[{draft.kind}]] {draft.name}: {key}: {problem}")
    after = with_feed(before.decode("utf-8-sig"), draft.kind, draft.table, file).encode()
    return put_in_place(house, actor, draft, before, after, {}, environ)


def asked_for(house: House, actor: Actor, arguments: Mapping[str, Any]) -> tuple[Draft, bytes]:
    """What a request asks for and the file it is to be written into; ConfigurationError when that is another by now."""
    demand(actor, Verb.CONFIGURE)
    kind: Kind = "source" if arguments.get("kind") == "source" else "application"
    draft = Draft(kind, dict(arguments.get("table") or {}))
    file = house.home / FILE
    if why := not_writable(house.home):
        raise ConfigurationError(f"{file}: {why}")
    before = file.read_bytes()
    asked = arguments.get("sha256")
    if asked and hashlib.sha256(before).hexdigest() != asked:
        raise ConfigurationError(f"{file}: it was changed by somebody else meanwhile; nothing was written: ask again")
    return draft, before


def put_in_place(
    house: House,
    actor: Actor,
    draft: Draft,
    before: bytes,
    after: bytes,
    more: Mapping[str, Any],
    environ: Mapping[str, str],
) -> str:
    """Prove the new file and put it in place of the one before, audited in the same step; gives its SHA-256.

    `more`: further facts for the audit. ConfigurationError, and nothing is written, when the program could not start
    with it, or somebody else changed the file meanwhile.
    """
    file, kind = house.home / FILE, draft.kind
    with beside(file, after) as written:
        _prove(house, written, draft.name, environ)
        digest = hashlib.sha256(after).hexdigest()
        facts = {"connector": draft.table.get("connector"), "file": str(file), "sha256": digest, "backup": BACKUP}
        facts |= more
        with kept(file, before, after), house.store.write() as session:
            audit.append(
                session, now=home.clock(), actor=actor.email, verb=VERB, object=f"{kind}/{draft.name}", facts=facts
            )
            if file.read_bytes() != before:
                raise ConfigurationError(f"{file}: it was changed by somebody else meanwhile; nothing was written")
            written.replace(file)
    return digest


def with_feed(text: str, kind: Kind, table: Mapping[str, Any], file: Path) -> str:
    """The text with one more feed after the last of its kind; every line that stood there stays as it was."""
    wanted = tomllib.loads(text)
    wanted.setdefault(kind, []).append(_plain(table))
    for place in (_among_its_kind, _at_the_end):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            result = place(text, kind, table)
            if tomllib.loads(result) == wanted and _all_kept(text, result):
                return result
    raise ConfigurationError(f"{file}: [[{kind}]] cannot be added to the way this file is written; add it by hand")


def _among_its_kind(text: str, kind: Kind, table: Mapping[str, Any]) -> str:
    """After the last thing said about the last feed of the kind; comments below it belong to what follows."""
    lines = text.splitlines(keepends=True)
    headers = [(n, found[1]) for n, line in enumerate(lines) if (found := _HEADER.match(line))]
    last = max((place for place, (_, name) in enumerate(headers) if name.partition(".")[0] == kind), default=None)
    if last is None:
        return _at_the_end(text, kind, table)
    end = headers[last + 1][0] if last + 1 < len(headers) else len(lines)
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    above = "".join(lines[:end])
    below = "".join(lines[end:])
    gap = "\n" if below.strip() and not below.startswith(("\n", "\r")) else ""
    return f"{above.rstrip()}\n\n{as_toml(kind, table)}{gap}{below}"


def _at_the_end(text: str, kind: Kind, table: Mapping[str, Any]) -> str:
    return f"{text.rstrip()}\n\n{as_toml(kind, table)}" if text.strip() else as_toml(kind, table)


def _all_kept(before: str, after: str) -> bool:
    """Whether every line that says something stands in the new text too, in the same order."""
    lines = iter(line.rstrip() for line in after.splitlines())
    return all(any(line.rstrip() == other for other in lines) for line in before.splitlines() if line.strip())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _prove(house: House, written: Path, name: str, environ: Mapping[str, str]) -> None:
    """Read the new file as the program does at its start, and make the connector: it checks its own keys."""
    try:
        settings, origin = read_settings_file(written, environ)
        proved = replace(house, settings=settings, origin=origin)
        with contextlib.closing(home.connect(proved, name, home.clock(), environ=environ)):
            pass
    except ConfigurationError as error:
        said = str(error).replace(str(written), str(written.with_name(FILE)))
        raise ConfigurationError(f"nothing was written: {said}") from error


@contextlib.contextmanager
def beside(file: Path, content: bytes) -> Iterator[Path]:
    """A file of this content in the same folder, with the rights of `file`; it is gone afterwards."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(handle)
        _same_rights(file, draft)
        yield draft
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _same_rights(file: Path, draft: Path) -> None:
    shutil.copymode(file, draft)
    owner = file.stat()
    if (owner.st_uid, owner.st_gid) != (draft.stat().st_uid, draft.stat().st_gid):
        os.chown(draft, owner.st_uid, owner.st_gid)


@contextlib.contextmanager
def kept(file: Path, before: bytes, after: bytes) -> Iterator[None]:
    """Keep the file as it was under another name, and put it back when what follows does not come to its end."""
    with beside(file, before) as copy:
        copy.replace(file.with_name(BACKUP))
    try:
        yield
    except BaseException:
        if file.read_bytes() == after:
            with beside(file, before) as copy:
                copy.replace(file)
        raise


def renewed(house: House, environ: Mapping[str, str]) -> House:
    """The same house with the settings the file holds now."""
    settings, origin = read_settings(house.home, environ)
    return replace(house, settings=settings, origin=origin)


def _state(file: Path) -> tuple[int, ...]:
    """What differs once a file was edited or replaced."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _with_rights_of_now(house: House, environ: Mapping[str, str]) -> House:
    """The same house, but whom the edited file lets act: a right that was taken away is gone at the next step."""
    try:
        told = read_settings(house.home, environ)[0]
    except ConfigurationError as error:
        log.warning("the settings were edited but cannot be read: %s", error)
        return house
    rights = house.settings.sign_in.model_copy(update={"groups": told.sign_in.groups})
    return replace(house, settings=house.settings.model_copy(update={"actor": told.actor, "sign_in": rights}))


def renewal(environ: Mapping[str, str]) -> Callable[[House], House]:
    """How a long-lived process keeps up: gives the house with new settings once a page has changed them, else itself.

    An edit by hand counts from the next start on, or from the next change by a page; only who may act counts at once.
    """
    seen: list[str | None] = [None]
    files: list[Any] = []

    def renew(house: House) -> House:
        newest = newest_change(house.store)
        if newest is None or newest == seen[0]:
            file = _state(house.home / FILE)
            before, files[:] = files[:], [file]
            return house if before in ([], [file]) else _with_rights_of_now(house, environ)
        try:
            fresh = renewed(house, environ)
        except ConfigurationError as error:  # somebody edited it since: what was in force stays so
            log.warning("the settings were changed but cannot be read: %s", error)
            fresh = house
        seen[0] = newest
        return fresh

    return renew
