"""What one identity had at one instant: its accounts and what they hold, in an estate that is kept or was looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlmodel import col, select

from governance.findings.time_travel import Known, known_at, looked_back
from governance.house import House
from governance.provisioning.telling import came_to_be
from governance.tables import Pin, Snapshot
from governance.views import runs
from governance.views.runs import Run

FACTS: Final = ("identity_id", "display_name", "state", "ended_at", "department", "title", "manager_id", "contract_end")
ACCOUNT: Final = ("application", "account_id", "username", "active", "privileged", "last_seen_at", "match", "match_key")
# How an account came to be, as governance.provisioning.telling reads it; an estate of an earlier version lacks some.
BORN: Final = (
    *("created_at_s", "provenance", "provenance_confidence", "provenance_because", "provenance_at_s", "provenance_by"),
    *("provenance_subject", "provenance_together"),
)
_KEY: Final = ["application", "account_id"]


class Held(list[dict[str, Any]]):
    """What an account holds: names in a table, everything in the other forms."""

    def __str__(self) -> str:
        return ", ".join(f"{grant['name']}{'!' if grant['privileged'] else ''}" for grant in self)


@dataclass(frozen=True)
class Earlier:
    """One identity at one instant. `facts` is None when no source of truth had told of it."""

    as_of: datetime
    known: Known | None
    facts: dict[str, Any] | None
    accounts: list[dict[str, Any]] = field(default_factory=list)  # ACCOUNT and `entitlements`


def named(run: Run, identity: str) -> list[dict[str, Any]]:
    """Whom the estate knows by this id or e-mail address."""
    people = run.table("identities")
    if people is None:
        return []
    is_it = (pl.col("identity_id") == identity) | (pl.col("email").str.to_lowercase() == identity.lower())
    return people.filter(is_it).select(FACTS).sort("identity_id").collect().to_dicts()


def held(run: Run, owners: list[str], titles: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The accounts that these identities have, with what each holds; an account that vanished nobody has.

    With `titles` (of applications) also `came`: how each came to be, in a sentence.
    """
    accounts = run.table("accounts")
    if accounts is None or not owners:
        return []
    theirs = accounts.filter(pl.col("owner_id").is_in(owners), pl.col("present"))
    known = set(theirs.collect_schema().names())
    own = theirs.select(*ACCOUNT, *(name for name in BORN if name in known)).sort(_KEY).collect()
    grants = _granted(run, own.select(_KEY))
    found = []
    for row in own.to_dicts():
        account = {name: row[name] for name in ACCOUNT}
        account["entitlements"] = grants.get((row["application"], row["account_id"]), Held())
        if titles is not None:
            account["came"] = came_to_be(row, titles)
        found.append(account)
    return found


def _granted(run: Run, own: pl.DataFrame) -> dict[tuple[str, str], Held]:
    grants, entitlements = run.table("grants"), run.table("entitlements")
    found: dict[tuple[str, str], Held] = {}
    if grants is None or entitlements is None:
        return found
    theirs = grants.filter(pl.col("account_id").is_in(own["account_id"].to_list())).join(own.lazy(), on=_KEY)
    named = theirs.join(entitlements, on=["application", "entitlement_id"], how="left")
    for row in named.select(*_KEY, "name", "privileged", "how", "since").sort(*_KEY, "name").collect().to_dicts():
        grant = {name: row[name] for name in ("name", "privileged", "how", "since")}
        found.setdefault((row["application"], row["account_id"]), Held()).append(grant)
    return found


def one(house: House, identity_id: str, as_of: datetime, known: Known | None, now: datetime) -> Earlier:
    """One identity as of an earlier instant. Read again only when something was published or pinned since."""
    moment = known_at(known, as_of, now)

    def look() -> Earlier:
        with looked_back(house, as_of, moment) as seen:
            run = Run(id="", as_of=as_of, finished_at=None, estate=seen.folder)
            facts = next((row for row in named(run, identity_id) if row["identity_id"] == identity_id), None)
            return Earlier(as_of, known, facts, held(run, [identity_id]) if facts else [])

    key = ("earlier", house.store.url, identity_id, as_of, known, *_newest(house))
    return runs.remembered(key, look)


def _newest(house: House) -> tuple[Any, ...]:
    with house.store.read() as session:
        published = select(Snapshot.published_at).where(Snapshot.status == "published")
        newest = session.exec(published.order_by(col(Snapshot.published_at).desc()).limit(1)).first()
        return newest, session.exec(select(Pin.at).order_by(col(Pin.at).desc()).limit(1)).first()
