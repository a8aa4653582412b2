"""A small application of any vendor, made by hand: every status, kind and state of knowledge once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.model import (
    SandboxAccount,
    SandboxApplication,
    SandboxCredential,
    SandboxEntitlement,
    SandboxGrant,
)

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)

# given, family, kind, status, seen days ago (None: never), mfa, managed by
CAST: tuple[tuple[str, str, str, str, float | None, bool | None, str], ...] = (
    ("Ada", "Amaral", "human", "active", 1, True, "jit"),  # 0: holds the privileged entitlement
    ("Bruno", "Berg", "human", "active", 40, False, "jit"),
    ("Chioma", "Cole", "human", "active", None, None, "invited"),  # never signed in
    ("Dmitri", "Dahl", "human", "suspended", 100, True, "scim"),
    ("Esra", "Ek", "human", "deactivated", 200, True, "scim"),
    ("Farid", "Falk", "human", "pending", None, None, "invited"),
    ("Gwen", "Gray", "human", "locked", 3, True, "jit"),
    ("Hana", "Hoshi", "guest", "active", 10, False, "invited"),
    ("Build", "Robot", "bot", "active", 0.1, None, "local"),
    ("Backup", "Service", "service", "active", None, None, "local"),  # privileged too
    ("Front", "Desk", "shared", "active", 2, None, "imported"),
    ("Jun", "Jung", "human", "deleted", 300, None, "local"),  # erased; a tombstone where the vendor keeps one
)


def small_application(
    vendor: str, name: str = "", *, now: Callable[[], datetime] = lambda: NOW, **settings: Any
) -> SandboxApplication:
    """Twelve accounts, three entitlements, what they hold, what happened in ten days, and two credentials."""
    accounts = []
    for number, (given, family, kind, status, seen, mfa, how) in enumerate(CAST):
        login = f"{given}.{family}".lower()
        accounts.append(
            SandboxAccount(
                id=vendor_id(vendor, number + 1),
                username=f"{login}@{'partner' if kind == 'guest' else 'nwl'}.example",
                email=f"{login}@{'partner' if kind == 'guest' else 'nwl'}.example",
                given=given,
                family=family,
                kind=kind,
                status=status,
                created_at=NOW - (400 + number) * DAY,
                last_seen_at=None if seen is None else NOW - seen * DAY,
                mfa=mfa,
                department="Engineering" if number % 2 else "Sales",
                title="Engineer" if number % 2 else "Account Executive",
                employee_id=f"E{1000 + number}" if kind == "human" else None,
                external_id=f"ext-{number}" if how in ("jit", "scim") else None,
                managed_by=how,
            )
        )
    entitlements = [
        SandboxEntitlement(vendor_id(vendor, 1, "role"), "Administrators", "role", privileged=True),
        SandboxEntitlement(vendor_id(vendor, 2, "group"), "Everyone", "group"),
        SandboxEntitlement(vendor_id(vendor, 3, "group"), "Contractors", "group"),
    ]
    admins, everyone, contractors = (e.id for e in entitlements)
    since = NOW - 300 * DAY
    alive = [a for a in accounts if a.status != "deleted"]
    grants = [SandboxGrant(a.id, everyone, since, "group") for a in alive]
    grants += [SandboxGrant(accounts[n].id, admins, since) for n in (0, 9)]
    grants += [SandboxGrant(accounts[7].id, contractors, since, "group")]
    application = SandboxApplication(
        name or vendor.replace("_", "-"),
        vendor,
        accounts=accounts,
        entitlements=entitlements,
        grants=grants,
        credentials=[
            SandboxCredential("cred-1", accounts[0].id, "token", "deploy", NOW - 90 * DAY, NOW - DAY),
            SandboxCredential("cred-2", accounts[4].id, "token", "old script", NOW - 500 * DAY, NOW - 2 * DAY),
        ],
        settings=settings,
        now=now,
    )
    ada, bruno, _, dmitri, esra, farid, *_ = accounts
    for days, kind, about, actor, success, target in (
        (9, "created", farid, ada.id, True, None),
        (8, "sign_in", ada, ada.id, True, None),
        (7, "sign_in_failed", bruno, bruno.id, False, None),
        (6, "deactivated", dmitri, ada.id, True, None),
        (5, "granted", bruno, ada.id, True, everyone),
        (4, "revoked", bruno, ada.id, True, contractors),
        (3, "deactivated", esra, ada.id, True, None),
        (1, "sign_in", ada, ada.id, True, None),
    ):
        application.record(kind, about.id, actor, at=NOW - days * DAY, success=success, target=target)
    return application


def crowd(vendor: str, count: int, name: str = "", *, now: Callable[[], datetime] = lambda: NOW) -> SandboxApplication:
    """`count` people, the third of every ten deactivated; for paging."""
    accounts = [
        SandboxAccount(
            id=vendor_id(vendor, number),
            username=f"person{number}@nwl.example",
            email=f"person{number}@nwl.example",
            given="Person",
            family=f"Number{number}",
            status="deactivated" if number % 10 == 3 else "active",
            created_at=NOW - 300 * DAY,
            last_seen_at=NOW - (number % 50) * DAY,
            mfa=True,
            employee_id=f"E{number}",
        )
        for number in range(1, count + 1)
    ]
    everyone = SandboxEntitlement(vendor_id(vendor, 2, "group"), "Everyone", "group")
    admins = SandboxEntitlement(vendor_id(vendor, 1, "role"), "Administrators", "role", privileged=True)
    return SandboxApplication(
        name or vendor.replace("_", "-"),
        vendor,
        accounts=accounts,
        entitlements=[admins, everyone],
        grants=[SandboxGrant(a.id, everyone.id, NOW - 200 * DAY, "group") for a in accounts],
        now=now,
    )


def named(application: SandboxApplication, name: str) -> str:
    """The id of the entitlement that is called so."""
    return next(e.id for e in application.entitlements.values() if e.name == name)
