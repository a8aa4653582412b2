"""The accounts the invented people have in four applications, and what a correct run finds among them."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

from connectors.sandbox.people import DATA, EARLIER_DAYS, Person

APPLICATIONS: Final = {
    "salesforce": 0.93,
    "github": 0.87,
    "figma": 0.93,
    "wiki": 0.98,
}  # share of people with an account
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
    "admin_without_mfa",
)
STALE: Final = {"salesforce": 12, "github": 6, "wiki": 8}  # the cast adds one in GitHub and one in Confluence
STALE_EXTERNAL: Final = 2  # contractors, whose limit is shorter
NEVER_USED: Final = {"salesforce": 5, "github": 3}
_PREFIX: Final = {"salesforce": "005NW", "github": "gh-", "figma": "fig-", "wiki": ""}
_TEAMS: Final = {"Engineering": "Engineering", "IT": "Platform", "Product": "Product", "Security": "Security"}

Status = Literal["active", "inactive", "suspended", "pending"]


@dataclass(frozen=True)
class Holding:
    """One account as its application knows it. `used` is None where it was never used."""

    application: str
    account_id: str
    username: str
    email: str
    name: str
    status: Status
    created: datetime | None
    used: datetime | None
    entitlements: tuple[str, ...] = ()
    mfa: str = ""
    kind: str = ""
    owner: Person | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Application and account id."""
        return self.application, self.account_id


@dataclass
class Holdings:
    """All accounts by key, and the truth about them: rule -> what it must find."""

    accounts: dict[tuple[str, str], Holding] = field(default_factory=dict)
    truth: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: {rule: [] for rule in RULES})

    def put(self, holding: Holding) -> None:
        """Add an account, or put a changed one in its place."""
        self.accounts[holding.key] = holding

    def of(self, application: str) -> list[Holding]:
        """The accounts of one application."""
        return [holding for holding in self.accounts.values() if holding.application == application]


def issue(rng: random.Random, people: list[Person], entitled: dict[str, str], now: datetime) -> Holdings:
    """Give everybody their accounts, then plant what the rules are to find; `entitled`: department -> role."""
    holdings = Holdings()
    for person in people:
        for application, share in APPLICATIONS.items():
            if _has(rng, person, application, share, now.date()):
                holdings.put(_ordinary(rng, person, application, entitled, now))
    _cast(holdings, now)
    pool = _Pool(rng, holdings, now)
    _unused(rng, holdings, pool, now)
    _excess(holdings, people)
    _administrators(holdings, pool)
    _strangers(holdings, people, now)
    return holdings


def earlier(holding: Holding, now: datetime) -> Holding | None:
    """The account as the earlier file told it; None when it did not exist yet."""
    then = now - timedelta(days=EARLIER_DAYS)
    owner = holding.owner
    if holding.created is not None and holding.created > then:
        return None
    closed_since = owner is not None and owner.last_day is not None and owner.last_day >= then.date()
    used = holding.used
    if used is not None and used > then:
        used = max(then - (used - then) / 8, holding.created or then)
    return replace(holding, used=used, status="active" if closed_since else holding.status)


def _has(rng: random.Random, person: Person, application: str, share: float, today: date) -> bool:
    chance = rng.random()
    if person.active_in is None:
        return chance < share
    if person.part == "leaver":  # closed where it is not in `active_in`; of those long gone, little is left to see
        assert person.last_day is not None
        return application == "salesforce" or (today - person.last_day).days <= EARLIER_DAYS
    return application in person.active_in


