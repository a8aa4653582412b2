"""Who may do what: the rights of an actor, checked by every verb itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import narwhals as nw

from governance.correlation import fold
from governance.errors import NotAllowed, SignInAgain
from governance.settings import ActorSettings, Settings


class Verb(StrEnum):
    """Everything that needs a right."""

    READ = "read"
    EXPORT = "export"
    CONFIGURE = "configure"
    RUN = "run"
    RELEASE = "release"
    PROPOSE = "propose"
    APPROVE = "approve"  # and reject
    EXCLUDE = "exclude"
    PIN = "pin"
    CAMPAIGN = "campaign"
    MAP = "map"  # draft a role mapping, and agree to somebody else's
    DONE = "done"  # note a manual task as done


# What somebody may not do, in the words of a refusal.
DEEDS: Final = {
    Verb.READ: "read anything",
    Verb.EXPORT: "export anything",
    Verb.CONFIGURE: "configure settings",
    Verb.RUN: "start a job",
    Verb.RELEASE: "release what a guard holds",
    Verb.PROPOSE: "propose a removal",
    Verb.APPROVE: "approve or reject a removal",
    Verb.EXCLUDE: "exclude a finding",
    Verb.PIN: "say whose an account is",
    Verb.CAMPAIGN: "lead an access review",
    Verb.MAP: "change a role mapping",
    Verb.DONE: "note a task as done",
}


class Scope(StrEnum):
    """How far a right reaches."""

    ALL = "all"
    REPORTS = "reports"  # what concerns the actor's own reports
    APPLICATIONS = "applications"  # what concerns an application the actor owns


# What decides something, or opens the way to it: whoever does it proves anew who they are (ASVS 7.5.3).
SENSITIVE: Final = frozenset(Verb) - {Verb.READ, Verb.EXPORT, Verb.RUN}


# One line a role.
RIGHTS: Final[dict[str, dict[Verb, Scope]]] = {
    "admin": dict.fromkeys((Verb.READ, Verb.CONFIGURE, Verb.RUN, Verb.RELEASE, Verb.DONE, Verb.MAP), Scope.ALL),
    "security": dict.fromkeys(
        (Verb.READ, Verb.PROPOSE, Verb.APPROVE, Verb.EXCLUDE, Verb.PIN, Verb.RELEASE, Verb.CAMPAIGN, Verb.MAP),
        Scope.ALL,
    ),
    "manager": dict.fromkeys((Verb.READ, Verb.PROPOSE, Verb.APPROVE), Scope.REPORTS),
    "application_owner": dict.fromkeys((Verb.READ, Verb.PROPOSE, Verb.APPROVE, Verb.DONE), Scope.APPLICATIONS),
    "approver": dict.fromkeys((Verb.READ, Verb.APPROVE), Scope.ALL),
    "auditor": dict.fromkeys((Verb.READ, Verb.EXPORT), Scope.ALL),
}


# Roles of those who decide what others put before them and run nothing here.
ONLY_DECIDE: Final = frozenset({"manager", "approver"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts in this product, and how far their rights reach."""

    email: str
    name: str
    roles: frozenset[str]
    identity_id: str | None = None
    reports: frozenset[str] = frozenset()  # identity_ids
    applications: frozenset[str] = frozenset()  # owned
    left: bool = False  # a leaver may not act
    fresh: bool = True  # signed in a moment ago; only a session of a browser can be older
    addresses: frozenset[str] = frozenset()  # folded: every address this person has or had in any source
    spelled: frozenset[str] = frozenset()  # those that lead to them and to nobody else, as sources and settings do

    def is_same(self, email: str | None) -> bool:
        """Whether this address is, or may be, the actor's, under whichever they act now: what four eyes ask."""
        key = fold(email)
        return key is not None and (key == fold(self.email) or key in self.addresses)

    @property
    def written(self) -> frozenset[str]:
        """Every address under which a row of the store may name this actor, for a query that compares texts."""
        return self.spelled | {self.email}

    def is_named(self, email: str | None) -> bool:
        """Whether what is given to this address is given to the actor: an alias may be somebody else's own address."""
        key = fold(email)
        return key is not None and key in map(fold, self.written)


