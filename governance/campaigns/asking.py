"""Asking for one removal outside of any review: a manager sees something nobody needs, and somebody else approves."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import polars as pl
from sqlmodel import col, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns.launching import frozen_facts
from governance.campaigns.population import EARLIER
from governance.campaigns.preparing import items_of, newest_run, open_findings
from governance.campaigns.recommending import advise
from governance.campaigns.scope import Scope
from governance.errors import DecisionError, FourEyesRequired
from governance.house import House
from governance.remediation import PROPOSED, propose_removals
from governance.tables import Campaign, Remediation, ReviewItem

ASKED: Final = "asked"  # the template of these: they stand in no list of reviews


def ask_removal(
    house: House,
    actor: Actor,
    now: datetime,
    application: str,
    account_id: str,
    entitlement_id: str | None,
    reason: str,
) -> Remediation:
    """Propose to take this entitlement (None: the account) away; somebody else must approve it.

    For whoever may propose about the owner or the application. DecisionError when the newest estate does not hold it or
    it may not be touched; it says why.
    """
    if not reason.strip():
        raise DecisionError("asking for a removal needs a reason")
    with house.store.read() as session:
        run = newest_run(session)
        findings = open_findings(session)
    level: Literal["accounts", "grants"] = "accounts" if entitlement_id is None else "grants"
    frame = items_of(
        house, run, Scope(items=level, applications=(application,)), now, findings, pl.DataFrame(schema=EARLIER)
    )
    own = frame.filter(
        pl.col("account_id") == account_id, pl.col("entitlement_id").eq_missing(pl.lit(entitlement_id))
    ).to_dicts()
    if not own:
        raise DecisionError(f"{application}/{account_id} does not hold that, as far as was read")
    item = own[0]
    demand(actor, Verb.PROPOSE, application=application, identity_id=item["identity_id"])
    if actor.identity_id is not None and actor.identity_id == item["identity_id"]:
        raise FourEyesRequired(f"this is {actor.email}'s own access: somebody else must ask for its removal")
    [advice] = advise([item], house.settings.policy, now)
    made = Campaign(
        id=str(ULID.from_datetime(now)),
        title=f"Removal asked for by {actor.email}",
        template=ASKED,
        status="closed",
        scope={},
        plan={},
        created_by=actor.email,
        created_at=now,
        launched_at=now,
        closed_by=actor.email,
        closed_at=now,
        run=run.id,
    )
    row = ReviewItem(
        campaign=made.id,
        number=1,
        **{name: item[name] for name in ("application", "account_id", "username", "entitlement_id", "entitlement")},
        **{name: item[name] for name in ("identity_id", "identity_name", "employment", "privileged", "critical")},
        position=item["position"] or "",
        facts=frozen_facts(item),
        recommendation=advice.recommendation,
        because=advice.because,
        first_recommendation=advice.recommendation,
        first_because=advice.because,
        reviewer=actor.email,
        via="asked for it",
        later=[],
        decision="remove",
        reason=reason.strip(),
        decided_by=actor.email,
        decided_at=now,
    )
    with house.store.write() as session:
        session.add(made)
        session.add(row)
        session.flush()
        [removal] = propose_removals(house, session, now, [row], f"{actor.name or actor.email} asked")
        if removal.outcome != PROPOSED:
            raise DecisionError(removal.outcome)
        row.outcome, row.remediation = removal.outcome, removal.remediation
        session.add(row)
        facts = {"application": application, "account_id": account_id, "entitlement_id": entitlement_id}
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="removal.ask",
            object=f"campaign/{made.id}",
            reason=reason,
            facts=facts,
        )
    with house.store.read() as session:
        return session.exec(select(Remediation).where(col(Remediation.id) == removal.remediation)).one()
