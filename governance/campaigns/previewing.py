"""A campaign before it begins, as one of its reviewers would see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from governance.access import Actor, Verb, demand
from governance.campaigns.launching import rows_of
from governance.campaigns.preparing import prepare
from governance.campaigns.scope import plan_of, scope_of
from governance.house import House
from governance.tables import ReviewItem


def preview_as(
    house: House, actor: Actor, now: datetime, scope: Mapping[str, Any], plan: Mapping[str, Any], reviewer: str
) -> list[ReviewItem]:
    """The items a launch would give to this reviewer now, of the first level; stores nothing.

    The same rows as at the launch but for the announced control rows, which are made there and known to nobody before.
    """
    demand(actor, Verb.CAMPAIGN)
    made = prepare(house, now, scope_of(dict(scope)), plan_of(dict(plan)))
    rows = zip(made.items, rows_of("", made), strict=True)
    return [ReviewItem(number=item["number"], **row) for item, row in rows if row["reviewer"] == reviewer]
