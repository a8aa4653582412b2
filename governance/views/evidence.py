"""Everything about one finding: its numbered facts with source and age, what would change, and who must agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlmodel import Session, col, select

from governance.access import Actor, Verb, may, reach
from governance.declaration import Remedy
from governance.house import House
from governance.snapshots import given_back
from governance.tables import Exclusion, Finding, Remediation
from governance.views import runs
from governance.views.actors import finder
from governance.views.applications import Closing, closing
from governance.views.freshness import Feed, freshness
from governance.views.history import Event, history
from governance.views.words import moment, rule, span

# Rules whose remedy is another one, but where a person may decide that the account goes.
BY_DECISION = frozenset({"missing_from_source", "ambiguous_owner", "orphaned"})
_ACTIVE: Final = "is active"  # how wording ends the fact that an account is
ELSEWHERE = {
    Remedy.DECIDE_OWNER: "Somebody says whose account this is: pin it to an identity, or close it if it is nobody's.",
    Remedy.REMOVE_GRANT: "The entitlement is taken away in the application by its owner; the next pull shows it gone.",
    Remedy.CORRECT_SOURCE: "Nothing is changed here: one of the two statements must be corrected in the source itself.",
    Remedy.PROTECT: "Multi-factor authentication is turned on in the application by the owner of the account.",
}


@dataclass(frozen=True)
class Fact:
    """One thing that is known, who says so and how old that is."""

    text: str
    source: str
    age: str


@dataclass(frozen=True)
class Detail:
    """One finding with everything needed to decide about it."""

    finding: Finding
    facts: list[Fact]
    remedy: Remedy | None
    proposable: bool  # closing the account is a way out of this finding
    closing: Closing | None
    candidates: list[tuple[str, str]]  # identity_id, name
    of_identity: int  # other open findings of the same identity
    of_kind: int  # other open findings of this rule in this application
    exclusion: Exclusion | None
    remediation: Remediation | None
    approvers: list[str]
    score: list[dict[str, Any]] = field(default_factory=list)  # part, points, most, why
    ends_when: str = ""
    controls: tuple[str, ...] = ()
    history: list[Event] = field(default_factory=list)  # the oldest first

    @property
    def instead(self) -> str | None:
        """What is to be done where closing the account is not the remedy."""
        return ELSEWHERE.get(self.remedy) if self.remedy else None


def detail(house: House, actor: Actor, now: datetime, fingerprint: str) -> Detail | None:
    """Everything about one finding; None when there is no such finding, or none that this actor may read."""
    with house.store.read() as session:
        finding = session.get(Finding, fingerprint)
        if finding is None or not _may_read(actor, finding):
            return None
        exclusions = select(Exclusion).where(Exclusion.fingerprint == fingerprint, col(Exclusion.ended_at).is_(None))
        exclusion = session.exec(exclusions.order_by(col(Exclusion.id).desc()).limit(1)).first()
        remediations = select(Remediation).where(Remediation.finding == fingerprint)
        remediation = session.exec(remediations.order_by(col(Remediation.id).desc()).limit(1)).first()
        feeds = freshness(house, now)
        back = read_back(session, feeds, [finding.application], now)
        similar = _similar(session, finding)
        past = history(session, finding)
    declared = rule(finding.rule)
    remedy = declared.remedy if declared else None
    about_account = finding.application is not None and finding.account_id is not None
    return Detail(
        finding=finding,
        facts=facts(
            finding.evidence or {},
            feeds,
            runs.last_run(house),
            now,
            back.get((finding.application or "", finding.account_id or "")),
        ),
        remedy=remedy,
        proposable=about_account and (remedy is Remedy.DEACTIVATE or finding.rule in BY_DECISION),
        closing=closing(house, finding.application, finding.account_id)
        if about_account and finding.application
        else None,
        candidates=_candidates(house, finding),
        of_identity=similar[0],
        of_kind=similar[1],
        exclusion=exclusion,
        remediation=remediation,
        approvers=deciders(house, actor, finding.application, finding.identity_id),
        score=[part for part in (finding.evidence or {}).get("score") or () if part.get("points")],
        ends_when=declared.ends_when if declared else "",
        controls=declared.controls if declared else (),
        history=past,
    )


def _may_read(actor: Actor, finding: Finding) -> bool:
    bounds = reach(actor)
    return bounds is None or finding.identity_id in bounds.identities or finding.application in bounds.applications


def read_back(
    session: Session, feeds: list[Feed], applications: Iterable[str | None], now: datetime
) -> dict[tuple[str, str], datetime]:
    """When accounts that were given back were read active by themselves, later than the snapshots the pages know."""
    of = set(applications)
    return given_back(session, {feed.name: feed.at for feed in feeds if feed.at and feed.name in of}, now)


def facts(
    evidence: dict[str, Any], feeds: list[Feed], run: runs.Run | None, now: datetime, back: datetime | None = None
) -> list[Fact]:
    """The facts a finding was based on, each with its source and the age of what that source said.

    `back`: when the account was read active by itself after it was given back (see `read_back`). That it is active,
    this reading says and not the snapshot, which is older and had read it closed.
    """
    known = {feed.name: feed for feed in feeds}
    found = []
    for line in evidence.get("facts", ()):
        source = line.get("source")
        if source in known and back is not None and line["text"].endswith(_ACTIVE):
            text = f"{line['text']}: given back, then read on {moment(back, now)} UTC"
            found.append(Fact(text, f"{known[source].title}, read back", f"{span(now - back)} old"))
        elif source in known:
            found.append(Fact(line["text"], known[source].title, f"{known[source].age_text} old"))
        elif source == "correlation":
            age = f"{span(now - run.as_of)} old" if run else "age unknown"
            found.append(Fact(line["text"], "Correlation", age))
        else:
            found.append(Fact(line["text"], str(source or "unknown").capitalize(), ""))
    return found


def deciders(house: House, actor: Actor, application: str | None, identity_id: str | None) -> list[str]:
    """Who may approve this, besides the actor: the manager first, then the application's owner, then the others."""
    found: list[str] = []
    manager = _manager(house, identity_id)
    if manager and not actor.is_same(manager[1]):
        found.append(f"{manager[0]} (manager)")
    find = finder(house)
    for entry in house.settings.actor:
        other = find(entry.email, ()) if entry.roles and entry.email.strip() else None
        if other is None or other.is_same(actor.email) or (manager and other.is_same(manager[1])):
            continue
        own = identity_id is not None and other.identity_id == identity_id
        if not own and may(other, Verb.APPROVE, application=application, identity_id=identity_id):
            found.append(
                f"{entry.name or entry.email} ({' and '.join(role.replace('_', ' ') for role in entry.roles)})"
            )
    for group, roles in house.settings.sign_in.groups.items():  # who is in it, only the provider knows
        if may(Actor("", group, frozenset(roles)), Verb.APPROVE, application=application, identity_id=identity_id):
            found.append(f"anybody in {group} ({' and '.join(role.replace('_', ' ') for role in roles)})")
    return found


