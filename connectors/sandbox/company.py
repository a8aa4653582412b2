"""Northwind Labs in small: the same people with four applications as files, for tests of pages and read models.

The demo itself is `connectors.sandbox.simulation`.

Everything follows from the seed and `now`: the same two give the same files, and every date is counted back from `now`.
"""

from __future__ import annotations

import csv
import json
import os
import random
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.sandbox.directory import CORE, ENTERPRISE, EXTENSION
from connectors.sandbox.holdings import Holding, Holdings, earlier, issue
from connectors.sandbox.people import DATA, EARLIER_DAYS, HR_COLUMNS, Person, malformed, staff

SEED: Final = 1123
WIKI_PORT: Final = 5080
_COMMON: Final = ("account_id", "username", "email", "display_name", "status", "created_at")
COLUMNS: Final = {  # what each application tells, and nothing more
    "salesforce": (*_COMMON, "last_login_at", "employee_id", "department", "kind", "entitlements"),
    "github": (*_COMMON, "last_login_at", "kind", "mfa", "entitlements"),
    "figma": (*_COMMON, "entitlements"),
}


@dataclass(frozen=True)
class Company:
    """What was built, and where. The earlier files are to be pulled first, stamped with `earlier_at`."""

    folder: Path
    earlier_at: datetime
    earlier: Mapping[str, Path]  # feed name -> its earlier file
    scim_state: Path
    token_file: Path
    truth: Mapping[str, Any]


def build(folder: Path, now: datetime, seed: int = SEED, *, wiki_port: int = WIKI_PORT) -> Company:
    """Write feeds, SCIM state, token, configuration and truth into `folder`; a token that is there stays."""
    rng = random.Random(seed)  # noqa: S311 - it invents people, it guards nothing
    now = now.astimezone(UTC).replace(microsecond=0)
    today = now.astimezone(ZoneInfo("Europe/Berlin")).date()
    people = staff(rng, today)
    departments = tomllib.loads((DATA / "departments.toml").read_text(encoding="utf-8"))["department"]
    holdings = issue(rng, people, {d["name"]: d["entitlement"] for d in departments}, now)

    then = now - timedelta(days=EARLIER_DAYS)
    before = today - timedelta(days=EARLIER_DAYS)
    feeds = folder / "feeds"
    (feeds / "earlier").mkdir(parents=True, exist_ok=True)
    present = [row for p in people if p.in_file(today, today) for row in p.rows(today, today)]
    _write(feeds / "hr.csv", HR_COLUMNS, (*present, *malformed(today)))
    files = {"hr": feeds / "earlier" / f"hr-{before}.csv"}
    _write(files["hr"], HR_COLUMNS, [row for p in people if p.in_file(before, today) for row in p.rows(before, today)])
    for application, columns in COLUMNS.items():
        accounts = holdings.of(application)
        files[application] = feeds / "earlier" / f"{application}-{before}.csv"
        _write(feeds / f"{application}.csv", columns, map(_row, accounts))
        _write(files[application], columns, [_row(held) for held in (earlier(a, now) for a in accounts) if held])

    state = folder / "wiki.json"
    state.write_text(json.dumps(_directory(holdings.of("wiki")), ensure_ascii=False), encoding="utf-8")
    token_file = folder / "wiki.token"
    if not token_file.exists():
        with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
    template = (DATA / "leaverwatch.toml").read_text(encoding="utf-8")
    four = (DATA / "four_files.toml").read_text(encoding="utf-8")
    four = four.replace("{{wiki_url}}", f"http://127.0.0.1:{wiki_port}/scim/v2/")
    configuration = template.replace("{{applications}}", four).replace("{{bamboohr}}", "")
    (folder / "leaverwatch.toml").write_text(configuration, encoding="utf-8")
    truth = _truth(people, holdings, files, folder, now, then, seed)
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Company(folder, then, files, state, token_file, truth)


