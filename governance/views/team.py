"""My team's access: what one's own reports hold, and what of it hardly any peer holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlmodel import col, select

from governance.access import Actor
from governance.campaigns.population import EARLIER
from governance.campaigns.preparing import items_of, newest_run, open_findings
from governance.campaigns.recommending import Advice, advise
from governance.campaigns.scope import Scope
from governance.errors import DecisionError
from governance.house import House
from governance.tables import UNDER_WAY, Remediation
from governance.views import runs


@dataclass(frozen=True)
class Held:
    """One thing somebody can do, and what is advised about it."""

    facts: dict[str, Any]  # see campaigns.population
    advice: Advice

    @property
    def unusual(self) -> bool:
        """Whether something speaks against it."""
        return self.advice.recommendation in ("remove", "change")


@dataclass(frozen=True)
class Member:
    """One report with everything they hold."""

    identity_id: str
    name: str
    position: str
    employment: str
    held: tuple[Held, ...]

    @property
    def accounts(self) -> int:
        """How many accounts they can sign in to."""
        return len({(h.facts["application"], h.facts["account_id"]) for h in self.held})

    @property
    def privileged(self) -> int:
        """How much of it is privileged."""
        return sum(bool(h.facts["privileged"]) for h in self.held)

    @property
    def unusual(self) -> int:
        """How much of it something speaks against."""
        return sum(h.unusual for h in self.held)


def team(house: House, actor: Actor, now: datetime) -> list[Member]:
    """The actor's reports with what they hold, those with something unusual first. Empty for who manages nobody."""
    if not actor.reports or actor.left:
        return []
    run = runs.last_run(house)
    key = ("team", house.store.url, run.id if run else None, actor.email, tuple(sorted(actor.reports)), now.date())
    return runs.remembered(key, lambda: _team(house, actor, now))


def on_its_way(house: House, member: Member) -> dict[tuple[str, str, str | None], str]:
    """Of what they hold, what is to be taken away already: (application, account, entitlement) -> status of that."""
    accounts = sorted({held.facts["account_id"] for held in member.held})
    with house.store.read() as session:
        chosen = select(Remediation).where(
            col(Remediation.account_id).in_(accounts), col(Remediation.status).in_(UNDER_WAY)
        )
        return {(r.application, r.account_id, r.entitlement_id): r.status for r in session.exec(chosen)}


def _team(house: House, actor: Actor, now: datetime) -> list[Member]:
    try:
        with house.store.read() as session:
            run, findings = newest_run(session), open_findings(session)
    except DecisionError:
        return []
    scope = Scope(identities=tuple(sorted(actor.reports)))
    rows = items_of(house, run, scope, now, findings, pl.DataFrame(schema=EARLIER)).to_dicts()
    by: dict[str, list[Held]] = {}
    for facts, advice in zip(rows, advise(rows, house.settings.policy, now), strict=True):
        by.setdefault(facts["identity_id"], []).append(Held(facts, advice))
    made = [
        Member(
            identity_id=id,
            name=held[0].facts["identity_name"] or id,
            position=held[0].facts["position"] or "",
            employment=held[0].facts["employment"],
            held=tuple(
                sorted(held, key=lambda h: (not h.unusual, h.facts["application"], h.facts["entitlement"] or ""))
            ),
        )
        for id, held in by.items()
    ]
    return sorted(made, key=lambda m: (-m.unusual, -m.privileged, m.name))
