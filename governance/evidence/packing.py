"""Building evidence: every list, the report and the statement in one archive, with a signed manifest of hashes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from governance.errors import DecisionError
from governance.evidence.report import write_report
from governance.evidence.sealing import beside, seal
from governance.evidence.sheets import (
    DECISIONS,
    LOG,
    REMOVALS,
    audit_lines,
    decision_rows,
    log_rows,
    population_rows,
    removal_rows,
    write_csv,
    write_xlsx,
)
from governance.house import House
from governance.tables import Campaign

FORM: Final = 1  # of the archive; a later one says so


def build(house: House, now: datetime, campaign: str, quality: Sequence[Mapping[str, Any]], into: Path) -> Path:
    """Write the evidence of a closed campaign to `into`; DecisionError while it is not closed or was tampered with.

    `quality`: how its reviewers worked, a mapping each. The same campaign in the same state gives the same lists; only
    the time it was made differs.
    """
    with house.store.read() as session:
        row = session.get(Campaign, campaign)
        if row is None or row.status != "closed" or row.population is None:
            raise DecisionError(
                f"campaign {campaign} is {row.status if row else 'not there'}: evidence is of closed ones"
            )
        told = row.model_dump()
    population = house.home / str(told["population"])
    _demand_unchanged(population, told["population_sha256"])
    with tempfile.TemporaryDirectory(dir=beside(into)) as folder:
        members = _lists(house, Path(folder), told, population, quality, now)
        about = {"form": FORM, "campaign": told["id"], "title": told["title"]}
        about["population_sha256"] = told["population_sha256"]
        seal(house, Path(folder), members, about, now, into)
    return into


def _demand_unchanged(population: Path, digest: str) -> None:
    try:
        with population.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DecisionError(f"{population}: the frozen population is not there: {error.strerror}") from error
    if found != digest:
        raise DecisionError(f"{population}: the frozen population was changed since the launch; it is no evidence")


def _lists(
    house: House,
    folder: Path,
    told: Mapping[str, Any],
    population: Path,
    quality: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Path]:
    id = told["id"]
    files = {
        name: folder / name
        for name in (
            *("population.csv", "decisions.csv", "decisions.xlsx", "decision_log.csv", "removals.csv", "audit.jsonl"),
            *("statement.json", "report.pdf"),
        )
    }
    rows, columns = population_rows(population)
    write_csv(files["population.csv"], rows, columns)
    with house.store.read() as session:
        write_csv(files["decisions.csv"], decision_rows(session, id), DECISIONS)
        write_xlsx(files["decisions.xlsx"], decision_rows(session, id), DECISIONS, str(told["title"]))
        write_csv(files["decision_log.csv"], log_rows(session, id), LOG)
        removals = list(removal_rows(session, id))
        write_csv(files["removals.csv"], iter(removals), REMOVALS)
        with files["audit.jsonl"].open("w", encoding="utf-8") as file:
            for line in audit_lines(session, id):
                file.write(_json(line) + "\n")
        write_report(files["report.pdf"], told, quality, decision_rows(session, id), removals, now)
    statement = {
        **(told["statement"] or {}),
        **{name: told[name] for name in ("id", "title", "template", "scope", "plan", "outcome", "population_sha256")},
        **{name: told[name] for name in ("created_by", "launched_by", "closed_by")},
        **{name: told[name].isoformat() for name in ("created_at", "launched_at", "due_at", "closed_at") if told[name]},
        "reviewers": list(quality),
    }
    files["statement.json"].write_text(_json(statement, indent=1), encoding="utf-8")
    return files | {"population.parquet": population}


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=indent, default=str)
