"""One small world in which every verb of the domain can be tried by anybody, on what is theirs and on what is not.

`own` is the account of the actor's report in the application the actor owns; `other` is neither. What a person made
themselves (a proposal, a session, a deputy, a review item given to them) is `own` too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlmodel import select

from governance import (
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
    MappingVersion,
    Notice,
    Remediation,
    ReviewItem,
    SignIn,
)
from governance.views.mappings import before, record_of
from tests.acting import SAM
from tests.conftest import NOW
from tests.kept_houses import beginning
from tests.seeded import account, put_findings, put_run, put_snapshot

Which = Literal["own", "other"]
WHERE = {"own": ("wiki", "own"), "other": ("crm", "other")}
LATER = NOW + timedelta(days=7)
SCOPE: dict[str, Any] = {"applications": ["wiki"]}
PLAN: dict[str, Any] = {"levels": [["manager"]], "fallback": SAM.email, "days": 14}


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

    def excluded(self, which: Which) -> str:
        """A finding that Sam excluded."""
        findings.exclude(self.house, SAM, NOW, self.finding(which), LATER, "why")
        return self.finding(which)

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
    able = ["pull", "read_one", "deactivate", "reactivate", "mapping"]
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
TRIES["findings.end_exclusion"] = lambda w, who, which: findings.end_exclusion(
    w.house, who, NOW, w.excluded(which), "why"
)
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


def closed(w: World, which: Which) -> str:
    return w.proposed(which, status="verified", attempts=1, executing_at=NOW)


TRIES["remediation.undo"] = lambda w, who, which: remediation.undo(w.house, who, NOW, closed(w, which))


@tried("findings.ask")
def _ask(w: World, who: Actor, which: Which) -> object:
    """To pull; that an undo is asked for by who may propose is tried below."""
    return findings.ask(w.house, who, NOW, "pull", {"feeds": [WHERE[which][0]]})


@tried("findings.ask undo")
def _ask_undo(w: World, who: Actor, which: Which) -> object:
    return findings.ask(w.house, who, NOW, "remediate", {"undo": closed(w, which)})


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


@tried("configuring.change")
def _change(w: World, who: Actor, _: Which) -> object:
    told = '[[application]]\nname = "ledger"\nconnector = "app_csv"\npath = "x"\n'
    (w.house.home / "leaverwatch.toml").write_text(told)
    table = {"name": "ledger", "connector": "app_csv", "path": "y"}
    return configuring.change(w.house, who, NOW, Draft("application", table))


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
