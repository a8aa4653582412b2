"""Every application as a card: what it tells, what happens there when somebody leaves, how its pulls went."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl
from sqlmodel import Session, col, select

from governance import remediation
from governance.declaration import day as declared_day
from governance.house import House
from governance.settings import ApplicationSettings
from governance.tables import Connector, Pull
from governance.views import runs
from governance.views.freshness import Feed, freshness
from governance.views.radar import Provisioned, provisioned

PULLS: Final = 30
TICKS: Final = (
    ("account.last_seen", "Last use"),
    ("account.mfa", "MFA"),
    ("deactivate", "Deactivate"),
    ("account.grants", "Entitlements"),
)


@dataclass(frozen=True)
class Closing:
    """How an account of one application is closed."""

    application: str
    title: str
    how: Literal["call", "task"]
    call: str  # what would be called, or who gets the task
    provable: bool  # whether the application tells that an account is inactive
    owner: str | None
    undoes: bool = False  # whether an account can be switched on again from here

    @property
    def reversible(self) -> str:
        """The way back, in words."""
        if self.how == "call" and not self.undoes:
            return f"There is no way back from here: only by hand, in {self.title}. Nothing is deleted."
        if self.how == "call":
            return "Reversible: the account can be switched on again with one step. Nothing is deleted."
        return "Nothing is called from here; the owner of the application can switch the account on again."


@dataclass(frozen=True)
class Card:
    """One application as the page shows it. `None` is unknown."""

    name: str
    title: str
    connector: str
    criticality: str
    owner: str | None
    feed: Feed
    accounts: int | None
    active: int | None
    privileged: int | None
    unmatched: int | None
    ambiguous: int | None
    provenance: dict[str, int]
    findings: int
    ticks: list[tuple[str, bool]]
    pulls: list[str]  # status of the last pulls, oldest first
    closing: Closing
    last: Pull | None
    credential: str | None  # why the credential of Leaverwatch itself may end soon
    making: dict[str, Any] = field(default_factory=dict)  # findings.evaluation: low, high, accounts, logs
    provisioned: Provisioned | None = None  # how it is filled and emptied; None before the first detect run

    @property
    def trouble(self) -> Literal["never", "failed", "held", "outdated", "credential", None]:
        """What keeps the card from being green."""
        if self.feed.state == "never":
            return "never"
        if self.feed.held:
            return "held"
        if self.feed.failed:
            return "failed"
        if self.feed.state == "outdated":
            return "outdated"
        return "credential" if self.credential else None


def cards(house: House, now: datetime) -> list[Card]:
    """Every application: those in trouble first, then those that matter most, then the largest."""
    from governance.views.tallies import tally

    run, counted = runs.last_run(house), tally(house)
    told = _told(run)
    feeds = {feed.name: feed for feed in freshness(house, now)}
    numbers: dict[str, Any] = (run.summary.get("by_application") or {}) if run else {}
    filled = provisioned(house)
    found = []
    with house.store.read() as session:
        connectors = {row.name: row for row in session.exec(select(Connector))}
        for application in house.settings.application:
            own = numbers.get(application.name, {})
            pulls = _pulls(session, application.name)
            found.append(
                Card(
                    name=application.name,
                    title=application.label,
                    connector=application.connector,
                    criticality=application.criticality,
                    owner=application.owner,
                    feed=feeds[application.name],
                    accounts=own.get("accounts"),
                    active=own.get("active"),
                    privileged=own.get("privileged"),
                    unmatched=own.get("unmatched"),
                    ambiguous=own.get("ambiguous"),
                    provenance=own.get("provenance") or {},
                    findings=counted.of("open", application.name),
                    ticks=_ticks(connectors.get(application.connector), application, told.get(application.name, {})),
                    pulls=[pull.status for pull in reversed(pulls)],
                    closing=_closing(house, application, connectors.get(application.connector)),
                    last=pulls[0] if pulls else None,
                    credential=(run.summary.get("own_accounts") or {}).get(application.name) if run else None,
                    making=own.get("making") or {},
                    provisioned=filled.get(application.name),
                )
            )
    weight = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda c: (c.trouble is None, weight[c.criticality], -(c.accounts or 0), c.name))


def closing(house: House, name: str, account_id: str | None = None, *, by_hand: bool = False) -> Closing | None:
    """How an account of this application is closed; None when it is not configured any more.

    `account_id`: one of which the application said before that only a person can close it is a task, as its proposal
    is. `by_hand`: what was proposed is a task, whatever is possible now.
    """
    application = next((a for a in house.settings.application if a.name == name), None)
    if application is None:
        return None
    with house.store.read() as session:
        refused = account_id is not None and bool(remediation.unable(session, [(name, account_id)]))
        connector = session.get(Connector, application.connector)
    return _closing(house, application, connector, by_hand=by_hand or refused)


def closable(house: House) -> list[str]:
    """The applications whose accounts can be closed from here."""
    with house.store.read() as session:
        connectors = {row.name: row for row in session.exec(select(Connector))}
    ways = (_closing(house, a, connectors.get(a.connector)) for a in house.settings.application)
    return [way.application for way in ways if way.how == "call"]


def _closing(
    house: House, application: ApplicationSettings, connector: Connector | None, *, by_hand: bool = False
) -> Closing:
    can = remediation.possible(house.settings.act, connector, application)
    acts = "deactivate" in can
    provable = connector is None or "account.active" in (connector.tells or [])
    if acts and connector is not None and not by_hand:
        scopes = " and ".join((connector.scopes or {}).get("deactivate", ()))
        call = f"Deactivate through {connector.title or connector.name}" + (f" ({scopes})" if scopes else "")
        undoes = "reactivate" in can
        return Closing(application.name, application.label, "call", call, provable, application.owner, undoes)
    owner = application.owner or "its owner, who is not named in the settings"
    return Closing(application.name, application.label, "task", owner, provable, application.owner)


def observed(card: Card) -> tuple[str, Literal["good", "warn", "bad"]] | None:
    """What real leavers show to happen there, and how good that is; None where fewer than three were seen to leave."""
    seen = card.provisioned
    if seen is None or seen.leaving is None or seen.said is None:
        return None
    return seen.said, seen.leaving.tone


def leaving(card: Card) -> tuple[str, Literal["good", "warn", "bad"]]:
    """What is to happen in this application when somebody leaves, as it is set up, and how good that is."""
    if not card.closing.provable:
        return f"Cannot be verified: {card.title} does not tell whether an account is active.", "warn"
    if card.closing.how == "call":
        return "Deactivated after approval, by the API, and read again to prove it.", "good"
    if card.owner:
        return f"Nothing happens by itself. A task goes to {card.owner}; the next file proves it.", "warn"
    return "Nothing happens by itself, and no owner is named who could do it.", "bad"


def horizon(card: Card, titles: dict[str, str]) -> str:
    """How far back the logs reach that tell how its accounts came to be, each by its name."""
    logs = card.making.get("logs") or {}
    if not logs:
        return "No log was read that tells how its accounts came to be."
    oldest = {name: datetime.fromisoformat(at) for name, at in logs.items()}
    parts = [
        f"{'its own log' if name == card.name else f'the log of {titles.get(name, name)}'} to {declared_day(at)}"
        for name, at in sorted(oldest.items(), key=lambda item: item[0] != card.name)
    ]
    return f"Logs reach back: {', '.join(parts)}."


def _ticks(
    connector: Connector | None, application: ApplicationSettings, told: dict[str, bool]
) -> list[tuple[str, bool]]:
    """What the application lets do, as its connector declares, and what it was seen to tell: declared is not told."""
    able = remediation.offered(connector, application)
    return [(title, signal in able or told.get(signal, False)) for signal, title in TICKS]


def _told(run: runs.Run | None) -> dict[str, dict[str, bool]]:
    """Application -> signal -> whether it told that of any account in the last estate."""
    frame = run.table("accounts") if run else None
    if run is None or frame is None:
        return {}
    signals = {
        "account.last_seen": pl.col("last_seen_at_s").is_not_null() | pl.col("last_seen_known").fill_null(value=False),
        "account.mfa": pl.col("mfa").is_not_null(),
        "account.grants": pl.col("privileged").is_not_null(),
    }

    def seen() -> dict[str, dict[str, bool]]:
        asked = frame.group_by("application").agg(told.any().alias(name) for name, told in signals.items())
        return {row.pop("application"): row for row in asked.collect(engine="streaming").to_dicts()}

    return runs.remembered(("told", str(run.estate)), seen)


def _pulls(session: Session, feed: str) -> list[Pull]:
    query = select(Pull).where(Pull.feed == feed, Pull.status != "running").order_by(col(Pull.id).desc())
    return list(session.exec(query.limit(PULLS)))


@dataclass(frozen=True)
class Source:
    """One source of truth as the page shows it."""

    name: str
    title: str
    connector: str
    feed: Feed
    pulls: list[str]
    last: Pull | None


def sources(house: House, now: datetime) -> list[Source]:
    """Every source of truth with its last pulls."""
    feeds = {feed.name: feed for feed in freshness(house, now)}
    found = []
    with house.store.read() as session:
        for source in house.settings.source:
            pulls = _pulls(session, source.name)
            statuses = [pull.status for pull in reversed(pulls)]
            last = pulls[0] if pulls else None
            found.append(Source(source.name, source.label, source.connector, feeds[source.name], statuses, last))
    return found