def _ordinary(rng: random.Random, person: Person, application: str, entitled: dict[str, str], now: datetime) -> Holding:
    """The account single sign-on made soon after the first day, used until lately or until leaving."""
    future = person.part == "future"
    born = now.date() - timedelta(days=2) if future else person.hired + timedelta(days=rng.randint(0, 20))
    created = min(_clock(rng, born, now), now - timedelta(hours=30))
    closed = person.part == "leaver" and application not in (person.active_in or ())
    if person.part in ("leaver", "contradictory") and person.last_day:
        used = _clock(rng, person.last_day - timedelta(days=rng.randint(0, 3)), now)
    elif person.part == "leave":
        used = now - timedelta(days=22, hours=rng.randint(1, 9))
    else:
        used = now - timedelta(hours=min(rng.expovariate(1 / 60) + 1, 480))
    former = person.detail if person.part == "renamed" and application == "figma" else ""
    email = (
        person.email if not former else f"{former[0].lower()}.{former.split()[1].lower()}@{person.email.split('@')[1]}"
    )
    status: Status = "pending" if future else "active"
    if closed:
        status = "suspended" if application == "figma" and rng.random() < 0.5 else "inactive"
    return Holding(
        application,
        account_id=_PREFIX[application]
        + hashlib.sha256(f"{application}:{person.employee_id}".encode()).hexdigest()[:10],
        username=email.split("@")[0].replace(".", "-") if application == "github" else email,
        email=email,
        name=former or person.name,
        status=status,
        created=created,
        used=None if future else max(used, created + timedelta(hours=1)),
        entitlements=_entitlements(rng, person, application, entitled),
        mfa=rng.choices(("true", "false", ""), (88, 8, 4))[0] if application == "github" else "true",
        kind="human" if application == "github" else "",
        owner=person,
    )


def _entitlements(rng: random.Random, person: Person, application: str, entitled: dict[str, str]) -> tuple[str, ...]:
    """What the job entitles to, no more and no less."""
    if application == "salesforce":
        named = {"Financial Controller": "Export reports", "Systems Administrator": "System Administrator"}
        more = named.get(person.title)
        return (entitled[person.department], more) if more else (entitled[person.department],)
    if application == "github":
        team = _TEAMS.get(person.department)
        return ("Member", team) if team else ("Member",)
    if application == "figma":
        return ("Editor",) if person.department in ("Product", "Marketing") or rng.random() < 0.1 else ("Viewer",)
    administrators = ("Systems Administrator", "Business Applications Owner")
    chosen = person.title in administrators or person.name == "Chiara Greco"
    return ("confluence-users", "confluence-administrators") if chosen else ("confluence-users",)


def _cast(holdings: Holdings, now: datetime) -> None:
    """What the people of the story did, and what that makes of their accounts."""
    found_as = {
        "leaver": "ghost",
        "contract_expired": "contract_expired",
        "missing": "missing_from_source",
        "contradictory": "contradictory_source",
    }
    for holding in list(holdings.accounts.values()):
        person = holding.owner
        if person is None or person.active_in is None:
            continue
        days = dict(person.last_used).get(holding.application)
        if days is not None:
            holdings.put(replace(holding, used=now - timedelta(days=days, hours=2)))
            if person.part == "leaver":
                holdings.truth["login_after_leaving"].append(holding.key)
            elif person.part == "current":
                holdings.truth["stale"].append(holding.key)
        rule = found_as.get(person.part)
        if rule and holding.status == "active":
            holdings.truth[rule].append(holding.key)


class _Pool:
    """People without a part, each taken once, so that no account is found by a rule it was not planted for."""

    def __init__(self, rng: random.Random, holdings: Holdings, now: datetime) -> None:
        since = {"employee": now.date() - timedelta(days=400), "contingent": now.date() - timedelta(days=90)}
        self._left = [
            held
            for held in holdings.accounts.values()
            if (owner := held.owner)
            and owner.active_in is None
            and owner.part == "current"
            and owner.department != "People"  # that department has its own story
            and owner.hired < since.get(owner.worker_type, date.min)
        ]
        rng.shuffle(self._left)
        self._taken: set[str] = set()

    def take(self, application: str, count: int, worker_type: str = "employee") -> Iterator[Holding]:
        """So many accounts of one application, each of a person not taken before."""
        for holding in self._left:
            person = holding.owner
            if count == 0:
                return
            if person is None or person.employee_id in self._taken or person.worker_type != worker_type:
                continue
            if holding.application == application and len(holding.entitlements) < 3:
                self._taken.add(person.employee_id)
                count -= 1
                yield holding


