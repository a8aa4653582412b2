"""What is looked at when two writers fill one application, and what is found to have come of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args

import narwhals as nw

from governance.declaration import of_a_person, surely_came
from governance.provisioning.pushes import ACCOUNT
from governance.provisioning.writers import Acting, instant

Kind = Literal[
    "born_outside_scim",
    "duplicates",
    "attributes_flip",
    "reborn_by_sign_in",
    "disabled_without_owning",
    "deletion_gap",
    "not_retroactive",
    "unlinked_records",
    "reactivates_leavers",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
EXAMPLES: Final = 5
Rows = nw.DataFrame[Any]


@dataclass(frozen=True)
class Consequence:
    """What two writers did to one application, over how many accounts, since when. `more` has what the kind counts."""

    application: str
    kind: Kind
    accounts: int
    examples: tuple[str, ...]  # account ids
    since: datetime | None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unknown:
    """A consequence that cannot be looked for, and why: neither found nor ruled out."""

    application: str
    kind: Kind
    why: str


@dataclass(frozen=True)
class Scene:
    """One application with several writers, with what is known of its accounts.

    `acts`: those of its accounts (governance.provisioning.acts). `accounts`, `vanished`: application, account_id,
    owner_id, owner_state, active, created_at_s, closed_at_s, returned_at_s, last_present_at_s, external_id, person,
    jit_sure. `seen`: account_id, seen_s, the sign-ins to accounts that came back.
    """

    application: str
    acting: tuple[Acting, ...]
    acts: Rows
    accounts: Rows
    vanished: Rows
    seen: Rows
    provider: str | None  # the identity provider that pushes here, where that is known
    manners: Mapping[str, Mapping[str, Any]]  # what its connector declares of how it pushes
    gone: Rows  # owner_id, gone_s: whose account at the provider was deleted, and when
    provider_since: int | None  # the provider's first remembered event
    updates_told: bool  # whether the application tells of changes to accounts at all
    settings_told: Mapping[str, bool]  # settings that the application tells of itself
    opens_others: bool = False  # whether people sign in here to reach other applications

    @property
    def writers(self) -> frozenset[str]:
        """Who fills it."""
        return frozenset(one.writer for one in self.acting)

    @property
    def pushes_told(self) -> bool:
        """Whether any push was seen."""
        return len(self.acts.filter(nw.col("writer") == "scim")) > 0

    def of(self, writer: str, *acts: str) -> Rows:
        """First and last time that this writer did that, for each account: account_id, first_s, last_s."""
        done = self.acts.filter(nw.col("writer") == writer, nw.col("act").is_in(list(acts)))
        return done.group_by("account_id").agg(
            nw.col("at_s").min().alias("first_s"), nw.col("at_s").max().alias("last_s")
        )

    def born(self) -> Rows:
        """Accounts that a sign-in made: account_id, born_s, with what is known of them."""
        made = self.of("jit", "made").select("account_id", nw.col("first_s").alias("made_s"))
        joined = self.accounts.join(made, on="account_id", how="left")
        found = joined.filter(~nw.col("made_s").is_null() | nw.col("jit_sure"))
        return found.with_columns(born_s=nw.coalesce("made_s", "created_at_s"))

    def consequence(self, kind: Kind, rows: Rows, at: str | None = None, **more: Any) -> Iterable[Consequence]:
        """The consequence that these rows show (account_id, and `at` in seconds); none where there are no rows."""
        ids = sorted(set(rows["account_id"].to_list()))
        if not ids:
            return
        times = [value for value in rows[at].to_list() if value is not None] if at else []
        since = instant(min(times)) if times else None
        yield Consequence(self.application, kind, len(ids), tuple(ids[:EXAMPLES]), since, more)


def account_rows(accounts: nw.LazyFrame[Any], applications: list[str]) -> Rows:
    """The accounts of these applications as a Scene needs them."""
    here = accounts.filter(nw.col("application").is_in(applications))
    return here.select(
        *ACCOUNT,
        *("owner_id", "owner_state", "active", "external_id"),
        *("created_at_s", "closed_at_s", "returned_at_s", "last_present_at_s"),
        person=of_a_person(),
        jit_sure=surely_came("jit"),
    ).collect("polars")


__all__ = ["KINDS", "Consequence", "Kind", "Scene", "Unknown", "account_rows"]
