"""What is wrong as of one instant: snapshots → correlation → estate → rulebook. Stores no decision."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl
from sqlmodel import col, select
from ulid import ULID

from governance.declaration import epoch
from governance.estate import Estate, Facts, build, correlate, known
from governance.findings.headline import LEFT_LATELY
from governance.findings.own_accounts import in_danger
from governance.findings.provisioning import provisioning
from governance.house import House
from governance.persons import people, same_persons
from governance.provisioning.provenance import COLUMNS as PROVENANCE
from governance.provisioning.traces import providers as sign_on_providers
from governance.records import COLUMNS
from governance.rulebook import Verdict, in_force, run
from governance.settings import Settings
from governance.snapshots import Engine, engine_of, facts, make_root, on_disk
from governance.tables import Connector, DetectRun, Snapshot

Frame = nw.LazyFrame[Any]
PORTION: Final = 1_500_000  # accounts that are correlated at once
SMALL: Final = 20_000  # people and accounts: to write down and read again what they are matched with takes longer


@dataclass(frozen=True)
class Evaluation:
    """What a run of the rulebook saw and concluded."""

    as_of: datetime
    folder: Path  # of the estate
    facts: Facts
    estate: Estate
    verdict: Verdict
    summary: dict[str, Any]

    @property
    def not_evaluable(self) -> dict[str, dict[str, str]]:
        """For each application and rule that could not be judged wholly: how many accounts, and why."""
        return {
            application: {rule: self._unjudged(rule, reasons) for rule, reasons in rules.items()}
            for application, rules in self.verdict.not_evaluable.items()
        }

    def _unjudged(self, rule: str, reasons: dict[str, int]) -> str:
        """Why, the most frequent reason first: `12 accounts: …; 3: …`."""
        (first, count), *others = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        one, many = (
            ("account", "accounts") if self.verdict.rules[rule].counted == "accounts" else ("identity", "identities")
        )
        return "; ".join(
            (f"{count:,} {one if count == 1 else many}: {first}", *(f"{n:,}: {reason}" for reason, n in others))
        )


@contextlib.contextmanager
def evaluated(
    house: House, as_of: datetime, *, settings: Settings | None = None, known_at: datetime | None = None
) -> Iterator[Evaluation]:
    """An evaluation whose estate lies in a folder of its own that goes when nobody kept it (see `record`)."""
    folder = house.snapshots / "estates" / f".{ULID.from_datetime(as_of)}"
    make_root(house)
    try:
        with on_disk(folder):
            engine = engine_of(house.settings.engine)
            evaluation = evaluate(house, as_of, folder, engine, settings or house.settings, known_at)
        yield evaluation
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def evaluate(
    house: House, as_of: datetime, folder: Path, engine: Engine, settings: Settings, known_at: datetime | None = None
) -> Evaluation:
    """Correlate and judge everything the feeds said up to `as_of`; the estate is written to `folder`."""
    said, estate = picture(house, as_of, folder, engine, with_providers(house, settings), known_at)
    link(house, said, folder)
    verdict = run(estate, settings.policy, as_of, in_force(house.rules, settings.policy, house.origin))
    return Evaluation(as_of, folder, said, estate, verdict, summarise(house, said, estate, verdict, as_of))


def picture(
    house: House, as_of: datetime, folder: Path, engine: Engine, settings: Settings, known_at: datetime | None = None
) -> tuple[Facts, Estate]:
    """What the feeds said up to `as_of` (see `snapshots.facts`), and the estate that follows, written to `folder`."""
    said = facts(house, engine, as_of, folder / "work", known_at)
    kept = _known_before(house, engine, known_at or as_of)
    with house.store.read() as session:
        read = [session.get_one(Snapshot, id) for _, id in sorted(said.snapshots.items())]
    few = sum((row.rows or {}).get(table, 0) for row in read for table in ("identities", "accounts")) <= SMALL

    def keep(name: str, frame: Frame) -> Frame:
        return engine.keep(frame, folder / "work" / f"known_{name}.parquet", few)

    same = same_persons(said.identities, said.sources, settings, keep)
    everybody = engine.persist(
        people(said.identities, said.sources, settings, as_of, same), folder / "identities.parquet"
    )
    around = known(said, settings, as_of, keep, kept, everybody, same)
    accounts = _correlated(said, settings, as_of, folder, engine, around, _portions(read))
    return said, build(said, accounts, settings, as_of, everybody)


def _known_before(house: House, engine: Engine, known_at: datetime) -> Frame | None:
    """The accounts of the newest estate that was stored by then: what it knew of their making outlives the logs."""
    stored = select(DetectRun).where(DetectRun.estate != "", DetectRun.as_of <= known_at)
    with house.store.read() as session:
        run = session.exec(stored.order_by(col(DetectRun.id).desc()).limit(1)).first()
    place = house.snapshots / run.estate / "accounts.parquet" if run else None
    if place is None or not place.exists():
        return None
    parts = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    frame = engine.scan(parts)
    wanted = {"application", "account_id", "created_at_s", *PROVENANCE}
    return frame if wanted <= set(frame.collect_schema().names()) else None


def _correlated(
    said: Facts,
    settings: Settings,
    as_of: datetime,
    folder: Path,
    engine: Engine,
    around: dict[str, Frame],
    portions: Sequence[list[str]],
) -> Frame:
    """The correlated accounts, written in portions of whole applications: all at once do not fit."""
    place = folder / "accounts.parquet"
    if len(portions) < 2:
        return engine.persist(correlate(said, settings, as_of, around), place)
    place.mkdir()
    parts = []
    for number, names in enumerate(portions):
        some = replace(said, accounts=said.accounts.filter(nw.col("application").is_in(names)))
        part = place / f"{number:04}.parquet"
        here = {"born": around["born"].filter(nw.col("application").is_in(names))} if "born" in around else {}
        engine.persist(correlate(some, settings, as_of, {**around, **here}), part)
        parts.append(part)
    return engine.scan(parts)


def _portions(read: Sequence[Snapshot]) -> list[list[str]]:
    """The applications in their order, as many together as hold PORTION accounts."""
    portions: list[list[str]] = []
    filled = PORTION
    for row in (row for row in read if row.kind == "application"):
        count = (row.rows or {}).get("accounts", 0)
        if filled + count > PORTION:
            portions.append([])
            filled = 0
        portions[-1].append(row.feed)
        filled += count
    return portions


def with_providers(house: House, settings: Settings) -> Settings:
    """The settings with `identity_provider` of each application, where they leave it to the connector's declaration."""
    with house.store.read() as session:
        family = select(Connector.name).where(Connector.family == "identity provider")
        providers = set(session.exec(family))
    told = tuple(
        a.model_copy(update={"identity_provider": a.connector in providers}) if a.identity_provider is None else a
        for a in settings.application
    )
    return settings.model_copy(update={"application": told})


