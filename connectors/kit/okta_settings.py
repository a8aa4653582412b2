"""How an Okta org lets closed accounts back in: what its inbound identity providers do at a sign-in.

Okta's specification, IdentityProvider: `policy.provisioning.conditions` decides what happens to a deactivated or
suspended account whose owner signs in through the provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connectors.kit.okta_calls import OktaCalls
from connectors.kit.resource import Reader
from governance.records import Event, Reading

SETTING: Final = "lets_closed_back_in"
_ACTIONS: Final = (("suspended", "UNSUSPEND", "suspended"), ("deprovisioned", "REACTIVATE", "deactivated"))


def opened_by(calls: OktaCalls, reader: Reader) -> list[tuple[str, str, str]] | None:
    """The providers that let closed accounts back in: id, name, which accounts. None where they are not told."""
    rows = calls.may_list("idps", {"limit": "200"}, Reading(), gone=True)
    if rows is None:
        return None
    found = []
    for row in rows:
        told = reader.of(row)
        number = told.text("id") or "without an id"
        conditions = told.part("policy.provisioning.conditions")
        for status, action, word in _ACTIONS:
            if (conditions.text(f"{status}.action") or "").upper() == action:
                found.append((number, told.text("name") or number, word))
    return found


def told_settings(calls: OktaCalls, now: datetime) -> Iterator[Event]:
    """The setting as it is now: one event for the org, and one for each provider that lets accounts back in."""
    place = calls.place
    found = opened_by(calls, Reader(place, now))
    if found is None:
        return
    yield Event(place, f"setting:{SETTING}", now, "setting", success=False, target=SETTING)
    for number, name, word in found:
        yield Event(place, f"setting:{number}:{word}", now, "setting", actor=name, success=True, target=SETTING)
