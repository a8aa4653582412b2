"""An invented application whose accounts came to be in every way, and the logs that tell of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from estates import settings as of_settings
from msgspec.structs import replace

from governance.records import Account, Event

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BORN = NOW - 5 * DAY + timedelta(seconds=7)
APPLICATIONS = [
    {"name": "crm", "title": "Customer CRM", "connector": "app_csv"},
    {"name": "sso", "title": "Sign-on", "connector": "app_csv", "identity_provider": True},
]
SETTINGS = of_settings(application=APPLICATIONS)
START = Event("sso", "start", NOW - 90 * DAY, "sign_in")  # how far back the log of the identity provider reaches


def account(number, at=BORN, **facts):
    return replace(Account("crm", f"a{number}", employee_id=str(number), created_at=at, active=True), **facts)


def signs_on(number, at, **facts):
    return replace(
        Event("sso", f"s{number}-{at:%j%H%M%S}", at, "sso", f"s{number}", None, True, "customer CRM"), **facts
    )


def pushes(number, at, **facts):
    return replace(Event("sso", f"p{number}", at, "provisioned", f"s{number}", None, True, "CRM"), **facts)


def made(number, actor, at=BORN, **facts):
    return replace(Event("crm", f"m{number}", at, "created", f"a{number}", actor, True), **facts)


def mixed():
    """Four ways in at once, a clock four minutes off, a fifth of all events lost, sign-ons by chance: ways, said."""
    luck = random.Random(4)
    ways, accounts, events = {}, [account(1, NOW - 900 * DAY)], []
    for n in range(100, 500):
        moment = NOW - timedelta(seconds=luck.randint(86_400, 80 * 86_400) // 900 * 900 + luck.randint(1, 899))
        way = ways[f"a{n}"] = ("jit", "scim", "local", "imported")[n % 4]
        accounts.append(account(n, moment + timedelta(seconds=240)))
        first = moment - timedelta(seconds=luck.randint(0, 4)) if way == "jit" else None
        soon = moment + timedelta(seconds=round(luck.expovariate(1 / 40_000)))
        events.append(signs_on(n, first or soon))
        events += [signs_on(n, soon + timedelta(seconds=luck.randint(60, 9_000_000))) for _ in range(5)]
        if way == "scim":
            events.append(pushes(n, moment))
        if way != "jit":
            maker = {"scim": "robot", "local": "a1", "imported": "nightly import"}[way]
            events.append(made(n, maker, moment + timedelta(seconds=240)))
    return ways, accounts, [e for e in events if luck.random() >= 0.2]