def link(house: House, said: Facts, folder: Path) -> None:
    """Tables the estate takes over unchanged are linked, not copied."""
    for table in ("entitlements", "grants", "credentials", "events"):
        target = folder / f"{table}.parquet"
        target.mkdir(parents=True, exist_ok=True)
        for feed, snapshot in said.snapshots.items():
            source = house.snapshots / feed / snapshot / f"{table}.parquet"
            if not source.exists():
                continue
            try:
                os.link(source, target / f"{feed}.parquet")
            except OSError:  # another file system
                shutil.copyfile(source, target / f"{feed}.parquet")


def summarise(house: House, said: Facts, estate: Estate, verdict: Verdict, as_of: datetime) -> dict[str, Any]:
    """The numbers pages and the first sentence are made of: one place for each of them."""
    by_application = _by_application(estate)
    found = verdict.bare.filter(pl.col("application").is_not_null()).group_by("application", "rule").len()
    for application, rule, count in found.sort("application", "rule").iter_rows():
        by_application.setdefault(application, {}).setdefault("rules", {})[rule] = count
    provision = provisioning(house, estate, as_of)
    for application, told in provision.items():
        if application in by_application:
            by_application[application].update(told)
    counted = _people(estate, as_of)
    people = counted | {"next_end": _next_end(estate, as_of)}
    total = {
        word: sum(entry.get(word, 0) for entry in by_application.values())
        for word in ("accounts", "active", "unmatched", "ambiguous")
    }
    return {
        "accounts": total["accounts"],
        "active_accounts": total["active"],
        "unmatched": total["unmatched"],
        "ambiguous": total["ambiguous"],
        **people,
        "checks": verdict.checks,
        "not_evaluable": unjudged_checks(verdict, counted["identities"]),
        "coverage": coverage_of(verdict),
        "by_application": by_application,
        "severity": dict(verdict.bare.group_by("severity").len().iter_rows()),
        "feeds": _feeds(house, said),
        "own_accounts": in_danger(estate, estate.settings, as_of),
    }


def unjudged_checks(verdict: Verdict, identities: int) -> int:
    """How many of the verdict's checks could not be judged, counted as those are: by what findings of a rule are on.

    Signals are missing of accounts, so a whole application counts once, and people never more than there are.
    """
    lacking: dict[str, list[int]] = {}
    for rules in verdict.not_evaluable.values():
        for name, reasons in rules.items():
            lacking.setdefault(name, []).append(sum(reasons.values()))
    total = 0
    for name, counts in lacking.items():
        subject = verdict.rules[name].subject
        total += len(counts) if subject == "application" else sum(counts)
        if subject == "identity":
            total -= max(0, sum(counts) - identities)
    return total


