"""People of whom the source of truth says two things that cannot both be true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Contradictory source",
    severity="medium",
    ends_when="the source of truth states one of the two alone",
    remedy=Remedy.CORRECT_SOURCE,
    identity=("identity_id",),
    needs=("source.read",),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.2", "NIST AC-2(1)", "PCI DSS 8.2.4"),
    evidence=("state", "ended_at"),
    sentence=lambda row: (
        f"{row['source']} says that {row['who']} works here, and also that {row['who']} {row['left']}:"
        " one of the two must be corrected."
    ),
)
def contradictory_source(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """The source of truth calls somebody active and gives an end date that has passed.

    Fires when the newest snapshot of the source still says *active* or *leave* after the end date it states itself.
    Both facts are shown and nothing is ever done to an account because of it: only the source can be corrected.
    Quiet when the end date lies ahead, or when it passed after the source was read: then the person is a leaver.
    Always evaluable once a source was read: it needs nothing but the row itself.
    """
    return estate.identities.filter(nw.col("contradictory")).with_columns(application=nw.col("source"))
