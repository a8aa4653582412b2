"""A role mapping out of what a system is set up to give: an identity provider's assignments, default groups.

A draft like any other: compared, and agreed to by a second person. What no line can say is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlmodel import col, select
from ulid import ULID

from governance.access import Actor, Verb, demand
from governance.errors import DecisionError
from governance.house import House
from governance.provisioning.mapping import Condition, Line, Operator, RoleMap
from governance.records import Assigned, Configured, Offer
from governance.store.chain import append
from governance.tables import Connector, Request

VERB: Final = "import"
CAPABILITY: Final = "mapping"


@dataclass(frozen=True)
class Imported:
    """The draft, and what the system does that no line of it says."""

    mapping: RoleMap
    left_out: tuple[str, ...]


def imported(told: Configured, live: RoleMap, names: Collection[str]) -> Imported:
    """What a system is set up to give, as lines in the place of those that are live.

    A line gives what `names` (the entitlements there are in the application) knows; where nothing is known of it, what
    the system surely gives is taken as it is called there. What whoever comes is given becomes the default; lines stay
    then. DecisionError when nothing of it gives anything.
    """
    known = {name.strip().casefold(): name for name in names}
    lines: list[Line] = []
    default: list[str] = []
    left_out = list(told.left_out)
    for one in told.assigned:
        gives, lacking = _gives(one, known)
        left_out += [f"{one.said}: {said} is no entitlement that was read" for said in lacking]
        if not gives and not lacking:
            left_out.append(f"{one.said}: it opens the application, and what it gives there is not told")
        elif gives and not one.attribute:
            default += [name for name in gives if name not in default]
        elif gives:
            lines.append(_line(one, gives))
    if default:
        left_out.append("the default is given to everybody new there, and here only where no line fits")
    if not lines and not default:
        why = f": {'; '.join(left_out)}" if left_out else ""
        raise DecisionError(f"nothing that is set up there gives anything{why}")
    mapping = replace(
        live,
        lines=tuple(dict.fromkeys(lines)) if lines else live.lines,
        default=tuple(default) if default else live.default,
        matching=("first" if told.first else "all") if lines else live.matching,
    )
    return Imported(mapping, tuple(dict.fromkeys(left_out)))


def _gives(one: Assigned, known: dict[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """Names of entitlements, and what is surely given and is none."""
    found: dict[str, None] = {}
    lacking = []
    for offer in one.offers:
        name = _known(offer, known)
        if name is not None:
            found[name] = None
        elif not offer.guessed:
            lacking.append(offer.said)
    return tuple(found), lacking


def _known(offer: Offer, known: dict[str, str]) -> str | None:
    """The entitlement it is; where none was read, the name that is surely given."""
    if not known:
        return None if offer.guessed else next(iter(offer.names), None)
    return next((known[key] for name in offer.names if (key := name.strip().casefold()) in known), None)


def _line(one: Assigned, gives: tuple[str, ...]) -> Line:
    operator: Operator = "equals" if len(one.values) == 1 else "in"
    return Line((Condition(one.attribute, one.values, operator, folded=False),), gives)


def importable(house: House, application: str) -> dict[str, str]:
    """Connected systems that tell what they give in an application: name -> title, identity providers first."""
    with house.store.read() as session:
        able = {row.name for row in session.exec(select(Connector)) if CAPABILITY in (row.capabilities or ())}
        family = dict(session.exec(select(Connector.name, Connector.family)).all())
    there = [a for a in house.settings.application if a.connector in able]
    told = [a for a in there if family[a.connector] == "identity provider" or a.name == application]
    return {a.name: a.label for a in sorted(told, key=lambda a: (a.name == application, a.label.casefold()))}


def ask_import(house: House, actor: Actor, now: datetime, application: str, provider: str) -> Request:
    """Ask the worker to read what a system is set up to give; it keeps that as a draft of the asking actor."""
    demand(actor, Verb.MAP, application=application)
    house.settings.application_named(application)
    if provider not in importable(house, application):
        raise DecisionError(f"{provider} does not tell what it gives in {application}; nothing was asked for")
    arguments = {"application": application, "from": provider}
    request = Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=VERB, arguments=arguments)
    with house.store.write() as session:
        session.add(request)
        append(
            session, now=now, actor=actor.email, verb="ask", object=f"{VERB}/{application}", facts={"from": provider}
        )
    return request


def asked(house: House, application: str) -> Request | None:
    """The newest such request for an application."""
    return next(_requests(house, application), None)


def _requests(house: House, application: str) -> Iterator[Request]:
    newest = select(Request).where(Request.verb == VERB).order_by(col(Request.id).desc()).limit(50)
    with house.store.read() as session:
        rows = list(session.exec(newest))
    return (row for row in rows if (row.arguments or {}).get("application") == application)
