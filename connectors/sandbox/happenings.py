"""What can happen in the company. Each doing finds the company's clock at the instant it happens."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from connectors.sandbox import planting
from connectors.sandbox.fates import contract_ends, day
from connectors.sandbox.landscape import landscape
from connectors.sandbox.people import Person
from connectors.sandbox.simulation import (
    BERLIN,
    IDP,
    LEAVES_BEHIND,
    LOGS_REACH,
    TELL_EVENTS,
    Company,
    arrive,
    next_use,
    push_told,
    pushed,
    signed_in,
)

BY_HAND: Final = 0.006  # share of accounts that somebody made an administrator by hand
NEVER_SIGNS_IN: Final = 0.008  # share of pushed accounts nobody ever uses
ABANDONED: Final = 0.009  # share of old accounts that are used no more


def live(company: Company, until: datetime) -> None:
    """Let happen what is planned, up to that instant."""
    with company.lock:
        company.living = True
        try:
            while company.queue and company.queue[0][0] <= until:
                company.at, _, kind, about = heapq.heappop(company.queue)
                ALL[kind](company, *about)
        finally:
            company.living = False
        company.at = max(company.at, until)
        company.forget()


def born(company: Company, number: str, name: str) -> None:
    """An account comes to be: pushed, or made by the first sign-in."""
    person, plot = company.people[number], landscape()[name]
    early = person.part == "future" and company.at < company.built_at
    if not early and (company.left(person) or person.hired > company.at.astimezone(BERLIN).date()):
        return
    luck = company.chance("born", number, name)
    how = "imported" if early else plot.ways[0]
    assertion = pushed(company, person, plot) if how in ("scim", "imported") else signed_in(company, person, plot)
    account = arrive(company, person, assertion, how)
    if account is None:
        return
    mind = company.minds[name, account.id]
    if early:
        account.status = "pending"
        return
    if plot.privileged and luck.random() < BY_HAND:
        company.applications[name].grant(account.id, plot.entitlement(plot.privileged[0]), "by hand")
        account.mfa = luck.random() < 0.8
    if how in ("scim", "imported"):
        if luck.random() < NEVER_SIGNS_IN and person.active_in is None:
            mind.abandoned = True
            return
        company.plan(company.at + timedelta(days=luck.expovariate(0.5), hours=1), "use", number, name, account.id)
        return
    _used(company, person, name, account.id)


def use(company: Company, number: str, name: str, account_id: str) -> None:
    """Somebody signs in where they have signed in before."""
    person, plot = company.people[number], landscape()[name]
    application, mind = company.applications[name], company.minds[name, account_id]
    account = application.accounts.get(account_id)
    if account is None or account.status != "active" or mind.abandoned or company.left(person):
        return
    if person.part == "leave":
        company.plan(company.at + timedelta(days=5), "use", number, name, account_id)
        return
    if "jit" in plot.ways and mind.seen_as != f"{person.department}|{person.title}":
        after = arrive(company, person, signed_in(company, person, plot), "jit")
        if after is not None and after.id != account_id:  # met no account of theirs: a second one was made
            mind.abandoned = True
            account_id = after.id
    _used(company, person, name, account_id)


def _used(company: Company, person: Person, name: str, account_id: str) -> None:
    """The account was used just now; plan when it is used again."""
    plot, application = landscape()[name], company.applications[name]
    account, mind = application.accounts[account_id], company.minds[name, account_id]
    account.last_seen_at = company.at
    mind.used += 1
    if company.at >= company.built_at - LOGS_REACH:
        if plot.vendor in TELL_EVENTS:
            application.record("sign_in", account_id, account_id)
        if name != IDP and (there := company.accounts_of(person.employee_id, IDP)):
            company.applications[IDP].record("sso", there[0].id, there[0].id, target=plot.title)
            there[0].last_seen_at = company.at
    luck = company.chance("use", name, person.employee_id, mind.used)
    old = company.at < company.built_at - timedelta(days=15)
    if old and person.active_in is None and luck.random() < ABANDONED * plot.gap_days / 120:
        mind.abandoned = True
        return
    gap = plot.gap_days if person.worker_type == "employee" else plot.gap_days / 2
    begins = company.built_at - timedelta(days=120 + gap)
    since = max(company.at, begins)  # of the years before, one use is enough
    at = since + timedelta(days=luck.expovariate(1 / gap))
    if at.date() > since.date():
        at = planting.office(at.date(), luck.random())
    company.plan(at, *next_use(person, name, account_id))


def used_last(company: Company, number: str, name: str) -> None:
    """The last time somebody of the story used an account: with a password of its own, so also after leaving."""
    for account in company.accounts_of(number, name):
        account.last_seen_at = company.at
        company.minds[name, account.id].abandoned = True
        if landscape()[name].vendor in TELL_EVENTS:
            company.applications[name].record("sign_in", account.id, account.id)


def ended(company: Company, number: str) -> None:
    """An engagement has ended: what is pushed is closed at once, the rest by hand, and some of it is forgotten."""
    person = company.people[number]
    luck = company.chance("ended", number, person.last_day)
    behind = set(person.active_in or ())
    if person.active_in is None and luck.random() < LEAVES_BEHIND:
        open_ones = [n for n, p in landscape().items() if not p.pushed and company.accounts_of(number, n)]
        behind = set(luck.sample(open_ones, min(len(open_ones), luck.randint(1, 3))))
    for name, plot in landscape().items():
        if name not in behind:
            wait = timedelta(minutes=luck.randint(0, 9) if plot.pushed else luck.randint(20, 400))
            company.plan(company.at + wait, "closed", number, name)


def lapsed(company: Company, number: str) -> None:
    """An engagement is over in all but the HR system: closed where somebody noticed."""
    for name in landscape():
        if name not in (company.people[number].active_in or ()):
            company.plan(company.at + timedelta(minutes=5), "closed", number, name)


def closed(company: Company, number: str, name: str) -> None:
    """Somebody's accounts in one application are closed."""
    if not company.left(company.people[number]) and company.people[number].part == "leaver":
        return
    how = "suspended" if company.chance("closed", number, name).random() < 0.2 else "deactivated"
    for account in company.accounts_of(number, name):
        if account.status in ("active", "pending"):
            company.applications[name].set_status(account.id, how, landscape()[name].ways[0])
            if landscape()[name].ways[0] == "scim":
                push_told(company, number, landscape()[name], "deprovisioned")


