"""Doors beside single sign-on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import CERTAIN, Remedy, Row, made_outside, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, beside, says, worded
from governance.settings import ApplicationSettings, Policy, Settings


def _through_sign_on(application: ApplicationSettings) -> bool:
    """Whether people are meant to come in through the identity provider alone."""
    if application.single_sign_on is not None:
        return application.single_sign_on == "required"
    return not application.identity_provider and not {"jit", "scim"}.isdisjoint(application.provisioning)


def _of_people_there(settings: Settings) -> nw.Expr:
    here = [a.name for a in settings.application if _through_sign_on(a)]
    return nw.col("application").is_in(here) & of_a_person() & ~nw.col("protected")


def _sentence(row: Row) -> str:
    whose = f" of {row['who']}" if row["identity_id"] else ""
    account = f"account {row['account']}{whose} in {row['where']}"
    if row["password"]:
        return f"The {account}, where people come in by single sign-on, can also be opened with a password of its own."
    how = {"local": "was made by hand", "invited": "was made by an invitation"}
    told = how.get(_surely(row) or "", f"is active though no identity provider knows {row['who']}")
    return f"People come into {row['where']} by single sign-on; the {account} {told}."


_CAME_TO_BE: Final = {
    "jit": "made by a single sign-on",
    "scim": "pushed by SCIM",
    "invited": "made by an invitation",
    "imported": "imported",
    "local": "made by hand",
}


def _surely(row: Row) -> str | None:
    """How the account came to be, where that is sure enough to go by."""
    return row["provenance"] if (row["provenance_confidence"] or 0) >= CERTAIN else None


def _came_to_be(row: Row) -> str | None:
    return _CAME_TO_BE.get(_surely(row) or "")


@rule(
    title="Beside single sign-on",
    severity="medium",
    ends_when="the password is taken away, the account is made by single sign-on or a push, it is read inactive or"
    " gone, or it is registered as protected",
    remedy=Remedy.CONFIGURE,
    needs=("account.active", "account.way_in"),
    controls=(
        *("ISO 27001 A.5.17", "ISO 27001 A.8.5", "SOC 2 CC6.1", "NIST AC-2(1)", "NIST IA-2", "PCI DSS 8.2.1"),
        *("PCI DSS 8.3.1", "CIS 6.7"),
    ),
    evidence=(
        "password",
        "provenance",
        "provenance_confidence",
        "active",
        "kind",
        "privileged",
        "last_seen_at",
        "match_key",
    ),
    lines={
        "password": says(APPLICATION, "a password of its own opens it", "no password of its own opens it"),
        "provenance": worded(APPLICATION, _came_to_be),
        "provenance_confidence": beside,
    },
    sentence=_sentence,
    applies=_of_people_there,
)
def sso_bypass(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody can get in beside single sign-on, where closing the identity provider does not keep them out.

    Fires on an active account of a person in an application that requires single sign-on (`single_sign_on` in the
    settings) or that is provisioned by jit or scim, when a password of its own opens it; or when that is not told and
    single sign-on does not explain it: it was surely made by hand or by invitation (confidence of 90 % or more), or its
    owner works here and no identity provider knows them.
    Quiet in applications where single sign-on is optional or absent, in identity providers, for accounts of programs,
    for protected accounts (a break-glass account must have a door of its own), for inactive ones, and where it is told
    that no password opens the account.
    Not evaluable when it is not told whether the account is active, or neither whether a password of its own opens it
    nor how it was made.
    """
    past = nw.col("password").fill_null(False) | (nw.col("password").is_null() & made_outside())
    return estate.accounts.filter(_of_people_there(estate.settings), nw.col("active"), past)
