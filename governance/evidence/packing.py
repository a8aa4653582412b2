"""Building evidence: every list, the report and the statement in one archive, with a signed manifest of hashes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from governance import audit
from governance.errors import DecisionError
from governance.evidence.container import write
from governance.evidence.report import write_report
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
from governance.evidence.signing import private_key, public_key_file
from governance.evidence.verifying import KEY, MANIFEST, SIGNATURE
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
    with tempfile.TemporaryDirectory(dir=_beside(into)) as folder:
        members = _lists(house, Path(folder), told, population, quality, now)
        manifest = _manifest(house, told, members, now)
        into.parent.mkdir(parents=True, exist_ok=True)
        members |= _signed(house.home, Path(folder), manifest)
        draft = Path(folder) / "pack.zip"
        write(draft, members)
        os.replace(draft, into)
    return into


def _beside(into: Path) -> Path:
    into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return into.parent


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


def _manifest(house: House, told: Mapping[str, Any], members: Mapping[str, Path], now: datetime) -> dict[str, Any]:
    files = {}
    for name, path in sorted(members.items()):
        with path.open("rb") as file:
            files[name] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
    with house.store.read() as session:
        tip = audit.tip(session)
    return {
        "form": FORM,
        "campaign": told["id"],
        "title": told["title"],
        "population_sha256": told["population_sha256"],
        "program": f"leaverwatch {version('leaverwatch')}",
        "made_at": now.isoformat(),
        "audit_tip": tip,
        "files": files,
    }


def _signed(home: Path, folder: Path, manifest: Mapping[str, Any]) -> dict[str, Path]:
    text = _json(manifest, indent=1).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_bytes(private_key(home).sign(text))
    (folder / KEY).write_bytes(public_key_file(home).read_bytes())
    return {name: folder / name for name in (MANIFEST, SIGNATURE, KEY)}


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=indent, default=str)