def coverage_of(verdict: Verdict) -> dict[str, dict[str, Any]]:
    """For each application (or source) and rule: how many it is about, and how many of them lack what, by reason.

    A rule that is not named for an application is about nobody there.
    """
    return {
        application: {
            rule: {"about": about, "unjudged": verdict.not_evaluable.get(application, {}).get(rule, {})}
            for rule, about in rules.items()
        }
        for application, rules in verdict.concerned.items()
    }


def _by_application(estate: Estate) -> dict[str, dict[str, Any]]:
    counted = (
        estate.accounts.with_columns(
            _active=nw.col("active").fill_null(False).cast(nw.Int64),
            _unknown=nw.col("active").is_null().cast(nw.Int64),
            _privileged=nw.col("privileged").fill_null(False).cast(nw.Int64),
            _unmatched=(nw.col("match") == "unmatched").cast(nw.Int64),
            _ambiguous=(nw.col("match") == "ambiguous").cast(nw.Int64),
        )
        .group_by("application")
        .agg(
            nw.len().alias("accounts"),
            *(
                nw.col(f"_{word}").sum().alias(word)
                for word in ("active", "unknown", "privileged", "unmatched", "ambiguous")
            ),
        )
        .collect("polars")
    )
    born = estate.accounts.group_by("application", "provenance").agg(nw.len().alias("n")).collect("polars")
    made = _making(estate)
    found: dict[str, dict[str, Any]] = {}
    for row in counted.sort("application").iter_rows(named=True):
        found[str(row["application"])] = {k: v for k, v in row.items() if k != "application"}
    for application, provenance, n in born.sort("application", "provenance").iter_rows():
        found[application].setdefault("provenance", {})[provenance] = n
    for application, numbers in made.items():
        if application in found:
            found[application]["making"] = numbers
    return found


def _making(estate: Estate) -> dict[str, dict[str, Any]]:
    """How long after a sign-on accounts were made where that is fitted, and how far back the logs reach (ISO, UTC)."""
    signed = estate.accounts.filter(nw.col("provenance_because") == "sign_on").select(
        "application", apart=nw.col("created_at_s") - nw.col("provenance_at_s")
    )
    counted = signed.group_by("application").agg(
        nw.col("apart").min().alias("low"), nw.col("apart").max().alias("high"), nw.len().alias("accounts")
    )
    found: dict[str, dict[str, Any]] = {
        str(row.pop("application")): row for row in counted.collect("polars").iter_rows(named=True)
    }
    reached = estate.events.group_by("application").agg(nw.col("at_s").min()).collect("polars")
    oldest = {str(name): _iso(at) for name, at in reached.iter_rows()}
    providers = {name: at for name, at in sorted(oldest.items()) if name in sign_on_providers(estate.settings)}
    for application in estate.settings.application:
        logs = {name: at for name, at in oldest.items() if name == application.name} | providers
        found.setdefault(application.name, {})["logs"] = logs
    return found


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _people(estate: Estate, as_of: datetime) -> dict[str, int]:
    lately, moment = epoch(as_of - LEFT_LATELY), epoch(as_of)
    ended = (nw.col("state") == "ended").fill_null(False)
    flags = estate.identities.select(
        present=nw.col("present").cast(nw.Int64),
        leavers=ended.cast(nw.Int64),
        lately=(ended & (nw.col("ended_at_s") >= lately) & (nw.col("ended_at_s") <= moment))
        .fill_null(False)
        .cast(nw.Int64),
        missing=(nw.col("state") == "missing").cast(nw.Int64),
    )
    sums = flags.select(nw.col("present", "leavers", "lately", "missing").sum()).collect("polars").row(0)
    present, leavers, left, missing = (int(value or 0) for value in sums)
    return {"identities": present, "leavers": leavers, "leavers_30d": left, "missing": missing}


def _next_end(estate: Estate, as_of: datetime) -> str | None:
    """When the next announced engagement or contract ends (ISO, UTC): from then on the verdict is another one."""
    moment, grace = epoch(as_of), int(estate.settings.policy.leaver_grace.total_seconds())
    ends = estate.identities.select(
        nw.when(end > moment).then(end).alias(name)
        for name, end in {"ended": nw.col("ended_at_s") + grace, "contract": nw.col("contract_end_s")}.items()
    )
    soonest = [value for value in ends.select(nw.all().min()).collect("polars").row(0) if value is not None]
    return datetime.fromtimestamp(min(soonest), UTC).isoformat().replace("+00:00", "Z") if soonest else None


def _feeds(house: House, said: Facts) -> dict[str, dict[str, Any]]:
    with house.store.read() as session:
        rows = {name: session.get_one(Snapshot, id) for name, id in said.snapshots.items()}
    return {
        name: {
            "title": house.settings.feed(name).label,
            "kind": row.kind,
            "at": row.at.isoformat().replace("+00:00", "Z"),
            "snapshot": row.id,
            "rows": row.rows,
        }
        for name, row in rows.items()
    }


__all__ = ["COLUMNS", "Evaluation", "evaluate", "evaluated", "summarise"]