def _manager(house: House, identity_id: str | None) -> tuple[str, str | None] | None:
    run = runs.last_run(house)
    people = run.table("identities") if run and identity_id else None
    if people is None:
        return None
    columns = ("identity_id", "manager_id", "display_name", "email", "state")
    own = people.filter(pl.col("identity_id") == identity_id).select(columns).head(1).collect().to_dicts()
    above = own[0]["manager_id"] if own else None
    if above is None:
        return None
    found = people.filter(pl.col("identity_id") == above).select(columns).head(1).collect().to_dicts()
    if not found or found[0]["state"] == "ended":
        return None
    return found[0]["display_name"] or above, found[0]["email"]


def _similar(session: Session, finding: Finding) -> tuple[int, int]:
    def number(*conditions: Any) -> int:
        some = select(Finding.fingerprint).where(
            Finding.status == "open", Finding.fingerprint != finding.fingerprint, *conditions
        )
        return len(session.exec(some.limit(100)).all())

    of_identity = number(Finding.identity_id == finding.identity_id) if finding.identity_id else 0
    return of_identity, number(Finding.application == finding.application, Finding.rule == finding.rule)


def _candidates(house: House, finding: Finding) -> list[tuple[str, str]]:
    """Whom an account without a certain owner may belong to."""
    run = runs.last_run(house)
    people = run.table("identities") if run else None
    listed = (finding.evidence or {}).get("values", {}).get("candidates")
    if people is None or not listed:
        return []
    ids = str(listed).split(";")
    rows = people.filter(pl.col("identity_id").is_in(ids)).select("identity_id", "display_name", "title").collect()
    names = {row["identity_id"]: row for row in rows.to_dicts()}
    return [(id, _named(names[id])) for id in ids if id in names]


def _named(row: dict[str, Any]) -> str:
    return ", ".join(part for part in (row["display_name"] or row["identity_id"], row["title"]) if part)
