"""The radar: for each application which writers act, and what came of it where there is more than one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import epoch, surely_came
from governance.provisioning.acts import acts, arrivals
from governance.provisioning.conflict import KINDS, Consequence, Rows, Scene, Unknown, account_rows
from governance.provisioning.consequences import CONFLICTS
from governance.provisioning.gaps import GAPS, REACTIVATES
from governance.provisioning.pushes import ACCOUNT, PUSHES, Picture, aimed, names, providers
from governance.provisioning.writers import Acting, writers

Manners = Mapping[str, Mapping[str, Mapping[str, Any]]]  # application -> manner of its connector -> what it says of it
_DAY: Final = 86_400
_FROM_HERE: Final = ("jit", "scim", "hand", "import")


@dataclass(frozen=True)
class Blip:
    """One application on the radar. `unknown`: kinds of consequences that cannot be looked for there, and why."""

    acting: tuple[Acting, ...]
    consequences: tuple[Consequence, ...]
    unknown: tuple[Unknown, ...]
    provider: str | None
    born: int  # accounts that a sign-in made
    reached: int  # of those, how many a push reaches too

    @property
    def dual(self) -> bool:
        """Whether both a sign-in and a push fill it."""
        return {"jit", "scim"} <= {one.writer for one in self.acting}


def radar(picture: Picture, now: datetime, manners: Manners | None = None, done: Rows | None = None) -> dict[str, Blip]:
    """Every application of the settings. `done`: the acts, where they were collected already."""
    done = acts(picture, now).collect("polars") if done is None else done
    told = settings_told(picture)
    acting = writers(done, picture, frozenset(name for name, own in told.items() if own.get(REACTIVATES)))
    several = [name for name, found in acting.items() if _several(found)]
    feeding = _feeding(picture)
    scenes = _scenes(picture, done, {name: acting[name] for name in several}, feeding, manners or {}, told)
    born = _born(picture, done)
    found = {}
    for name, own in acting.items():
        results = _look(scenes[name], epoch(now)) if name in scenes else []
        consequences = [one for one in results if isinstance(one, Consequence)]
        consequences.sort(key=lambda one: KINDS.index(one.kind))
        unknown = tuple(one for one in results if isinstance(one, Unknown))
        many, reached = born.get(name, (0, 0))
        found[name] = Blip(own, tuple(consequences), unknown, feeding.get(name), many, reached)
    return found


def _several(acting: tuple[Acting, ...]) -> bool:
    """Whether more than one writer acts, one of them by itself; an application filled by hands alone has one."""
    found = {one.writer for one in acting}
    return len(found) > 1 and bool(found & {"jit", "scim"})


def _look(scene: Scene, now_s: int) -> list[Consequence | Unknown]:
    return [one for look in CONFLICTS for one in look(scene)] + [one for look in GAPS for one in look(scene, now_s)]


def _born(picture: Picture, done: Rows) -> dict[str, tuple[int, int]]:
    """For each application, how many accounts a sign-in made, and how many of those a push reaches."""
    made = done.filter(nw.col("writer") == "jit", nw.col("act") == "made").select(*ACCOUNT)
    known = picture.accounts.filter(surely_came("jit")).select(*ACCOUNT).collect("polars")
    present = picture.accounts.select(*ACCOUNT)
    there = set(made.select("application").unique(["application"])["application"].to_list())
    if there:  # an account that is gone needs no way out
        here = present.filter(nw.col("application").is_in(sorted(there))).collect("polars")
        made = made.join(here, on=ACCOUNT, how="semi")
    everybody = nw.concat([made, known], how="vertical").unique(ACCOUNT)
    pushed = done.filter(nw.col("writer") == "scim").select(*ACCOUNT).unique(ACCOUNT)
    reached = everybody.join(pushed, on=ACCOUNT, how="semi")
    counts = {str(name): int(n) for name, n in everybody.group_by("application").agg(nw.len()).iter_rows()}
    some = {str(name): int(n) for name, n in reached.group_by("application").agg(nw.len()).iter_rows()}
    return {name: (n, some.get(name, 0)) for name, n in counts.items()}


def _feeding(picture: Picture) -> dict[str, str]:
    """Which identity provider pushes to which application: the one seen to, else the only one there is."""
    there = providers(picture.settings)
    if not there:
        return {}
    told = picture.events.filter(nw.col("kind").is_in(PUSHES), nw.col("application").is_in(there))
    counted = aimed(told, names(picture.settings)).group_by("application", "aimed").agg(nw.len().alias("n"))
    found: dict[str, tuple[int, str]] = {}
    for provider, application, n in counted.collect("polars").iter_rows():
        found[str(application)] = max(found.get(str(application), (0, "")), (int(n), str(provider)))
    only = {a.name: there[0] for a in picture.settings.application if len(there) == 1 and a.name != there[0]}
    return only | {application: provider for application, (_, provider) in found.items()}


def _scenes(
    picture: Picture,
    done: Rows,
    acting: Mapping[str, tuple[Acting, ...]],
    feeding: Mapping[str, str],
    manners: Manners,
    told: Mapping[str, Mapping[str, bool]],
) -> dict[str, Scene]:
    """What is looked at in each application with several writers; each frame is collected once for all of them."""
    settings, several = picture.settings, sorted(acting)
    if not several:
        return {}
    accounts, vanished = (account_rows(f, several) for f in (picture.accounts, picture.vanished_accounts))
    back = picture.accounts.filter(nw.col("application").is_in(several), ~nw.col("returned_at_s").is_null())
    seen = arrivals(picture, back.select(*ACCOUNT), names(settings)).collect("polars")
    gone, first = _gone(picture), _first_event(picture)
    changed = picture.events.filter(nw.col("kind") == "updated", nw.col("application").is_in(several))
    updated = set(changed.select("application").unique(["application"]).collect("polars")["application"].to_list())
    scenes = {}
    for name in several:
        here = nw.col("application") == name
        provider = feeding.get(name)
        scenes[name] = Scene(
            application=name,
            acting=acting[name],
            acts=done.filter(here, nw.col("writer").is_in(list(_FROM_HERE))),
            accounts=accounts.filter(here),
            vanished=vanished.filter(here),
            seen=seen.filter(here).select("account_id", "seen_s"),
            provider=provider,
            manners=manners.get(provider or "", {}),
            gone=gone.filter(nw.col("provider") == (provider or "")).select("owner_id", "gone_s"),
            provider_since=first.get(provider or ""),
            updates_told=name in updated,
            settings_told=told.get(name, {}),
            opens_others=name in providers(settings),
        )
    return scenes


def _gone(picture: Picture) -> Rows:
    """People whose account at an identity provider was deleted: provider, owner_id, gone_s."""
    there = providers(picture.settings)
    at_provider = nw.col("application").is_in(there)
    deleted = picture.events.filter(at_provider, nw.col("kind") == "deleted", nw.col("success").fill_null(True))
    deleted = deleted.select(*ACCOUNT, "at_s")
    every = nw.concat(
        [
            frame.filter(at_provider, ~nw.col("owner_id").is_null()).select(*ACCOUNT, "owner_id")
            for frame in (picture.accounts, picture.vanished_accounts)
        ],
        how="vertical",
    )
    by_event = deleted.join(every, on=ACCOUNT, how="inner").select(
        nw.col("application").alias("provider"), "owner_id", nw.col("at_s").alias("gone_s")
    )
    left = picture.vanished_accounts.filter(at_provider, ~nw.col("owner_id").is_null()).select(
        nw.col("application").alias("provider"), "owner_id", nw.col("last_present_at_s").alias("gone_s")
    )
    both = nw.concat([by_event, left], how="vertical").group_by("provider", "owner_id").agg(nw.col("gone_s").max())
    again = picture.accounts.filter(at_provider).select(nw.col("application").alias("provider"), "owner_id")
    return both.join(again, on=["provider", "owner_id"], how="anti").collect("polars")


def _first_event(picture: Picture) -> dict[str, int]:
    there = providers(picture.settings)
    first = picture.events.filter(nw.col("application").is_in(there)).group_by("application")
    return {str(name): int(at) for name, at in first.agg(nw.col("at_s").min()).collect("polars").iter_rows()}


def settings_told(picture: Picture) -> dict[str, dict[str, bool]]:
    """What applications last told of how they are set up: application -> setting -> whether any provider has it on."""
    told = picture.events.filter(nw.col("kind") == "setting", ~nw.col("target").is_null())
    rows = told.select("application", "target", "success", "at_s").collect("polars").rows()
    if not rows:
        return {}
    applications = sorted({str(row[0]) for row in rows})
    read = picture.accounts.filter(nw.col("application").is_in(applications)).group_by("application")
    newest = {str(name): int(at or 0) - _DAY for name, at in read.agg(nw.col("as_of_s").max()).collect("polars").rows()}
    found: dict[str, dict[str, bool]] = {}
    for application, target, on, at in rows:
        if int(at) >= newest.get(
            str(application), 0
        ):  # what the newest reading does not tell any more is no setting now
            own = found.setdefault(str(application), {})
            own[str(target)] = own.get(str(target), False) or bool(on)
    return found