def _unused(rng: random.Random, holdings: Holdings, pool: _Pool, now: datetime) -> None:
    for application, count in STALE.items():
        for holding in pool.take(application, count):
            holdings.put(replace(holding, used=now - timedelta(days=rng.randint(95, 240), hours=rng.randint(0, 20))))
            holdings.truth["stale"].append(holding.key)
    for holding in pool.take("github", STALE_EXTERNAL, "contingent"):
        used = now - timedelta(days=rng.randint(47, 58))
        holdings.put(replace(holding, used=used))
        holdings.truth["stale"].append(holding.key)
    for application, count in NEVER_USED.items():
        for holding in pool.take(application, count):
            holdings.put(replace(holding, used=None, created=now - timedelta(days=rng.randint(30, 300))))
            holdings.truth["never_used"].append(holding.key)


def _excess(holdings: Holdings, people: list[Person]) -> None:
    """Grants beyond the role mapping: three of the story, and nine by a mapping line that no longer fits."""
    story = {p.employee_id: p.detail for p in people if p.part == "excess"}
    story |= {p.employee_id: f"{p.detail} User" for p in people if p.part == "moved"}
    salesforce = {h.owner.employee_id: h for h in holdings.of("salesforce") if h.owner}
    nine = [p for p in people if p.department == "People" and p.active_in is None and p.part == "current"]
    nine = [p for p in nine if p.employee_id in salesforce][:9]
    for number, extra in {**story, **{p.employee_id: "Finance User" for p in nine}}.items():
        holding = salesforce[number]
        holdings.put(replace(holding, entitlements=(*holding.entitlements, extra)))
        holdings.truth["over_privileged"].append((*holding.key, extra))


def _administrators(holdings: Holdings, pool: _Pool) -> None:
    """GitHub's owners and repository administrators; three owners sign in without a second factor."""
    for order, holding in enumerate(pool.take("github", 11)):
        role = "Organization owner!" if order < 5 else "Repository admin!"
        mfa = "false" if order < 3 else "true"
        holdings.put(replace(holding, entitlements=(*holding.entitlements, role), mfa=mfa))
        if mfa == "false":
            holdings.truth["admin_without_mfa"].append(holding.key)
    for holding in holdings.of("github"):
        if holding.owner and holding.owner.name == "Yusuf Demir":
            holdings.put(replace(holding, entitlements=(*holding.entitlements, "Repository admin!"), mfa="true"))


def _strangers(holdings: Holdings, people: list[Person], now: datetime) -> None:
    """Accounts that belong to nobody, to two people, or to a program."""
    by_id = {person.employee_id: person for person in people}
    with (DATA / "strangers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            days = row["used_days"]
            holding = Holding(
                row["application"],
                account_id=row["username"],
                username=row["username"],
                email=row["email"],
                name=row["display_name"],
                status="active",
                created=now - timedelta(days=int(row["created_days"])) if row["created_days"] else None,
                used=now - timedelta(days=int(days), hours=3) if days else None,
                entitlements=tuple(filter(None, row["entitlements"].split(";"))),
                mfa=row["mfa"],
                kind=row["kind"],
                owner=by_id.get(row["owner"]),
            )
            holdings.put(holding)
            if row["expect"]:
                holdings.truth[row["expect"]].append(holding.key)


def _clock(rng: random.Random, day: date, now: datetime) -> datetime:
    """A time of that day in office hours."""
    return datetime(day.year, day.month, day.day, rng.randint(7, 15), rng.randint(0, 59), tzinfo=now.tzinfo)
