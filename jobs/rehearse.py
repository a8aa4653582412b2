"""Rehearse: what a run would do, by the same plan and with the accounts as they are now. Nothing here can write."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime

from governance import remediation
from governance.errors import ConfigurationError, DecisionError, FeedError, NotSupported, RemediationError
from governance.house import House
from governance.remediation import Plan
from governance.tables import Remediation
from jobs.outcomes import Connect, Outcome, by_application, not_done, outcome_of


def rehearse(house: House, connect: Connect, now: datetime, plan: Plan, *, whole: bool) -> list[Outcome]:
    """What a run would do, with the accounts as they are now; no connector here can write."""
    over = [share for share in plan.shares if share.over]
    if over and not whole:
        raise remediation.too_many(over)
    stays = {id for share in over for id in share.ids}
    outcomes = [not_done(plan.approved[id], error) for id, error in plan.refused.items()]
    closed: set[tuple[str, str]] = set()  # two remediations may be about one account: the first closes it
    for application, own in by_application(plan):
        tasks = [r for r in own if r.id not in stays and r.action == "manual"]
        outcomes += [replace(outcome_of(r, call=False), status="planned") for r in tasks]
        wanted = [r for r in own if r.id not in stays and r.action != "manual"]
        if wanted:
            outcomes += _rehearse_one(house, connect, now, application, wanted, plan, closed)
    if over:
        raise remediation.too_many(over)
    if plan.held:
        raise remediation.stopped(plan.held)
    return outcomes


def _rehearse_one(
    house: House,
    connect: Connect,
    now: datetime,
    application: str,
    own: list[Remediation],
    plan: Plan,
    closed: set[tuple[str, str]],
) -> list[Outcome]:
    from connectors.kit.contract import CanDeactivate

    outcomes: list[Outcome] = []
    try:
        with closing(connect(application, False)) as connector:
            if not isinstance(connector, CanDeactivate):
                error = NotSupported(f"{application} cannot be changed from here")
                return [not_done(r, error) for r in own]
            for r in own:
                live = connector.account(r.account_id)
                if live is None or live.active is False or (r.application, r.account_id) in closed:
                    outcomes.append(replace(outcome_of(r, call=False), status="verified"))
                    continue
                try:
                    remediation.last_look(house, now, r, live, plan.facts)
                except (DecisionError, RemediationError) as refusal:
                    outcomes.append(not_done(r, refusal))
                else:
                    if r.action == "deactivate":
                        closed.add((r.application, r.account_id))
                    outcomes.append(replace(outcome_of(r, call=True), status="planned"))
    except (FeedError, ConfigurationError) as error:
        outcomes += [outcome_of(r, call=False, message=str(error)) for r in own[len(outcomes) :]]
    return outcomes
