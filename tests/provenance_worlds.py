"""Invented estates in which it is known how every account came to be, made to be hard to tell apart; seeded.

Nothing here follows what the engine expects: delays are those of the vendors (pushes of Okta go out within seconds to
minutes and are tried again, Entra's in cycles of 20 to 40 minutes), invitations are accepted hours to days later,
imports come in crowds and in trickles, administrators make accounts minutes before or after a sign-on and let a
program use their name, logs begin late and keep silent about some pushes, events are lost and clocks are apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl
from estates import settings as of_settings
from provenance_measure import Score, score

from governance.estate import Facts, correlate, known
from governance.records import Account, Event, Identity
from governance.snapshots.frames import frames_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REACH = timedelta(days=90)
PROVIDER = "sso"
Way = str
NO_PINS = pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "pinned_id": pl.String})


@dataclass(frozen=True)
class Place:
    """One application: how many accounts came which way, and what of it is logged by whom.

    `log`: who its own log says made an account: `names` (the account itself, the program, the administrator), `program`
    (every automatic making under one bare name), `token` (pushes under the name of the administrator whose token it
    is), `nobody` (that it was made, not by whom) or `none`.
    """

    name: str
    ways: dict[Way, int]
    log: str = "names"
    log_begins: timedelta = REACH  # before now
    pushes_told: bool = True
    pushed_by: str = "okta"  # how the provider pushes: okta or entra
    pushed_after: bool = False  # whether the provider pushes profiles to what sign-ins made, too
    crowds: bool = True  # imports by the hundred, under the administrator's name; else a few a night
    settings_tell: bool = False
    made_when_accepted: float = 0.0  # the share of invitations whose account is only made at the sign-on that accepts
    clock: int = 0  # seconds its clock is fast
    slow: float = 2.0  # seconds a making takes at a sign-on, the median


@dataclass
class World:
    """What came to be and what was said of it."""

    luck: random.Random
    accounts: list[Account] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    truth: list[tuple[str, str, datetime, Way, bool]] = field(default_factory=list)
    places: tuple[Place, ...] = ()
    people: int = 0
    crowds_at: datetime = NOW  # when somebody uploads a table

    def seconds(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=round(self.luck.uniform(low, high)))

    def hours_of_work(self) -> datetime:
        """A moment of a working day within the reach of the logs."""
        while True:
            day = NOW - timedelta(days=self.luck.uniform(1, REACH.days - 2))
            at = day.replace(hour=8, minute=0, second=0, microsecond=0) + self.seconds(0, 9 * 3600)
            if at.weekday() < 5 and at < NOW:
                return at

    def says(self, place: str, at: datetime, kind: str, account: str, **more: Any) -> None:
        if at <= NOW:
            number = f"{place}-{len(self.events)}"
            self.events.append(Event(place, number, at, kind, account, **{"success": True, **more}))

    def signs_on(self, place: Place, person: int, at: datetime) -> None:
        self.says(PROVIDER, at, "sso", f"s{person}", actor=f"s{person}", target=place.name.title())


def _arrives(world: World, place: Place, way: Way) -> None:
    """One account of this way, with its owner, what is logged of it and the sign-ons that follow."""
    world.people += 1
    person, at = world.people, world.hours_of_work()
    made, first = _HOW[way](world, place, person, at)
    made_at = made + timedelta(seconds=place.clock)
    account = Account(place.name, f"{place.name}{person}", employee_id=str(person), created_at=made_at, active=True)
    world.accounts.append(account)
    world.truth.append((place.name, account.account_id, made, way, _tellable(place, way, made)))
    _logged(world, place, way, account, made_at)
    signed = first
    for _ in range(world.luck.randint(1, 12)):  # later sign-ons, most of them in the morning
        if signed is not None and signed < NOW:
            world.signs_on(place, person, signed)
            day = (signed + timedelta(days=world.luck.randint(1, 6))).replace(hour=8, minute=0)
            signed = day + world.seconds(0, 3 * 3600)
    if world.luck.random() < 0.15 and way != "jit":  # a failed try before there was an account, logged as a sign-on
        world.signs_on(place, person, made - world.seconds(30, 3 * 3600))


def _jit(world: World, place: Place, person: int, at: datetime) -> tuple[datetime, datetime | None]:
    took = timedelta(seconds=int(world.luck.lognormvariate(0, 0.7) * place.slow))
    if place.pushed_after and place.pushes_told:
        _push(world, place, person, at + took + world.seconds(5, 45 * 60))
    return at + took, at


def _scim(world: World, place: Place, person: int, at: datetime) -> tuple[datetime, datetime | None]:
    if place.pushed_by == "entra":  # all of one cycle within minutes of each other
        cycle = timedelta(minutes=world.luck.choice((20, 30, 40)))
        made = at.replace(minute=0, second=0) + cycle * (at.minute // 20 + 1) + world.seconds(0, 180)
        told = made + world.seconds(-2, 20)
    else:
        made = at + world.seconds(3, 600)
        while world.luck.random() < 0.15:  # it did not answer, and was tried again
            if place.pushes_told:
                _push(world, place, person, made, success=False)
            made += world.seconds(300, 7200)
        told = made + world.seconds(0, 120)
    if place.pushes_told:
        _push(world, place, person, told)
    soon = world.luck.random() < 0.3  # was waiting for it
    return made, made + (world.seconds(10, 900) if soon else world.seconds(900, 9 * 86_400))


def _invited(world: World, place: Place, person: int, at: datetime) -> tuple[datetime, datetime | None]:
    if world.luck.random() < place.made_when_accepted:
        return at + timedelta(seconds=world.luck.randint(0, 5)), at
    return at, None if world.luck.random() < 0.2 else at + world.seconds(600, 6 * 86_400)


def _local(world: World, place: Place, person: int, at: datetime) -> tuple[datetime, datetime | None]:
    near = world.luck.random()
    if near < 0.2:  # somebody stood in front of a closed door and asked for it
        return at, at - world.seconds(20, 600)
    return at, at + (world.seconds(20, 600) if near < 0.4 else world.seconds(600, 9 * 86_400))


def _imported(world: World, place: Place, person: int, at: datetime) -> tuple[datetime, datetime | None]:
    if place.crowds:
        made = world.crowds_at - timedelta(days=25 * (person % 2)) + world.seconds(0, 200)
    else:
        made = at.replace(hour=2, minute=17) + world.seconds(0, 90)
    return made, made + world.seconds(3600, 20 * 86_400)


_HOW: dict[Way, Callable[[World, Place, int, datetime], tuple[datetime, datetime | None]]] = {
    "jit": _jit,
    "scim": _scim,
    "invited": _invited,
    "local": _local,
    "imported": _imported,
}


def _push(world: World, place: Place, person: int, at: datetime, *, success: bool = True) -> None:
    world.says(
        PROVIDER,
        at,
        "provisioned",
        f"s{person}",
        actor="Okta System" if place.pushed_by == "okta" else "Azure AD Provisioning Service",
        success=success,
        target=place.name.title(),
    )


def _tellable(place: Place, way: Way, made: datetime) -> bool:
    """Whether a log tells the way, before any event is lost: the sign-on, the push, the maker, or the crowd."""
    if way == "jit" or (way == "scim" and place.pushes_told) or (way == "imported" and place.crowds):
        return True
    if place.log in ("none", "nobody") or made < NOW - place.log_begins:
        return False
    if way in ("invited", "local"):
        return True
    return place.log == "names" or (place.log == "token" and way == "imported")


def _logged(world: World, place: Place, way: Way, account: Account, made: datetime) -> None:
    """What the application's own log says."""
    if place.log == "none" or made < NOW - place.log_begins:
        return
    admin = f"{place.name}-admin{world.luck.randint(1, 3)}"
    names = {
        "jit": account.account_id,
        "scim": "SCIM provisioning",
        "invited": admin,
        "local": admin,
        "imported": f"{place.name}-admin3" if place.crowds else "directory sync",
    }
    actor: str | None = names[way]
    automatic = way in ("jit", "scim") or (way == "imported" and not place.crowds)
    if place.log == "nobody":
        actor = None
    elif place.log == "program" and automatic:
        actor = "system"
    elif place.log == "token" and way == "scim":
        actor = f"{place.name}-admin1"
    elif place.log == "token" and way == "jit":
        actor = f"{place.name}-admin2"
    world.says(place.name, made + world.seconds(0, 3), "created", account.account_id, actor=actor)


