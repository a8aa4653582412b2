"""Applications that single sign-on fills and nothing empties."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import APPLICATION, SETTINGS, counts, says
from governance.settings import ApplicationSettings, Policy

WRITES: Final = "write_token"  # the key of the credential that may close accounts


def _never_emptied(application: ApplicationSettings) -> bool:
    """Whether the settings tell of a way in by single sign-on, and of no way out."""
    filled = "jit" in application.provisioning and "scim" not in application.provisioning
    return filled and not application.options.get(WRITES)


def _sentence(row: Row) -> str:
    many = f"{row['open_accounts']} active account{'s' if row['open_accounts'] != 1 else ''}"
    return (
        f"{row['where']} makes accounts at the first single sign-on (JIT), and nothing takes them away: no push (SCIM)"
        f" and no write credential here; it holds {many} that stay when their owners leave."
    )


_BY_JIT: Final = "{row[where]} is provisioned by jit, not by scim, and no write_token is given"


@rule(
    title="No removal path",
    severity="medium",
    ends_when="the settings say that SCIM provisions the application, or name a write credential with which accounts"
    " are closed from here, or it is no longer provisioned by jit",
    remedy=Remedy.CONFIGURE,
    identity=("application",),
    needs=("source.read",),
    controls=("ISO 27001 A.5.18", "ISO 27001 A.5.16", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.5", "CIS 6.2"),
    evidence=("jit_alone", "open_accounts"),
    lines={
        "jit_alone": says(SETTINGS, _BY_JIT),
        "open_accounts": counts(APPLICATION, "account is active", "accounts are active"),
    },
    sentence=_sentence,
)
def no_removal_path(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An application makes accounts at sign-in, and nothing takes them away when people leave.

    Fires once for an application whose `provisioning` in the settings holds jit and not scim, when no `write_token` is
    configured, so that nothing can be closed from here: closing somebody in the identity provider keeps them from
    signing in, and leaves the account, its licence and its tokens.
    Quiet where SCIM provisions too, where accounts can be closed from here, and for other ways of provisioning. Whether
    the connector is able to close accounts at all is not in the settings and is not asked: a write credential counts.
    Not evaluable for accounts as long as no source of truth was read: nobody can be seen to leave.
    """
    here = [a.name for a in estate.settings.application if _never_emptied(a)]
    there = estate.accounts.filter(nw.col("application").is_in(here), nw.col("source_read"))
    return (
        there.select("application", "criticality", live=nw.col("active").fill_null(True).cast(nw.Int64))
        .group_by("application")
        .agg(nw.col("criticality").max(), nw.col("live").sum().cast(nw.Int64).alias("open_accounts"))
        .with_columns(jit_alone=nw.lit(True))
    )
