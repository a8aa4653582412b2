"""Evidence: the packs that were asked for are built one after another, away from the pages."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from sqlmodel import col, select

from governance import audit, campaigns, evidence
from governance.errors import LeaverwatchError
from governance.house import House
from governance.tables import EvidencePack
from jobs.home import clock


def build_waiting(house: House) -> list[str]:
    """Build every pack that waits, the oldest first; says which. One that fails says why and holds up no other."""
    chosen = select(EvidencePack).where(col(EvidencePack.status).in_(("waiting", "building")))
    with house.store.read() as session:
        waiting = [(row.id, row.campaign) for row in session.exec(chosen.order_by(col(EvidencePack.id)))]
    built = []
    failures = []
    for id, campaign in waiting:
        path = house.home / campaigns.FOLDER / f"{campaign}-{id}.zip"
        _note(house, id, status="building")
        try:
            build_one(house, campaign, path)
        except LeaverwatchError as error:
            _note(house, id, status="failed", error=str(error))
            failures.append(str(error))
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        kept = str(path.relative_to(house.home))
        _note(house, id, status="ready", path=kept, sha256=digest, size=path.stat().st_size, built_at=clock())
        built.append(id)
    if failures:
        raise LeaverwatchError("; ".join(failures))
    return built


def build_one(house: House, campaign: str, into: Path) -> Path:
    """Build the evidence of one closed campaign to this file."""
    with house.store.read() as session:
        worked = [asdict(one) for one in campaigns.quality(session, campaign)]
    made = evidence.build(house, clock(), campaign, worked, into)
    with house.store.write() as session:
        audit.append(
            session,
            now=clock(),
            actor="worker",
            verb="evidence.build",
            object=f"campaign/{campaign}",
            facts={"file": into.name},
        )
    return made


def _note(house: House, id: str, **to: object) -> None:
    with house.store.write() as session:
        row = session.get_one(EvidencePack, id)
        for name, value in to.items():
            setattr(row, name, value)
        session.add(row)
