"""Plans: which approved remediations a run would carry out, and whether that is more than policy allows.

A dry run and a real run have the same plan. Identity providers come first: who is closed in an application while they
can still sign in is made anew there by the next single sign-on. Limits hold for one application in one run; a larger
run makes no call until two actors release exactly those ids, or it is given fewer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlmodel import Session, and_, col, or_, select, update
from ulid import ULID

from governance import audit
from governance.errors import AlreadyDecided, GuardStopped, LeaverwatchError, NotSupported, PlanChanged
from governance.house import House
from governance.remediation import refusals as refuse
from governance.remediation.ledger import RUNNABLE, affected, closed_privileged, load, load_findings
from governance.remediation.reviewed import check_item, load_items, takes_privilege
from governance.settings import ActSettings
from governance.subjects import Facts, read_facts
from governance.tables import Finding, Remediation, ReviewItem, RunHold


@dataclass(frozen=True)
class Share:
    """What a run would do in one application, against what it may."""

    application: str
    ids: tuple[str, ...]
    count: int  # accounts that would be changed; two remediations may be about one
    limit: int
    active: int  # accounts of the application
    release: str | None = None  # the RunHold two actors released for exactly these ids

    @property
    def over(self) -> bool:
        """Whether that is more than one run may do."""
        return self.count > self.limit and self.release is None

    @property
    def why(self) -> str:
        """The limit, in words."""
        return (
            f"{self.application}: {self.count:,} accounts would be deactivated in one run; the limit is {self.limit:,}"
            f" of {self.active:,} active accounts ([act] max_per_run and max_share)"
        )


@dataclass(frozen=True)
class Plan:
    """What a run would do now."""

    run: tuple[Remediation, ...]  # in the order of the calls
    resume: tuple[Remediation, ...]  # begun by a run that was cut short: read first, then decide
    refused: dict[str, LeaverwatchError]  # approved, but not carried out, and why
    waiting: tuple[Remediation, ...]  # the application asked to be left alone for a while
    held: tuple[RunHold, ...]  # larger runs that wait for their release
    stale: tuple[str, ...]  # held runs that no longer stand for what would be run
    shares: tuple[Share, ...]
    facts: Facts = field(default_factory=lambda: Facts({}, {}))
    approved: dict[str, Remediation] = field(default_factory=dict)  # everything looked at, by id
    first: frozenset[str] = frozenset()  # the identity providers: their calls come before those of all others


def limit(act: ActSettings, active: int) -> int:
    """How many accounts of an application with that many active ones a single run may change."""
    return min(act.max_per_run, max(1, math.floor(act.max_share * active)))


def plan(house: House, now: datetime, ids: Sequence[str] | None = None) -> Plan:
    """What a run of these remediations, or of all approved ones, would do. Changes nothing.

    Without ids, those of a held run go on waiting for their release and the others are planned; a released run is
    planned as it was released.
    """
    from governance.findings.evaluation import with_providers  # here: every pull settles remediations, none plans them

    first = frozenset(a.name for a in with_providers(house, house.settings).application if a.identity_provider)
    with house.store.read() as session:
        candidates = _named(session, ids) if ids is not None else _all(session)
        candidates.sort(key=lambda r: (r.application not in first, r.application, r.id))
        findings = load_findings(session, (r.finding for r in candidates))
        items = load_items(session, candidates)
        facts = read_facts(house, session, ((r.application, r.account_id) for r in candidates))
        closed = {a: closed_privileged(session, holders, a) for a, holders in facts.privileged.items()}
        holds = session.exec(select(RunHold).where(col(RunHold.status).in_(("held", "released")))).all()
    runnable = {r.id: r for r in candidates if r.status in RUNNABLE}
    refused: dict[str, LeaverwatchError] = {}
    for r in runnable.values():
        try:
            _check(house, r, findings.get(r.finding), items.get(r.id), facts, closed, now)
        except LeaverwatchError as refusal:
            refused[r.id] = refusal
    waiting = [r for r in runnable.values() if r.id not in refused and ids is None and _asked_to_wait(r, now)]
    left = set(runnable) - set(refused) - {r.id for r in waiting}
    held = [h for h in holds if h.status == "held" and set(h.remediations) <= left] if ids is None else []
    left -= {id for h in held for id in h.remediations}
    planned = set(left)
    shares = tuple(
        _share(house, list(own), facts.active.get(application, 0), holds, whole=ids is None)
        for application, own in groupby((r for r in candidates if r.id in left), key=lambda r: r.application)
    )
    gone = [h.id for h in holds if h.status == "held" and _is_stale(h, set(runnable), planned, whole=ids is None)]
    return Plan(
        run=tuple(runnable[id] for share in shares for id in share.ids),
        resume=tuple(
            r for r in candidates if r.status == "executing" and (ids is not None or not _asked_to_wait(r, now))
        ),
        refused=refused,
        waiting=tuple(waiting),
        held=tuple(held),
        stale=tuple(gone),
        shares=shares,
        facts=facts,
        approved={r.id: r for r in candidates},
        first=first,
    )


def hold(house: House, now: datetime, plan: Plan) -> list[RunHold]:
    """Record what a plan would do beyond its limits, to wait for two actors."""
    with house.store.write() as session:
        return [_hold(session, now, share) for share in plan.shares if share.over]


def admit(house: House, now: datetime, plan: Plan) -> None:
    """Let a plan pass to its execution: a release is used up, a held run that changed meanwhile is dropped."""
    if over := [share for share in plan.shares if share.over]:
        raise too_many(over)
    releases = [share.release for share in plan.shares if share.release]
    if not releases and not plan.stale:
        return
    with house.store.write() as session:
        _drop(session, plan.stale)
        for release in releases:
            used = update(RunHold).where(col(RunHold.id) == release, col(RunHold.status) == "released")
            if affected(session, used.values(status="used")) != 1:
                raise AlreadyDecided(f"the release of run {release} was used meanwhile")
        audit.append_many(session, [audit.Line(now, "worker", "use_release", f"run/{id}") for id in releases])


def stopped(holds: Iterable[RunHold], done: int = 0) -> GuardStopped:
    """The error that says which limit was reached and how to release the run."""
    lines = [
        f"{h.why}. No call was made. Two different actors may release this run: leaverwatch guard release {h.id}"
        " --reason …; or run fewer ids"
        for h in holds
    ]
    return GuardStopped("\n".join([*lines, *([f"{done:,} calls were made in other applications"] if done else [])]))


def too_many(over: Iterable[Share]) -> GuardStopped:
    """The error of a plan that nothing was recorded for, such as that of a dry run."""
    return GuardStopped("\n".join(f"{share.why}. No call was made; run fewer ids" for share in over))


def _hold(session: Session, now: datetime, share: Share) -> RunHold:
    """The row that waits for two actors: the one that stands for exactly these ids, or a new one."""
    sha256 = run_digest(share.ids)
    held = session.exec(select(RunHold).where(RunHold.status == "held")).all()
    if same := next((hold for hold in held if hold.sha256 == sha256), None):
        return same
    _drop(session, [hold.id for hold in held if set(hold.remediations) & set(share.ids)])
    hold = RunHold(
        id=str(ULID.from_datetime(now)),
        at=now,
        sha256=sha256,
        remediations=sorted(share.ids),
        why=share.why,
        status="held",
        released_by=[],
    )
    session.add(hold)
    facts = {"sha256": sha256, "remediations": hold.remediations}
    audit.append(session, now=now, actor="worker", verb="hold", object=f"run/{hold.id}", reason=share.why, facts=facts)
    return hold


def run_digest(ids: Iterable[str]) -> str:
    """What a release is bound to: SHA-256 over the sorted ids."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def _drop(session: Session, ids: Iterable[str]) -> None:
    """Held runs of which a part was run, decided or held anew: their release would mean something else by now."""
    for id in ids:
        session.exec(
            update(RunHold).where(col(RunHold.id) == id, col(RunHold.status) == "held").values(status="dropped")
        )


