"""The record of a change of a role mapping: what, who, why and for whom, sealed so that it can be proved offline."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from governance.access import Actor, Verb, demand, may
from governance.evidence.sealing import beside, seal
from governance.evidence.sheets import write_csv
from governance.house import House
from governance.mappings.comparing import EFFECTS, Comparison
from governance.mappings.versions import label
from governance.provisioning.written import document
from governance.store.chain import append
from governance.tables import MappingVersion

PEOPLE: Final = (
    *("identity_id", "display_name", "department", "title", "effect", "before", "after", "gains", "loses", "line"),
    *("held", "next_grants", "next_revokes"),
)
FORM: Final = 1


def write_record(
    house: House, actor: Actor, now: datetime, kept: MappingVersion, compared: Comparison, into: Path
) -> Path:
    """Write change.json and people.csv into one sealed archive; `leaverwatch evidence verify` proves it.

    For auditors and for who may change mappings; the audit notes who took it, before it is written.
    """
    if not may(actor, Verb.EXPORT):
        demand(actor, Verb.MAP, application=kept.application)
    with house.store.write() as session:
        of = f"mapping/{kept.application}/{kept.number}"
        append(session, now=now, actor=actor.email, verb="export", object=of, facts={"people": compared.people.height})
    with tempfile.TemporaryDirectory(dir=beside(into)) as folder:
        members = {name: Path(folder) / name for name in ("change.json", "people.csv")}
        members["change.json"].write_text(
            json.dumps(_change(kept, compared), sort_keys=True, ensure_ascii=False, indent=1, default=str), "utf-8"
        )
        write_csv(members["people.csv"], _people(compared), PEOPLE)
        title = f"Role mapping: {label(kept)}"
        about = {"form": FORM, "mapping": kept.id, "title": title, "digest": kept.digest, "base": kept.base}
        return seal(house, Path(folder), members, about, now, into)


def _change(kept: MappingVersion, compared: Comparison) -> dict[str, Any]:
    told = kept.model_dump(exclude={"content"})
    return {
        **{name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()},
        "before": document(compared.live.mapping),
        "after": document(compared.draft.mapping),
        "effects": compared.effects,
        "lockouts": list(compared.lockouts),
        "people": compared.draft.people.height,
        "roles_before": compared.live.roles,
        "roles_after": compared.draft.roles,
        "uncovered": [
            {"attribute": one.attribute, "value": one.value, "people": one.people} for one in compared.draft.uncovered
        ],
    }


def _people(compared: Comparison) -> Iterator[Mapping[str, Any]]:
    for row in compared.people.iter_rows(named=True):
        told = {name: "; ".join(value) if isinstance(value, list) else value for name, value in row.items()}
        yield {**told, "effect": EFFECTS[row["effect"]]}
