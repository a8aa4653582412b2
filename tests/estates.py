"""Estates made of given rows, with sensible defaults for every column, for Polars and for Spark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from governance.declaration import Rule, epoch
from governance.estate import Estate
from governance.rulebook import Verdict, run
from governance.settings import Settings, parse
from governance.snapshots.frames import schema

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
Row = Mapping[str, Any]

SETTINGS = parse(
    {
        "source": [{"name": "hr", "title": "HR", "connector": "hr_csv", "time_zone": "Europe/Berlin"}],
        "application": [
            {"name": "crm", "title": "Customer CRM", "connector": "app_csv"},
            {"name": "wiki", "title": "Wiki", "connector": "scim", "criticality": "high"},
        ],
    }
)
MAPPING = [
    {"application": "crm", "when": {"department": "Finance"}, "gives": ["Finance User", "Reader"]},
    {"application": "crm", "when": {"department": "Sales", "title": "Lead"}, "gives": ["Sales Lead"]},
]


def settings(**more: Any) -> Settings:
    """The settings of these estates, and more."""
    return parse({**SETTINGS.model_dump(exclude_unset=True), **more})


def _instants(*names: str) -> dict[str, Any]:
    return {column: kind for name in names for column, kind in ((name, INSTANT), (f"{name}_s", pl.Int64))}


ACCOUNT_COLUMNS: dict[str, Any] = {
    **schema("accounts"),
    "as_of_s": pl.Int64,
    "owner_id": pl.String,
    "owner_name": pl.String,
    "owner_state": pl.String,
    "owner_kind": pl.String,
    "owner_department": pl.String,
    "owner_title": pl.String,
    "owner_manager_id": pl.String,
    **_instants("owner_ended_at", "owner_contract_end", "owner_last_present_at"),
    **_instants("owner_hire_at", "owner_rehired_at", "owner_moved_at"),
    "owner_ended_why": pl.String,
    "owner_contract_end_told": pl.Boolean,
    "owner_manager_told": pl.Boolean,
    "owner_former_department": pl.String,
    "owner_former_title": pl.String,
    "owner_manager_name": pl.String,
    "owner_manager_state": pl.String,
    "responsible_id": pl.String,
    "responsible_name": pl.String,
    "responsible_state": pl.String,
    **_instants("responsible_ended_at"),
    "sign_on_accounts": pl.Int64,
    "sign_on_active": pl.Boolean,
    "sign_on_assigned": pl.Boolean,
    "match": pl.String,
    "match_key": pl.String,
    "candidates": pl.String,
    "address_holders": pl.String,
    "provenance": pl.String,
    "provenance_confidence": pl.Float64,
    **{f"provenance_{name}": pl.String for name in ("because", "by", "event", "subject")},
    "provenance_at_s": pl.Int64,
    "provenance_together": pl.Int64,
    "source_read": pl.Boolean,
    "grants_used_told": pl.Boolean,
    "criticality": pl.String,
    "protected": pl.Boolean,
    "stale_days": pl.Int64,
    "never_used_days": pl.Int64,
}
IDENTITY_COLUMNS: dict[str, Any] = {
    **schema("identities"),
    "as_of_s": pl.Int64,
    "contradictory": pl.Boolean,
    "contract_end_told": pl.Boolean,
    "manager_told": pl.Boolean,
}


def account(**values: Any) -> dict[str, Any]:
    """A blameless account: active, used yesterday, of somebody who works here."""
    return {
        "application": "crm",
        "account_id": "a1",
        "username": "m.lindqvist",
        "email": "m.lindqvist@example.com",
        "display_name": "Marta Lindqvist",
        "employee_id": "10482",
        "kind": "human",
        "active": True,
        "last_seen_at": NOW - timedelta(days=1),
        "last_seen_known": True,
        "created_at": NOW - timedelta(days=400),
        "mfa": True,
        "privileged": False,
        "present": True,
        "last_present_at": NOW,
        "owner_id": "hr:10482",
        "owner_name": "Marta Lindqvist",
        "owner_state": "current",
        "owner_kind": "employee",
        "owner_department": "Finance",
        "owner_title": "Analyst",
        "owner_contract_end_told": True,
        "owner_manager_told": True,
        "owner_manager_id": "hr:1",
        "owner_manager_name": "Ana Ruiz",
        "owner_manager_state": "current",
        "sign_on_accounts": 1,
        "sign_on_active": True,
        "sign_on_assigned": True,
        "owner_last_present_at": NOW,
        "match": "matched",
        "match_key": "employee_id",
        "provenance": "unknown",
        "source_read": True,
        "grants_used_told": True,
        "criticality": "medium",
        "protected": False,
        "stale_days": 90,
        "never_used_days": 14,
        **values,
    }


def unowned(**values: Any) -> dict[str, Any]:
    """An account that no key leads to an identity from."""
    nobody = {name: None for name in ACCOUNT_COLUMNS if name.startswith("owner_")}
    return account(**{**nobody, "match": "unmatched", "match_key": None, **values})


def leaver(**values: Any) -> dict[str, Any]:
    """An account whose owner's last working day was 4 Nov 2026 in Berlin, unused since."""
    ended_at = datetime(2026, 11, 4, 23, tzinfo=UTC)
    gone = {"owner_state": "ended", "owner_ended_at": ended_at, "owner_ended_why": "source"}
    return account(**{**gone, "last_seen_at": ended_at - timedelta(days=2), **values})


