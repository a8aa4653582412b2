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


def inbound(calls: OktaCalls, reader: Reader) -> Iterator[tuple[str, str, str, bool]]:
    """What each inbound provider does with closed accounts: id, name, which accounts, whether it lets them back in.

    Nothing where the credential may not see the providers.
    """
    for row in calls.may_list("idps", {"limit": "200"}, Reading(), gone=True) or ():
        told = reader.of(row)
        number = told.text("id") or told.text("name") or "without an id"
        conditions = told.part("policy.provisioning.conditions")
        for status, action, word in _ACTIONS:
            lets_in = (conditions.text(f"{status}.action") or "").upper() == action
            yield number, told.text("name") or number, word, lets_in


def told_settings(calls: OktaCalls, now: datetime) -> Iterator[Event]:
    """One event for each inbound provider and kind of closed account: the setting as it is now, on or off."""
    place = calls.place
    for number, name, word, lets_in in inbound(calls, Reader(place, now)):
        yield Event(place, f"setting:{number}:{word}", now, "setting", actor=name, success=lets_in, target=SETTING)
