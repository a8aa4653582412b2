"""The workforce of one application: everybody who works here, what they hold there, and what a sign-in would tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.estate import Estate
from governance.surroundings import ASSIGNS, known_as, providers

WORKING: Final = ("current", "leave", "future")
# Attribute of a mapping -> the column it stands in. What is not here (roles, claim.NAME) only a sign-in tells.
COLUMNS: Final = {
    "department": "department",
    "title": "title",
    "kind": "kind",
    "groups": "groups",
    "email": "email",
    "username": "email",
    "employee_number": "employee_id",
}
_OF_IDENTITY: Final = (
    *("identity_id", "employee_id", "display_name", "email", "department", "title", "kind", "manager_id"),
    *("former_department", "former_title"),
)


@dataclass(frozen=True)
class Workforce:
    """Everybody who works here, seen from one application.

    `people`: one row a person: the columns of identities, `groups` (list; null where no identity provider tells),
    `accounts` (list of ids, active ones), `held` (list of names).
    `others`: entitlement names held by active accounts of nobody in `people`. `marked`: names the application marks as
    privileged; `patterns`: those of the settings. `names`: every entitlement there is. `opened_by`: identity providers
    that know the application by name.
    """

    application: str
    people: pl.DataFrame
    others: frozenset[str]
    marked: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    opened_by: frozenset[str] = frozenset()

    def privileged(self, name: str) -> bool:
        """Whether an entitlement of this application is privileged."""
        return name in self.marked or any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Position:
    """The attributes of somebody as a mapping asks for them; what is not in it is not told."""

    attributes: Mapping[str, tuple[str, ...]]

    def values(self, attribute: str) -> tuple[str, ...] | None:
        """The values of an attribute; None when it is not told."""
        return self.attributes.get(attribute)


def workforce(estate: Estate, application: str) -> Workforce:
    """Read the workforce of one application out of an estate."""
    identities = native(estate.identities).filter(pl.col("state").is_in(WORKING), pl.col("present"))
    people = identities.select(_OF_IDENTITY).collect()
    accounts = native(estate.accounts)
    here = accounts.filter(pl.col("application") == application, pl.col("active").fill_null(True))
    own = here.select("account_id", "owner_id").collect()
    names = (
        native(estate.entitlements)
        .filter(pl.col("application") == application)
        .select("entitlement_id", "name", "privileged")
        .collect()
    )
    grants = native(estate.grants).filter(pl.col("application") == application)
    held = (
        grants.select("account_id", "entitlement_id")
        .collect()
        .join(own, on="account_id")
        .join(names, on="entitlement_id")
        .select("owner_id", "account_id", "name")
    )
    working = people.select(pl.col("identity_id").alias("owner_id"))
    people = (
        people.join(_listed(own, "account_id", "accounts"), on="identity_id", how="left")
        .join(_listed(held, "name", "held"), on="identity_id", how="left")
        .join(_groups(estate, accounts), on="identity_id", how="left")
        .with_columns(pl.col("accounts", "held").fill_null([]))
        .sort("display_name", "identity_id")
    )
    others = held.join(working, on="owner_id", how="anti", nulls_equal=True)["name"].unique().to_list()
    marked = names.filter(pl.col("privileged").fill_null(False))["name"].to_list()
    patterns = estate.settings.application_named(application).privileged
    opens = estate.entitlements.filter(
        nw.col("application").is_in(providers(estate.settings)), nw.col("kind") == ASSIGNS
    )
    opened = native(known_as(opens, estate.settings)).filter(pl.col("opens") == application).collect()
    return Workforce(
        application,
        people,
        frozenset(others),
        frozenset(marked),
        patterns,
        frozenset(names["name"]),
        frozenset(opened["application"]),
    )


def _groups(estate: Estate, accounts: pl.LazyFrame) -> pl.DataFrame:
    """The groups that identity providers know of each person; nobody stands here whom none of them knows."""
    there = providers(estate.settings)
    own = (
        accounts.filter(pl.col("application").is_in(there), pl.col("owner_id").is_not_null())
        .select("application", "account_id", "owner_id")
        .collect()
    )
    groups = (
        native(estate.entitlements)
        .filter(pl.col("application").is_in(there), pl.col("kind") != ASSIGNS)
        .select("application", "entitlement_id", "name")
    )
    held = (
        native(estate.grants)
        .filter(pl.col("application").is_in(there))
        .select("application", "account_id", "entitlement_id")
        .join(groups, on=["application", "entitlement_id"])
        .collect()
    )
    told = held["application"].unique().to_list()  # a provider of which no group was read tells nothing
    known = own.filter(pl.col("application").is_in(told))
    return _listed(known.join(held, on=["application", "account_id"], how="left"), "name", "groups")


def _listed(rows: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """identity_id and the distinct values of a column, sorted, as a list."""
    found = rows.filter(pl.col("owner_id").is_not_null()).group_by(pl.col("owner_id").alias("identity_id"))
    return found.agg(pl.col(column).drop_nulls().unique().sort().alias(name))


def native(frame: Any) -> pl.LazyFrame:
    """The Polars frame behind a frame of the estate."""
    native = frame.to_native()
    assert isinstance(native, pl.LazyFrame)
    return native
