"""Applications that two writers fill: the sign-in itself, and a push."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import APPLICATION, SETTINGS, says, worded
from governance.provisioning.entitled import counted
from governance.provisioning.pushes import ACCOUNT, born, names, pushed
from governance.settings import Policy, Settings

Frame = nw.LazyFrame[Any]


def _sentence(row: Row) -> str:
    seen = []
    if row["pushed"]:
        seen.append(f"{counted(row['pushed'], 'account')} pushed by SCIM")
    if row["born"]:
        seen.append(f"{counted(row['born'], 'account')} made by a sign-in without a push")
    shown = f"; its events show {' and '.join(seen)}" if seen else ""
    whose = _whose(row)
    return (
        f"{row['where']} is filled by single sign-on (JIT) and by SCIM at the same time{shown}{whose}:"
        " what one writes the other may overwrite, and SCIM does not close what it did not make."
    )


def _whose(row: Row) -> str:
    """Which attributes are whose, where the settings tell it."""
    parts = []
    if row["both_write"]:
        parts.append(f"both write {row['both_write']}")
    if row["jit_writes"]:
        parts.append(f"JIT alone writes {row['jit_writes']}")
    if row["scim_writes"]:
        parts.append(f"SCIM alone writes {row['scim_writes']}")
    return f"; {', '.join(parts)}" if parts else "; which of the two owns which attribute is not told"


def _were(count: int, how: str) -> str | None:
    return f"{counted(count, 'account')} {'was' if count == 1 else 'were'} {how}" if count else None


@rule(
    title="JIT and SCIM both on",
    severity="medium",
    ends_when="one of the two ways is switched off in the application or the identity provider, the settings here say"
    " so, and the events of both no longer lie within the days that events are kept",
    remedy=Remedy.CONFIGURE,
    identity=("application",),
    needs=("source.read",),
    controls=("ISO 27001 A.5.16", "ISO 27001 A.8.9", "SOC 2 CC6.2", "NIST AC-2(1)", "PCI DSS 8.2.4", "CIS 6.1"),
    evidence=("both_told", "pushed", "born", "both_write", "jit_writes", "scim_writes"),
    lines={
        "both_told": says(SETTINGS, "{row[where]} is provisioned by jit and by scim"),
        "pushed": worded(APPLICATION, lambda row: _were(row["pushed"], "pushed")),
        "born": worded(APPLICATION, lambda row: _were(row["born"], "made by a sign-in that no push preceded")),
        "both_write": says(SETTINGS, "both write {value} in {row[where]}"),
        "jit_writes": says(SETTINGS, "JIT alone writes {value} in {row[where]}"),
        "scim_writes": says(SETTINGS, "SCIM alone writes {value} in {row[where]}"),
    },
    sentence=_sentence,
)
def dual_provisioning(estate: Estate, policy: Policy, now: datetime) -> Frame:
    """An application is filled at the first sign-in (JIT) and by pushes (SCIM) at the same time.

    Fires once for an application whose `provisioning` in the settings holds both jit and scim, or whose events show
    both: somebody was pushed there, and an account that nobody pushed was made by a sign-in. Made by a sign-in is an
    account that its own events say it made itself, or one that came to be within five minutes of its owner's single
    sign-on to this application. Which attributes are whose comes from `writes` in the settings.
    Quiet where only one of the two is at work, for invitations and accounts made by hand, and for pushes that failed.
    Not evaluable for accounts as long as no source of truth was read: whose single sign-on it was is not known.
    """
    settings = estate.settings
    both = [a.name for a in settings.application if {"jit", "scim"} <= set(a.provisioning)]
    called = names(settings)
    by_push = pushed(estate, called)
    by_sign_in = born(estate, called, by_push, now)
    there = estate.accounts.filter(nw.col("source_read")).group_by("application").agg(nw.col("criticality").max())
    counted = [
        frame.unique(ACCOUNT).group_by("application").agg(nw.len().cast(nw.Int64).alias(name))
        for name, frame in (("pushed", by_push), ("born", by_sign_in))
    ]
    joined = there
    for frame in counted:
        joined = joined.join(frame, on="application", how="left")
    told = nw.col("application").is_in(both)
    found = joined.filter(told | (~nw.col("pushed").is_null() & ~nw.col("born").is_null()))
    return found.with_columns(both_told=told, **_writes(settings))


def _writes(settings: Settings) -> dict[str, nw.Expr]:
    """Columns with the attributes that both write, and that each alone writes, as the settings tell."""
    columns = {name: nw.lit(None, nw.String) for name in ("both_write", "jit_writes", "scim_writes")}
    for a in settings.application:
        jit, scim = set(a.writes.get("jit", ())), set(a.writes.get("scim", ()))
        for name, attributes in (("both_write", jit & scim), ("jit_writes", jit - scim), ("scim_writes", scim - jit)):
            if attributes:
                text = ", ".join(sorted(attributes))
                here = nw.col("application") == a.name
                columns[name] = nw.when(here).then(nw.lit(text)).otherwise(columns[name])
    return columns
