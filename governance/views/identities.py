"""Identities: the list, and everything about one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from governance.correlation import fold
from governance.house import House
from governance.tables import AuditEntry, Finding, Remediation
from governance.views import runs
from governance.views.accounts import of_owner
from governance.views.paging import CAP, Cursor, Row, Slice, turn

COLUMNS: Final = (
    *("identity_id", "source", "employee_id", "kind", "state", "ended_at", "ended_why", "contract_end", "hire_at"),
    *("display_name", "email", "department", "title", "manager_id", "former_department", "moved_at", "present"),
    *("last_present_at", "contradictory"),
)
SCOPES: Final = {
    "findings": "With findings",
    "ended": "Leavers",
    "missing": "Missing",
    "current": "Working here",
    "all": "All",
}
_STATES: Final = {"ended": ["ended"], "missing": ["missing", "unknown"], "current": ["current", "leave", "future"]}
BY_FINDING: Final = (int, str)  # score, fingerprint of the worst finding
BY_END: Final = (int, str)  # seconds since 1970 of the end, identity_id


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to."""

    scope: str = "findings"
    text: str = ""


def page(house: House, filters: Filters, cursor: Cursor | None = None) -> Slice:
    """One page of identities: by their worst open finding, or by when they left."""
    run = runs.last_run(house)
    people = run.table("identities") if run else None
    if run is None or people is None:
        return Slice([], 0, 0, None, None)
    with house.store.read() as session:
        if filters.scope == "findings" and not filters.text.strip():
            found = _by_finding(house, session, cursor)
            ids = [str(row["identity_id"]) for row in found.rows]
            known = {r["identity_id"]: r for r in _named(people, ids)}
            rows: list[Row] = [
                {**known.get(r["identity_id"], {"display_name": r["identity_name"]}), **r} for r in found.rows
            ]
        else:
            found = _by_end(people, run, filters, cursor)
            rows = list(found.rows)
        ids = [str(row["identity_id"]) for row in rows]
        open_findings = _open(session, ids)
    accounts = _accounts(run, ids)
    rows = [
        {**r, "accounts": accounts.get(str(r["identity_id"])), "findings": open_findings.get(str(r["identity_id"]), 0)}
        for r in rows
    ]
    return Slice(rows, found.total, found.first, found.previous, found.next)


