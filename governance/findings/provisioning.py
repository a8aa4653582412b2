"""What a detect run keeps of each application's provisioning: its writers, what came of them, and what leavers show."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from governance.estate import Estate
from governance.house import House
from governance.provisioning.acts import acts
from governance.provisioning.leaving import leaving
from governance.provisioning.radar import Blip, Manners, radar
from governance.tables import Connector, Remediation


def provisioning(house: House, estate: Estate, as_of: datetime) -> dict[str, dict[str, Any]]:
    """For each application `radar` and, where leavers held accounts, `leaving`: plain values, instants in ISO 8601."""
    done = acts(estate, as_of).collect("polars")
    blips = radar(estate, as_of, manners_of(house), done)
    left = leaving(estate, done, as_of, _ours(house, as_of))
    found: dict[str, dict[str, Any]] = {}
    for application, blip in blips.items():
        found[application] = {"radar": _kept(blip)}
        if application in left:
            found[application]["leaving"] = left[application].kept()
    return found


def manners_of(house: House) -> Manners:
    """For each application, what its connector declares of how it pushes: only identity providers do."""
    with house.store.read() as session:
        declared = {row.name: row.limits or [] for row in session.exec(select(Connector))}
    found = {}
    for application in house.settings.application:
        own = {one["manner"]: one for one in declared.get(application.connector, []) if "manner" in one}
        if own:
            found[application.name] = own
    return found


def _ours(house: House, as_of: datetime) -> dict[tuple[str, str], int]:
    """The accounts that were closed and proved from here up to then, and when."""
    query = select(Remediation.application, Remediation.account_id, Remediation.verified_at).where(
        col(Remediation.verified_at).is_not(None),
        col(Remediation.verified_at) <= as_of,
        col(Remediation.entitlement_id).is_(None),
    )
    with house.store.read() as session:
        return {(a, account): int(at.timestamp()) for a, account, at in session.exec(query) if at is not None}


def _kept(blip: Blip) -> dict[str, Any]:
    return {
        "writers": [_plain(asdict(one)) for one in blip.acting],
        "consequences": [_plain(asdict(one), "application") for one in blip.consequences],
        "unknown": {one.kind: one.why for one in blip.unknown},
        "provider": blip.provider,
        "born": blip.born,
        "reached": blip.reached,
    }


def _plain(values: dict[str, Any], *without: str) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in without}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}
