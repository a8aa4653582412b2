"""Role mappings as versions: drafted, asked for, agreed to by a second person, live, and replaced.

What is live stands in the settings. The worker writes an approved version there; whoever edits the file makes a version
too, noted as the operator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, select
from ulid import ULID

from governance.access import Actor, Verb, demand
from governance.configuring import VERB, not_writable
from governance.correlation import fold
from governance.errors import ConfigurationError, DecisionError, NotAllowed
from governance.house import House
from governance.provisioning.coverage import role_maps
from governance.provisioning.mapping import RoleMap
from governance.provisioning.written import digest, document, role_map, undocumented
from governance.store.chain import append
from governance.tables import MappingVersion, Request

OPERATOR: Final = "operator"
IMPORTED: Final = "imported"  # in `changes`: {"from": provider, "left_out": [...]}
OPEN: Final = ("draft", "waiting", "approved")


def live(house: House, application: str) -> RoleMap:
    """The role mapping in force; without a line when the settings write none."""
    house.settings.application_named(application)
    return role_map(house.settings, application)


def history(house: House, application: str | None = None) -> list[MappingVersion]:
    """Every version, the newest first."""
    query = select(MappingVersion).order_by(col(MappingVersion.application), col(MappingVersion.number).desc())
    if application is not None:
        query = query.where(MappingVersion.application == application)
    with house.store.read() as session:
        return list(session.exec(query))


def version(house: House, id: str) -> MappingVersion:
    """The version with this id, or `APPLICATION/NUMBER`; DecisionError when there is none."""
    with house.store.read() as session:
        return _found(session, id)


def mapping_of(kept: MappingVersion) -> RoleMap:
    """The mapping a version holds."""
    return undocumented(kept.content, kept.application)


def save(
    house: House,
    actor: Actor,
    now: datetime,
    application: str,
    mapping: RoleMap,
    reason: str = "",
    imported: Mapping[str, Any] | None = None,
) -> MappingVersion:
    """Keep a draft: one's own open draft of this application is overwritten, else it is a new version.

    `imported`: from where it was read, and what there could not become a line; kept with the version to its end.
    """
    demand(actor, Verb.MAP, application=application)
    base = live(house, application)
    checked = undocumented(document(mapping), application)
    if checked == base:
        raise DecisionError(f"this is the role mapping of {application} already; nothing was kept")
    with house.store.write() as session:
        kept = session.exec(
            select(MappingVersion).where(
                MappingVersion.application == application,
                MappingVersion.status == "draft",
                MappingVersion.actor == actor.email,
            )
        ).first()
        if kept is None:
            number = _next(session, application)
            kept = MappingVersion(
                id=str(ULID.from_datetime(now)), application=application, number=number, status="draft"
            )
        same = kept.digest == digest(checked)
        read = dict(imported) if imported is not None else (kept.changes or {}).get(IMPORTED) if same else None
        kept.content, kept.digest, kept.base = document(checked), digest(checked), digest(base)
        kept.at, kept.actor, kept.reason, kept.changes = now, actor.email, reason.strip(), {}
        if read is not None:
            kept.changes = {IMPORTED: read}
        session.add(kept)
        session.flush()
        _audit(session, now, actor.email, "draft", kept, reason)
    return kept


def ask(
    house: House, actor: Actor, now: datetime, id: str, reason: str, changes: Mapping[str, Any] | None = None
) -> MappingVersion:
    """Ask a second person to agree to one's own draft. `changes`: what it changes for how many, as it was shown."""
    if not reason.strip():
        raise DecisionError("a change of a role mapping needs a reason; nothing was asked for")
    with house.store.write() as session:
        kept = _found(session, id)
        demand(actor, Verb.MAP, application=kept.application)
        if kept.status != "draft":
            raise DecisionError(f"{label(kept)} is {kept.status}: only a draft can be asked for")
        if fold(kept.actor) != fold(actor.email):
            raise NotAllowed(f"{label(kept)} is {kept.actor}'s draft; save it as your own first")
        _still_on_top(house, kept)
        read = {key: told for key, told in (kept.changes or {}).items() if key == IMPORTED}
        kept.status, kept.reason, kept.at, kept.changes = "waiting", reason.strip(), now, {**read, **(changes or {})}
        session.add(kept)
        _audit(session, now, actor.email, "ask", kept, reason)
    return kept


def agree(house: House, actor: Actor, now: datetime, id: str, reason: str) -> MappingVersion:
    """Agree to somebody else's version; the worker then writes it into the settings."""
    return _decide(house, actor, now, id, reason, agrees=True)


def reject(house: House, actor: Actor, now: datetime, id: str, reason: str) -> MappingVersion:
    """Refuse a version that waits; whoever asked may withdraw their own that way."""
    return _decide(house, actor, now, id, reason, agrees=False)


