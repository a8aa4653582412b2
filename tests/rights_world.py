"""One small world in which every verb of the domain can be tried by anybody, on what is theirs and on what is not.

`own` is the account of the actor's report in the application the actor owns; `other` is neither. What a person made
themselves (a proposal, a session, a deputy, a review item given to them) is `own` too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import polars as pl
from sqlmodel import select

from governance import (
    campaigns,
    configuring,
    exports,
    findings,
    guards,
    mappings,
    notices,
    policies,
    remediation,
    secrets,
    sessions,
)
from governance.access import Actor
from governance.configuring import Draft
from governance.errors import LeaverwatchError, NotAllowed
from governance.mappings.change_record import write_record
from governance.provisioning import Condition, Line, RoleMap
from governance.provisioning.written import digest, document
from governance.tables import (
    AuditEntry,
    Campaign,
    Connector,
    Delegation,
    EvidencePack,
    MappingVersion,
    Notice,
    Remediation,
    ReviewItem,
    SignIn,
)
from governance.views import approvals, evidence, packs, previews, reviews, team
from governance.views import campaigns as campaign_views
from governance.views.mappings import before, record_of
from tests.acting import SAM, SUE
from tests.conftest import NOW
from tests.kept_houses import beginning
from tests.seeded import account, put_findings, put_run, put_snapshot

Which = Literal["own", "other"]
WHERE = {"own": ("wiki", "own"), "other": ("crm", "other")}
LATER = NOW + timedelta(days=7)
SCOPE: dict[str, Any] = {"applications": ["wiki"]}
PLAN: dict[str, Any] = {"levels": [["manager"]], "fallback": SAM.email, "days": 14}
NOTHING = campaigns.Foreseen(campaigns.Preview(0, 0, 0, {}, 0, {}, {}, {}, [], (), [], NOW), [], pl.DataFrame(), {})


def actor(role: str | None, *, left: bool = False) -> Actor:
    """Whoever has this role, with a report and an application of their own."""
    return Actor(
        email="me@corp.example",
        name="Me",
        roles=frozenset({role} if role else ()),
        identity_id="hr:me",
        reports=frozenset({"hr:own"}),
        applications=frozenset({"wiki"}),
        left=left,
    )


@dataclass
class World:
    """The house of one trial, judged, and what is made in it for the trial."""

    house: Any

    def acted(self) -> set[str]:
        """Who stands in the audit."""
        with self.house.store.read() as session:
            return set(session.exec(select(AuditEntry.actor)))

    def finding(self, which: Which) -> str:
        return f"ghost|{'|'.join(WHERE[which])}"

    def proposed(self, which: Which, by: Actor = SAM, **values: Any) -> str:
        """A remediation of that account; with `values` as it is some time later."""
        [made] = remediation.propose(self.house, SAM, NOW, [self.finding(which)], "left")
        self.change(Remediation, made.id, proposed_by=by.email, **values)
        return made.id

    def change(self, table: Any, id: str, **values: Any) -> None:
        with self.house.store.write() as session:
            row = session.get_one(table, id)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    def put(self, *rows: Any) -> None:
        with self.house.store.write() as session:
            session.add_all(rows)

    def campaign(self, status: str = "running", reviewer: str = SAM.email, decision: str | None = None) -> str:
        """A campaign with one item, given to this reviewer."""
        self.put(
            Campaign(
                id="c", title="Review", status=status, created_by=SAM.email, created_at=NOW, scope=SCOPE, plan=PLAN
            )
        )
        self.put(
            ReviewItem(
                campaign="c", number=1, application="wiki", account_id="own", reviewer=reviewer, identity_id="hr:own",
                decision=decision,
            )
        )  # fmt: skip
        return "c"

    def session(self, email: str) -> str:
        self.put(SignIn(id="s", email=email, groups="", started_at=NOW, authenticated_at=NOW, seen_at=NOW))
        return "s"


def world(house: Any) -> World:
    """Judged once: two ghosts in two applications."""
    return World(beginning(house, _judge))


def _judge(house: Any) -> None:
    people = [{"identity_id": f"hr:{name}", "email": f"{name}@corp.example", "state": "ended"} for name in WHERE]
    put_run(house, NOW, [account(*place, kind="human") for place in WHERE.values()], people)
    places = [{"application": a, "account_id": n, "identity_id": f"hr:{n}"} for a, n in WHERE.values()]
    put_findings(
        house,
        NOW,
        *({**place, "fingerprint": f"ghost|{place['application']}|{place['account_id']}"} for place in places),
    )
    (house.home / "leaverwatch.toml").write_text("")
    path = {"name": "path", "kind": "text", "required": True}
    able = ["pull", "read_one", "deactivate", "mapping"]
    World(house).put(
        Connector(name="memory", kind="application", fields=[], capabilities=able),
        Connector(name="app_csv", kind="application", fields=[path], capabilities=["pull"]),
    )


Try = Callable[[World, Actor, Which], object]
TRIES: dict[str, Try] = {}


def tried(name: str) -> Callable[[Try], Try]:
    def keep(one: Try) -> Try:
        TRIES[name] = one
        return one

    return keep


def allowed(made: World, name: str, who: Actor, which: Which) -> bool:
    """Whether the verb did it. Anything but a missing right is a mistake of the trial, and is raised."""
    try:
        return TRIES[name](made, who, which) is not False
    except NotAllowed:
        return False


def past_the_check(verb: Callable[[], object]) -> bool:
    """For verbs that ask for the right first and then for a whole company: any other refusal is behind the check."""
    try:
        verb()
    except NotAllowed:
        raise
    except LeaverwatchError:
        return True
    return True


def me_or_sam(who: Actor, which: Which) -> str:
    return who.email if which == "own" else SAM.email


# --- Findings and remediations

TRIES["remediation.propose"] = lambda w, who, which: remediation.propose(w.house, who, NOW, [w.finding(which)], "left")
TRIES["remediation.approve"] = lambda w, who, which: remediation.approve(
    w.house, who, NOW, [w.proposed(which)], "right"
)
TRIES["remediation.reject"] = lambda w, who, which: remediation.reject(w.house, who, NOW, [w.proposed(which)], "no")
TRIES["findings.exclude"] = lambda w, who, which: findings.exclude(w.house, who, NOW, w.finding(which), LATER, "why")
TRIES["findings.pin"] = lambda w, who, which: findings.pin(w.house, who, NOW, *WHERE[which], f"hr:{which}", "why")
TRIES["guards.release"] = lambda w, who, _: guards.release(
    w.house, who, NOW, put_snapshot(w.house, "hr", NOW, "held"), "why"
)


@tried("remediation.refusals")
def _refusals(w: World, who: Actor, which: Which) -> bool:
    refused = remediation.refusals(w.house, who, NOW, [w.finding(which)])
    assert all(isinstance(one, NotAllowed) for one in refused.values())
    return not refused


@tried("remediation.cancel")
def _cancel(w: World, who: Actor, which: Which) -> object:
    return remediation.cancel(w.house, who, NOW, [w.proposed(which, who if which == "own" else SAM)])


@tried("remediation.done")
def _done(w: World, who: Actor, which: Which) -> object:
    return remediation.done(w.house, who, NOW, w.proposed(which, status="executing", action="manual"))


def _closed(w: World, which: Which) -> str:
    return w.proposed(which, status="verified", attempts=1, executing_at=NOW)


TRIES["remediation.undo"] = lambda w, who, which: remediation.undo(w.house, who, NOW, _closed(w, which))


@tried("findings.ask")
def _ask(w: World, who: Actor, which: Which) -> object:
    """To pull; that an undo is asked for by who may propose is tried below."""
    return findings.ask(w.house, who, NOW, "pull", {"feeds": [WHERE[which][0]]})


@tried("findings.ask undo")
def _ask_undo(w: World, who: Actor, which: Which) -> object:
    return findings.ask(w.house, who, NOW, "remediate", {"undo": _closed(w, which)})


# --- Settings, secrets, lists

CHANGE = {"stale_days": 60}
TRIES["policies.ask"] = lambda w, who, _: policies.ask(w.house, who, NOW, CHANGE, "why")
TRIES["policies.demanded"] = lambda w, who, _: policies.demanded(w.house, who, CHANGE, "why")
TRIES["secrets.put"] = lambda w, who, _: secrets.put(w.house, who, NOW, "name", "value")
TRIES["exports.export"] = lambda w, who, _: exports.export(w.house, who, NOW, "list", [{"a": 1}], ["a"])


@tried("configuring.add")
def _add(w: World, who: Actor, _: Which) -> object:
    return configuring.add(
        w.house, who, NOW, Draft("application", {"name": "ledger", "connector": "app_csv", "path": "x"})
    )


# --- Role mappings

MAPPED = RoleMap((Line((Condition("department", ("IT",), folded=False),), ("Admin",)),))


def _version(w: World, which: Which, by: str, status: str) -> MappingVersion:
    kept = MappingVersion(
        id="m", application=WHERE[which][0], number=1, status=status, at=NOW, actor=by, content=document(MAPPED),
        digest=digest(MAPPED), base=digest(RoleMap()),
    )  # fmt: skip
    w.put(kept)
    return kept


TRIES["mappings.save"] = lambda w, who, which: mappings.save(w.house, who, NOW, WHERE[which][0], MAPPED)


@tried("mappings.ask_import")
def _ask_import(w: World, who: Actor, which: Which) -> object:
    return mappings.ask_import(w.house, who, NOW, WHERE[which][0], WHERE[which][0])


@tried("mappings.ask")
def _ask_mapping(w: World, who: Actor, which: Which) -> object:
    _version(w, which, who.email, "draft")
    return mappings.ask(w.house, who, NOW, "m", "why")


@tried("mappings.agree")
def _agree(w: World, who: Actor, which: Which) -> object:
    _version(w, which, SAM.email, "waiting")
    return mappings.agree(w.house, who, NOW, "m", "why")


@tried("mappings.reject")
def _reject_mapping(w: World, who: Actor, which: Which) -> object:
    _version(w, which, SAM.email, "waiting")
    return mappings.reject(w.house, who, NOW, "m", "why")


@tried("mappings.write_record")
def _write_record(w: World, who: Actor, which: Which) -> object:
    kept = _version(w, which, SAM.email, "waiting")
    told = before(w.house, kept)
    return write_record(w.house, who, NOW, kept, told, w.house.home / "record.zip")


@tried("views.record_of")
def _record_of(w: World, who: Actor, which: Which) -> object:
    return record_of(w.house, who, NOW, _version(w, which, SAM.email, "waiting"))


# --- Notices


@tried("notices.again")
def _again(w: World, who: Actor, _: Which) -> object:
    w.put(Notice(id="n", key="k", to=SAM.email, made_at=NOW, due_at=NOW, status="failed"))
    return notices.again(w.house, who, NOW, ["n"])


@tried("notices.prefer")
def _prefer(w: World, who: Actor, which: Which) -> bool:
    notices.prefer(w.house, who, NOW, notices.Preference(digest="daily"))
    return notices.preference(w.house, me_or_sam(who, which)).digest == "daily"


# --- Sessions

TRIES["sessions.listed"] = lambda w, who, which: sessions.listed(w.house, who, NOW, me_or_sam(who, which))
TRIES["sessions.end"] = lambda w, who, which: sessions.end(w.house, who, NOW, w.session(me_or_sam(who, which)))


@tried("sessions.end_all")
def _end_all(w: World, who: Actor, which: Which) -> bool:
    w.session(me_or_sam(who, which))
    return sessions.end_all(w.house, who, NOW, me_or_sam(who, which)) == 1


@tried("sessions.sign_out")
def _sign_out(w: World, who: Actor, which: Which) -> bool:
    sessions.sign_out(w.house, who, NOW, w.session(me_or_sam(who, which)))
    with w.house.store.read() as session:
        return session.get_one(SignIn, "s").ended_at is not None


# --- What is read


def _seen(rows: list[Remediation], id: str) -> bool:
    return id in {r.id for r in rows}


@tried("views.waiting")
def _waiting(w: World, who: Actor, which: Which) -> bool:
    id = w.proposed(which)
    return _seen([card.remediation for card in approvals.waiting(w.house, who, NOW)], id)


@tried("views.under_way")
def _under_way(w: World, who: Actor, which: Which) -> bool:
    id = w.proposed(which, status="approved")
    return _seen(approvals.under_way(w.house, who), id)


@tried("views.ended")
def _ended(w: World, who: Actor, which: Which) -> bool:
    id = _closed(w, which)
    return _seen(approvals.ended(w.house, who), id)


TRIES["views.detail"] = lambda w, who, which: evidence.detail(w.house, who, NOW, w.finding(which)) is not None


@tried("views.mine")
def _mine(w: World, who: Actor, which: Which) -> bool:
    w.campaign(reviewer=me_or_sam(who, which))
    return bool(reviews.mine(w.house, who, NOW))


@tried("views.board")
def _board(w: World, who: Actor, which: Which) -> bool:
    id = w.campaign(reviewer=me_or_sam(who, which))
    try:
        return bool(reviews.board(w.house, who, NOW, id, "all", "identity", 1).rows)
    except NotAllowed:
        raise
    except LeaverwatchError:
        return False  # nothing of this campaign is theirs


# --- Campaigns and their evidence

TRIES["views.team"] = lambda w, who, which: f"hr:{which}" in {one.identity_id for one in team.team(w.house, who, NOW)}


@tried("campaigns.ask_removal")
def _ask_removal(w: World, who: Actor, which: Which) -> object:
    return campaigns.ask_removal(w.house, who, NOW, *WHERE[which], None, "unused")


TRIES["views.cards"] = lambda w, who, _: campaign_views.cards(w.house, who)
TRIES["views.schedules"] = lambda w, who, _: campaign_views.schedules(w.house, who)
TRIES["views.progress"] = lambda w, who, _: campaign_views.progress(w.house, who, w.campaign())
TRIES["views.by_campaign"] = lambda w, who, _: packs.by_campaign(w.house, who)
TRIES["views.not_carried_out"] = lambda w, who, _: packs.not_carried_out(w.house, who)
TRIES["views.ask"] = lambda w, who, _: packs.ask(w.house, who, NOW, w.campaign("closed"))


@tried("views.taken")
def _taken(w: World, who: Actor, _: Which) -> bool:
    (w.house.home / "pack.zip").write_bytes(b"pack")
    w.put(EvidencePack(id="p", campaign="c", asked_by=SAM.email, asked_at=NOW, path="pack.zip"))
    return packs.taken(w.house, who, NOW, "p") == b"pack"


TRIES["campaigns.create"] = lambda w, who, _: past_the_check(
    lambda: campaigns.create(w.house, who, NOW, "Q", SCOPE, PLAN)
)
TRIES["campaigns.preview"] = lambda w, who, _: past_the_check(lambda: campaigns.preview(w.house, who, NOW, SCOPE, PLAN))
TRIES["campaigns.foresee"] = lambda w, who, _: past_the_check(lambda: campaigns.foresee(w.house, who, NOW, SCOPE, PLAN))
TRIES["campaigns.preview_as"] = lambda w, who, _: past_the_check(
    lambda: campaigns.preview_as(w.house, who, NOW, NOTHING, SAM.email, slice(None))
)
TRIES["views.foreseen"] = lambda w, who, _: past_the_check(lambda: previews.foreseen(w.house, who, NOW, SCOPE, PLAN))
TRIES["views.as_reviewer"] = lambda w, who, _: past_the_check(
    lambda: previews.as_reviewer(w.house, who, NOW, SCOPE, PLAN, SAM.email, 1)
)
TRIES["campaigns.launch"] = lambda w, who, _: past_the_check(lambda: campaigns.launch(w.house, who, NOW, "none"))
TRIES["campaigns.cancel"] = lambda w, who, _: campaigns.cancel(w.house, who, NOW, w.campaign(), "why")
TRIES["campaigns.remind"] = lambda w, who, _: past_the_check(lambda: campaigns.remind(w.house, who, NOW, w.campaign()))
TRIES["campaigns.extend"] = lambda w, who, _: past_the_check(
    lambda: campaigns.extend(w.house, who, NOW, "none", LATER, "why")
)
TRIES["campaigns.close"] = lambda w, who, _: past_the_check(lambda: campaigns.close(w.house, who, NOW, "none"))
TRIES["campaigns.schedule"] = lambda w, who, _: campaigns.schedule(w.house, who, NOW, "Q", SCOPE, PLAN, 3)


@tried("campaigns.end_schedule")
def _end_schedule(w: World, who: Actor, _: Which) -> object:
    made = campaigns.schedule(w.house, SAM, NOW, "Q", SCOPE, PLAN, 3)
    return campaigns.end_schedule(w.house, who, NOW, made.id)


@tried("campaigns.decide")
def _decide(w: World, who: Actor, which: Which) -> object:
    id = w.campaign(reviewer=me_or_sam(who, which))
    return campaigns.decide(w.house, who, NOW, id, [campaigns.Decision(1, "keep")])


@tried("campaigns.sign")
def _sign(w: World, who: Actor, which: Which) -> object:
    return campaigns.sign(w.house, who, NOW, w.campaign(reviewer=me_or_sam(who, which), decision="keep"))


@tried("campaigns.reassign")
def _reassign(w: World, who: Actor, which: Which) -> object:
    id = w.campaign(reviewer=me_or_sam(who, which))
    return campaigns.reassign(w.house, who, NOW, id, [1], SUE.email, "why")


@tried("campaigns.delegate")
def _delegate(w: World, who: Actor, which: Which) -> object:
    return campaigns.delegate(w.house, who, NOW, SUE.email, LATER, "away", of=me_or_sam(who, which))


@tried("campaigns.end_delegation")
def _end_delegation(w: World, who: Actor, which: Which) -> object:
    whose = me_or_sam(who, which)
    w.put(Delegation(id="d", actor=whose, deputy=SUE.email, since=NOW, until=LATER, reason="", by=whose, at=NOW))
    return campaigns.end_delegation(w.house, who, NOW, "d")
