"""What a detect run kept of each application's provisioning, in words: writers, consequences, steps, and leaving."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl

from governance.findings.provisioning import manners_of
from governance.house import House
from governance.provisioning.conflict import KINDS, Consequence, Kind
from governance.provisioning.leaving import Leaving, restored
from governance.provisioning.leaving import sentence as said_of_leaving
from governance.provisioning.steps import NAMES, TITLES, Where, sentence, steps
from governance.views import runs

Tone = Literal["good", "warn", "bad"]
_TOLD: Final = {"events": "seen in events", "settings": "the settings say so", "both": "seen, and the settings say so"}


@dataclass(frozen=True)
class Writing:
    """One writer of an application. Times are None where no event tells of it."""

    name: str
    title: str
    since: datetime | None
    last: datetime | None
    accounts: int
    told: str


@dataclass(frozen=True)
class Found:
    """One consequence of two writers, with the steps that end it."""

    kind: Kind
    title: str
    sentence: str
    accounts: int
    examples: tuple[str, ...]  # usernames, where the application tells them
    since: datetime | None
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Provisioned:
    """How one application is filled and emptied, as the last detect run saw it."""

    application: str
    title: str
    writers: tuple[Writing, ...]
    found: tuple[Found, ...]
    unknown: tuple[tuple[Kind, str, str], ...]  # a consequence that cannot be looked for: kind, title, why
    leaving: Leaving | None
    said: str | None  # what happens there when somebody leaves; None where too few left to see it
    born: int  # accounts that a sign-in made
    reached: int  # of those, how many a push reaches too

    @property
    def dual(self) -> bool:
        """Whether both a sign-in and a push fill it."""
        return {"jit", "scim"} <= {one.name for one in self.writers}

    @property
    def several(self) -> bool:
        """Whether more than one writer acts there."""
        return len(self.writers) > 1


def provisioned(house: House) -> dict[str, Provisioned]:
    """Every application of the last detect run; empty before the first one, and where it kept nothing of it."""
    run = runs.last_run(house)
    if run is None:
        return {}
    return runs.remembered(("provisioned", house.store.url, run.id), lambda: _load(house, run))


def _load(house: House, run: runs.Run) -> dict[str, Provisioned]:
    kept: dict[str, Any] = run.summary.get("by_application") or {}
    titles = {a.name: a.label for a in house.settings.application}
    left = {name: restored(own["leaving"]) for name, own in kept.items() if "leaving" in own}
    shown = {(name, id) for name, own in kept.items() for one in _consequences(own) for id in one["examples"]}
    called, manners = _called(run, shown), manners_of(house)
    found = {}
    for name, own in kept.items():
        if "radar" not in own or name not in titles:
            continue
        told = own["radar"]
        provider = told.get("provider")
        where = Where(titles[name], titles.get(provider or ""))
        seen = left.get(name)
        found[name] = Provisioned(
            application=name,
            title=titles[name],
            writers=tuple(_writing(one) for one in told["writers"]),
            found=tuple(
                _found(name, one, where, called, manners.get(provider or "", {})) for one in _consequences(own)
            ),
            unknown=tuple((k, TITLES[k], told["unknown"][k]) for k in KINDS if k in told["unknown"]),
            leaving=seen,
            said=None if seen is None or seen.what == "unseen" else _leaving(seen, where, left.get(provider or "")),
            born=int(told["born"]),
            reached=int(told["reached"]),
        )
    return found


def _consequences(own: dict[str, Any]) -> list[dict[str, Any]]:
    return list((own.get("radar") or {}).get("consequences") or ())


def _leaving(seen: Leaving, where: Where, of_provider: Leaving | None) -> str:
    return said_of_leaving(seen, where.title, where.provider, of_provider)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _writing(one: dict[str, Any]) -> Writing:
    title = NAMES[one["writer"]]
    told = _TOLD[one["told_by"]]
    return Writing(
        one["writer"],
        title[0].upper() + title[1:],
        _instant(one["since"]),
        _instant(one["last"]),
        one["accounts"],
        told,
    )


def _found(application: str, one: dict[str, Any], where: Where, called: dict[Any, str], manners: Any) -> Found:
    examples = tuple(one["examples"])
    kept = Consequence(application, one["kind"], one["accounts"], examples, _instant(one["since"]), one["more"])
    return Found(
        kind=kept.kind,
        title=TITLES[kept.kind],
        sentence=sentence(kept, where),
        accounts=kept.accounts,
        examples=tuple(called.get((application, id), id) for id in examples),
        since=kept.since,
        steps=steps(kept.kind, where, manners),
    )


def _called(run: runs.Run, accounts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The usernames of these accounts."""
    wanted = sorted(accounts)
    frame = run.table("accounts") if wanted else None
    if frame is None:
        return {}
    ids = sorted({id for _, id in wanted})
    rows = frame.filter(pl.col("account_id").is_in(ids), pl.col("username").is_not_null())
    named = rows.select("application", "account_id", "username").collect(engine="streaming").iter_rows()
    return {(application, id): username for application, id, username in named}


@dataclass(frozen=True)
class WaysOut:
    """How many accounts that a sign-in made have a way out: a push that reaches them, or a credential that closes."""

    born: int
    out: int

    @property
    def share(self) -> float | None:
        """In percent; None where no account is known to be made by a sign-in."""
        return 100 * self.out / self.born if self.born else None


def ways_out(found: Iterable[Provisioned], closable: Iterable[str]) -> WaysOut:
    """Of all applications together. `closable`: applications whose accounts can be closed from here."""
    here, born, out = set(closable), 0, 0
    for one in found:
        born += one.born
        out += one.born if one.application in here else one.reached
    return WaysOut(born, out)
