"""The one place that turns a folder and an environment into a house, a connector or an actor, and the only clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from governance.errors import ConfigurationError, StoreError
from governance.settings import Secret, Settings
from jobs.configuration import as_it_was_set, find_home, read_settings

if TYPE_CHECKING:
    from connectors.kit.contract import Connector
    from governance.access import Actor
    from governance.house import House
    from governance.store import Store

__all__ = [
    "actor_named",
    "announce",
    "audit_act",
    "clock",
    "connect",
    "find_home",
    "identities",
    "identities_told",
    "open_house",
    "read_settings",
    "secret",
    "store_url",
]

KEY_VARIABLE: Final = "LEAVERWATCH_KEY"
WRITE_CREDENTIAL: Final = "write_token"


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def open_house(folder: Path, environ: Mapping[str, str], now: datetime) -> House:
    """The house kept in that folder: settings read, store opened and migrated."""
    from governance.house import House
    from governance.store import open_store

    settings, origin = read_settings(folder, environ)
    try:
        snapshots, url = _snapshots(settings, folder), store_url(settings, folder, environ)
    except ConfigurationError as error:
        raise as_it_was_set(error, origin) from error
    return House(
        home=folder,
        settings=settings,
        store=open_store(url, folder, now),
        snapshots=snapshots,
        origin=origin,
        key=environ.get(KEY_VARIABLE),
    )


def store_url(settings: Settings, home: Path, environ: Mapping[str, str]) -> str:
    """Where the store is, the secret resolved if its address is one."""
    url = settings.store.url
    if isinstance(url, str):
        return url
    if url.store is not None:
        raise ConfigurationError("leaverwatch.toml: store.url: the address of the store cannot be kept in the store")
    return secret(url, home, environ, None, "store.url")


def _snapshots(settings: Settings, home: Path) -> Path:
    url = settings.snapshots.url
    if "://" in url and not url.startswith("file://"):
        raise ConfigurationError(
            f"leaverwatch.toml: snapshots.url: expected a folder, not {url.split('://')[0]}://…; object stores are not"
            " supported, a folder that several machines share is"
        )
    return home / url.removeprefix("file://")


def secret(place: Secret, home: Path, environ: Mapping[str, str], store: Store | None, key: str) -> str:
    """The secret kept at that place; ConfigurationError names the place, never the value."""
    if place.env is not None:
        value = environ.get(place.env, "")
        where = f"the environment variable {place.env}"
    elif place.file is not None:
        path = home / Path(place.file).expanduser()
        where = f"the file {path}"
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"leaverwatch.toml: {key}: {where} cannot be read") from error
    else:
        from governance import secrets

        where = f"the stored secret {place.store!r}"
        if store is None:
            raise ConfigurationError(f"leaverwatch.toml: {key}: {where} needs an open store")
        value = secrets.get(store, home, str(place.store), key=environ.get(KEY_VARIABLE))
    if not value:
        raise ConfigurationError(f"leaverwatch.toml: {key}: {where} is empty or not set")
    return value


def connect(
    house: House, name: str, now: datetime, write: bool = False, environ: Mapping[str, str] = os.environ
) -> Connector:
    """The connector of that feed, ready to read; able to write only when asked, [act] is on and it has a credential."""
    try:
        return _connected(house, name, now, write, environ)
    except ConfigurationError as error:
        raise as_it_was_set(error, house.origin) from error


def _connected(house: House, name: str, now: datetime, write: bool, environ: Mapping[str, str]) -> Connector:
    from connectors.kit.contract import Circumstances, connector_class

    feed = house.settings.feed(name)
    kind = connector_class(feed.connector)
    may_write = write and house.settings.act.enabled and WRITE_CREDENTIAL in feed.options
    secrets = {}
    for field in kind.fields:
        place = feed.options.get(field.name)
        if field.kind != "secret" or place is None or (field.name == WRITE_CREDENTIAL and not may_write):
            continue
        key = f"{feed.name}.{field.name}"
        secrets[field.name] = secret(_place(place, key), house.home, environ, house.store, key)
    given = Circumstances(
        now=now,
        home=house.home,
        secrets=secrets,
        write=may_write,
        deadline_s=feed.deadline.total_seconds(),
        limit_share=feed.limit_share,
    )
    return kind(feed, given)


def _place(given: Any, key: str) -> Secret:
    if not isinstance(given, dict):
        raise ConfigurationError(
            f'leaverwatch.toml: {key}: a secret is never written here; expected {{ env = "NAME" }},'
            ' { file = "PATH" } or { store = "NAME" }'
        )
    try:
        return Secret.model_validate(given)
    except ValueError as error:
        raise ConfigurationError(f"leaverwatch.toml: {key}: expected exactly one of env, file or store") from error


def actor_named(house: House, email: str, known: Callable[[House], Any] | None = None) -> Actor:
    """The actor with this e-mail, as the newest estate or else `known` has them; NotAllowed when nobody knows them."""
    from governance import sessions
    from governance.access import find_actor

    if email == sessions.LOCAL and sessions.may_link(house.settings):
        return sessions.local_administrator()
    people = (known or identities)(house)
    groups = sessions.groups_of(house, email, clock())
    return find_actor(house.settings, email, None if people is None else lambda: people, groups)


def identities(house: House) -> Any:
    """Every identity of the newest stored estate as a lazy frame; None before the first detect run."""
    from governance.snapshots import newest_estate

    with house.store.read() as session:
        estate = newest_estate(house, session)
    if estate is None:
        return None
    import polars as pl

    return pl.scan_parquet(estate / "identities.parquet")


def identities_told(house: House) -> Any:
    """The same; while the newest estate is lost, what each source of truth told last; None when that is lost, too.

    Nothing is judged, and no estate written, before the guard lets go of what was read in the place of lost snapshots:
    whoever releases it must be found without.
    """
    from governance.snapshots import last_told

    try:
        return identities(house)
    except StoreError:
        return last_told(house, clock())


def announce(house: House, now: datetime) -> None:
    """Write down what is in force at start: the connectors' declarations, [act] and the policy when they changed.

    ConfigurationError when a rule of one's own cannot be used: whoever starts is told at once.
    """
    from governance import mappings, policies
    from governance.rulebook import in_force
    from jobs.declarations import declare

    in_force(house.rules, house.settings.policy, house.origin)
    declare(house)
    audit_act(house, now)
    policies.note(house, now)
    mappings.note(house, now)


def audit_act(house: House, now: datetime) -> None:
    """Audit a change of [act]: the operator's edit of a file, so its actor is the file it came from."""
    from sqlmodel import col, select

    from governance import audit
    from governance.tables import AuditEntry

    act = house.settings.act
    said = f"enabled = {str(act.enabled).lower()}, max_per_run = {act.max_per_run}, max_share = {act.max_share:g}"
    last = select(AuditEntry.reason).where(AuditEntry.verb == "configure", AuditEntry.object == "act")
    newest = last.order_by(col(AuditEntry.seq).desc()).limit(1)
    with house.store.read() as session:
        before = session.exec(newest).first()
    if before == said or (before is None and not act.enabled):
        return
    with house.store.write() as session:
        if session.exec(newest).first() != said:  # another process may have been faster
            file = house.origin.get("act.enabled", "the defaults")
            audit.append(
                session, now=now, actor="operator", verb="configure", object="act", reason=said, facts={"from": file}
            )
