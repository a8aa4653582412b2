"""Role mappings as pages and the command line read them: compared over the workforce of the last detect run."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.access import Actor
from governance.errors import DecisionError
from governance.findings.evaluation import with_providers
from governance.findings.looking_back import estate_as_of
from governance.house import House
from governance.mappings.change_record import write_record
from governance.mappings.comparing import Comparison, Drift, compare, drift
from governance.mappings.learning import Learned, learn
from governance.mappings.trusts import read_here
from governance.mappings.trying import Trial, attempt
from governance.mappings.versions import earlier, history, live, mapping_of
from governance.mappings.workforce import Workforce, workforce
from governance.provisioning.mapping import RoleMap
from governance.provisioning.written import digest
from governance.tables import MappingVersion
from governance.views import runs
from governance.views.words import count


def everybody(house: House, application: str, as_of: datetime | None = None) -> Workforce:
    """The workforce of an application, as of the last detect run or a past instant."""
    if as_of is not None:
        return _workforce(house, application, as_of)
    run = runs.last_run(house)
    key = ("workforce", house.store.url, run.id if run else None, application)
    found: Workforce = runs.remembered(key, lambda: _workforce(house, application, None))
    return found


def _workforce(house: House, application: str, as_of: datetime | None) -> Workforce:
    house.settings.application_named(application)
    with estate_as_of(house, with_providers(house, house.settings), as_of) as (estate, _):
        return workforce(estate, application)


def compared(
    house: House, application: str, draft: RoleMap, base: RoleMap | None = None, as_of: datetime | None = None
) -> Comparison:
    """A draft against what is live, or against another version."""
    base = base if base is not None else live(house, application)
    force = everybody(house, application, as_of)
    run = runs.last_run(house)
    key = ("mappings", house.store.url, run.id if run else None, as_of, application, digest(base), digest(draft))
    found: Comparison = runs.remembered(key, lambda: compare(force, base, draft))
    return found


def drifted(house: House, application: str) -> Drift:
    """What people hold in an application against what its live mapping gives."""
    mapping = live(house, application)
    if not mapping.lines:
        raise DecisionError(f"{application} has no role mapping: there is nothing to hold what people have against")
    run = runs.last_run(house)
    key = ("drift", house.store.url, run.id if run else None, application, digest(mapping))
    simulation = compared(house, application, mapping).live
    found: Drift = runs.remembered(key, lambda: drift(simulation, earlier(house, application)))
    return found


def learned(house: House, application: str) -> Learned:
    """A first mapping proposed from what people hold."""
    return learn(everybody(house, application))


def tried(
    house: House, application: str, pasted: str | bytes, now: datetime, mapping: RoleMap | None = None
) -> tuple[Trial | None, Any, str | None]:
    """One pasted assertion tried with a mapping: the trial (None when it is encrypted), the reading, who checked it."""
    reading, by = read_here(house, application, pasted, now)
    if reading.assertion is None:
        return None, reading, by
    own = house.settings.application_named(application)
    with estate_as_of(house, with_providers(house, house.settings), None) as (estate, _):
        return attempt(reading, mapping or live(house, application), estate, own), reading, by


def sentence(told: Comparison) -> str:
    """The comparison in a sentence without a name: `changes the role of 21 of 500 people; 3 would gain privilege`."""
    changed = told.people.height
    everyone = told.draft.people.height
    parts = [f"changes the role of {changed:,} of {count(everyone, 'person', 'people')}"]
    if gains := told.effects["gains_privilege"]:
        parts.append(f"{gains:,} would gain privilege")
    if loses := told.effects["loses_privilege"]:
        parts.append(f"{loses:,} would lose {'it' if gains else 'privilege'}")
    if left := told.draft.nobody + told.draft.fallen:
        parts.append(f"{left:,} still match no line" if left > 1 else "1 still matches no line")
    return "; ".join(parts)


def changes(told: Comparison) -> dict[str, Any]:
    """What a change does, in numbers, as it is kept with a version that waits for a second person."""
    return {
        "people": told.draft.people.height,
        "changed": told.people.height,
        "effects": told.effects,
        "lockouts": list(told.lockouts),
        "no_line": told.draft.nobody,
        "default": told.draft.fallen,
        "sentence": sentence(told),
    }


def choices(house: House) -> dict[str, str]:
    """Applications that people sign in to, by name, with their titles; those with a role mapping first."""
    mapped = {line.application for line in house.settings.role_mapping}
    told = [a for a in with_providers(house, house.settings).application if not a.identity_provider]
    return {a.name: a.label for a in sorted(told, key=lambda a: (a.name not in mapped, a.label.casefold()))}


def examples(house: House) -> dict[str, Path]:
    """Assertions that lie in the folder `assertions` of the house, by name: to try the lab with."""
    folder = house.home / "assertions"
    return {path.name: path for path in sorted(folder.glob("*"))[:50] if path.is_file()} if folder.is_dir() else {}


def before(house: House, kept: MappingVersion) -> Comparison:
    """A version against what was live when it was drafted."""
    base = next(
        (one for one in history(house, kept.application) if one.digest == kept.base and one.id != kept.id), None
    )
    return compared(house, kept.application, mapping_of(kept), mapping_of(base) if base else RoleMap())


def record_of(house: House, actor: Actor, now: datetime, kept: MappingVersion) -> bytes:
    """The sealed record of a version, as it is handed out."""
    with tempfile.TemporaryDirectory() as folder:
        return write_record(house, actor, now, kept, before(house, kept), Path(folder) / "record.zip").read_bytes()
