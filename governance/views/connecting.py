"""Connectors as they declare themselves, in words for people, and how far a feed that is being added has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from governance.configuring import VERB, Kind
from governance.house import House, rules_in_sight
from governance.tables import Connector, JobRun, Pull, Request

FAMILIES: Final = {
    "identity provider": "Identity providers",
    "application": "Applications",
    "protocol": "Protocols, databases and files",
    "hr": "HR sources",
}
CAPABILITIES: Final = {
    "pull": "Reads everything",
    "events": "Reads sign-ins and changes",
    "changes": "Reads only the accounts that changed",
    "read_one": "Reads one account again, as proof",
    "deactivate": "Deactivates",
    "reactivate": "Reactivates",
    "suspend": "Suspends",
    "revoke_grant": "Takes entitlements away",
    "end_sessions": "Ends sessions",
    "credentials": "Lists and revokes tokens",
    "mapping": "Tells what it is set up to give to whom",
}
SIGNALS: Final = {
    "account.active": "Whether an account is active",
    "account.last_seen": "Last use",
    "account.mfa": "Multi-factor authentication",
    "account.grants": "Entitlements",
    "account.created_at": "When an account was created",
    "account.attributes": "Department and title",
    "account.password": "Passwords beside single sign-on",
    "account.credentials": "Tokens and keys",
    "owner.state": "Whether somebody works here",
    "owner.ended_at": "When somebody left",
    "owner.left_on": "The day somebody left",
    "owner.attributes": "Department and title",
}
_SPANS: Final = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}
_ABBREVIATED: Final = {"url": "URL", "id": "id", "mfa": "MFA", "api": "API", "dn": "DN", "tls": "TLS", "ca": "CA"}


@dataclass(frozen=True)
class Declared:
    """One connector, as its declaration in the store tells it."""

    name: str
    title: str
    kind: Kind
    family: str
    fields: list[dict[str, Any]]
    capabilities: list[str]
    tells: list[str]  # in words
    silent: dict[str, list[str]]  # what it cannot tell -> titles of the rules that then cannot judge
    scopes: list[tuple[str, str]]  # what for, least scopes
    plans: list[str]
    covers: list[tuple[str, str]]  # kinds of accounts, and whether they are read; empty where it is one sentence
    limits: list[str]
    manners: list[str]  # what its pushes leave open

    @property
    def can(self) -> list[str]:
        """What it can do, in words."""
        return [CAPABILITIES.get(word, word.replace("_", " ")) for word in self.capabilities]


def catalogue(house: House) -> dict[str, list[Declared]]:
    """Every connector by the heading it stands under."""
    with house.store.read() as session:
        found = [_declared(row) for row in session.exec(select(Connector).order_by(Connector.title))]
    grouped = {title: [one for one in found if one.family == family] for family, title in FAMILIES.items()}
    return {title: several for title, several in grouped.items() if several}


def declared(house: House, name: str) -> Declared | None:
    """One connector; None when there is none of that name."""
    with house.store.read() as session:
        row = session.get(Connector, name)
    return None if row is None else _declared(row)


def _declared(row: Connector) -> Declared:
    kind: Kind = "source" if row.kind == "source" else "application"
    about = "owner." if kind == "source" else "account."
    told = set(row.tells or ())
    rules = rules_in_sight().values()
    return Declared(
        name=row.name,
        title=row.title or row.name,
        kind=kind,
        family=row.family or ("hr" if kind == "source" else "application"),
        fields=list(row.fields or ()),
        capabilities=list(row.capabilities or ()),
        tells=[words for signal, words in SIGNALS.items() if signal in told],
        silent={
            words: sorted(rule.title for rule in rules if signal in rule.needs)
            for signal, words in SIGNALS.items()
            if signal.startswith(about) and signal not in told
        },
        scopes=_scopes(row.scopes or {}),
        plans=list(row.plans or ()),
        covers=[_covered(text) for text in row.covers or ()],
        limits=[_limit(one) for one in row.limits or () if "manner" not in one],
        manners=[str(one["text"]) for one in row.limits or () if "manner" in one],
    )


def _scopes(scopes: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """Least scopes, what needs the same ones together."""
    needed: dict[str, list[str]] = {}
    for capability, names in scopes.items():
        if names:
            needed.setdefault(", ".join(names), []).append(CAPABILITIES.get(capability, capability.replace("_", " ")))
    return [
        (", ".join([first, *(word[:1].lower() + word[1:] for word in rest)]), names)
        for names, (first, *rest) in needed.items()
    ]


def _covered(text: str) -> tuple[str, str]:
    which, told, answer = text.partition(":")
    return (which.strip(), answer.strip()) if told else (text, "")


def _limit(limit: Mapping[str, Any]) -> str:
    seconds = limit.get("per_s") or 1
    span = _SPANS.get(seconds) or f"{seconds:g} seconds"
    where = f" for {limit['match'].strip('/.')}" if limit.get("match") else ""
    return f"{limit.get('requests', 0):,} requests {'in ' if seconds not in _SPANS else ''}{span}{where}"


def label(key: str) -> str:
    """A key of the settings as a label: `base_url` is Base URL."""
    text = " ".join(_ABBREVIATED.get(word, word) for word in key.split("_"))
    return text[:1].upper() + text[1:]


def free_name(house: House, connector: Declared) -> str:
    """A name for the new feed, where the connector is one system; empty where it may be anything."""
    if connector.family == "protocol" or connector.name.endswith("_csv"):
        return ""
    taken = {feed.name for feed in house.settings.feeds}
    names = (connector.name, *(f"{connector.name}-{number}" for number in range(2, 100)))
    return next((name for name in names if name not in taken), "")


@dataclass(frozen=True)
class Progress:
    """How far a feed has come: asked for, written, checked, read."""

    name: str
    asked: Request | None  # the newest request to write it, if a page asked
    in_force: bool  # whether it stands in the settings this page works with
    checking: bool  # a check waits or runs
    check: JobRun | None  # the last one that ended
    pulling: bool
    pull: Pull | None  # the last one that ended

    @property
    def moves(self) -> bool:
        """Whether something is going to change by itself within seconds."""
        waits = self.asked is not None and self.asked.status in ("waiting", "doing")
        written = self.asked is not None and self.asked.status == "done"
        return waits or self.checking or self.pulling or (written and (not self.in_force or self.pull is None))

    @property
    def untried(self) -> bool:
        """Whether it was changed since it was checked or read last."""
        asked = self.asked
        if asked is None or asked.status != "done" or not asked.arguments.get("change") or asked.finished_at is None:
            return False
        told = (one.finished_at for one in (self.check, self.pull) if one is not None)
        return all(at is None or at < asked.finished_at for at in told)


def progress(house: House, name: str) -> Progress:
    """How far the feed of that name has come."""
    with house.store.read() as session:
        check = select(JobRun).where(JobRun.job == "check", JobRun.feed == name, JobRun.status != "running")
        pull = select(Pull).where(Pull.feed == name).order_by(col(Pull.id).desc())
        running = select(JobRun.job).where(JobRun.feed == name, JobRun.status == "running")
        busy = set(session.exec(running)) | _asked_of(session, name)
        return Progress(
            name=name,
            asked=_request(session, name),
            in_force=any(feed.name == name for feed in house.settings.feeds),
            checking="check" in busy,
            check=session.exec(check.order_by(col(JobRun.id).desc()).limit(1)).first(),
            pulling="pull" in busy,
            pull=session.exec(pull.where(Pull.status != "running").limit(1)).first(),
        )


def asked_table(house: House, request: str) -> dict[str, Any]:
    """The table a request asked to write, without its secrets: to go on from where it was refused."""
    with house.store.read() as session:
        row = session.get(Request, request)
    table = dict((row.arguments or {}).get("table") or {}) if row is not None and row.verb == VERB else {}
    return {key: value for key, value in table.items() if not (isinstance(value, Mapping) and set(value) == {"store"})}


def overridden(house: House, name: str) -> list[str]:
    """The variables that set something of this feed from outside, whatever the file says."""
    own = (f"source.{name}.", f"application.{name}.")
    return sorted({by for key, by in house.origin.items() if key.startswith(own) and by.startswith("LEAVERWATCH_")})


def _request(session: Session, name: str) -> Request | None:
    newest = select(Request).where(Request.verb == VERB).order_by(col(Request.id).desc()).limit(100)
    return next((row for row in session.exec(newest) if row.arguments.get("table", {}).get("name") == name), None)


def _asked_of(session: Session, name: str) -> set[str]:
    waiting = select(Request).where(
        col(Request.status).in_(("waiting", "doing")), col(Request.verb).in_(("check", "pull"))
    )
    return {row.verb for row in session.exec(waiting) if name in (row.arguments or {}).get("feeds", [name])}
