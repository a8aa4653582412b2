"""Reading what a system is set up to give, and keeping it as a draft of a role mapping."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from governance import mappings
from governance.access import Actor, Verb, demand
from governance.errors import NotSupported
from governance.house import House
from governance.mappings.importing import VERB, Imported, imported
from governance.tables import MappingVersion
from governance.views.mappings import everybody
from jobs import home
from jobs.work import recorded


def answer(house: House, arguments: Mapping[str, Any], by: str, environ: Mapping[str, str]) -> MappingVersion:
    """Do what a page asked for: the draft belongs to whoever asked."""
    actor = home.actor_named(house, by)
    return keep(house, actor, str(arguments.get("application")), str(arguments.get("from")), environ)[0]


def keep(
    house: House, actor: Actor, application: str, provider: str, environ: Mapping[str, str]
) -> tuple[MappingVersion, tuple[str, ...]]:
    """Read it and keep it as a draft; what no line can say stands in the job run and in the version."""
    demand(actor, Verb.MAP, application=application)
    with recorded(house, VERB, actor.email, provider) as running:
        found = read(house, application, provider, environ)
        running.counts |= {"lines": len(found.mapping.lines), "left_out": list(found.left_out)}
        told = {"from": provider, "left_out": list(found.left_out)}
        kept = mappings.save(
            house, actor, home.clock(), application, found.mapping, f"read from {provider}", imported=told
        )
    return kept, found.left_out


def read(house: House, application: str, provider: str, environ: Mapping[str, str]) -> Imported:
    """Ask the system, and hold what it says against the entitlements that were read of the application."""
    from connectors.kit.contract import TellsMapping

    own = house.settings.application_named(application)
    house.settings.application_named(provider)
    with contextlib.closing(home.connect(house, provider, home.clock(), environ=environ)) as connector:
        if not isinstance(connector, TellsMapping):
            raise NotSupported(f"{provider}: {connector.title} does not tell what it gives to whom")
        told = connector.configured(own)
    return imported(told, mappings.live(house, application), everybody(house, application).names)
