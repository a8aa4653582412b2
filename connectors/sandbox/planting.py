"""What is planned when the company is founded: everybody's accounts, and the fates of the people of the story."""

from __future__ import annotations

import csv
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from connectors.sandbox.former import remember_former
from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.landscape import Plot, landscape
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxGrant
from connectors.sandbox.people import DATA, EARLIER_DAYS, Person, address, staff
from connectors.sandbox.simulation import BERLIN, IDP, WINDOW, Company, Mind, midnight_after

SEED: Final = 1123
STORY: Final = ("salesforce", "github", "figma", "wiki")  # the applications that cast.csv speaks of
MOVED_DAYS: Final = 20
RENAMED_DAYS: Final = 30
ABSENT_DAYS: Final = 22
LAPSING: Final = ("contract_expired", "contradictory")


def found(now: datetime, seed: int = SEED) -> Company:
    """A new company, with everything planned and nothing lived through yet; its clock stands 120 days back."""
    now = now.astimezone(UTC).replace(microsecond=0)
    people = staff(random.Random(seed), now.astimezone(BERLIN).date())  # noqa: S311 - invents people
    company = Company(seed, now, now - WINDOW, {p.employee_id: p for p in people}, {})
    for plot in landscape().values():
        company.applications[plot.name] = application_of(plot, company)
    _plant(company)
    return company


def application_of(plot: Plot, company: Company) -> SandboxApplication:
    """The application as it is before anybody has an account; its clock is the company's."""
    entitlements = (replace(e, more=dict(e.more)) for e in plot.entitlements)
    return SandboxApplication(plot.name, plot.vendor, plot.title, entitlements=entitlements, now=company.now)


def _plant(company: Company) -> None:
    """Plan the lives of everybody up to the day of building, and a new day after each one that follows."""
    for person in list(company.people.values()):
        company.people[person.employee_id] = _as_it_began(company, person)
        for plot in landscape().values():
            if has(company, person, plot):
                company.plan(birth(company, person, plot), "born", person.employee_id, plot.name)
        _fates(company, person)
    for number, row in enumerate(_strangers()):
        _stranger(company, number, row)
    remember_former(company)
    day = company.story_day + timedelta(days=1)
    company.plan(datetime(day.year, day.month, day.day, 5, tzinfo=UTC), "day", 1)


def has(company: Company, person: Person, plot: Plot) -> bool:
    """Whether somebody has, had or will have an account there."""
    if person.active_in is not None and plot.name in STORY:
        if person.part == "leaver":  # of those long gone, little is left to see
            assert person.last_day is not None
            return plot.name == "salesforce" or (company.story_day - person.last_day).days <= EARLIER_DAYS
        return plot.name in person.active_in
    if person.part in ("missing", *LAPSING):  # their story is told by the four
        return False
    return company.chance("has", person.employee_id, plot.name).random() < plot.share


def birth(company: Company, person: Person, plot: Plot) -> datetime:
    """When the account comes to be: on the first day where it is pushed, at the first sign-in where it is not."""
    luck = company.chance("birth", person.employee_id, plot.name)
    if person.part == "future" and person.active_in and plot.name in person.active_in:
        return company.built_at - timedelta(days=2)
    if plot.pushed:
        # Whoever is not in the identity provider yet can be pushed nowhere by it.
        return _at(person.hired, 5 if plot.name == IDP else 6, luck.randint(0, 40))
    return office(person.hired + timedelta(days=luck.randint(0, 20)), luck.random())


def office(day: date, luck: float) -> datetime:
    """A time of that day in office hours; `luck` from 0 to 1."""
    return _at(day, 7) + timedelta(seconds=int(luck * 9 * 3600))


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def _as_it_began(company: Company, person: Person) -> Person:
    """Somebody as they were before what happens to them in the story."""
    if person.part == "moved":
        return replace(person, department=person.detail)
    if person.part == "renamed":
        return replace(person, name=person.detail, email=address(person.detail))
    if person.part == "leave":
        return replace(person, part="current")
    return person


def _fates(company: Company, person: Person) -> None:
    number, now = person.employee_id, company.built_at
    if person.part == "leaver":
        company.plan(midnight_after(person), "ended", number)
    elif person.part == "contradictory" and person.last_day:
        company.plan(midnight_after(person), "lapsed", number)
    elif person.part == "moved":
        company.plan(now - timedelta(days=MOVED_DAYS), "moved", number, person.department, person.title)
    elif person.part == "renamed":
        company.plan(now - timedelta(days=RENAMED_DAYS), "renamed", number, person.name, person.email)
    elif person.part == "leave":
        company.plan(now - timedelta(days=ABSENT_DAYS), "absent", number)
    elif person.part == "future":
        company.plan(_at(person.hired, 5), "joined", number)
    elif person.part == "excess":
        company.plan(now - timedelta(days=9), "granted", number, "salesforce", person.detail)
    for application, days in person.last_used:
        company.plan(now - timedelta(days=days, hours=2), "used_last", number, application)
    end = person.contract_end
    if end and not end.startswith("9999") and date.fromisoformat(end) >= company.story_day:
        company.plan(_at(date.fromisoformat(end) + timedelta(days=1), 4), "contract_ends", number)


def _strangers() -> list[dict[str, str]]:
    with (DATA / "strangers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _stranger(company: Company, number: int, row: dict[str, str]) -> None:
    """An account that belongs to nobody, to two people, or to a program: made by hand, long ago."""
    plot = landscape()[row["application"]]
    now = company.built_at
    given, _, family = row["display_name"].partition(" ")
    created = now - timedelta(days=int(row["created_days"] or 300))
    account = SandboxAccount(
        id=vendor_id(plot.vendor, 900_000 + number, "account", salt=plot.name),
        username=(row["email"] or row["username"]) if plot.vendor == "github" else row["username"],
        email=row["email"] or None,
        given=given,
        family=family,
        kind=row["kind"] or "human",
        created_at=created,
        last_seen_at=now - timedelta(days=int(row["used_days"]), hours=3) if row["used_days"] else None,
        mfa={"true": True, "false": False}.get(row["mfa"]),
        employee_id=row["owner"] or None,
        managed_by="invited" if row["kind"] == "guest" else "local",
        more=_of_github(row) if plot.vendor == "github" else {},
    )
    company.keep(plot.name, account, Mind(row["owner"] or None, abandoned=True, expect=row["expect"]))
    for name in filter(None, row["entitlements"].split(";")):
        if any(e.name == name for e in plot.entitlements):
            grant = SandboxGrant(account.id, plot.entitlement(name), created)
            company.applications[plot.name].grants.append(grant)


def _of_github(row: dict[str, str]) -> dict[str, Any]:
    """Who is linked to no identity has no address that the organisation could tell."""
    kind = "Bot" if row["kind"] == "bot" else "User"
    return {"login": row["username"], "unlinked": not row["email"], "type": kind}
