"""Proving a credential of GitHub: whose it is, what it may do, and what the plan lets it see."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from connectors.kit.contract import Checked
from connectors.kit.github_calls import REFUSED, GitHubCalls
from connectors.kit.github_events import AuditLog
from connectors.kit.github_organisation import OrganisationLists
from connectors.kit.http import Http

_ABOVE: Final = {
    "read:org": {"write:org", "admin:org"},
    "read:enterprise": {"admin:enterprise", "manage_runners:enterprise"},
}
_APP_NEEDS: Final = {"members": "read", "organization_administration": "read"}
_APP_USEFUL: Final = {**_APP_NEEDS, "organization_custom_org_roles": "read", "metadata": "read"}


def prove(
    calls: GitHubCalls, lists: OrganisationLists, scim: Http | None, log: AuditLog, enterprise: str | None
) -> Checked:
    """Ask for the organisation, one managed account, one licence and one entry of the audit log."""
    who = lists.whoever_asks()
    organisation = calls.get(lists.path).data
    plan = organisation.get("plan") if isinstance(organisation, dict) else None
    plan_name = plan.get("name") if isinstance(plan, dict) else None
    notes = [f"the credential belongs to {who}: set own_account to that account"]
    if isinstance(plan_name, str) and plan_name.isidentifier():
        notes.append(f"the organisation's plan is {plan_name}")
    needed = ["read:org"]
    if log.told():
        needed.append("read:audit_log")
    else:
        notes.append("what happened is not told: the audit log needs Enterprise Cloud and an owner's token")
    if enterprise:
        needed.append("read:enterprise")
        path = f"enterprises/{quote(enterprise, safe='')}/consumed-licenses"
        if calls.get(path, {"per_page": "1"}, allow=REFUSED).status != 200:
            notes.append("licences of the enterprise are not told: the token lacks read:enterprise")
    if scim is not None:
        needed.append("scim:enterprise")
        scim.get("Users", {"count": "1"})
    else:
        notes.append("nobody can be switched off here: GitHub can only remove members of plain organisations")
    if calls.app is not None:
        return _app(calls.app.permissions, notes)
    if calls.scopes is None:
        notes.append("this is a fine-grained token, whose rights GitHub does not tell")
        return Checked(tuple(notes))
    scopes = calls.scopes
    missing = [s for s in needed if s not in scopes and not scopes & _ABOVE.get(s, set())]
    return Checked(tuple(notes), tuple(missing), tuple(sorted(scopes - set(needed))))


def _app(permissions: object, notes: list[str]) -> Checked:
    told = {str(k): str(v) for k, v in permissions.items()} if isinstance(permissions, dict) else {}
    missing = [f"{name}: {level}" for name, level in _APP_NEEDS.items() if name not in told]
    excess = [f"{name}: {level}" for name, level in sorted(told.items()) if _APP_USEFUL.get(name) != level]
    return Checked(tuple(notes), tuple(missing), tuple(excess))
