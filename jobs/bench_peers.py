"""What somebody would write instead of the rulebook: the same eight rules over the same files, three times.

By hand in Polars (the floor: nothing but the rules), straightforwardly in pandas, and as SQL in PostgreSQL, loading
included. Each gives the same set of findings as (rule, application, account_id); none stores or explains any.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

RULES: Final = (
    *("ghost", "contract_expired", "orphaned", "never_used", "stale"),  # of these the first that fits
    *("login_after_leaving", "over_privileged", "admin_without_mfa"),
)
HUMANS: Final = ("service", "bot", "shared")
IDENTITY: Final = ("identity_id", "employee_id", "email_key", "kind", "state", "ended_at", "contract_end", "department")
ACCOUNT: Final = (
    *("application", "account_id", "employee_id", "email_key", "kind", "active", "last_seen_at", "last_seen_known"),
    *("created_at", "mfa", "privileged"),
)
KEY: Final = ["application", "account_id"]
Mapping = list[tuple[str, str, str]]  # application, department, name of an entitlement


def digest(rows: list[tuple[str, str, str]]) -> str:
    """The same for the same set of findings."""
    return hashlib.sha256("\n".join("\x1f".join(row) for row in sorted(rows)).encode()).hexdigest()


def files(folder: Path, table: str) -> list[Path]:
    """The newest snapshot's file of each feed."""
    newest: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*/*/{table}.parquet")):
        if not path.parent.name.startswith("."):
            newest[path.parent.parent.name] = path
    return [path for feed, path in newest.items() if feed != "estates"]


def in_polars(folder: Path, mapping: Mapping, now: datetime) -> list[tuple[str, str, str]]:
    """By hand in Polars, lazily, streaming."""
    people = pl.scan_parquet(files(folder, "identities")).select(*IDENTITY, "former_department")
    person = people.select(
        pl.exclude("employee_id", "email_key", "kind").name.prefix("owner_"), owner_kind=pl.col("kind")
    ).rename({"owner_identity_id": "owner"})
    by_number = people.select("employee_id", by_number=pl.col("identity_id"))
    by_address = people.select("email_key", by_address=pl.col("identity_id"))
    accounts = (
        pl.scan_parquet(files(folder, "accounts"))
        .select(ACCOUNT)
        .join(by_number, on="employee_id", how="left")
        .join(by_address, on="email_key", how="left")
        .with_columns(owner=pl.coalesce("by_number", "by_address"))
        .join(person, on="owner", how="left")
    )
    human = ~pl.col("kind").fill_null("human").is_in(HUMANS)
    works, active = pl.col("owner_state").is_in(["current", "leave"]), pl.col("active")
    external = pl.col("owner_kind").is_in(["contractor", "guest"])
    days = pl.when("privileged").then(30).when(external).then(45).otherwise(90)
    seen, left = pl.col("last_seen_at"), pl.col("owner_state") == "ended"
    rule = (
        pl.when(active & left & (pl.col("owner_ended_at") <= now))
        .then(pl.lit("ghost"))
        .when(active & external & works & (pl.col("owner_contract_end") <= now))
        .then(pl.lit("contract_expired"))
        .when(active & human & pl.col("owner").is_null())
        .then(pl.lit("orphaned"))
        .when(
            active & human & (pl.col("owner_state") == "current") & pl.col("last_seen_known") & seen.is_null(),
            pl.col("created_at") <= now - timedelta(days=14),
        )
        .then(pl.lit("never_used"))
        .when(active & human & (pl.col("owner_state") == "current") & (seen <= now - pl.duration(days=days)))
        .then(pl.lit("stale"))
    )
    lifecycle = accounts.select(rule.alias("rule"), *KEY).filter(pl.col("rule").is_not_null())
    late = accounts.filter(left, seen > pl.col("owner_ended_at") + timedelta(minutes=5))
    bare = accounts.filter(active, pl.col("privileged"), ~pl.col("mfa"))
    given = pl.LazyFrame(mapping, schema=["application", "department", "name"], orient="row")
    named = pl.scan_parquet(files(folder, "entitlements")).select("application", "entitlement_id", "name", "privileged")
    handed = given.select("application", "name").unique().with_columns(handed=pl.lit(value=True))
    governed = named.join(handed, on=["application", "name"], how="left").filter(
        pl.col("privileged") | pl.col("handed")
    )
    judged = accounts.filter(
        active, works, pl.col("privileged").is_not_null(), pl.col("owner_department").is_not_null()
    )
    excess = (
        pl.scan_parquet(files(folder, "grants"))
        .select(*KEY, "entitlement_id")
        .join(governed.select("application", "entitlement_id", "name"), on=["application", "entitlement_id"])
        .join(judged.select(*KEY, "owner_department", "owner_former_department"), on=KEY)
        .join(
            given,
            left_on=["application", "owner_department", "name"],
            right_on=["application", "department", "name"],
            how="anti",
        )
        .join(
            given,
            left_on=["application", "owner_former_department", "name"],
            right_on=["application", "department", "name"],
            how="anti",
        )
        .select(KEY)
        .unique()
    )
    parts = [lifecycle]
    parts += [
        frame.select(pl.lit(name).alias("rule"), *KEY)
        for name, frame in (("login_after_leaving", late), ("over_privileged", excess), ("admin_without_mfa", bare))
    ]
    return [row for table in pl.collect_all(parts, engine="streaming") for row in table.iter_rows()]


def in_pandas(folder: Path, mapping: Mapping, now: datetime) -> list[tuple[str, str, str]]:
    """As a script for one machine is written in pandas."""
    import pandas as pd

    def read(table: str, columns: tuple[str, ...]) -> pd.DataFrame:
        return pd.concat([pd.read_parquet(path, columns=list(columns)) for path in files(folder, table)])

    people = read("identities", (*IDENTITY, "former_department"))
    person = people.drop(columns=["employee_id", "email_key"]).add_prefix("owner_")
    accounts = read("accounts", ACCOUNT)
    numbers = people.set_index("employee_id")["identity_id"]
    addresses = people.set_index("email_key")["identity_id"]
    accounts["owner"] = accounts["employee_id"].map(numbers).fillna(accounts["email_key"].map(addresses))
    accounts = accounts.merge(person, left_on="owner", right_on="owner_identity_id", how="left")
    stamp = pd.Timestamp(now)
    active = accounts["active"].fillna(False).astype(bool)
    privileged = accounts["privileged"].fillna(False).astype(bool)
    human = ~accounts["kind"].fillna("human").isin(HUMANS)
    works, current = accounts["owner_state"].isin(["current", "leave"]), accounts["owner_state"] == "current"
    external = accounts["owner_kind"].isin(["contractor", "guest"])
    left, seen = accounts["owner_state"] == "ended", accounts["last_seen_at"]
    days = pd.Series(90, index=accounts.index).mask(external, 45).mask(privileged, 30)
    lifecycle = {
        "ghost": active & left & (accounts["owner_ended_at"] <= stamp),
        "contract_expired": active & external & works & (accounts["owner_contract_end"] <= stamp),
        "orphaned": active & human & accounts["owner"].isna(),
        "never_used": active & human & current & accounts["last_seen_known"] & seen.isna()
        & (accounts["created_at"] <= stamp - pd.Timedelta(days=14)),
        "stale": active & human & current & (seen <= stamp - pd.to_timedelta(days, unit="D")),
    }  # fmt: skip
    found: list[tuple[str, str, str]] = []
    taken = pd.Series(False, index=accounts.index)
    for name, fits in lifecycle.items():
        found += _rows(name, accounts[fits & ~taken])
        taken |= fits
    late = left & (seen > accounts["owner_ended_at"] + pd.Timedelta(minutes=5))
    found += _rows("login_after_leaving", accounts[late])
    found += _rows("admin_without_mfa", accounts[active & privileged & ~accounts["mfa"].fillna(True).astype(bool)])
    given = pd.DataFrame(mapping, columns=["application", "department", "name"])
    named = read("entitlements", ("application", "entitlement_id", "name", "privileged"))
    handed = given[["application", "name"]].drop_duplicates().assign(handed=True)
    governed = named.merge(handed, on=["application", "name"], how="left")
    governed = governed[governed["privileged"].fillna(False).astype(bool) | governed["handed"].notna()]
    judged = accounts[active & works & accounts["privileged"].notna() & accounts["owner_department"].notna()]
    held = read("grants", (*KEY, "entitlement_id")).merge(governed, on=["application", "entitlement_id"])
    held = held.merge(judged[[*KEY, "owner_department", "owner_former_department"]], on=KEY)
    for attribute in ("owner_department", "owner_former_department"):
        right = given.rename(columns={"department": attribute}).assign(given=True)
        held = held.merge(right, on=["application", attribute, "name"], how="left")
        held = held[held.pop("given").isna()]
    return found + _rows("over_privileged", held.drop_duplicates(KEY))


def _rows(rule: str, rows: Any) -> list[tuple[str, str, str]]:
    return [(rule, application, account) for application, account in rows[KEY].itertuples(index=False)]


def in_postgresql(folder: Path, mapping: Mapping, now: datetime, url: str) -> list[tuple[str, str, str]]:
    """As SQL, loading counted: tables without a record of ours, analysed, one query."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        for table, columns in _TABLES.items():
            cursor.execute(f"CREATE TEMP TABLE {table} ({columns})")
        _copy(cursor, "identities", pl.scan_parquet(files(folder, "identities")).select(*IDENTITY, "former_department"))
        _copy(cursor, "accounts", pl.scan_parquet(files(folder, "accounts")).select(ACCOUNT))
        named = pl.scan_parquet(files(folder, "entitlements"))
        _copy(cursor, "entitlements", named.select("application", "entitlement_id", "name", "privileged"))
        _copy(cursor, "grants", pl.scan_parquet(files(folder, "grants")).select(*KEY, "entitlement_id"))
        _copy(cursor, "mapping", pl.LazyFrame(mapping, schema=["application", "department", "name"], orient="row"))
        cursor.execute("ANALYZE identities, accounts, entitlements, grants, mapping")
        cursor.execute(_QUERY, {"now": now})
        return [(str(rule), str(application), str(account)) for rule, application, account in cursor]


def _copy(cursor: Any, table: str, frame: pl.LazyFrame) -> None:
    buffer = io.BytesIO()
    frame.collect(engine="streaming").write_csv(buffer, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    with cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
        copy.write(buffer.getbuffer())


_TABLES: Final = {
    "identities": "identity_id text, employee_id text, email_key text, kind text, state text, ended_at timestamptz,"
    " contract_end timestamptz, department text, former_department text",
    "accounts": "application text, account_id text, employee_id text, email_key text, kind text, active bool,"
    " last_seen_at timestamptz, last_seen_known bool, created_at timestamptz, mfa bool, privileged bool",
    "entitlements": "application text, entitlement_id text, name text, privileged bool",
    "grants": "application text, account_id text, entitlement_id text",
    "mapping": "application text, department text, name text",
}
_QUERY: Final = """
WITH owned AS (
  SELECT a.*, p.state, p.ended_at, p.contract_end, p.department, p.former_department, p.kind AS owner_kind,
         p.identity_id AS owner, coalesce(a.kind, 'human') NOT IN ('service', 'bot', 'shared') AS human
  FROM accounts a
  LEFT JOIN identities n ON n.employee_id = a.employee_id
  LEFT JOIN identities m ON m.email_key = a.email_key
  LEFT JOIN identities p ON p.identity_id = coalesce(n.identity_id, m.identity_id)
), lifecycle AS (
  SELECT CASE
    WHEN active AND state = 'ended' AND ended_at <= %(now)s THEN 'ghost'
    WHEN active AND owner_kind IN ('contractor', 'guest') AND state IN ('current', 'leave')
         AND contract_end <= %(now)s THEN 'contract_expired'
    WHEN active AND human AND owner IS NULL THEN 'orphaned'
    WHEN active AND human AND state = 'current' AND last_seen_known AND last_seen_at IS NULL
         AND created_at <= %(now)s - interval '14 days' THEN 'never_used'
    WHEN active AND human AND state = 'current' AND last_seen_at <= %(now)s - make_interval(days => CASE
         WHEN privileged THEN 30 WHEN owner_kind IN ('contractor', 'guest') THEN 45 ELSE 90 END) THEN 'stale'
  END AS rule, application, account_id FROM owned
), excess AS (
  SELECT DISTINCT o.application, o.account_id
  FROM grants g
  JOIN entitlements e USING (application, entitlement_id)
  JOIN owned o ON o.application = g.application AND o.account_id = g.account_id
  WHERE o.active AND o.state IN ('current', 'leave') AND o.privileged IS NOT NULL AND o.department IS NOT NULL
    AND (e.privileged OR EXISTS (SELECT FROM mapping m WHERE m.application = e.application AND m.name = e.name))
    AND NOT EXISTS (SELECT FROM mapping m WHERE m.application = e.application AND m.name = e.name
                    AND m.department IN (o.department, o.former_department))
)
SELECT rule, application, account_id FROM lifecycle WHERE rule IS NOT NULL
UNION ALL SELECT 'login_after_leaving', application, account_id FROM owned
  WHERE state = 'ended' AND last_seen_at > ended_at + interval '5 minutes'
UNION ALL SELECT 'admin_without_mfa', application, account_id FROM owned WHERE active AND privileged AND NOT mfa
UNION ALL SELECT 'over_privileged', application, account_id FROM excess
"""

PEERS: Final[dict[str, Callable[..., list[tuple[str, str, str]]]]] = {
    "Polars by hand": in_polars,
    "pandas": in_pandas,
    "PostgreSQL": in_postgresql,
}
