"""The invented company on disk: one file of people and plans, one for each application, written in one step."""

from __future__ import annotations

import heapq
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.sandbox.landscape import landscape
from connectors.sandbox.model import (
    SandboxAccount,
    SandboxApplication,
    SandboxCredential,
    SandboxEvent,
    SandboxGrant,
)
from connectors.sandbox.people import Person
from connectors.sandbox.planting import application_of
from connectors.sandbox.simulation import Company, Mind

MAIN: Final = "company.json"
_INSTANTS: Final = ("at", "since", "created_at", "last_seen_at", "last_used_at", "expires_at")


def save(company: Company, folder: Path) -> None:
    """Write everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with company.lock:
        for application in company.applications.values():
            save_application(application, folder)
        told = {
            "seed": company.seed,
            "built_at": company.built_at,
            "at": company.at,
            "ahead_s": company.ahead.total_seconds(),
            "count": company.count,
            "hired": company.hired,
            "signed": company.signed,
            "people": list(company.people.values()),
            "minds": [[*key, mind] for key, mind in company.minds.items()],
            "queue": company.queue,
        }
        _write(folder / MAIN, told)


def save_application(application: SandboxApplication, folder: Path) -> None:
    """Write one application."""
    with application.lock:
        told = {
            "accounts": list(application.accounts.values()),
            "grants": application.grants,
            "events": application.events,
            "credentials": application.credentials,
            "settings": application.settings,
            "counted": application.counted,
        }
        _write(folder / f"{application.name}.json", told)


def load(folder: Path) -> Company:
    """The company as it was saved."""
    told = orjson.loads((folder / MAIN).read_bytes())
    company = Company(
        seed=told["seed"],
        built_at=datetime.fromisoformat(told["built_at"]),
        at=datetime.fromisoformat(told["at"]),
        people={p["employee_id"]: _person(p) for p in told["people"]},
        applications={},
        minds={(name, account): Mind(**mind) for name, account, mind in told["minds"]},
        queue=[(datetime.fromisoformat(at), n, kind, tuple(about)) for at, n, kind, about in told["queue"]],
        count=told["count"],
        hired=told["hired"],
        signed=told["signed"],
        ahead=timedelta(seconds=told["ahead_s"]),
    )
    heapq.heapify(company.queue)
    for plot in landscape().values():
        application = company.applications[plot.name] = application_of(plot, company)
        kept = orjson.loads((folder / f"{plot.name}.json").read_bytes())
        application.accounts = {a["id"]: SandboxAccount(**_dated(a)) for a in kept["accounts"]}
        application.grants = [SandboxGrant(**_dated(g)) for g in kept["grants"]]
        application.events = [SandboxEvent(**_dated(e)) for e in kept["events"]]
        application.credentials = [SandboxCredential(**_dated(c)) for c in kept["credentials"]]
        application.settings, application.counted = kept["settings"], kept["counted"]
    return company


def _dated(told: dict[str, Any]) -> dict[str, Any]:
    for name in _INSTANTS:
        if told.get(name) is not None:
            told[name] = datetime.fromisoformat(told[name])
    return told


def _person(told: dict[str, Any]) -> Person:
    for name in ("hired", "last_day"):
        told[name] = date.fromisoformat(told[name]) if told[name] else None
    told["active_in"] = None if told["active_in"] is None else tuple(told["active_in"])
    told["last_used"] = tuple((name, days) for name, days in told["last_used"])
    return Person(**told)


def _write(path: Path, told: dict[str, Any]) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(orjson.dumps(told))
    os.replace(beside, path)
