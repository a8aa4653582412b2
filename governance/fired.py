"""The rows that rules fire on, with the columns a finding is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import Rule, Subject
from governance.estate import ACCOUNT, Estate
from governance.settings import Policy
from governance.verdict import collected
from governance.wording import OF_AN_ACCOUNT

Frame = nw.LazyFrame[Any]

# Columns a finding may need, under the name they have in its row.
_OF_AN_ACCOUNT: Final = {
    **{
        name: name
        for name in (
            *("application", "account_id", "username", "email", "employee_id", "external_id", "kind", "active"),
            *("privileged", "criticality", "last_seen_at", "last_seen_known", "match", "match_key", "candidates"),
            *("mfa", "password", "credentials", "owner_kind", "owner_department", "owner_title"),
        )
    },
    **OF_AN_ACCOUNT,
}
_OF_AN_IDENTITY: Final = {
    **{name: name for name in ("application", "identity_id", "email", "employee_id", "state", "ended_at", "ended_why")},
    "display_name": "identity_name",
}
_OF: Final[dict[Subject, dict[str, str]]] = {
    "account": _OF_AN_ACCOUNT,
    "identity": _OF_AN_IDENTITY,
    "application": {"application": "application", "criticality": "criticality"},
}


def fired(estate: Estate, policy: Policy, now: datetime, rules: Mapping[str, Rule]) -> dict[str, pl.DataFrame]:
    """What each rule fires on, as `narrowed`.

    On Polars shipped rules on accounts give only what they add to an account; what is known of the accounts themselves
    is read once for all of them, of the few that any rule fires on, and need not go through what the rules join.
    An operator's own rule may have given a column of accounts another value: its rows are taken as they are.
    """
    frames = {name: rule(estate, policy, now) for name, rule in rules.items()}
    accounts = nw.to_native(estate.accounts)
    if not isinstance(accounts, pl.LazyFrame):
        whole = [narrowed(rules[name], frame) for name, frame in frames.items()]
        return dict(zip(frames, collected(whole), strict=True))
    there = estate.accounts.collect_schema().names()
    apart = {name for name, rule in rules.items() if rule.subject == "account" and _shipped(rule)}
    added = [narrowed(rules[name], frame, there if name in apart else ()) for name, frame in frames.items()]
    found = dict(zip(frames, collected(added), strict=True))
    some = {
        name: _wanted(rules[name], frames[name].collect_schema().names())
        for name in sorted(apart)
        if found[name].height
    }
    if some:
        which = pl.concat([found[name]["account_id"] for name in some]).unique()
        few = accounts.filter(pl.col("account_id").is_in(which.implode()))
        wanted = {new: old for its in some.values() for new, old in its.items() if old in there}
        known = few.select(pl.col(old).alias(new) for new, old in wanted.items()).collect(engine="streaming")
        for name, its in some.items():
            theirs = known.select(new for new, old in its.items() if old in there)
            found[name] = found[name].join(theirs, on=ACCOUNT, how="left").select(*its)
    return found


def _shipped(rule: Rule) -> bool:
    return rule.judge.__module__.startswith("governance.rules.")


def narrowed(rule: Rule, frame: Frame, known: Collection[str] = ()) -> Frame:
    """Only the columns that sentences, evidence and fingerprint need, under the names they have there.

    `known` are columns that come from elsewhere, and are left out but for the account they are of.
    """
    wanted = _wanted(rule, frame.collect_schema().names())
    wanted = {new: old for new, old in wanted.items() if old not in known or new in ACCOUNT}
    once = {old: new for new, old in reversed(wanted.items())}
    twice = {new: nw.col(once[old]) for new, old in wanted.items() if once[old] != new}
    # By name: as expressions these columns took a tenth of the time that a run over a small estate takes.
    taken = frame.select(*once).rename({old: new for old, new in once.items() if old != new})
    return (taken.with_columns(**twice) if twice else taken).select(*wanted)


def _wanted(rule: Rule, there: Collection[str]) -> dict[str, str]:
    """The columns a finding needs by the name they have in its row, as far as they are there."""
    wanted = {new: old for old, new in _OF[rule.subject].items() if old in there}
    return wanted | {name: name for name in (*rule.evidence, *rule.identity) if name in there and name not in wanted}
