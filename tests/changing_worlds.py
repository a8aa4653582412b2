"""A crowd in one application of a vendor that tells changes, read by two feeds: one by changes, one whole each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

import jobs.pull
from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement
from connectors.sandbox.serving import Sandbox
from governance.house import House
from governance.snapshots import believed
from governance.tables import Pull
from tests.sandbox_company import NOW, crowd
from tests.tenants import Tenant

STEP = timedelta(days=8)  # beyond the windows in which the guard adds small changes up
KEYS = {
    "accounts": ["account_id"],
    "entitlements": ["entitlement_id"],
    "grants": ["account_id", "entitlement_id"],
    "credentials": ["account_id", "credential_id"],
    "events": ["event_id"],
}
# What each vendor's groups, roles and applications are called in the sandbox, by kind.
KINDS = {"entra": ("group", "role", "application"), "okta": ("group", "role", "application"), "salesforce": ()}
PREFIXES = {"00G": "group", "0PS": "permission_set", "00E": "role", "0PL": "licence", "00e": "profile"}


class World:
    """The application, its clock, and the house of both feeds."""

    def __init__(self, tenant: Tenant, sandbox: Sandbox, make_house: Callable[..., House], monkeypatch: Any) -> None:
        self.tenant, self.sandbox, self._make = tenant, sandbox, make_house
        self.clock = NOW
        self.application = crowd(tenant.vendor, 120, f"c{len(sandbox.applications)}", now=lambda: self.clock)
        tenant.prepare(self.application)
        entitle(self.application)
        sandbox.add(self.application)
        secrets = tenant.secrets(self.application)
        for name, value in secrets.items():
            monkeypatch.setenv(f"A_{name.upper()}", value)
        self.feed = {"connector": tenant.connector, "limit_share": 1.0, "full_every": "400d"}
        self.feed |= {name: {"env": f"A_{name.upper()}"} for name in secrets}
        self.feed |= tenant.options(sandbox.url(self.application.name))
        if tenant.connector == "okta":
            self.feed["mfa"] = "privileged"  # the factors of all cost a request each
        self.house = self.opened()

    def opened(self, **more: Any) -> House:
        """The house, opened as after a restart."""
        feeds = [{"name": name, **self.feed, **more} for name in ("part", "whole")]
        return self._make({"application": feeds, "snapshots": {"event_days": 60}})

    def pull(self, name: str = "part", *, incremental: bool = True, at: datetime | None = None) -> Any:
        """One pull by the clock of the world."""
        now = at or self.clock + timedelta(minutes=1)
        [result] = jobs.pull.pull(self.house, [name], now, incremental=incremental)
        return result

    def evidence(self, name: str = "part") -> Pull:
        with self.house.store.read() as session:
            rows = session.exec(Pull.__table__.select().where(Pull.feed == name)).all()  # type: ignore[attr-defined]
        return max(rows, key=lambda row: row.id)

    def by_changes(self, name: str = "part") -> bool:
        """Whether the last pull read only what changed."""
        return "changes since" in self.evidence(name).filters

    def frames(self, name: str) -> dict[str, pl.DataFrame]:
        """What is believed of a feed."""
        with self.house.store.read() as session:
            snapshot = believed(session, name)
        assert snapshot is not None
        folder = self.house.snapshots / snapshot.path
        return {t: pl.read_parquet(folder / f"{t}.parquet").drop("application").sort(KEYS[t]) for t in KEYS}

    def asked(self) -> int:
        return len(self.sandbox.asked(self.application.name))

    def alive(self) -> list[SandboxAccount]:
        return [a for a in self.application.accounts.values() if a.status != "deleted"]


def entitle(application: SandboxApplication) -> None:
    """Groups in groups, groups with roles, roles, applications: whatever the vendor has of it."""
    vendor, people = application.vendor, list(application.accounts)
    if vendor == "salesforce":
        for number, (prefix, kind) in enumerate(PREFIXES.items()):
            one = SandboxEntitlement(f"{prefix}00000000010{number}AAA", f"{kind} {number}", kind, number % 2 == 1)
            application.entitlements[one.id] = one
        outer = SandboxEntitlement("00G000000000200AAA", "outer", "group")
        application.entitlements[outer.id] = outer
        application.entitlements["00G000000000100AAA"].more["within"] = [outer.id]
    else:
        for number, kind in enumerate(KINDS[vendor] * 2):
            number_ = 50 + number
            one = SandboxEntitlement(vendor_id(vendor, number_, kind), f"{kind} {number}", kind, number % 2 == 1)
            application.entitlements[one.id] = one
        role, group, inner, app = (
            [e for e in application.entitlements.values() if e.kind == kind][at]
            for kind, at in (("role", -1), ("group", -1), ("group", -2), ("application", -1))
        )
        role.name = "Global Administrator"
        group.more["roles"] = [role.id]
        if vendor == "entra":
            group.more["groups"] = [inner.id]
            app.more["groups"] = [inner.id]
    for number, one in enumerate(application.entitlements.values()):
        for account_id in people[number * 7 : number * 7 + 9]:
            if not any(g.entitlement_id.startswith("00e") for g in application.held(account_id)) or one.id[:3] != "00e":
                application.grant(account_id, one.id)


def happen(world: World, chance: random.Random, times: int) -> list[str]:
    """Random changes, as people and programs make them; says which."""
    application, done = world.application, []
    verbs: dict[str, Callable[[SandboxAccount], Any]] = {
        "create": lambda _: _create(application, world.clock, 1000 + application.counted),
        "rename": lambda a: _rename(application, a, chance),
        "deactivate": lambda a: application.set_status(a.id, "deactivated", "api"),
        "suspend": lambda a: application.set_status(a.id, "suspended", "api"),
        "reactivate": lambda a: application.set_status(a.id, "active", "api"),
        "delete": lambda a: application.set_status(a.id, "deleted", "api"),
        "grant": lambda a: application.grant(a.id, chance.choice(_to_give(application, a)), "api"),
        "revoke": lambda a: [application.revoke(a.id, g.entitlement_id, "api") for g in application.held(a.id)[:1]],
        "sign in": lambda a: _sign_in(application, a, world.clock),
    }
    if world.tenant.connector != "okta":  # second factors of users that did not change are not told by Okta
        verbs["enrol"] = lambda a: setattr(a, "mfa", not a.mfa)
    if world.tenant.connector == "entra":
        verbs["restore"] = lambda a: [
            application.set_status(d.id, "active") for d in application.accounts.values() if d.status == "deleted"
        ][:1]
        verbs["purge"] = lambda a: _purge(application)
        verbs["nest"] = lambda a: _nest(application, chance)
    for _ in range(times):
        verb = chance.choice(list(verbs))
        if verb in ("delete", "deactivate", "suspend") and done.count(verb):
            continue  # many of them together would be held by the guard
        verbs[verb](chance.choice(world.alive()))
        done.append(verb)
    return done


def _create(application: SandboxApplication, at: datetime, number: int) -> None:
    new = vendor_id(application.vendor, number)
    name = f"new{number}@nwl.example"
    account = SandboxAccount(new, name, name, "New", f"Number{number}", created_at=at, employee_id=f"N{number}")
    application.accounts[new] = account
    application.record("created", new, "api")
    groups = [e for e in application.entitlements.values() if e.kind == "group"]
    application.grant(new, groups[0].id, "api")


def _rename(application: SandboxApplication, account: SandboxAccount, chance: random.Random) -> None:
    account.family = f"Renamed{chance.randrange(10_000)}"
    account.department = chance.choice(["Sales", "Legal", None])
    application.record("updated", account.id, "api")


def _sign_in(application: SandboxApplication, account: SandboxAccount, at: datetime) -> None:
    account.last_seen_at = at
    application.record("sign_in", account.id, account.id, at=at)


def _to_give(application: SandboxApplication, account: SandboxAccount) -> list[str]:
    """What may be given; nobody holds two profiles or roles of Salesforce."""
    held = {g.entitlement_id[:3] for g in application.held(account.id)}
    single = {"00e", "00E"} & held
    return [one for one in application.entitlements if application.vendor != "salesforce" or one[:3] not in single]


def _purge(application: SandboxApplication) -> None:
    """A deleted user that cannot be restored any more."""
    for account in [a for a in application.accounts.values() if a.status == "deleted"][:1]:
        application.grants = [g for g in application.grants if g.account_id != account.id]
        del application.accounts[account.id]


def _nest(application: SandboxApplication, chance: random.Random) -> None:
    """One group comes into another, or leaves it."""
    outer, inner = chance.sample([e for e in application.entitlements.values() if e.kind == "group"], 2)
    inside = outer.more.setdefault("groups", [])
    if inner.id in inside:
        inside.remove(inner.id)
    else:
        inside.append(inner.id)
