"""The policy: what is in force, how it came to be so, and what it would be with other thresholds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlmodel import Session, col, select
from ulid import ULID

from governance.access import Actor, Verb, demand
from governance.configuring import FILE, VERB, file_digest, not_writable
from governance.errors import ConfigurationError, DecisionError
from governance.house import House
from governance.rulebook import in_force
from governance.settings import PRESETS, Policy, written_duration
from governance.store.chain import append
from governance.tables import PolicyVersion, Request

OPERATOR: Final = "operator"
DURATIONS: Final = ("leaver_grace",)
BY_HAND: Final = ("override",)  # tables of their own: edited in the file


def thresholds(policy: Policy) -> dict[str, Any]:
    """Every threshold of a policy as the settings write it, those of its preset included."""
    told = policy.model_dump(mode="json", exclude_none=True)
    return told | {key: written_duration(getattr(policy, key)) for key in DURATIONS}


def digest(policy: Policy) -> str:
    """SHA-256 over the thresholds: the same policy has the same digest, wherever it was written."""
    text = json.dumps(thresholds(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs between the thresholds of two policies: key, before and after; severities one by one."""
    old, new = _flat(before), _flat(after)
    return [
        {"key": key, "before": old.get(key), "after": new.get(key)}
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    severities = {f"severity.{rule}": word for rule, word in (values.get("severity") or {}).items()}
    return {key: value for key, value in values.items() if key != "severity"} | severities


def changed(house: House, changes: Mapping[str, Any]) -> Policy:
    """The policy in force with these values in the place of those it has; ConfigurationError names the first bad key.

    Keys are those of `[policy]`, `severity.RULE` for one severity. None takes a value back: the preset's counts again.
    """
    policy = house.settings.policy
    given = {key: value for key, value in policy.model_dump().items() if key in policy.model_fields_set}
    for key, value in changes.items():
        name, _, rule = key.partition(".")
        if name not in Policy.model_fields or (rule and name != "severity") or (name == "severity" and not rule):
            known = ", ".join(sorted(set(Policy.model_fields) - {"severity", *BY_HAND}))
            raise ConfigurationError(f"policy: no threshold is named {key!r}; there are: {known}, severity.RULE")
        if name in BY_HAND:
            raise ConfigurationError(f"policy.{key}: [[policy.{name}]] is edited in {FILE}")
        if rule:
            severities = {**given.get("severity", {}), rule: value}
            given["severity"] = {one: word for one, word in severities.items() if word is not None}
        elif value is None:
            given.pop(name, None)
        else:
            given[name] = value
    try:
        made = Policy.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"policy.{key}: {first['msg'].removeprefix('Value error, ')}") from error
    in_force(house.rules, made)
    return made


def preset_values(name: str) -> dict[str, Any]:
    """Every threshold as it stands under a preset that nothing overrides."""
    if name not in PRESETS:
        raise ConfigurationError(f"policy.preset: no preset is named {name!r}; there are: {', '.join(PRESETS)}")
    return thresholds(Policy.model_validate({"preset": name}))


def ask(house: House, actor: Actor, now: datetime, changes: Mapping[str, Any], reason: str) -> Request:
    """Ask the worker to write these values into the settings; refused here already where it would be refused there.

    Asked twice, as by a double click, it is asked once: the second would be refused as the file has changed since.
    """
    demanded(house, actor, changes, reason)
    arguments = {"policy": dict(changes), "reason": reason.strip(), "sha256": file_digest(house.home)}
    request = Request(id=str(ULID.from_datetime(now)), at=now, actor=actor.email, verb=VERB, arguments=arguments)
    with house.store.write() as session:
        waits = select(Request).where(Request.verb == VERB, col(Request.status).in_(("waiting", "doing")))
        for earlier in session.exec(waits):
            if (earlier.actor, earlier.arguments) == (actor.email, arguments):
                return earlier
        session.add(request)
        append(
            session, now=now, actor=actor.email, verb="ask", object=f"{VERB}/policy", reason=reason.strip(),
            facts=dict(changes),
        )  # fmt: skip
    return request


def asked(house: House) -> Request | None:
    """The newest change of the policy that was asked for, whatever became of it."""
    newest = select(Request).where(Request.verb == VERB).order_by(col(Request.id).desc()).limit(50)
    with house.store.read() as session:
        return next((row for row in session.exec(newest) if "policy" in (row.arguments or {})), None)


def demanded(house: House, actor: Actor, changes: Mapping[str, Any], reason: str) -> Policy:
    """The policy that would be in force; refused without the right, a reason, a change, or a file to write to."""
    demand(actor, Verb.CONFIGURE)
    if not reason.strip():
        raise DecisionError("a change of the policy needs a reason; nothing was changed")
    if why := not_writable(house.home):
        raise ConfigurationError(f"{house.home / FILE}: {why}")
    for key in changes:
        origin = house.origin.get(f"policy.{key}", "")
        if origin.startswith("LEAVERWATCH_"):
            raise ConfigurationError(f"policy.{key}: {origin} sets it; what the file says would have no effect")
    made = changed(house, changes)
    if thresholds(made) == thresholds(house.settings.policy):
        raise DecisionError("this is the policy in force already; nothing was changed")
    return made


def note(house: House, now: datetime) -> PolicyVersion | None:
    """Keep the policy in force as a version if it is a new one: whoever edited the file or the environment is meant.

    The first one of a new house is no change, so it stands in no audit.
    """
    policy = house.settings.policy
    with house.store.read() as session:
        if _is_newest(session, policy):
            return None
    with house.store.write() as session:
        if _is_newest(session, policy):  # another process was faster
            return None
        first = newest(session) is None
        version = put(session, policy, now, OPERATOR, "" if first else f"{FILE} was edited")
        if not first:
            audit_line(session, version)
        return version


def put(session: Session, policy: Policy, now: datetime, actor: str, reason: str) -> PolicyVersion:
    """One more version, in the caller's transaction."""
    before = newest(session)
    values = thresholds(policy)
    version = PolicyVersion(
        number=before.number + 1 if before else 1,
        digest=digest(policy),
        at=now,
        actor=actor,
        reason=reason,
        thresholds=values,
        changes=differences(before.thresholds, values) if before else [],
    )
    session.add(version)
    session.flush()
    return version


def audit_line(session: Session, version: PolicyVersion) -> None:
    """The line of the audit that belongs to a new version."""
    facts = {"digest": version.digest, "changes": version.changes}
    of = f"policy/{version.number}"
    append(session, now=version.at, actor=version.actor, verb=VERB, object=of, reason=version.reason, facts=facts)


def newest(session: Session) -> PolicyVersion | None:
    """The newest version; None before the first."""
    return session.exec(select(PolicyVersion).order_by(col(PolicyVersion.number).desc()).limit(1)).first()


def history(house: House) -> list[PolicyVersion]:
    """Every version there was, the newest first."""
    with house.store.read() as session:
        return list(session.exec(select(PolicyVersion).order_by(col(PolicyVersion.number).desc())))


def _is_newest(session: Session, policy: Policy) -> bool:
    known = newest(session)
    return known is not None and known.digest == digest(policy)
