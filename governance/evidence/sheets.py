"""The lists in evidence: population, decisions, how removals ended, and the campaign's lines of the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.cells import cell, csv_lines
from governance.store.chain import instant
from governance.store.rows import table_of
from governance.tables import AuditEntry, Remediation, ReviewDecision, ReviewItem

DECISIONS: Final = (
    *("number", "application", "account_id", "username", "entitlement", "identity_id", "identity_name", "position"),
    *("employment", "privileged", "control", "first_recommendation", "first_because", "recommendation", "because"),
    *("decision", "reason", "decided_by", "decided_at", "seconds", "bulk", "level", "via", "outcome", "remediation"),
)
LOG: Final = ("id", "number", "at", "by", "decision", "reason", "recommendation", "level", "seconds", "bulk")
REMOVALS: Final = (
    *("id", "number", "application", "account_id", "username", "entitlement_id", "action", "status", "proposed_by"),
    *("proposed_at", "approved_by", "approved_at", "second_approver", "executed_at", "verified_at", "error", "proof"),
)
_CHUNK: Final = 5_000
_CELL: Final = 32_767  # letters
_CUT: Final = " … (cut: the CSV of the same name holds all of it)"


def write_csv(path: Path, rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """Write the rows as CSV in which no cell can become a formula; says how many."""
    count = -1
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in csv_lines(rows, columns):
            file.write(line)
            count += 1
    return count


def write_xlsx(path: Path, rows: Iterator[Mapping[str, Any]], columns: Sequence[str], title: str) -> None:
    """Write the rows as a workbook of texts and numbers: no formula, no link."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(path, options) as book:
        # A fixed day: two workbooks of the same decisions are the same file.
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC), "title": title})
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("Decisions")
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name, bold)
        for line, row in enumerate(rows, 1):
            for place, name in enumerate(columns):
                value = row.get(name)
                if isinstance(value, int | float) and not isinstance(value, bool):
                    sheet.write_number(line, place, value)
                elif value is not None:
                    sheet.write_string(line, place, _fitting(cell(value)))


def _fitting(text: str) -> str:
    """What fits into a cell of a workbook, which leaves it empty otherwise; the CSV beside holds all of it."""
    return text if len(text) <= _CELL else f"{text[: _CELL - len(_CUT)]}{_CUT}"


def population_rows(file: Path) -> tuple[Iterator[Mapping[str, Any]], list[str]]:
    """The frozen population, what was left out included, and its columns."""
    frame = pl.read_parquet(file)
    return iter(frame.iter_rows(named=True)), frame.columns


def decision_rows(session: Session, campaign: str) -> Iterator[dict[str, Any]]:
    """Every item with the decision in force, in the order of the list."""
    own = table_of(ReviewItem)
    query = sa.select(*(own.c[name] for name in DECISIONS)).where(own.c.campaign == campaign).order_by(own.c.number)
    last = 0
    while True:
        rows = session.execute(query.where(own.c.number > last).limit(_CHUNK)).mappings().all()
        for row in rows:
            yield dict(row)
        if len(rows) < _CHUNK:
            return
        last = rows[-1]["number"]


def log_rows(session: Session, campaign: str) -> Iterator[dict[str, Any]]:
    """Every decision ever made in the campaign, also those that were changed later, in their order."""
    own = table_of(ReviewDecision)
    query = sa.select(*(own.c[name] for name in LOG)).where(own.c.campaign == campaign)
    for row in session.execute(query.order_by(own.c.at, own.c.number, own.c.id)).mappings():
        yield dict(row)


def removal_rows(session: Session, campaign: str) -> Iterator[dict[str, Any]]:
    """How each removal ended, with what proved it."""
    chosen = select(Remediation).where(Remediation.campaign == campaign).order_by(col(Remediation.number))
    for r in session.exec(chosen):
        proof = (r.evidence or {}).get("read_back")
        row = {name: getattr(r, name) for name in REMOVALS if name != "proof"}
        yield {**row, "proof": json.dumps(proof, sort_keys=True) if proof else None}


def audit_lines(session: Session, campaign: str) -> Iterator[dict[str, Any]]:
    """The audit entries about the campaign and its remediations, with the hashes that tie them into the chain."""
    ids = select(Remediation.id).where(Remediation.campaign == campaign)
    objects = [f"campaign/{campaign}", *(f"remediation/{id}" for id in session.exec(ids))]
    found: list[AuditEntry] = []
    for start in range(0, len(objects), 500):
        chosen = select(AuditEntry).where(col(AuditEntry.object).in_(objects[start : start + 500]))
        found += session.exec(chosen).all()
    for entry in sorted(found, key=lambda one: one.seq):
        yield {**entry.model_dump(), "at": instant(entry.at)}
