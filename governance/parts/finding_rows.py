"""The list of findings: a page of rows one moves through by keys, the chosen one kept by its fingerprint."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.export import export_button
from governance.parts.grid import Choice, Column, GridVerb, grid
from governance.parts.pager import pager
from governance.parts.severity import COLOURS
from governance.parts.text import seen
from governance.views import findings
from governance.views.paging import CAP, Row, Slice
from governance.views.words import UNKNOWN, rule_title, severity

COLUMNS: Final = (
    Column("score", "Score", "Severity, privilege, criticality and use, 0 to 100"),
    Column("severity", "Severity"),
    Column("rule", "Rule"),
    Column("who", "Identity"),
    Column("where", "Application"),
    Column("why", "Why"),
    Column("age", "Open for", "For a leaver: since leaving"),
)
PROPOSE: Final = GridVerb("d", "propose", "Propose deactivation", ".st-key-form-propose-{} input")
EXCLUDE: Final = GridVerb("e", "exclude", "Exclude", ".st-key-form-exclude-{} input")
APPROVE: Final = GridVerb("a", "approve", "Approve", ".st-key-form-approve-{} button", many=False)
_STATES: Final = {"in_remediation": "Being closed", "excluded": "Excluded", "resolved": "Resolved"}


def finding_rows(house: House, actor: Actor, found: Slice, filters: findings.Filters, now: datetime) -> Choice:
    """Draw the page of findings; gives the fingerprints pointed at."""
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    chosen = grid(
        "finding",
        "Findings, the most severe first",
        COLUMNS,
        [_shown(row, titles, now) for row in found.rows],
        verbs=_verbs(actor, found.rows, filters.status),
        first=found.first,
        total=found.total if found.total <= CAP else None,
        scope=f"{filters} {found.first}",
    )
    pager(found, "by score (severity, privilege, criticality, use)")
    export_button(house, actor, now, "findings", lambda: findings.export(house, filters), findings.COLUMNS)
    return chosen


def _verbs(actor: Actor, rows: list[Row], status: str) -> list[GridVerb]:
    """What this actor may do to any of these rows; the verbs of the domain check every single one again."""

    def any_of(verb: Verb) -> bool:
        return any(may(actor, verb, application=r["application"], identity_id=r["identity_id"]) for r in rows)

    if status == "in_remediation":
        return [APPROVE] if any_of(Verb.APPROVE) else []
    if status != "open":
        return []
    return [grid_verb for grid_verb, verb in ((PROPOSE, Verb.PROPOSE), (EXCLUDE, Verb.EXCLUDE)) if any_of(verb)]


def _without(why: str, account: str | None, name: str | None, where: str) -> str:
    """The sentence without a beginning that only repeats what stands in the other columns."""
    for long, brief in (
        (f"The account {account} of {name} in {where} is ", ""),
        (f"The account {account} of {name} in {where} ", ""),
        ("The account is ", ""),
        ("The account ", ""),
        (f"The contract of {name} ", "Contract "),
        (f"{name} ", ""),
    ):
        if why.startswith(long):
            said = brief + why[len(long) :]
            return said[:1].upper() + said[1:]
    return why  # which may begin with the name of an application


def _shown(row: Row, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    where = titles.get(row["application"], row["application"] or UNKNOWN)
    account = row["username"] or row["account_id"]
    who = row["identity_name"] or account or UNKNOWN
    why = _without(findings.short(row, where, now), account, row["identity_name"], where)
    status = _STATES.get(row["status"], "Reopened" if row["reopened"] else "")
    return {
        "id": row["fingerprint"],
        "label": seen(f"{rule_title(row['rule'])}, {who}, {where}"),
        "score": str(row["score"]),
        "severity": severity(row["severity"]),
        "severity_tone": COLOURS.get(row["severity"], "gray"),
        "rule": rule_title(row["rule"]),
        "who": seen(who),
        "who_below": seen(account) if account and account != who else "",
        "where": seen(where),
        "why": seen(why),
        "age": f"{(now - findings.since(row)).days} d",
        "age_below": status,
    }
