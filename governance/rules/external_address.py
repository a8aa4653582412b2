"""Employees whose address moved out of the organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy

# Beside the commonest, a domain is the organisation's own when this many of its employees, and this share, are there.
OWN_PEOPLE: Final = 5
OWN_SHARE: Final = 0.05


def _domain(column: str) -> nw.Expr:
    return nw.col(column).str.strip_chars().str.to_lowercase().str.replace_all("^.*@", "")


def _employed() -> nw.Expr:
    return nw.col("present") & (nw.col("kind") == "employee") & ~nw.col("email").is_null()


def _sentence(row: Row) -> str:
    return (
        f"{row['source']} gives {row['who']} the address {row['email']}, which is outside the organisation's own"
        f" domains; before, it was {row['former_emails'].replace(';', ', ')}."
    )


@rule(
    title="External address",
    severity="medium",
    ends_when="the source of truth states an address at one of the organisation's own domains, the domain is named in"
    " the settings under [[domain]], or the person is no longer an employee",
    remedy=Remedy.CORRECT_SOURCE,
    identity=("identity_id",),
    needs=("source.read", "owner.state"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(1)", "PCI DSS 8.2.1", "CIS 5.1"),
    evidence=("email", "former_emails", "kind", "state"),
    lines={"former_emails": says(OWNERS_SOURCE, "former e-mail {value}", several=True)},
    sentence=_sentence,
    applies=lambda _: _employed() & ~nw.col("former_emails").is_null(),
)
def external_address(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """The work address of an employee moved to a domain that is not the organisation's.

    Fires when an employee who works here, is on leave or starts later once had an address at one of the organisation's
    own domains and now has one elsewhere. Own are the domains named under `[[domain]]`, the commonest among the
    employees of the source, and each that five employees and five in a hundred have. The person stays the same person;
    whoever reads mail at the new address can reset the passwords of their accounts.
    Quiet for contractors and guests, for whoever always had an address elsewhere, for changes within the
    organisation's domains, and for leavers.
    Not evaluable when the source does not tell whether the person works here.
    """
    named = sorted({name.lower() for entry in estate.settings.domain for name in (entry.name, *entry.same_as)})
    people = estate.identities.filter(_employed())
    counted = (
        people.select("source", domain=_domain("email"))
        .group_by("source", "domain")
        .agg(nw.len().cast(nw.Int64).alias("here"))
    )
    whole = counted.group_by("source").agg(nw.col("here").sum().alias("everybody"), nw.col("here").max().alias("most"))
    many = (nw.col("here") >= OWN_PEOPLE) & (nw.col("here") >= OWN_SHARE * nw.col("everybody"))
    own = (
        counted.join(whole, on="source", how="inner")
        .filter((nw.col("here") == nw.col("most")) | many)
        .select("source", "domain", own=nw.lit(True))
    )
    is_own = nw.col("own").fill_null(False) | (nw.col("domain").is_in(named) if named else nw.lit(False))
    outside = (
        people.filter(~nw.col("former_emails").is_null(), nw.col("state").is_in(["current", "leave", "future"]))
        .with_columns(domain=_domain("email"))
        .join(own, on=["source", "domain"], how="left")
        .filter(~is_own)
        .drop("own", "domain")
    )
    once_inside = (
        outside.select("identity_id", "source", former=nw.col("former_emails").str.split(";"))
        .explode("former")
        .with_columns(domain=_domain("former"))
        .join(own, on=["source", "domain"], how="left")
        .filter(is_own)
        .select("identity_id")
    )
    return outside.join(once_inside, on="identity_id", how="semi").with_columns(application=nw.col("source"))
