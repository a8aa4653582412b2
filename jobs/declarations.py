"""What connectors declare, written into the store: pages draw forms and tables of capabilities from there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from sqlmodel import select

from connectors.kit.contract import connector_class, connector_names
from governance.tables import Connector

if TYPE_CHECKING:
    from governance.house import House

_NAMES: Final = select(Connector.name)


def declare(house: House) -> None:
    """Write down what every connector of this program declares, where the store says anything else."""
    declared = [declaration(name) for name in connector_names()]
    with house.store.read() as session:
        known = {row.name: row.model_dump() for row in session.exec(select(Connector))}
    if known != {row.name: row.model_dump() for row in declared}:
        with house.store.write() as session:
            for row in session.exec(select(Connector)):
                session.delete(row)
            session.flush()
            session.add_all(declared)


def declare_missing(house: House, names: Iterable[str]) -> bool:
    """Write down what these connectors declare as far as the store knows nothing of them; imports no other.

    Says whether the store did not know one. A name that no connector has is left alone: its pull says so.
    """
    with house.store.read() as session:
        known = set(session.exec(_NAMES))
    missing = sorted((set(names) - known) & set(connector_names()))
    if missing:
        declared = [declaration(name) for name in missing]
        with house.store.write() as session:
            known = set(session.exec(_NAMES))  # another process may have been faster
            session.add_all(row for row in declared if row.name not in known)
    return bool(missing)


def declare_again(house: House, names: Iterable[str]) -> None:
    """Write down what these connectors declare now, where the store says otherwise, as after an upgrade; adds none.

    For whoever loads them anyway: where nothing but commands runs, nobody else would ever write it down.
    """
    with house.store.read() as session:
        known = {row.name: row.model_dump() for row in session.exec(select(Connector))}
    declared = [declaration(name) for name in sorted(set(names) & set(known) & set(connector_names()))]
    changed = [row for row in declared if row.model_dump() != known[row.name]]
    if changed:
        with house.store.write() as session:
            for row in changed:
                session.merge(row)


def declaration(name: str) -> Connector:
    """What the connector of that name declares, as a row; ConfigurationError when there is none."""
    kind = connector_class(name)
    return Connector(
        name=name,
        title=kind.title,
        kind=kind.kind,
        fields=[
            {**asdict(field), "needed_for": list(field.needed_for), "rules_out": list(field.rules_out)}
            for field in kind.fields
        ],
        capabilities=list(kind.capabilities()),
        tells=sorted(kind.tells),
        scopes={capability: list(scopes) for capability, scopes in kind.scopes.items()},
        plans=list(kind.plans),
        covers=list(kind.covers),
        limits=[
            *(asdict(limit) for limit in kind.limits),
            *({**asdict(manner), "steps": list(manner.steps)} for manner in kind.manners),
        ],
        family="hr" if kind.kind == "source" else kind.family,
    )