def world(seed: int, *places: Place, lost: float = 0.0) -> World:
    """The estate of these applications; a share of all events is lost."""
    made = World(random.Random(seed), places=places)
    made.crowds_at = NOW - timedelta(days=7) - made.seconds(0, 7200)
    for place in places:
        for way, count in sorted(place.ways.items()):
            for _ in range(count):
                _arrives(made, place, way)
        made.accounts += [
            Account(place.name, f"{place.name}-admin{n}", created_at=NOW - timedelta(days=900), active=True)
            for n in (1, 2, 3)
        ]
    made.events = [event for event in made.events if made.luck.random() >= lost]
    return made


def told(made: World) -> pl.DataFrame:
    """What the estate says of the accounts of such a world."""
    people = [Identity("hr", str(n), state="current") for n in range(1, made.people + 1)]
    own = [
        Account(PROVIDER, f"s{n}", employee_id=str(n), created_at=NOW - timedelta(days=900))
        for n in range(1, made.people + 1)
    ]
    start = [Event(PROVIDER, "start", NOW - REACH, "sign_in")]
    start += [Event(p.name, "start", NOW - p.log_begins, "sign_in") for p in made.places if p.log != "none"]
    frames = frames_of([*people, *made.accounts, *own, *start, *made.events])
    lazy = {name: frame.lazy().with_columns(as_of_s=pl.lit(0)) for name, frame in frames.items()}
    for name in ("accounts", "identities"):
        lazy[name] = lazy[name].with_columns(present=pl.lit(True))
    told = {name: nw.from_native(frame) for name, frame in {**lazy, "pins": NO_PINS.lazy()}.items()}
    said = Facts(**told, snapshots={}, sources=("hr",))
    settings = of_settings(application=[*(_settings(p) for p in made.places), _settings(None)])
    around = known(said, settings, NOW, lambda _, frame: nw.from_native(nw.to_native(frame).collect().lazy()))
    found: pl.DataFrame = correlate(said, settings, NOW, around).collect("polars").to_native()
    return found