def find_actor(
    settings: Settings, email: str, identities: Callable[[], Any] | None = None, groups: Iterable[str] = ()
) -> Actor:
    """The actor with this e-mail; NotAllowed when nobody knows them.

    `identities` gives a frame (Polars or pandas) with identity_id, email, manager_id, state and display_name of every
    identity, those who left included, and where it has them their aliases and former_emails. An identity that manages
    others is a manager without an entry in the settings.
    `groups` are those the provider told of whoever signed in; [sign_in.groups] says which roles they give.
    """
    key = fold(email)
    entry = next((one for one in settings.actor if key and fold(one.email) == key), None)
    people = nw.from_native(identities()).lazy() if identities else None
    own = _identity(people, key) if people is not None and key else None
    reports = _reports(people, own["identity_id"]) if people is not None and own else frozenset()
    roles = frozenset[str](entry.roles if entry else ()) | (frozenset({"manager"}) if reports else frozenset())
    addresses = _addresses(people, own) if people is not None and own else frozenset()
    roles |= frozenset(role for group in groups for role in settings.sign_in.groups.get(group, ()))
    if not roles or not key:
        raise NotAllowed(f"nobody with the e-mail {email} may act here; actors are listed under [[actor]]")
    leading = {key, *(_leading(people, own, addresses - {key}) if people is not None and own else ())}
    return Actor(
        # One person is one actor, however their address is written this time: four eyes depend on it.
        email=entry.email if entry else str((own["email"] if own else None) or key),
        name=(entry.name if entry else None) or (own or {}).get("display_name") or email,
        roles=roles,
        identity_id=own["identity_id"] if own else None,
        reports=reports,
        applications=_owned(settings, entry, leading) if "application_owner" in roles else frozenset(),
        left=bool(own and own["state"] == "ended"),
        addresses=addresses,
        spelled=_spelled(settings, own or {}, leading),
    )


def may(actor: Actor, verb: Verb, *, application: str | None = None, identity_id: str | None = None) -> bool:
    """Whether the actor has the right; for pages that show or hide a button. Verbs use `demand`."""
    if actor.left:
        return False
    reaches = {RIGHTS[role][verb] for role in actor.roles if verb in RIGHTS.get(role, {})}
    if Scope.ALL in reaches:
        return True
    if verb is Verb.READ and reaches and application is None and identity_id is None:
        return True  # the pages themselves; what stands on them is asked for by application and identity
    if Scope.REPORTS in reaches and identity_id is not None and identity_id in actor.reports:
        return True
    return Scope.APPLICATIONS in reaches and application is not None and application in actor.applications


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody may read who may not read everything: what concerns these identities or these applications."""

    identities: frozenset[str]
    applications: frozenset[str]


def reach(actor: Actor) -> Reach | None:
    """How far the actor's right to read goes; None where it has no bounds. Lists are narrowed by it, never after it."""
    if actor.left:
        return Reach(frozenset(), frozenset())
    reaches = {RIGHTS[role][Verb.READ] for role in actor.roles if Verb.READ in RIGHTS.get(role, {})}
    if Scope.ALL in reaches:
        return None
    return Reach(
        actor.reports if Scope.REPORTS in reaches else frozenset(),
        actor.applications if Scope.APPLICATIONS in reaches else frozenset(),
    )


def demand(actor: Actor, verb: Verb, *, application: str | None = None, identity_id: str | None = None) -> None:
    """NotAllowed unless the actor has the right over this application or this identity."""
    if may(actor, verb, application=application, identity_id=identity_id):
        if verb in SENSITIVE:
            demand_fresh(actor)
        return
    if actor.left:
        raise NotAllowed(f"{actor.email} has left and may not act any more")
    roles = ", ".join(sorted(actor.roles)) or "no role"
    of = next((one for one in (application, identity_id) if one and one != "*"), None)
    what = f"{DEEDS[verb]}{f' for {of}' if of else ''}"
    raise NotAllowed(f"{actor.email} ({roles}) may not {what}; that takes the role {_roles_for(verb)}")