def _row(held: Holding) -> dict[str, str]:
    """One line of an application's file; each file takes the columns it has."""
    return {
        "account_id": held.account_id,
        "username": held.username,
        "email": held.email,
        "display_name": held.name,
        "status": held.status,
        "created_at": _time(held.created) if held.created else "",
        "last_login_at": _time(held.used) if held.used else "never",
        "employee_id": held.owner.employee_id if held.owner else "",
        "department": held.owner.department if held.owner else "",
        "kind": held.kind,
        "mfa": held.mfa,
        "entitlements": ";".join(held.entitlements),
    }


def _directory(accounts: list[Holding]) -> dict[str, Any]:
    """The wiki as its SCIM server keeps it: accounts, and groups that hold them."""
    members: dict[str, list[str]] = {}
    for held in accounts:
        teams = (f"{held.owner.department.lower()}-space",) if held.owner and not held.kind else ()
        for group in (*held.entitlements, *teams):
            members.setdefault(group, []).append(held.account_id)
    groups = [{"displayName": name, "members": values} for name, values in sorted(members.items())]
    return {"users": [_scim(held) for held in accounts], "groups": groups}


def _scim(held: Holding) -> dict[str, Any]:
    created = _time(held.created) if held.created else None
    account: dict[str, Any] = {
        "schemas": [CORE + "User", ENTERPRISE, EXTENSION],
        "id": held.account_id,
        "userName": held.username,
        "displayName": held.name,
        "active": held.status == "active",
        "meta": {"resourceType": "User", "version": 'W/"1"', "created": created, "lastModified": created},
        EXTENSION: {"lastSignInAt": _time(held.used) if held.used else "never", "mfaEnabled": held.mfa == "true"},
    }
    if held.email:
        account["emails"] = [{"value": held.email, "type": "work", "primary": True}]
    if held.kind:
        account["userType"] = held.kind
    if held.owner:
        account[ENTERPRISE] = {"employeeNumber": held.owner.employee_id, "department": held.owner.department}
        if not held.kind:
            account |= {"externalId": held.owner.employee_id, "title": held.owner.title}
    else:
        account["schemas"].remove(ENTERPRISE)
    return account


def _truth(
    people: list[Person],
    holdings: Holdings,
    files: Mapping[str, Path],
    folder: Path,
    now: datetime,
    then: datetime,
    seed: int,
) -> dict[str, Any]:
    """What a correct run finds after both pulls."""
    today = now.astimezone(ZoneInfo("Europe/Berlin")).date()
    ghosts = [holdings.accounts[application, account_id] for application, account_id in holdings.truth["ghost"]]
    leavers: list[dict[str, Any]] = []
    for person in people:
        if person.part != "leaver" or person.last_day is None or (days := (today - person.last_day).days - 1) > 30:
            continue
        open_in = sorted(held.application for held in ghosts if held.owner is person)
        leavers.append({"employee_id": person.employee_id, "name": person.name, "days": days, "open": open_in})
    leavers.sort(key=lambda leaver: (-len(leaver["open"]), -leaver["days"]))
    return {
        "seed": seed,
        "built_at": _time(now),
        "earlier_at": _time(then),
        "earlier": {name: path.relative_to(folder).as_posix() for name, path in files.items()},
        "people": sum(person.part != "missing" for person in people),
        "quarantined": len(malformed(today)),
        "left": len(leavers),
        "still_holding": sum(bool(leaver["open"]) for leaver in leavers),
        "open_accounts": len(ghosts),
        "oldest_days": max(leaver["days"] for leaver in leavers if leaver["open"]),
        "leavers": leavers,
        "accounts": {name: len(holdings.of(name)) for name in (*COLUMNS, "wiki")},
        "counts": {rule: len(found) for rule, found in holdings.truth.items()},
        "findings": {rule: sorted(map(list, found)) for rule, found in holdings.truth.items()},
        "contradictory_people": sorted(p.employee_id for p in people if p.part == "contradictory"),
        "missing_people": sorted(p.employee_id for p in people if p.part == "missing"),
        "programs_without_owner": sorted(
            list(held.key) for held in holdings.accounts.values() if held.kind in ("service", "bot") and not held.owner
        ),
    }


def _write(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, tuple(columns), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
