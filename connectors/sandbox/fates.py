"""What becomes of people after the day of building, where no story says it: left to luck, day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from connectors.sandbox import planting
from connectors.sandbox.landscape import landscape
from connectors.sandbox.people import Person, address
from connectors.sandbox.simulation import BERLIN, FATES, Company, midnight_after, next_use


def contract_ends(company: Company, number: str) -> None:
    """A contract is over: most are extended, some end properly, and some just run out."""
    person = company.people[number]
    luck = company.chance("contract", number, person.contract_end)
    fate = luck.random()
    day = company.at.astimezone(BERLIN).date()
    if fate < 0.7:
        until = day + timedelta(days=180)
        company.people[number] = replace(person, contract_end=until.isoformat())
        company.plan(company.at + timedelta(days=181), "contract_ends", number)
    elif fate < 0.9:
        company.people[number] = replace(person, part="leaver", last_day=day - timedelta(days=1))
        company.plan(company.at, "ended", number)


def day(company: Company, count: int) -> None:
    """An ordinary day after the day of building: who is hired, who moves, who leaves, who comes back."""
    luck = company.chance("day", count)
    today = company.at.astimezone(BERLIN).date()
    here = [p for p in company.people.values() if company.working(p) and p.part == "current"]
    happens = {what: luck.random() < chance for what, chance in FATES.items()}
    ordinary = [p for p in here if p.active_in is None and p.worker_type == "employee"]
    chosen = iter(luck.sample(ordinary, 3))
    if happens["leaves"]:
        person = replace(next(chosen), part="leaver", last_day=today)
        company.people[person.employee_id] = person
        company.plan(midnight_after(person), "ended", person.employee_id)
    if happens["moves"]:
        person, other = next(chosen), luck.choice(ordinary)
        company.plan(company.at + timedelta(hours=2), "moved", person.employee_id, other.department, other.title)
    if happens["goes on leave"]:
        number = next(chosen).employee_id
        company.plan(company.at, "absent", number)
        company.plan(company.at + timedelta(days=luck.randint(20, 120)), "returned", number)
    if happens["hired"]:
        _hire(company, luck.choice(ordinary))
    gone = [p for p in company.people.values() if company.left(p) and p.active_in is None]
    if happens["comes back"] and gone:
        _again(company, luck.choice(gone))
    company.plan(company.at + timedelta(days=1), "day", count + 1)


def _hire(company: Company, like: Person) -> None:
    """Somebody new, in the job of somebody who is here; they start today."""
    company.hired += 1
    number = str(20_000 + company.hired)
    luck = company.chance("hire", number)
    donor = luck.choice([p for p in company.people.values() if " " in p.name])
    name = f"{like.name.split(' ')[0]} {donor.name.split(' ', 1)[1]}"
    email = address(name, full=True)
    if any(p.email == email for p in company.people.values()):
        email = email.replace("@", f"{company.hired}@")
    today = company.at.astimezone(BERLIN).date()
    person = replace(
        like, employee_id=number, name=name, email=email, hired=today, part="current", active_in=None, last_day=None
    )
    company.people[number] = person
    _give_accounts(company, person)


def _again(company: Company, person: Person) -> None:
    """A rehire: the same person, from today; accounts that were closed are opened again where they are pushed."""
    today = company.at.astimezone(BERLIN).date()
    person = replace(person, part="current", last_day=None, hired=today)
    company.people[person.employee_id] = person
    for name, plot in landscape().items():
        for account in company.accounts_of(person.employee_id, name):
            if plot.pushed and account.status != "active":
                company.applications[name].set_status(account.id, "active", plot.ways[0])
            if account.status == "active":
                company.minds[name, account.id].abandoned = False
                company.plan(company.at + timedelta(hours=5), *next_use(person, name, account.id))


def _give_accounts(company: Company, person: Person) -> None:
    for plot in landscape().values():
        if planting.has(company, person, plot):
            at = max(planting.birth(company, person, plot), company.at + timedelta(minutes=1))
            company.plan(at, "born", person.employee_id, plot.name)