def _roles_for(verb: Verb) -> str:
    """The roles that give a right, in words."""
    bounds = {Scope.ALL: "", Scope.REPORTS: " (for own reports)", Scope.APPLICATIONS: " (for own applications)"}
    *others, last = [f"{role}{bounds[rights[verb]]}" for role, rights in RIGHTS.items() if verb in rights]
    return f"{', '.join(others)} or {last}" if others else last


def demand_fresh(actor: Actor) -> None:
    """SignInAgain unless whoever decides has just proved who they are."""
    if not actor.fresh:
        raise SignInAgain(f"{actor.email} signed in too long ago to decide: sign in again, then decide")


def _owned(settings: Settings, entry: ActorSettings | None, leading: set[str]) -> frozenset[str]:
    """The applications somebody owns: those listed with them, else those that name an address which leads to them."""
    listed = entry.applications if entry else ()
    return frozenset(listed or (a.name for a in settings.application if fold(a.owner) in leading))


_COLUMNS: Final = ("identity_id", "email", "manager_id", "state", "display_name")
_AWAY: Final = {"missing": 1, "ended": 2}
_FURTHER: Final = ("aliases", "former_emails")  # in the order in which they lead to a person


def _identity(people: nw.LazyFrame[Any], key: str, further: Sequence[str] = _FURTHER) -> dict[str, Any] | None:
    """Who has this address now, else who has it in the `further` columns: of several the nearest."""
    names = people.collect_schema().names()
    columns = [*_COLUMNS, *(name for name in _FURTHER if name in names)]
    wanted = people.select(columns)
    if "email_key" in names:  # as snapshots are written
        near = people.filter(nw.col("email_key") == key).select(columns)
    else:  # the engine lets look-alikes through: what it finds is folded once more
        near = wanted.filter(nw.col("email").str.strip_chars().str.to_lowercase() == key.lower())
    found = [row for row in near.collect().rows(named=True) if fold(row["email"]) == key]
    for name in further:
        if not found and name in columns:
            near = wanted.filter(nw.col(name).str.to_lowercase().str.contains(key, literal=True))
            found = [row for row in near.collect().rows(named=True) if key in _keys(row[name])]
    return min(found, key=lambda row: nearness(row["state"], row["identity_id"]), default=None)


def nearness(state: str | None, identity_id: str) -> tuple[int, str]:
    """Of several people with one address the least counts: whoever is here, then who is missing, then who has left."""
    return _AWAY.get(state or "", 0), identity_id


def _addresses(people: nw.LazyFrame[Any], own: dict[str, Any]) -> frozenset[str]:
    """Every address of a person, but former ones that somebody else has now."""
    former = _keys(own.get("former_emails"))
    holders = {key: _identity(people, key, further=("aliases",)) for key in former}
    given_on = {key for key, now in holders.items() if now and now["identity_id"] != own["identity_id"]}
    return frozenset(_keys(own["email"]) | _keys(own.get("aliases")) | (former - given_on))


def _leading(people: nw.LazyFrame[Any], own: dict[str, Any], keys: Iterable[str]) -> set[str]:
    """Those of a person's addresses under which nobody else is looked for: an alias may be another one's own."""
    holders = {key: _identity(people, key) for key in keys}
    return {key for key, holder in holders.items() if holder and holder["identity_id"] == own["identity_id"]}


def _spelled(settings: Settings, own: dict[str, Any], keys: set[str]) -> frozenset[str]:
    told = ";".join(own.get(name) or "" for name in ("email", *_FURTHER)).split(";")
    named = (*(one.email for one in settings.actor), *(one.owner for one in settings.application))
    return frozenset(one.strip() for one in (*told, *named) if one and fold(one) in keys)


def _keys(texts: str | None) -> set[str]:
    return {key for text in (texts or "").split(";") if (key := fold(text))}


def _reports(people: nw.LazyFrame[Any], identity_id: str) -> frozenset[str]:
    """The direct reports, and in place of a report who left, the reports of that one: nobody is without a manager."""
    seen: set[str] = set()
    above = [identity_id]
    while above:
        below = people.filter(nw.col("manager_id").is_in(above)).select("identity_id", "state").collect().rows()
        fresh = [(one, state) for one, state in below if one not in seen and one != identity_id]
        seen.update(one for one, _ in fresh)
        above = [one for one, state in fresh if state == "ended"]
    return frozenset(seen)
