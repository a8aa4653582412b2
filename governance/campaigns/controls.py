"""Announced control rows: known to be wrong, never carried out. They measure whether a reviewer looks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from governance.campaigns.preparing import Prepared

NAMES: Final = ("Alex Brandt", "Noor Haddad", "Sam Okafor", "Mika Salonen", "Robin Falk", "Ines Duarte")
ENDED_DAYS_AGO: Final = 60


def control_rows(id: str, made: Prepared, now: datetime) -> Iterator[dict[str, Any]]:
    """As many rows as the plan says, spread over the reviewers with the most items, by the name of the invented owner.

    Each is an account of somebody invented who left two months ago: the row says so, the recommendation does not, and
    keeping it is a miss. Only where that reviewer has ten real items, so that nobody reviews control rows alone.
    """
    if not made.plan.controls:
        return
    counted = Counter(levels[0].reviewer for levels in made.found if levels[0].reviewer)
    busy = [reviewer for reviewer, items in counted.most_common() if items >= 10]
    by_reviewer = {levels[0].reviewer: item for item, levels in zip(made.items, made.found, strict=True)}
    ended = now - timedelta(days=ENDED_DAYS_AGO)
    for place in range(made.plan.controls if busy else 0):
        reviewer = busy[place % len(busy)]
        like = by_reviewer[reviewer]
        name = NAMES[place % len(NAMES)]
        account = hashlib.sha256(f"{id}/{place}".encode()).hexdigest()[:12]
        yield {
            "campaign": id,
            "application": like["application"],
            "account_id": account,
            "username": f"{name.lower().replace(' ', '.')}.{account[:3]}",
            "entitlement_id": like["entitlement_id"],
            "entitlement": like["entitlement"],
            "identity_id": None,
            "identity_name": name,
            "position": like["position"] or "",
            "employment": "ended",
            "privileged": False,
            "critical": False,
            "control": True,
            "facts": {"kind": "human", "ended_at": ended.isoformat(), "used_known": False, "rules": []},
            "recommendation": "judge",
            "because": "Last use unknown",
            "first_recommendation": "judge",
            "first_because": "Last use unknown",
            "reviewer": reviewer,
            "via": "control row",
            "level": 1,
            "later": [],
            "bulk": False,
        }