def _settings(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"name": PROVIDER, "title": "Sign-on", "connector": "app_csv", "identity_provider": True}
    ways = sorted(set(place.ways) - {"imported"}) if place.settings_tell else []
    return {"name": place.name, "title": place.name.title(), "connector": "app_csv", "provisioning": ways}


def measured(made: World) -> Score:
    """How right it is over the whole world."""
    return score(told(made), truth_of(made).filter("tellable"), NOW - REACH)


def truth_of(made: World) -> pl.DataFrame:
    """How every account came to be, and whether a log tells it."""
    schema = {"application": pl.String, "account_id": pl.String, "made_at": pl.Datetime("us", "UTC"), "made": pl.String}
    return pl.DataFrame(made.truth, schema={**schema, "tellable": pl.Boolean}, orient="row")


CRM = Place("crm", {"jit": 80, "local": 30, "imported": 60})
WIKI = Place("wiki", {"scim": 90, "local": 30})
CHAT = Place(
    "chat", {"jit": 60, "invited": 40, "imported": 25}, crowds=False, settings_tell=True, made_when_accepted=0.3
)
DESK = Place("desk", {"scim": 90, "local": 20}, pushed_by="entra")
BOTH = Place("both", {"jit": 60, "scim": 60, "local": 20}, pushed_by="entra", pushed_after=True)
FEW = Place("few", {"jit": 4, "local": 3})
FEWER = Place("fewer", {"scim": 4, "local": 3})
PLACES = (CRM, WIKI, CHAT, DESK, BOTH, FEW, FEWER)
_QUIET = tuple(replace(p, pushes_told=False, settings_tell=True) for p in PLACES)
# Name -> the applications of the world, and the share of events that is lost.
WORLDS: dict[str, tuple[tuple[Place, ...], float]] = {
    "logs that name": (PLACES, 0.0),
    "programs without a name": (tuple(replace(p, log="program") for p in PLACES), 0.0),
    "programs under a person's name": (tuple(replace(p, log="token") for p in PLACES), 0.0),
    "logs without makers": (tuple(replace(p, log="nobody") for p in PLACES), 0.0),
    "no log but the provider's": (tuple(replace(p, log="none") for p in PLACES), 0.0),
    "pushes not told": (tuple(replace(p, pushes_told=False) for p in PLACES), 0.0),
    "neither pushes nor makers told": (tuple(replace(p, pushes_told=False, log="nobody") for p in PLACES), 0.0),
    "logs that begin late": (tuple(replace(p, log_begins=timedelta(days=30)) for p in PLACES), 0.0),
    "pushes not told, under a person's name": (tuple(replace(p, log="token") for p in _QUIET), 0.0),
    "slow makings": (tuple(replace(p, slow=8.0) for p in PLACES), 0.0),
}


def apart(places: tuple[Place, ...], luck: random.Random) -> tuple[Place, ...]:
    """They with clocks up to five minutes off."""
    return tuple(replace(place, clock=luck.randint(-300, 300)) for place in places)


def built(name: str, seed: int, *, harmed: bool = False) -> World:
    """The world of that name; harmed: with clocks apart and a fifth of all events lost."""
    places, lost = WORLDS[name]
    if harmed:
        places, lost = apart(places, random.Random(seed)), 0.2
    return world(seed, *places, lost=lost)
