"""The population of a campaign: every account and grant in its scope, with the facts a reviewer decides by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.campaigns.scope import Scope
from governance.correlation import fold
from governance.declaration import of_a_person
from governance.provisioning.coverage import mapped
from governance.provisioning.entitled import FORMER, formerly, given
from governance.records import NON_HUMAN_KINDS
from governance.settings import Settings

Table = Callable[[str], pl.LazyFrame | None]

ACCOUNT: Final = ["application", "account_id"]
KEY: Final = [*ACCOUNT, "entitlement_id"]
_POSITION: Final = ["application", "owner_department", "owner_title"]
# What says how the account came to be, see governance.provisioning.telling.
BORN: Final = (
    *("provenance_confidence", "provenance_because", "provenance_at_s", "provenance_by", "provenance_subject"),
    "provenance_together",
)
GRANTS: Final = {
    "application": pl.String,
    "account_id": pl.String,
    "entitlement_id": pl.String,
    "how": pl.String,
    "since": pl.Datetime("us", "UTC"),
    "last_used_at_s": pl.Int64,
    "last_used_known": pl.Boolean,
}
ENTITLEMENTS: Final = {
    "application": pl.String,
    "entitlement_id": pl.String,
    "name": pl.String,
    "privileged": pl.Boolean,
}
FINDINGS: Final = {"application": pl.String, "account_id": pl.String, "rule": pl.String, "severity": pl.String}
EARLIER: Final[dict[str, Any]] = {
    **dict.fromkeys(KEY, pl.String),
    "before_at": pl.Datetime("us", "UTC"),  # when that review was closed
    "before_position": pl.String,
    "before_privileged": pl.Boolean,
}


def population(
    table: Table, scope: Scope, settings: Settings, now: datetime, findings: pl.DataFrame, earlier: pl.DataFrame
) -> pl.DataFrame:
    """One row an item, in the order of the list, numbered from 1; what `scope` leaves out is `left_out`, not missing.

    `table` gives the tables of an estate. `findings` (FINDINGS): open ones. `earlier` (EARLIER): the same access as it
    was reviewed last in a closed campaign.
    Columns: number, KEY, username, entitlement, privileged, critical, identity_id, identity_name, position, department,
    employment, ended_at, kind, how, since, used_at_s, used_known, provenance, BORN, holders, peers, gives, left_over,
    rules, since_last, left_out (why, or null), criticality, and what a reviewer is found by: manager_id.
    """
    accounts = table("accounts")
    if accounts is None:
        return pl.DataFrame()
    whole = _items(accounts, table, grants=scope.items == "grants")
    whole = _with_peers(whole)
    whole = _with_mapping(whole, settings)
    per_account = findings.group_by(ACCOUNT).agg(
        pl.col("rule").unique().sort().alias("rules"), (pl.col("severity") == "critical").any().alias("grave")
    )
    whole = whole.join(per_account.lazy(), on=ACCOUNT, how="left")
    whole = whole.join(earlier.lazy(), on=KEY, how="left", nulls_equal=True)
    whole = whole.with_columns(
        since_last=_since_last(), critical=pl.col("privileged") | pl.col("grave").fill_null(False)
    )
    left_out = _left_out(scope)
    chosen = whole.filter(_within(scope, now)).with_columns(left_out=left_out)
    order = ["identity_name", "identity_id", "application", "username", "account_id", "entitlement", "entitlement_id"]
    sorted_ = chosen.sort(*order, nulls_last=True).collect()
    return sorted_.with_row_index("number", offset=1).with_columns(pl.col("number").cast(pl.Int64))


def _items(accounts: pl.LazyFrame, table: Table, *, grants: bool) -> pl.LazyFrame:
    """Every grant of every account that may be able to sign in, and one row for an account that holds nothing.

    Without `grants` one row for every account.
    """
    held = _or_none(table("grants") if grants else None, GRANTS)
    names = _or_none(table("entitlements"), ENTITLEMENTS).rename({"name": "entitlement", "privileged": "powerful"})
    live = accounts.filter(pl.col("present").fill_null(value=True), pl.col("active").fill_null(value=True))
    title, department = pl.col("owner_title"), pl.col("owner_department")
    joined = live.join(held, on=ACCOUNT, how="left").join(names, on=["application", "entitlement_id"], how="left")
    alone = pl.col("entitlement_id").is_null()
    told = set(accounts.collect_schema().names())  # an estate that an earlier version wrote lacks some
    return joined.select(
        *KEY,
        pl.coalesce("username", "email", "account_id").alias("username"),
        pl.coalesce("entitlement", "entitlement_id").alias("entitlement"),
        pl.when(alone).then(pl.col("privileged")).otherwise(pl.col("powerful")).fill_null(False).alias("privileged"),
        pl.col("owner_id").alias("identity_id"),
        pl.col("owner_name").alias("identity_name"),
        pl.concat_str(title, department, separator=", ", ignore_nulls=True).alias("position"),
        "owner_department",
        "owner_title",
        "owner_kind",
        "owner_former_department",
        "owner_former_title",
        pl.col("owner_state").fill_null("").alias("employment"),
        pl.col("owner_ended_at").alias("ended_at"),
        pl.col("owner_contract_end").alias("contract_end"),
        pl.col("owner_moved_at").alias("moved_at"),
        pl.col("owner_manager_id").alias("manager_id"),
        pl.col("kind").fill_null("human").alias("kind"),
        "match",
        "how",
        "since",
        "created_at",
        # Of an entitlement whose use is not told, the last use of the account is what is known.
        pl.when("last_used_known").then("last_used_at_s").otherwise("last_seen_at_s").alias("used_at_s"),
        (pl.col("last_used_known").fill_null(False) | pl.col("last_seen_known")).alias("used_known"),
        pl.col("last_used_known").fill_null(False).alias("used_of_grant"),
        "as_of_s",
        "provenance",
        *(pl.col(name) if name in told else pl.lit(None).alias(name) for name in BORN),
        "protected",
        "criticality",
    )


def _or_none(frame: pl.LazyFrame | None, schema: dict[str, Any]) -> pl.LazyFrame:
    return pl.LazyFrame(schema=schema) if frame is None else frame.select(list(schema))


def _with_peers(items: pl.LazyFrame) -> pl.LazyFrame:
    """Adds peers (people with an account there and the same position, the owner included) and holders of those."""
    person = nw.to_native(nw.from_native(items).filter(of_a_person()))
    peers = person.filter(
        pl.col("employment").is_in(["current", "leave"]), ~pl.any_horizontal(pl.col(_POSITION[1:]).is_null())
    ).select(*_POSITION, "entitlement_id", "identity_id")
    counted = peers.group_by(_POSITION).agg(pl.col("identity_id").n_unique().cast(pl.Int64).alias("peers"))
    holding = peers.group_by(*_POSITION, "entitlement_id").agg(
        pl.col("identity_id").n_unique().cast(pl.Int64).alias("holders")
    )
    joined = items.join(counted, on=_POSITION, how="left")
    return joined.join(holding, on=[*_POSITION, "entitlement_id"], how="left")


def _with_mapping(items: pl.LazyFrame, settings: Settings) -> pl.LazyFrame:
    """Adds gives (the mapping or baseline gives it to the owner) and left_over (it gave it before the last move)."""
    frame = nw.from_native(items).with_columns(**formerly(), name=nw.col("entitlement"))
    now_given, before = given(settings), given(settings, FORMER)
    moved = ~nw.col("was_department").is_null() | ~nw.col("was_title").is_null()
    told = mapped(settings) & ~nw.col("entitlement").is_null()
    judged = frame.with_columns(mapped=told, gives=told & now_given, left_over=told & moved & before & ~now_given).drop(
        "name", "was_department", "was_title"
    )
    return judged.to_native()


def _since_last() -> pl.Expr:
    """How the item differs from the last closed review of the same access; null where there was none at all."""
    moved = pl.col("before_position").ne_missing(pl.col("position")) | (
        pl.col("before_privileged") != pl.col("privileged")
    )
    unused = pl.col("used_known") & (pl.col("used_at_s").fill_null(0) < pl.col("before_at").dt.epoch("s"))
    reviewed = pl.col("before_at").is_not_null().any()  # nothing is new where nothing was ever reviewed
    return (
        pl.when(pl.col("before_at").is_not_null() & moved)
        .then(pl.lit("changed"))
        .when(pl.col("before_at").is_not_null() & unused)
        .then(pl.lit("unused"))
        .when(pl.col("before_at").is_not_null())
        .then(pl.lit("unchanged"))
        .when(reviewed)
        .then(pl.lit("new"))
    )


def _within(scope: Scope, now: datetime) -> pl.Expr:
    """Whether the scope takes the row."""
    fits: list[pl.Expr] = [pl.lit(value=True)]
    lists = {
        "application": scope.applications,
        "owner_department": scope.departments,
        "kind": scope.kinds,
        "owner_kind": scope.workers,
        "provenance": scope.provenance,
        "since_last": scope.since_last,
        "identity_id": scope.identities,
    }
    fits += [pl.col(name).is_in(list(values)).fill_null(False) for name, values in lists.items() if values]
    if scope.entitlements:
        fits.append(pl.col("entitlement").str.contains(_any_of(scope.entitlements)).fill_null(False))
    if scope.rules:
        fits.append(pl.col("rules").list.eval(pl.element().is_in(list(scope.rules))).list.any().fill_null(False))
    if scope.privileged:
        fits.append(pl.col("privileged"))
    if scope.orphans:
        fits.append(pl.col("identity_id").is_null() & ~pl.col("kind").is_in(list(NON_HUMAN_KINDS)))
    if scope.leavers:
        fits.append(pl.col("employment") == "ended")
    if scope.movers_days is not None:
        fits.append((pl.col("moved_at") >= now - timedelta(days=scope.movers_days)).fill_null(False))
    if scope.non_human:
        fits.append(pl.col("kind").is_in(list(NON_HUMAN_KINDS)))
    return pl.all_horizontal(fits)


def _any_of(patterns: tuple[str, ...]) -> str:
    """A regular expression for names in which only `*` means something."""
    parts = (".*".join(_literal(part) for part in pattern.split("*")) for pattern in patterns)
    return f"(?i)^({'|'.join(parts)})$"


def _literal(text: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() and c not in " _" and c.isascii() else c for c in text)


def _left_out(scope: Scope) -> pl.Expr:
    """Why the item is not reviewed, by whose word; null for what is."""
    chosen: pl.Expr = pl.lit(None, pl.String)
    for one in scope.left_out:
        name = fold(one.account)
        named = pl.any_horizontal(
            pl.col(column).str.to_lowercase() == (name or "") for column in ("account_id", "username")
        )
        chosen = pl.when((pl.col("application") == one.application) & named).then(pl.lit(one.why)).otherwise(chosen)
    return chosen