def _decide(house: House, actor: Actor, now: datetime, id: str, reason: str, *, agrees: bool) -> MappingVersion:
    if not reason.strip():
        raise DecisionError("a decision about a role mapping needs a reason; nothing was decided")
    with house.store.write() as session:
        kept = _found(session, id)
        demand(actor, Verb.MAP, application=kept.application)
        own = actor.is_same(kept.actor)
        if kept.status not in (("waiting",) if agrees else OPEN):
            raise DecisionError(f"{label(kept)} is {kept.status}: there is nothing to decide")
        if agrees and own:
            raise NotAllowed("a second person must agree: nobody approves their own change of a role mapping")
        if agrees:
            _still_on_top(house, kept)
            if why := not_writable(house.home):
                raise ConfigurationError(f"{house.home}: {why}")
        kept.status = "approved" if agrees else ("withdrawn" if own else "rejected")
        kept.decided_at, kept.decided_by, kept.decided_why = now, actor.email, reason.strip()
        session.add(kept)
        _audit(session, now, actor.email, "approve" if agrees else "reject", kept, reason)
        if agrees:
            asked = {"mapping": kept.id, "reason": kept.reason}
            session.add(Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=VERB, arguments=asked))
    return kept


def bring_in(session: Session, kept: MappingVersion, now: datetime) -> None:
    """Note in the caller's transaction that an approved version is live, and the one before it is not any more."""
    for other in session.exec(_of_status(kept.application, "live")):
        other.status, other.ended_at = "replaced", now
        session.add(other)
    kept.status, kept.live_at = "live", now
    session.add(kept)
    session.flush()
    _audit(session, now, kept.decided_by or OPERATOR, VERB, kept, kept.reason)


def writing(house: House, id: str) -> Request | None:
    """The newest request to write this version into the settings, whatever became of it."""
    newest = select(Request).where(Request.verb == VERB).order_by(col(Request.id).desc()).limit(50)
    with house.store.read() as session:
        return next((row for row in session.exec(newest) if (row.arguments or {}).get("mapping") == id), None)


def note(house: House, now: datetime) -> list[MappingVersion]:
    """Keep every mapping in force as a version if it is a new one: somebody edited the file.

    The first one of an application is no change, so it stands in no audit.
    """
    current = {name: (digest(table), table) for name, table in role_maps(house.settings).items()}
    with house.store.read() as session:
        if _known(session) == {name: found for name, (found, _) in current.items()}:
            return []
    made = []
    with house.store.write() as session:
        known = _known(session)
        for name in sorted({*known, *current}):
            found, table = current.get(name, ("", None))
            if known.get(name, "") == found:
                continue
            for other in session.exec(_of_status(name, "live")):
                other.status, other.ended_at = "replaced", now
                session.add(other)
            if table is None:
                continue
            number = _next(session, name)
            kept = MappingVersion(
                id=str(ULID.from_datetime(now)), application=name, number=number, status="live",
                content=document(table), digest=found, base=known.get(name, ""), at=now, live_at=now, actor=OPERATOR,
                reason="" if number == 1 else "the settings were edited", changes={},
            )  # fmt: skip
            session.add(kept)
            session.flush()
            if number > 1:
                _audit(session, now, OPERATOR, VERB, kept, kept.reason)
            made.append(kept)
    return made


def earlier(house: House, application: str) -> RoleMap | None:
    """The mapping that was live before the one that is; None when there was none."""
    for kept in history(house, application):
        if kept.status == "replaced":
            return mapping_of(kept)
    return None


def label(kept: MappingVersion) -> str:
    """A version for people: `version 8 of crm`."""
    return f"version {kept.number} of {kept.application}"


def _still_on_top(house: House, kept: MappingVersion) -> None:
    if digest(live(house, kept.application)) != kept.base:
        raise DecisionError(
            f"the role mapping of {kept.application} changed since {label(kept)} was drafted: compare it again and save"
            " it anew"
        )


def _known(session: Session) -> dict[str, str]:
    rows = session.exec(select(MappingVersion).where(MappingVersion.status == "live"))
    return {row.application: row.digest for row in rows}


def _of_status(application: str, status: str) -> Any:
    return select(MappingVersion).where(MappingVersion.application == application, MappingVersion.status == status)


def _next(session: Session, application: str) -> int:
    newest = select(func.max(MappingVersion.number)).where(MappingVersion.application == application)
    return (session.exec(newest).one() or 0) + 1


def _found(session: Session, id: str) -> MappingVersion:
    kept = session.get(MappingVersion, id)
    if kept is None and "/" in id:
        application, _, number = id.rpartition("/")
        if number.isdecimal():
            query = select(MappingVersion).where(
                MappingVersion.application == application, MappingVersion.number == int(number)
            )
            kept = session.exec(query).first()
    if kept is None:
        raise DecisionError(f"no version of a role mapping is {id!r}; `leaverwatch mapping list` shows them")
    return kept


def _audit(session: Session, now: datetime, actor: str, verb: str, kept: MappingVersion, reason: str) -> None:
    facts = {"digest": kept.digest, "base": kept.base, "status": kept.status, "content": kept.content}
    of = f"mapping/{kept.application}/{kept.number}"
    append(session, now=now, actor=actor, verb=verb, object=of, reason=reason.strip(), facts=facts)
