"""An estate in which every rule has something to say, and what each rule needs to fire."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from estates import MAPPING, NOW, account, estate, identity, leaver, settings, unowned

from governance.rulebook import all_rules, run

RULES = all_rules()


MIXED = [
    leaver(),
    leaver(account_id="a2", last_seen_at=datetime(2026, 11, 21, 8, tzinfo=UTC), privileged=True),
    leaver(account_id="a3", application="wiki", criticality="high", owner_name="Zoë Ångström", username=None),
    account(account_id="a4", last_seen_at=NOW - timedelta(days=200), privileged=True, mfa=False),
    account(account_id="a5", active=None),
    account(account_id="a6", application="wiki", last_seen_at=None, last_seen_known=False, mfa=None, privileged=None),
    unowned(account_id="a7", candidates="hr:1;hr:2"),
    unowned(account_id="a8", match="ambiguous", match_key="email", candidates="hr:1;hr:2"),
    account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
]


PEOPLE = [identity(), identity(identity_id="hr:9", contradictory=True, ended_at=NOW - timedelta(days=3))]


HELD = {
    "entitlements": [{"application": "crm", "entitlement_id": "e1", "name": "Reader"}],
    "grants": [
        {"application": "crm", "account_id": "a9", "entitlement_id": "e1"},
        {"application": "crm", "account_id": "a10", "entitlement_id": "e1", "last_used_known": True},
    ],
    "settings": settings(role_mapping=MAPPING, policy={"on_leave": "flag"}),
}


def verdict_on(*accounts, now=NOW, **more):
    judged = estate(accounts, **more)
    return run(judged, judged.settings.policy, now)


@functools.cache
def mixed(now=NOW):
    """What all rules say of it, judged once: it is only looked at."""
    return verdict_on(*MIXED, now=now, identities=PEOPLE, **HELD)


GOOD = '''
from governance.declaration import Remedy, rule

@rule(title="Weekend", severity="low", remedy=Remedy.PROTECT, needs=(), controls=("SOC 2 CC6.1",), evidence=("active",), ends_when="Monday comes",
      sentence=lambda row: "It is the weekend.")
def weekend(estate, policy, now):
    """An account is active on a weekend."""
    return estate.accounts
'''