def identity(**values: Any) -> dict[str, Any]:
    """Somebody who works here."""
    return {
        "identity_id": "hr:10482",
        "source": "hr",
        "employee_id": "10482",
        "kind": "employee",
        "state": "current",
        "display_name": "Marta Lindqvist",
        "email": "m.lindqvist@example.com",
        "department": "Finance",
        "title": "Analyst",
        "present": True,
        "last_present_at": NOW,
        "contradictory": False,
        "contract_end_told": True,
        "manager_told": True,
        "manager_id": "hr:1",
        **values,
    }


def frame(columns: Mapping[str, Any], rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as a frame of these columns; what a row leaves out is not told, `_s` twins are computed."""
    complete = []
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"no such columns: {sorted(unknown)}"
        twins = {f"{name}_s": epoch(value) for name, value in row.items() if isinstance(value, datetime)}
        complete.append({**dict.fromkeys(columns), **row, **twins})
    return pl.DataFrame(complete, schema=dict(columns), orient="row")


def estate(
    accounts: Iterable[Row] = (),
    *,
    identities: Iterable[Row] = (),
    entitlements: Iterable[Row] = (),
    grants: Iterable[Row] = (),
    credentials: Iterable[Row] = (),
    events: Iterable[Row] = (),
    settings: Settings = SETTINGS,
    spark: Any = None,
) -> Estate:
    """An estate of these rows, on Polars or in the given Spark session."""
    tables = {
        "accounts": frame(ACCOUNT_COLUMNS, accounts),
        "identities": frame(IDENTITY_COLUMNS, identities),
        "entitlements": frame(schema("entitlements"), entitlements),
        "grants": frame(schema("grants"), grants),
        "credentials": frame(schema("credentials"), credentials),
        "events": frame(schema("events"), events),
    }
    if spark is None:
        lazy = {name: nw.from_native(table.lazy()) for name, table in tables.items()}
    else:
        lazy = {name: nw.from_native(spark.createDataFrame(table.to_arrow())) for name, table in tables.items()}
    accounts_frame = lazy.pop("accounts")
    return Estate(
        accounts=accounts_frame.filter(nw.col("present")),
        vanished_accounts=accounts_frame.filter(~nw.col("present")),
        settings=settings,
        **lazy,
    )


def judge(rule: Rule, *accounts: Row, now: datetime = NOW, **more: Any) -> Verdict:
    """What this one rule says about these accounts."""
    judged = estate(accounts, **more)
    return run(judged, judged.settings.policy, now, {rule.name: rule})


def fired(verdict: Verdict) -> list[str]:
    """The accounts, else the identities, that a rule holds something against."""
    return sorted(verdict.findings.select(pl.coalesce("account_id", "identity_id")).to_series().to_list())


def reason(verdict: Verdict) -> str:
    """The sentence of the only finding."""
    return str(verdict.findings["reason"].item())


def unknown(verdict: Verdict) -> str | None:
    """Why the only account was not evaluable; None when it was judged."""
    assert verdict.findings.is_empty() or not verdict.not_evaluable, "one account is either judged or not"
    reasons = [why for rules in verdict.not_evaluable.values() for whys in rules.values() for why in whys]
    assert len(reasons) <= 1
    return next(iter(reasons), None)
