"""Proving a token of Slack: whose it is, which scopes it has, and what its plan lets it see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.kit.contract import Checked
from connectors.kit.slack_audit import AuditLog
from connectors.kit.slack_beside import BesideLists
from connectors.kit.slack_calls import SlackCalls
from governance.errors import FeedError

NEEDED: Final = ("users:read", "users:read.email", "usergroups:read")
USEFUL: Final = "admin"  # the only scope that opens SCIM and the access log; it could also write
HARMLESS: Final = frozenset({"identify", "team:read", "auditlogs:read", "admin.users:read"})


def prove(web: SlackCalls, beside: BesideLists, audit: AuditLog | None, team: Mapping[str, str]) -> Checked:
    """Ask whose token it is, for one member, and for one entry of SCIM and of the audit log."""
    me = web.get("auth.test")
    web.get("users.list", {"limit": "1", **team})
    scopes = web.scopes or frozenset()
    missing = [scope for scope in NEEDED if scope not in scopes] if web.scopes is not None else []
    excess = sorted(scopes - {*NEEDED, USEFUL} - HARMLESS)
    notes = [
        f"the token belongs to {me.get('user')} ({me.get('user_id')}): set own_account to that id; the token works only"
        " while that account is an admin or owner"
    ]
    if USEFUL not in scopes:
        notes.append("without the scope admin (a user token): no creation times, no last use, nothing to switch off")
    elif refusal := beside.refused():
        notes.append(refusal)
    if audit is None:
        notes.append("without audit_token what happened is not told (Enterprise plans only)")
    else:
        try:
            audit.probe()
        except FeedError:
            notes.append("the audit log was refused: it needs an Enterprise plan and a token of an organisation owner")
    return Checked(tuple(notes), tuple(missing), tuple(excess))
