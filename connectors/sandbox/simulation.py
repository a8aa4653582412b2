"""The life of the invented company: a queue of dated happenings, worked off up to the sandbox's clock.

The same seed and day of building give the same company. People join by signing in: the identity provider signs an
assertion, the application checks it, and governance.provisioning decides what becomes of it. They move, go on leave,
leave and come back; some of what they held stays behind.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.landscape import Plot, landscape
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.people import Person
from connectors.sandbox.signing import Claims, IdentityProvider, accept_id_token, accept_saml
from governance.provisioning import Assertion, Known, decide
from governance.provisioning.assertion import PERSISTENT

BERLIN: Final = ZoneInfo("Europe/Berlin")
WINDOW: Final = timedelta(days=120)  # of days that are lived through before the day of building
LOGS_REACH: Final = timedelta(days=90)  # older events are not kept by the applications
LEAVES_BEHIND: Final = 0.29  # share of leavers who leave something open
IDP: Final = "okta"
TELL_EVENTS: Final = frozenset(
    {"okta", "entra", "google_workspace", "github", "slack", "jira", "confluence", "salesforce"}
)
# What happens on an ordinary day after the day of building, as chances.
FATES: Final = {"leaves": 0.12, "hired": 0.14, "moves": 0.08, "goes on leave": 0.05, "comes back": 0.02}


@dataclass
class Mind:
    """What the simulation knows of an account and no vendor tells: the truth about it."""

    owner: str | None  # employee id
    key: str | None = None  # the immutable key of whom it was made for
    seen_as: str = ""  # department and title of the last assertion
    used: int = 0  # how often
    abandoned: bool = False  # never used again
    expect: str = ""  # the rule that must find it, where it was planted


@dataclass
class Company:
    """People, applications, and what is going to happen. `at` is the sandbox's clock."""

    seed: int
    built_at: datetime
    at: datetime
    people: dict[str, Person]
    applications: dict[str, SandboxApplication]
    minds: dict[tuple[str, str], Mind] = field(default_factory=dict)
    queue: list[tuple[datetime, int, str, tuple[Any, ...]]] = field(default_factory=list)
    count: int = 0  # of happenings that were ever planned
    hired: int = 0  # people who came after the day of building
    signed: int = 0  # assertions that were signed and checked
    ahead: timedelta = timedelta(0)  # of the wall's clock
    clock: Callable[[], datetime] | None = field(default=None, repr=False)  # the wall's, while it serves
    living: bool = False  # while planned things happen, the clock stands where they do
    idp: IdentityProvider = field(init=False, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.idp = IdentityProvider("https://nwl.okta.example", self.built_at)
        self.by_owner: dict[tuple[str, str], list[str]] = {}
        for (application, account_id), mind in self.minds.items():
            if mind.owner:
                self.by_owner.setdefault((application, mind.owner), []).append(account_id)

    def now(self) -> datetime:
        """What an application's clock says."""
        return self.at if self.living or self.clock is None else self.clock() + self.ahead

    @property
    def story_day(self) -> date:
        """The day the story of the demo is told on."""
        return self.built_at.astimezone(BERLIN).date()

    def chance(self, *key: object) -> random.Random:
        """Luck of one's own for everything that is left to luck: it does not depend on what else happens."""
        return random.Random(f"{self.seed}:{':'.join(map(str, key))}")  # noqa: S311 - it invents, it guards nothing

    def plan(self, at: datetime, kind: str, *about: Any) -> None:
        """Something is going to happen."""
        self.count += 1
        heapq.heappush(self.queue, (at, self.count, kind, about))

    def accounts_of(self, employee_id: str, application: str) -> list[SandboxAccount]:
        """What somebody has in one application."""
        here = self.applications[application].accounts
        return [here[i] for i in self.by_owner.get((application, employee_id), ()) if i in here]

    def keep(self, application: str, account: SandboxAccount, mind: Mind) -> None:
        """A new account and the truth about it."""
        self.applications[application].accounts[account.id] = account
        self.minds[application, account.id] = mind
        if mind.owner:
            self.by_owner.setdefault((application, mind.owner), []).append(account.id)

    def working(self, person: Person) -> bool:
        """Whether somebody works here on the sandbox's day."""
        day = self.at.astimezone(BERLIN).date()
        return person.hired <= day and not self.left(person)

    def left(self, person: Person) -> bool:
        """Whether somebody's engagement has truly ended: a row that only contradicts itself is no end."""
        gone = person.part == "leaver" and person.last_day is not None
        return gone and person.last_day is not None and self.at >= midnight_after(person)

    def forget(self) -> None:
        """Applications keep their logs for ninety days."""
        horizon = self.at - LOGS_REACH
        for application in self.applications.values():
            application.events[:] = [e for e in application.events if e.at >= horizon]


def midnight_after(person: Person) -> datetime:
    """When an engagement ends: 00:00 after the last day, where the person works."""
    assert person.last_day is not None
    day = person.last_day + timedelta(days=1)
    zone = ZoneInfo(person.time_zone or "Europe/Berlin")
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


# --- joining ---


def claims(company: Company, person: Person, application: str) -> Claims:
    """What the identity provider asserts of somebody."""
    given, _, family = person.name.partition(" ")
    return Claims(
        immutable_id=key_of(person),
        username=person.email,
        attributes={
            "email": person.email,
            "firstName": given,
            "lastName": family,
            "department": person.department,
            "title": person.title,
            "employeeNumber": person.employee_id,
            "employeeType": person.worker_type,
        },
        groups=(person.department.lower(), "everybody"),
    )


def key_of(person: Person) -> str:
    """The immutable key of somebody at the identity provider."""
    return vendor_id(IDP, int(person.employee_id), "account")


def signed_in(company: Company, person: Person, plot: Plot) -> Assertion:
    """What reaches the application: signed by the identity provider, checked by the application."""
    company.signed += 1
    told = claims(company, person, plot.name)
    if plot.protocol == "oidc":
        token = company.idp.id_token(told, plot.name, company.at)
        return accept_id_token(token, company.idp, plot.name, company.at)
    document = company.idp.saml(told, plot.name, company.at, by_email=plot.by_email)
    return accept_saml(document, company.idp, plot.name, company.at)


def pushed(company: Company, person: Person, plot: Plot) -> Assertion:
    """The same facts as a push over SCIM or an import from HR carries them: nobody signs in, nothing is signed."""
    told = claims(company, person, plot.name)
    return Assertion(
        issuer=company.idp.issuer,
        audience=plot.name,
        subject=told.immutable_id,
        subject_format=PERSISTENT,
        at=company.at,
        username=person.email,
        email=person.email,
        first_name=told.attributes["firstName"],
        last_name=told.attributes["lastName"],
        department=person.department,
        title=person.title,
        employee_number=person.employee_id,
        employee_type=person.worker_type,
        groups=told.groups,
    )


def arrive(company: Company, person: Person, assertion: Assertion, how: str) -> SandboxAccount | None:
    """Let the application decide what the assertion makes: an account, a change of one, or nothing."""
    plot = landscape()[assertion.audience]
    application = company.applications[plot.name]
    known = [_known(company, plot, account) for account in company.accounts_of(person.employee_id, plot.name)]
    decision = decide(assertion, known, plot.mapping)
    if decision.verb == "refuse":
        return None
    if decision.verb == "create":
        account = _made(company, person, plot, assertion, how)
        kind = {"jit": "created", "scim": "provisioned", "imported": "created"}.get(how, "created")
        application.record(kind, account.id, None if how == "jit" else how)
        if how == "scim":
            push_told(company, person.employee_id, plot, "provisioned")
    else:
        account = application.accounts[decision.account_id or ""]
        account.department, account.title = assertion.department, assertion.title
    for name in decision.grant:
        application.grant(account.id, plot.entitlement(name), how)
    for name in decision.revoke:
        application.revoke(account.id, plot.entitlement(name), how)
    company.minds[plot.name, account.id].seen_as = f"{person.department}|{person.title}"
    return account


def push_told(company: Company, number: str, plot: Plot, kind: str) -> None:
    """Let the identity provider's own log tell of a push: it is the issuer of every one, see `pushed`."""
    kept = company.at >= company.built_at - LOGS_REACH  # what is older would be forgotten at once
    if kept:
        for account in company.accounts_of(number, IDP):
            company.applications[IDP].record(kind, account.id, "Okta System", target=plot.title)


def _known(company: Company, plot: Plot, account: SandboxAccount) -> Known:
    names = {e.id: e.name for e in plot.entitlements}
    mind = company.minds[plot.name, account.id]
    held = company.applications[plot.name].held(account.id)
    return Known(
        account.id,
        mind.key,
        account.username,
        account.email,
        account.status == "active",
        frozenset(names[g.entitlement_id] for g in held if g.entitlement_id in names),
    )


def _made(company: Company, person: Person, plot: Plot, assertion: Assertion, how: str) -> SandboxAccount:
    number = int(person.employee_id)
    repeated = len(company.by_owner.get((plot.name, person.employee_id), ()))
    luck = company.chance("account", plot.name, person.employee_id)
    email = assertion.email or person.email
    account = SandboxAccount(
        id=vendor_id(plot.vendor, number + 100_000 * repeated, "account", salt=plot.name),
        username=email,
        email=email,
        given=assertion.first_name or "",
        family=assertion.last_name or "",
        created_at=company.at,
        mfa=luck.random() < 0.96,
        department=assertion.department,
        title=assertion.title,
        employee_id=assertion.employee_number,
        external_id=assertion.employee_number if how == "scim" else None,
        managed_by=how,
        more={"login": email.split("@")[0].replace(".", "-")} if plot.vendor == "github" else {},
    )
    key = assertion.key or (None if plot.by_email else key_of(person))
    company.keep(plot.name, account, Mind(person.employee_id, key))
    return account


def next_use(person: Person, name: str, account_id: str) -> tuple[str, str, str, str]:
    """What is planned when an account is going to be used."""
    return "use", person.employee_id, name, account_id
