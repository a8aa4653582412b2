"""Whom a decision is about: what the last estate says of accounts and of the people they belong to, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlmodel import Session

from governance.access import Actor
from governance.correlation import fold
from governance.house import House
from governance.snapshots import newest_estate

Key = tuple[str, str]  # application, account_id

_COLUMNS: Final = (
    "application",
    "account_id",
    "username",
    "email",
    "kind",
    "active",
    "privileged",
    "owner_id",
    "match",
    "candidates",
    "protected",
)


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account as the last estate holds it, with everybody it may belong to."""

    application: str
    account_id: str
    username: str | None = None
    email: str | None = None
    kind: str | None = None
    active: bool | None = None
    privileged: bool | None = None
    owner_id: str | None = None
    candidates: tuple[str, ...] = ()  # identities it may belong to, when that is ambiguous
    addresses: frozenset[str] = frozenset()  # folded addresses of the owner or the candidates
    protected: bool = False

    @property
    def label(self) -> str:
        """The account as a sentence names it."""
        return f"{self.application}/{self.username or self.account_id}"

    def belongs_to(self, email: str) -> bool:
        """Whether whoever has this address is, or may be, the one this account belongs to."""
        key = fold(email)
        return key is not None and key in {fold(self.email), fold(self.username), *self.addresses}

    def is_of(self, actor: Actor) -> bool:
        """Whether this is, or may be, the actor's own account, under whichever of their addresses they act."""
        known = actor.identity_id is not None and actor.identity_id in {self.owner_id, *self.candidates}
        return known or any(map(self.belongs_to, (actor.email, *actor.addresses)))


@dataclass(frozen=True)
class Facts:
    """The accounts asked for, and how many active ones each of their applications has."""

    accounts: Mapping[Key, AccountFacts]
    active: Mapping[str, int]
    privileged: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """application -> active privileged account -> what time (epoch seconds) the snapshot is of"""


def read_facts(house: House, session: Session, keys: Iterable[Key]) -> Facts:
    """What the last detect run's estate says of these accounts; an account it does not hold is left out."""
    wanted = sorted(set(keys))
    estate = newest_estate(house, session)
    return Facts({}, {}) if estate is None or not wanted else _read(estate, wanted)


def addresses_of(house: House, session: Session, persons: Iterable[str]) -> frozenset[str]:
    """Every folded address of these identities, former ones too, as the last detect run's estate holds them."""
    estate = newest_estate(house, session)
    return frozenset() if estate is None else frozenset().union(*_addresses(estate, set(persons)).values())


def _read(estate: Path, wanted: list[Key]) -> Facts:
    keys = pl.LazyFrame(wanted, schema={"application": pl.String, "account_id": pl.String}, orient="row")
    applications = sorted({application for application, _ in wanted})
    accounts = pl.scan_parquet(estate / "accounts.parquet").filter(
        pl.col("application").is_in(applications), pl.col("present").fill_null(value=True)
    )
    active = accounts.filter(pl.col("active"))
    asked, counted, privileged = pl.collect_all(
        [
            accounts.select(_COLUMNS).join(keys, on=["application", "account_id"], how="semi"),
            active.group_by("application").len(),
            active.filter(pl.col("privileged")).select("application", "account_id", "as_of_s"),
        ]
    )
    persons = {row["owner_id"] for row in asked.select("owner_id").to_dicts()} - {None}
    persons |= {person for row in asked.to_dicts() for person in _candidates(row)}
    addresses = _addresses(estate, persons)
    holders: dict[str, dict[str, int]] = {}
    for application, account_id, as_of_s in privileged.iter_rows():
        holders.setdefault(application, {})[account_id] = as_of_s
    return Facts(
        accounts={(row["application"], row["account_id"]): _facts(row, addresses) for row in asked.to_dicts()},
        active=dict(counted.iter_rows()),
        privileged=holders,
    )


def _addresses(estate: Path, persons: set[str]) -> dict[str, frozenset[str]]:
    """Identity -> its folded addresses, former ones too."""
    if not persons:
        return {}
    identities = pl.scan_parquet(estate / "identities.parquet").select(
        "identity_id", "email", pl.concat_str("aliases", "former_emails", separator=";", ignore_nulls=True)
    )
    found = identities.filter(pl.col("identity_id").is_in(sorted(persons))).collect()
    return {
        identity_id: frozenset(key for text in (email, *(aliases or "").split(";")) if (key := fold(text)))
        for identity_id, email, aliases in found.iter_rows()
    }


def _candidates(row: Mapping[str, Any]) -> tuple[str, ...]:
    # Of an unmatched account the candidates are only people of that name: no reason to keep anybody from deciding.
    return tuple((row["candidates"] or "").split(";")) if row["match"] == "ambiguous" and row["candidates"] else ()


def _facts(row: Mapping[str, Any], addresses: Mapping[str, frozenset[str]]) -> AccountFacts:
    candidates = _candidates(row)
    persons = [person for person in (row["owner_id"], *candidates) if person]
    return AccountFacts(
        application=row["application"],
        account_id=row["account_id"],
        username=row["username"],
        email=row["email"],
        kind=row["kind"],
        active=row["active"],
        privileged=row["privileged"],
        owner_id=row["owner_id"],
        candidates=candidates,
        addresses=frozenset[str]().union(*(addresses.get(person, frozenset()) for person in persons)),
        protected=bool(row["protected"]),
    )