def moved(company: Company, number: str, department: str, title: str) -> None:
    """Another department: pushed at once, told to the others at the next sign-in."""
    person = replace(company.people[number], department=department, title=title)
    company.people[number] = person
    _push(company, person)


def renamed(company: Company, number: str, name: str, email: str) -> None:
    """Another name and address."""
    person = replace(company.people[number], name=name, email=email)
    company.people[number] = person
    _push(company, person)
    given, _, family = name.partition(" ")
    for place, plot in landscape().items():
        if plot.pushed:
            for account in company.accounts_of(number, place):
                account.given, account.family, account.email = given, family, email
                account.username = email if "@" in account.username else account.username


def _push(company: Company, person: Person) -> None:
    for name, plot in landscape().items():
        if plot.pushed and company.accounts_of(person.employee_id, name):
            arrive(company, person, pushed(company, person, plot), plot.ways[0])


def absent(company: Company, number: str) -> None:
    """Somebody goes on leave."""
    company.people[number] = replace(company.people[number], part="leave")


def returned(company: Company, number: str) -> None:
    """Somebody is back from leave."""
    if company.people[number].part == "leave":
        company.people[number] = replace(company.people[number], part="current")


def joined(company: Company, number: str) -> None:
    """The first day of somebody who was announced."""
    person = company.people[number] = replace(company.people[number], part="current")
    for name in landscape():
        for account in company.accounts_of(number, name):
            if account.status == "pending":
                company.applications[name].set_status(account.id, "active", "imported")
                company.plan(company.at + timedelta(hours=4), *next_use(person, name, account.id))


def granted(company: Company, number: str, name: str, entitlement: str) -> None:
    """Something more than the job entitles to, given by hand."""
    for account in company.accounts_of(number, name):
        company.applications[name].grant(account.id, landscape()[name].entitlement(entitlement), "by hand")


ALL: Final[dict[str, Callable[..., None]]] = {
    doing.__name__: doing
    for doing in (
        born, use, used_last, ended, lapsed, closed, moved, renamed, absent, returned, joined, granted, contract_ends,
        day,
    )
}  # fmt: skip