def _is_stale(hold: RunHold, runnable: set[str], planned: set[str], *, whole: bool) -> bool:
    ids = set(hold.remediations)
    return bool(ids & planned) or (whole and not ids <= runnable)


def _named(session: Session, ids: Sequence[str]) -> list[Remediation]:
    candidates = list(load(session, ids))
    for r in candidates:
        if r.action == "manual" and r.campaign is None:
            raise NotSupported(f"remediation {r.id} is a task for the owner of {r.application}; nothing can be run")
        if r.status not in (RUNNABLE if r.action == "manual" else (*RUNNABLE, "executing")):
            raise AlreadyDecided(f"remediation {r.id} is {r.status}; only approved ones are run")
    return candidates


def _all(session: Session) -> list[Remediation]:
    called = and_(col(Remediation.status).in_((*RUNNABLE, "executing")), col(Remediation.action) != "manual")
    # A task that a review decided is handed to its owner within the limits of a run; from then on it is the owner's.
    given = and_(col(Remediation.status).in_(RUNNABLE), col(Remediation.campaign).is_not(None))
    return list(session.exec(select(Remediation).where(or_(called, given))))


def _check(
    house: House,
    r: Remediation,
    finding: Finding | None,
    item: ReviewItem | None,
    facts: Facts,
    closed: dict[str, set[str]],
    now: datetime,
) -> None:
    """Every reason not to carry this out that can be known before the account is read again."""
    refuse.check_expiry(r, now)
    account = facts.accounts.get((r.application, r.account_id))
    if account is None:
        raise PlanChanged(f"remediation {r.id}: the last detect run does not hold its account any more")
    refuse.check_account(house.settings, account)
    refuse.check_subject(account, (r.proposed_by, r.approved_by, r.second_approver))
    if r.campaign is None:
        refuse.check_plan(r, finding)
    else:
        check_item(r, item)
    if not takes_privilege(r, item):
        return
    gone = closed.setdefault(r.application, set())
    holders = facts.privileged.get(r.application, {})
    refuse.check_privileged(account, holders, gone, approvers=1 if r.second_approver is None else 2)
    gone.add(r.account_id)


def _asked_to_wait(r: Remediation, now: datetime) -> bool:
    again = (r.evidence or {}).get("retry_at")
    return again is not None and datetime.fromisoformat(again) > now


def _share(house: House, own: list[Remediation], active: int, holds: Sequence[RunHold], *, whole: bool) -> Share:
    """One application's part of a run: what its limit allows, or exactly what two actors released."""
    allowed = limit(house.settings.act, active)
    ids = {r.id: r.account_id for r in own}
    chosen, release = sorted(ids), None
    if len(set(ids.values())) > allowed:
        for hold in holds:
            same = hold.sha256 == run_digest(ids)
            # Approvals that came after the release wait for the next run: the released one stays what it was.
            within = whole and set(hold.remediations) <= set(ids)
            if hold.status == "released" and (same or within):
                chosen, release = sorted(hold.remediations), hold.id
    count = len({ids[id] for id in chosen})
    return Share(own[0].application, tuple(chosen), count, allowed, active, release)
