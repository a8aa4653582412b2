"""What is truly wrong in the invented company, for tests to measure by; the product never reads it.

Judged from the lives of the people, not from what any vendor tells of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from connectors.sandbox.feeds import account_id as told_id
from connectors.sandbox.landscape import Plot, landscape
from connectors.sandbox.model import SandboxAccount
from connectors.sandbox.people import Person, malformed
from connectors.sandbox.simulation import BERLIN, Company, Mind, midnight_after, pushed

RULES: Final = (
    "ghost",
    "contract_expired",
    "login_after_leaving",
    "missing_from_source",
    "contradictory_source",
    "orphaned",
    "ambiguous_owner",
    "stale",
    "never_used",
    "over_privileged",
    "privilege_creep",
    "admin_without_mfa",
)
# Of these at most one is true of an account; the first that fits.
LIFECYCLE: Final = (
    "ghost",
    "contract_expired",
    "missing_from_source",
    "ambiguous_owner",
    "orphaned",
    "never_used",
    "stale",
)
STALE_DAYS: Final = {"ordinary": 90, "privileged": 30, "external": 45}
NEVER_USED_DAYS: Final = 14
EXTERNALS: Final = ("contingent", "vendor", "guest")


def truth(company: Company) -> dict[str, Any]:
    """Everything that is wrong now: rule -> [application, account id], and the figures of the story."""
    found: dict[str, list[list[str]]] = {rule: [] for rule in RULES}
    for (name, account_id), mind in company.minds.items():
        account = company.applications[name].accounts.get(account_id)
        if account is None or account.status == "deleted":
            continue
        wrong = _wrong(company, landscape()[name], account, mind)
        first = next((rule for rule in LIFECYCLE if rule in wrong), None)
        for rule in wrong:
            if rule not in LIFECYCLE or rule == first:
                found[rule].append([name, told_id(landscape()[name], account)])
    people = sorted(p.employee_id for p in company.people.values() if p.part == "contradictory")
    found["contradictory_source"] = [["hr", number] for number in people]
    return {
        "seed": company.seed,
        "built_at": _time(company.built_at),
        "at": _time(company.at),
        "people": sum(p.part != "missing" for p in company.people.values()),
        "quarantined": len(malformed(company.story_day)),
        **_story(company, found["ghost"]),
        "accounts": {name: len(a.accounts) for name, a in company.applications.items()},
        "events": {name: len(a.events) for name, a in company.applications.items()},
        "signed_sign_ins": company.signed,
        "counts": {rule: len(rows) for rule, rows in found.items()},
        "findings": {rule: sorted(rows) for rule, rows in found.items()},
        "leavers": _leavers(company),
    }


def _wrong(company: Company, plot: Plot, account: SandboxAccount, mind: Mind) -> list[str]:
    person = company.people.get(mind.owner) if mind.owner else None
    wrong = []
    active = account.status in ("active", "pending")
    if mind.expect and active:
        wrong.append(mind.expect)
    if person is not None and account.kind == "human":
        wrong += _of_owner(company, plot, account, person, active)
    held = company.applications[plot.name].held(account.id)
    privileged = {e.id for e in plot.entitlements if e.privileged} & {g.entitlement_id for g in held}
    if active and privileged and account.mfa is False:
        wrong.append("admin_without_mfa")
    return wrong


def _of_owner(company: Company, plot: Plot, account: SandboxAccount, person: Person, active: bool) -> list[str]:
    wrong = []
    if company.left(person):
        if account.last_seen_at and account.last_seen_at > midnight_after(person) + timedelta(minutes=5):
            wrong.append("login_after_leaving")
        return [*wrong, "ghost"] if active else wrong
    if not active:
        return []
    if person.part == "missing":
        return ["missing_from_source"] if company.at >= company.built_at else []
    if person.worker_type in EXTERNALS and _over(person.contract_end, company.at):
        wrong.append("contract_expired")
    beyond = _beyond(company, plot, account, person) if plot.governed else set()
    crept = beyond & _formerly_given(company, plot, person)
    wrong += ["privilege_creep"] * bool(crept) + ["over_privileged"] * bool(beyond - crept)
    if person.part == "leave" or not company.working(person):
        return wrong
    return [*wrong, *_unused(company, plot, account, person)]


def _unused(company: Company, plot: Plot, account: SandboxAccount, person: Person) -> list[str]:
    if account.last_seen_at is None:
        old = account.created_at <= company.at - timedelta(days=NEVER_USED_DAYS)
        return ["never_used"] if old else []
    names = {e.id for e in plot.entitlements if e.privileged}
    held = company.applications[plot.name].held(account.id)
    limits = [STALE_DAYS["ordinary"]]
    if any(g.entitlement_id in names for g in held):
        limits.append(STALE_DAYS["privileged"])
    if person.worker_type in EXTERNALS:
        limits.append(STALE_DAYS["external"])
    return ["stale"] if account.last_seen_at <= company.at - timedelta(days=min(limits)) else []


def _beyond(company: Company, plot: Plot, account: SandboxAccount, person: Person) -> set[str]:
    """What is held and governed, and that the right mapping does not give."""
    right = set(plot.right.gives(pushed(company, person, plot)).entitlements)
    governed = plot.right.named | set(plot.privileged)
    names = {e.id: e.name for e in plot.entitlements}
    held = {names[g.entitlement_id] for g in company.applications[plot.name].held(account.id)}
    return (held & governed) - right


def _formerly_given(company: Company, plot: Plot, person: Person) -> set[str]:
    """What the right mapping gave to who moved in the story, in the department they came from."""
    if person.part != "moved" or person.department == person.detail:
        return set()
    before = replace(person, department=person.detail)
    return set(plot.right.gives(pushed(company, before, plot)).entitlements)


def _over(contract_end: str, at: datetime) -> bool:
    if not contract_end:
        return False
    return date.fromisoformat(contract_end) < at.astimezone(BERLIN).date()


def _story(company: Company, ghosts: list[list[str]]) -> dict[str, Any]:
    """The sentence the demo opens with."""
    lately = [p for p in company.people.values() if company.left(p) and _days(company, p) <= 30]
    owners = [_owner(company, name, account) for name, account in ghosts]
    holding = {p.employee_id for p in lately} & set(owners)
    oldest = [_days(company, company.people[number]) for number in owners if number]
    return {
        "left": len(lately),
        "still_holding": len(holding),
        "open_accounts": len(ghosts),
        "oldest_days": max(oldest, default=0),
    }


def _owner(company: Company, name: str, told: str) -> str | None:
    plot = landscape()[name]
    found = (a for a in company.applications[name].accounts.values() if told_id(plot, a) == told)
    return company.minds[name, next(found).id].owner


def _leavers(company: Company) -> dict[str, Any]:
    """Of all who ever left: how many left something open behind."""
    gone = [p for p in company.people.values() if company.left(p)]
    behind = 0
    for person in gone:
        accounts = [a for name in landscape() for a in company.accounts_of(person.employee_id, name)]
        behind += any(account.status == "active" for account in accounts)
    return {"all": len(gone), "left_something": behind, "share": round(behind / max(len(gone), 1), 3)}


def _days(company: Company, person: Person) -> int:
    return (company.at - midnight_after(person)).days


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
