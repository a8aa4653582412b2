"""Applications that one person alone can administer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.settings import Policy


@rule(
    title="Last privileged account",
    severity="medium",
    ends_when="a second person's account holds privileged access, or none does any more",
    remedy=Remedy.DECIDE,
    identity=("application",),
    needs=("account.active", "account.grants"),
    controls=("ISO 27001 A.5.2", "SOC 2 CC6.2", "NIST AC-2(1)", "NIST CP-2", "PCI DSS 7.2.2", "CIS 5.4"),
    evidence=("only_account",),
    lines={"only_account": says(APPLICATION, "{value} is the only active privileged account of a person")},
    sentence=lambda row: (
        f"{row['only_account']} is the only active privileged account of a person in {row['where']}: losing it locks"
        " everybody out of its administration."
    ),
)
def last_privileged(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Only one person's account is left that can administer an application.

    Fires once for an application when exactly one active account of a person holds something privileged. Whoever closes
    it, or whoever it belongs to when they leave, locks everybody out.
    Quiet where several do, and where none is known to: there programs administer, or no entitlement is marked as
    privileged. Service, bot and shared accounts do not count. Quiet too as long as another account could be a second
    one, because it is not told whether it is active or what it holds.
    Not evaluable for accounts of which it is not told whether they are active or what they hold.
    """
    active, privileged = nw.col("active"), nw.col("privileged")
    surely = active.fill_null(False) & privileged.fill_null(False)
    perhaps = active.fill_null(True) & privileged.fill_null(True)
    called = nw.coalesce("username", "account_id")
    return (
        estate.accounts.filter(perhaps, of_a_person())
        .select("application", "criticality", one=surely.cast(nw.Int64), called=nw.when(surely).then(called))
        .group_by("application")
        .agg(
            nw.col("criticality").max(),
            nw.col("one").sum().alias("sure"),
            nw.len().alias("possible"),
            nw.col("called").max().alias("only_account"),
        )
        .filter(nw.col("possible") == 1, nw.col("sure") == 1)
    )