def _by_finding(house: House, session: Session, cursor: Cursor | None) -> Slice:
    """Each identity once, at its worst open finding: the walk follows the index and stops at a page."""
    worse = aliased(Finding)
    own = (col(Finding.status) == "open", col(Finding.identity_id).is_not(None))
    first = ~sa.exists().where(
        col(worse.identity_id) == col(Finding.identity_id),
        col(worse.status) == "open",
        sa.or_(
            col(worse.score) > col(Finding.score),
            sa.and_(col(worse.score) == col(Finding.score), col(worse.fingerprint) < col(Finding.fingerprint)),
        ),
    )
    columns = (Finding.identity_id, Finding.identity_name, Finding.score, Finding.fingerprint, Finding.severity)
    base = sa.select(*columns, Finding.rule).where(*own, first)  # type: ignore[call-overload]
    score, fingerprint = col(Finding.score), col(Finding.fingerprint)

    def fetch(at: Cursor | None, limit: int) -> list[Row]:
        query = base
        back = at is not None and at.back
        if at is not None:
            points, print_ = at.key
            after = (
                sa.or_(score > points, fingerprint < print_) if back else sa.or_(score < points, fingerprint > print_)
            )
            query = query.where(score >= points if back else score <= points, after)
        order = (score.asc(), fingerprint.desc()) if back else (score.desc(), fingerprint.asc())
        return [dict(row) for row in session.execute(query.order_by(*order).limit(limit)).mappings()]

    # Grouped over all of them in the order of finding_identity, not filtered: so SQLite reads that index alone.
    is_open = sa.case((col(Finding.status) == "open", 1), else_=0)
    each = sa.select(col(Finding.identity_id)).where(col(Finding.identity_id) > "").group_by(col(Finding.identity_id))
    some = each.having(sa.func.max(is_open) == 1).limit(CAP + 1).subquery()
    key = ("identities with findings", house.store.url, *runs.version(session))
    total = runs.remembered(key, lambda: session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
    return turn(fetch, lambda row: (row["score"], row["fingerprint"]), cursor, int(total))


def _by_end(people: pl.LazyFrame, run: runs.Run, filters: Filters, cursor: Cursor | None) -> Slice:
    wanted = people
    if states := _STATES.get(filters.scope):
        wanted = wanted.filter(pl.col("state").is_in(states))
    names = [pl.col(name).fill_null("") for name in ("display_name", "email", "employee_id", "department", "title")]
    for word in (fold(filters.text) or "").split():
        wanted = wanted.filter(pl.concat_str(names, separator=" ").str.to_lowercase().str.contains(word, literal=True))
    wanted = wanted.with_columns(end=pl.col("ended_at_s").fill_null(0))

    def fetch(at: Cursor | None, limit: int) -> list[Row]:
        part, back = wanted, at is not None and at.back
        if at is not None:
            end, id = at.key
            before = (pl.col("end") > end) | ((pl.col("end") == end) & (pl.col("identity_id") < id))
            after = (pl.col("end") < end) | ((pl.col("end") == end) & (pl.col("identity_id") > id))
            part = part.filter(before if back else after)
        order = part.sort("end", "identity_id", descending=[not back, back])
        return list(order.select(*COLUMNS, "end").head(limit).collect().to_dicts())

    def counted() -> int:
        return wanted.select("identity_id").head(CAP + 1).collect().height

    total = runs.remembered(("identities", run.id, str(run.estate), filters), counted)
    return turn(fetch, lambda row: (row["end"], row["identity_id"]), cursor, total)


def _named(people: pl.LazyFrame, ids: list[str]) -> list[dict[str, Any]]:
    return people.filter(pl.col("identity_id").is_in(ids)).select(COLUMNS).collect().to_dicts() if ids else []


def _open(session: Session, ids: list[str]) -> dict[str, int]:
    query = sa.select(col(Finding.identity_id), sa.func.count()).where(
        col(Finding.identity_id).in_(ids), col(Finding.status) == "open"
    )
    return {str(id): n for id, n in session.execute(query.group_by(col(Finding.identity_id)))}


def _accounts(run: runs.Run, ids: list[str]) -> dict[str, tuple[int, int]]:
    """How many accounts each identity can sign in to, of how many."""
    frame = run.table("accounts")
    if frame is None or not ids:
        return {}
    active = pl.col("active").fill_null(value=True).sum().alias("active")
    own = frame.filter(pl.col("owner_id").is_in(ids), pl.col("present").fill_null(value=True))
    counted = own.group_by("owner_id").agg(active, pl.len().alias("n")).collect()
    return {id: (int(on), int(n)) for id, on, n in counted.iter_rows()}


@dataclass(frozen=True)
class Whole:
    """Everything about one identity."""

    facts: dict[str, Any]
    manager: str | None
    accounts: list[dict[str, Any]]
    entitlements: dict[tuple[str, str], list[tuple[str, bool]]]  # account -> names held, and whether privileged
    findings: list[Finding]
    remediations: list[Remediation]
    audit: list[AuditEntry] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the person is called."""
        return str(self.facts["display_name"] or self.facts["identity_id"])

    @property
    def live(self) -> list[dict[str, Any]]:
        """Accounts that can sign in as far as is known and that nobody has closed since."""
        return [a for a in self.accounts if a["present"] and a["active"] is True and not self.closed(a)]

    def closed(self, account: dict[str, Any]) -> Remediation | None:
        """The remediation that closed this account since it was read, if there is one."""
        key = (account["application"], account["account_id"])
        found = (r for r in self.remediations if (r.application, r.account_id) == key and r.status == "verified")
        as_of = account["as_of_s"] or 0
        return next((r for r in found if r.verified_at and r.verified_at.timestamp() >= as_of), None)


def one(house: House, identity_id: str) -> Whole | None:
    """Everything about one identity; None when the last estate does not hold it."""
    run = runs.last_run(house)
    people = run.table("identities") if run else None
    if run is None or people is None:
        return None
    own = people.filter(pl.col("identity_id") == identity_id).select(COLUMNS).head(1).collect().to_dicts()
    if not own:
        return None
    above = _named(people, [own[0]["manager_id"]]) if own[0]["manager_id"] else []
    accounts = of_owner(run, identity_id)
    with house.store.read() as session:
        findings = select(Finding).where(Finding.identity_id == identity_id).order_by(col(Finding.score).desc())
        found = list(session.exec(findings.limit(200)))
        work = select(Remediation).where(col(Remediation.finding).in_([f.fingerprint for f in found]))
        remediations = list(session.exec(work.order_by(col(Remediation.id).desc()).limit(200)))
        objects = [f"remediation/{r.id}" for r in remediations] + [f"finding/{f.fingerprint}" for f in found]
        trail = select(AuditEntry).where(col(AuditEntry.object).in_(objects)).order_by(col(AuditEntry.seq).desc())
        audit = list(session.exec(trail.limit(200)))
    order = {"open": 0, "in_remediation": 1, "excluded": 2, "resolved": 3}
    return Whole(
        facts=own[0],
        manager=(above[0]["display_name"] or above[0]["identity_id"]) if above else None,
        accounts=accounts,
        entitlements=_entitlements(run, accounts),
        findings=sorted(found, key=lambda f: (order.get(f.status, 9), -f.score)),
        remediations=remediations,
        audit=audit,
    )


def _entitlements(run: runs.Run, accounts: list[dict[str, Any]]) -> dict[tuple[str, str], list[tuple[str, bool]]]:
    grants, names = run.table("grants"), run.table("entitlements")
    if grants is None or not accounts:
        return {}
    keys = pl.LazyFrame(
        [(a["application"], a["account_id"]) for a in accounts], schema=["application", "account_id"], orient="row"
    )
    held = grants.filter(
        pl.col("account_id").is_in([a["account_id"] for a in accounts]),
        pl.col("application").is_in(sorted({a["application"] for a in accounts})),
    ).join(keys, on=["application", "account_id"], how="semi")
    if names is not None:
        held = held.join(names, on=["application", "entitlement_id"], how="left")
    found: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for row in held.head(1000).collect().to_dicts():
        name = str(row.get("name") or row["entitlement_id"])
        found.setdefault((row["application"], row["account_id"]), []).append((name, bool(row.get("privileged"))))
    return {key: sorted(value, key=lambda held: (not held[1], held[0])) for key, value in found.items()}
