"""Evidence packs for pages: which there are, taking one with a line in the audit, and what is not proved yet."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns import EVIDENCE
from governance.errors import DecisionError
from governance.house import House
from governance.tables import UNDER_WAY, Campaign, EvidencePack, Remediation, Request

SHOWN = 200


def by_campaign(house: House, actor: Actor) -> dict[str, list[EvidencePack]]:
    """The packs of every campaign, the newest first."""
    demand(actor, Verb.READ, application="*", identity_id="*")
    found: dict[str, list[EvidencePack]] = {}
    with house.store.read() as session:
        for pack in session.exec(select(EvidencePack).order_by(col(EvidencePack.id).desc())):
            found.setdefault(pack.campaign, []).append(pack)
        session.expunge_all()
    return found


def taken(house: House, actor: Actor, now: datetime, id: str) -> bytes:
    """The file of one pack, for who may export; the audit notes who took it."""
    demand(actor, Verb.EXPORT)
    with house.store.read() as session:
        pack = session.get(EvidencePack, id)
    if pack is None or pack.path is None:
        raise DecisionError("this evidence is not built yet")
    content = (house.home / pack.path).read_bytes()
    with house.store.write() as session:
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="export",
            object=f"campaign/{pack.campaign}",
            facts={"sha256": pack.sha256},
        )
    return content


def ask(house: House, actor: Actor, now: datetime, campaign: str) -> EvidencePack:
    """Ask the worker for the evidence of a closed campaign, with what was proved since the last one."""
    demand(actor, Verb.EXPORT)
    with house.store.write() as session:
        row = session.get(Campaign, campaign)
        if row is None or row.status != "closed":
            raise DecisionError(
                f"campaign {campaign} is {row.status if row else 'not there'}: evidence is of closed ones"
            )
        pack = EvidencePack(id=str(ULID.from_datetime(now)), campaign=campaign, asked_by=actor.email, asked_at=now)
        session.add(pack)
        arguments = {"pack": pack.id}
        session.add(
            Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=EVIDENCE, arguments=arguments)
        )
        audit.append(session, now=now, actor=actor.email, verb="evidence.ask", object=f"campaign/{campaign}")
        session.flush()
        session.expunge(pack)
    return pack


def not_carried_out(house: House, actor: Actor) -> list[Remediation]:
    """Removals that reviews decided and nobody has proved, the oldest first."""
    demand(actor, Verb.READ, application="*", identity_id="*")
    chosen = select(Remediation).where(col(Remediation.campaign).is_not(None), col(Remediation.status).in_(UNDER_WAY))
    with house.store.read() as session:
        return list(session.exec(chosen.order_by(col(Remediation.proposed_at)).limit(SHOWN)))
