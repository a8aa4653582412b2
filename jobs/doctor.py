"""What `leaverwatch doctor` looks at: is everything there that a run needs."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from governance.access import Actor, find_actor
from governance.errors import ConfigurationError, LeaverwatchError, StoreError
from governance.house import House
from governance.rulebook import in_force
from governance.snapshots import believed, doubts, lost, make_root
from governance.tables import DetectRun, Snapshot
from jobs import home, work

CLOCK_TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at. `ok` None: nothing is wrong, but worth knowing."""

    what: str
    ok: bool | None
    says: str


def examine(house: House, now: datetime, environ: Mapping[str, str]) -> Iterator[Examined]:
    """Look at everything once; changes nothing in any application."""
    yield Examined("configuration", True, f"{house.home / 'leaverwatch.toml'}")
    yield from _rules(house)
    yield _store(house)
    yield _snapshots(house)
    yield _clock(house, now)
    yield _actors(house)
    yield from _feeds(house)
    for name in work.feed_names(house):
        yield from _reachable(house, name, now, environ)
        yield from _outdated(house, name, now)
    yield from _doubted(house)
    yield from _channels(house, environ)
    yield from _own_accounts(house)
    yield from _acting(house)


def _rules(house: House) -> Iterator[Examined]:
    """Rules of one's own, each tried over an estate with no row; nothing is said where there are none."""
    folder = house.home / "rules"
    own = sorted(path.stem for path in folder.glob("*.py") if not path.name.startswith("_")) if folder.is_dir() else []
    try:
        rules = house.rules
        in_force(rules, house.settings.policy, house.origin)
    except ConfigurationError as error:
        yield Examined("rules", False, str(error))
        return
    if own:
        yield Examined("rules", True, f"{len(rules)}, of them your own: {', '.join(own)}")


def _store(house: House) -> Examined:
    try:
        with house.store.read() as session:
            runs = len(session.exec(select(DetectRun.id).limit(1)).all())
        with house.store.write():
            pass
    except LeaverwatchError as error:
        return Examined("store", False, str(error))
    return Examined(
        "store", True, f"{house.store.name} can be written" + ("" if runs else "; nothing was detected yet")
    )


def _snapshots(house: House) -> Examined:
    probe = house.snapshots / f".doctor-{secrets.token_hex(4)}"
    try:
        make_root(house)
        probe.touch()
        probe.unlink()
        free = os.statvfs(house.snapshots)
    except OSError as error:
        return Examined("snapshots", False, f"{house.snapshots} cannot be written: {error.strerror}")
    except LeaverwatchError as error:
        return Examined("snapshots", False, str(error))
    with house.store.read() as session:
        newest = [believed(session, feed.name) for feed in house.settings.feeds]
    folders = [house.snapshots / name for name in (*(feed.name for feed in house.settings.feeds), "estates")]
    if closed := [str(folder) for folder in folders if folder.exists() and not os.access(folder, os.W_OK | os.X_OK)]:
        return Examined("snapshots", False, f"{', '.join(closed)} cannot be written: another user made it")
    try:
        missing = [why for one in newest if one and (why := lost(house, one))]
    except LeaverwatchError as error:
        missing = [str(error)]
    if missing:
        return Examined("snapshots", False, "; ".join(missing))
    gib = free.f_bavail * free.f_frsize / 2**30
    says = f"{house.snapshots} can be written, {gib:,.1f} GiB are free"
    if gib >= 0.5 and all(place.stat().st_mode & 0o005 for place in (house.home, house.snapshots)):
        return Examined("snapshots", None, f"{says}; anybody on this machine can read it: chmod 700 {house.snapshots}")
    return Examined("snapshots", gib >= 0.5, says)


def _clock(house: House, now: datetime) -> Examined:
    with house.store.read() as session:
        last = session.exec(select(Snapshot.pulled_at).order_by(col(Snapshot.pulled_at).desc()).limit(1)).first()
    if last is not None and last > now + CLOCK_TOLERANCE:
        said = f"{now:%Y-%m-%d %H:%M}Z is before the last pull ({last:%Y-%m-%d %H:%M}Z): set the clock right; if it was"
        return Examined(
            "clock", False, f"{said} ahead at that pull, restore a backup from before (leaverwatch restore)"
        )
    return Examined("clock", True, f"{now:%Y-%m-%d %H:%M:%S}Z")


def _actors(house: House) -> Examined:
    approvers = [a for a in house.settings.actor if {"security", "approver"} & set(a.roles)]
    if house.settings.sign_in.provider and house.settings.sign_in.groups:
        return Examined("actors", True, "people sign in; their groups at the provider give their roles")
    if len(house.settings.actor) < 2 or not approvers:
        return Examined("actors", None, "fewer than two [[actor]]s: nobody can approve what another proposed")
    return Examined("actors", True, f"{len(house.settings.actor)} may act, {len(approvers)} may approve anything")


def _answering(house: House) -> list[Actor]:
    """Whoever may answer as the owner of an application, or as an admin, known under all their addresses."""
    try:
        people = home.identities_told(house)
    except StoreError:  # what cannot be read is told of the snapshots
        people = None
    return [
        find_actor(house.settings, entry.email, None if people is None else lambda: people)
        for entry in house.settings.actor
        if {"application_owner", "admin"} & set(entry.roles) and entry.email.strip()
    ]


def _feeds(house: House) -> Iterator[Examined]:
    """What nobody has named yet; nothing is said where there is a source and an application."""
    if not house.settings.source:
        yield Examined("sources", None, "no [[source]] names who works here: nobody can be called a leaver")
    if not house.settings.application:
        yield Examined("applications", None, "no [[application]] is named: there is no account to look at")
    answering = [] if house.settings.sign_in.groups else _answering(house)
    for application in house.settings.application:
        answers = house.settings.sign_in.groups or any(actor.is_same(application.owner) for actor in answering)
        if application.owner and not answers:
            said = f"{application.owner} is no application_owner among [[actor]]: an admin notes their tasks as done"
            yield Examined(f"owner of {application.name}", None, said)


def _reachable(house: House, name: str, now: datetime, environ: Mapping[str, str]) -> Iterator[Examined]:
    try:
        with contextlib.closing(home.connect(house, name, now, environ=environ)) as connector:
            checked = connector.check()
    except LeaverwatchError as error:
        yield Examined(f"feed {name}", False, f"{type(error).__name__}: {error}")
        return
    yield Examined(f"feed {name}", True, "; ".join(("can be read", *checked.notes)))
    if checked.missing:
        yield Examined(f"rights of {name}", None, f"missing: {', '.join(checked.missing)}")
    if checked.excess:
        yield Examined(f"rights of {name}", None, f"more than needed: {', '.join(checked.excess)}")


def _channels(house: House, environ: Mapping[str, str]) -> Iterator[Examined]:
    """Whether the address and the secrets of each channel are there; whether it takes anything only a test tells."""
    from jobs.delivery import line

    for channel in house.settings.notify.channel:
        try:
            line(house, channel, environ)
        except LeaverwatchError as error:
            yield Examined(f"channel {channel.name}", False, str(error))
        else:
            yield Examined(f"channel {channel.name}", True, f"{channel.kind}; leaverwatch notices test sends over it")


def _own_accounts(house: House) -> Iterator[Examined]:
    with house.store.read() as session:
        summary = session.exec(select(DetectRun.summary).order_by(col(DetectRun.id).desc()).limit(1)).first()
    for application, why in sorted(((summary or {}).get("own_accounts") or {}).items()):
        yield Examined(f"own account of {application}", False, why)


def _outdated(house: House, name: str, now: datetime) -> Iterator[Examined]:
    from governance.snapshots import believed

    limit = house.settings.feed(name).outdated_after
    with house.store.read() as session:
        snapshot = believed(session, name)
    if snapshot is None:
        yield Examined(f"age of {name}", None, "was never pulled")
    elif now - snapshot.at > limit:
        yield Examined(f"age of {name}", False, f"outdated: what is believed is of {snapshot.at:%Y-%m-%d %H:%M}Z")


def _doubted(house: House) -> Iterator[Examined]:
    with house.store.read() as session:
        found = doubts(session, house.settings.feeds)
    for name, doubt in found.items():
        yield Examined(f"absences in {name}", False, doubt.says)


def _acting(house: House) -> Iterator[Examined]:
    from governance.remediation import offered
    from jobs.declarations import declaration

    act = house.settings.act
    if not act.enabled:
        yield Examined("write access", None, "[act] enabled is off: nothing is changed anywhere")
        return
    for application in house.settings.application:
        try:
            declared = declaration(application.connector)
        except ConfigurationError:
            continue  # said already where the feed was looked at
        if "deactivate" not in offered(declared, application):
            yield Examined(f"write access to {application.name}", None, "closing an account is a task for its owner")
        elif home.WRITE_CREDENTIAL not in application.options:
            yield Examined(f"write access to {application.name}", None, "no write_token: this application is read-only")
        else:
            yield Examined(f"write access to {application.name}", True, f"at most {act.max_per_run} accounts a run")
