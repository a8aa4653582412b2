"""One row of each log of Entra as an event of ours.

`Add member to group` was seen in Microsoft's examples, the other names of activities are general knowledge: what is not
here is counted in the notes. A sign-in to Entra is always one to an application, which is its target.
"""

from __future__ import annotations

import json
from typing import Any, Final

from connectors.kit.changed import changes_text
from connectors.kit.entra_holdings import app_key, role_key
from connectors.kit.resource import Reader, Resource
from governance.records import Event

_ACTIVITIES: Final = {
    "add user": "created",
    "update user": "updated",
    "redeem external user invite": "updated",
    "disable account": "deactivated",
    "enable account": "reactivated",
    "restore user": "reactivated",
    "delete user": "deleted",
    "hard delete user": "deleted",
    "add member to group": "granted",
    "remove member from group": "revoked",
    "add member to role": "granted",
    "remove member from role": "revoked",
    "add eligible member to role": "granted",
    "remove eligible member from role": "revoked",
    "add app role assignment grant to user": "granted",
    "remove app role assignment from user": "revoked",
}
_PUSHES: Final = {
    "create": "provisioned",
    "update": "provisioned",
    "delete": "deprovisioned",
    "disable": "deprovisioned",
    "stageddelete": "deprovisioned",
}
_NAMES_AGAIN: Final = "Included Updated Properties"
_RESULTS: Final = {"success": True, "failure": False}


def signed_in(told: Resource, application: str, reader: Reader) -> Event | None:
    """A sign-in; error code 0 is one that succeeded."""
    event_id, at, code = told.text("id"), told.instant("createdDateTime"), told.number("status.errorCode")
    if event_id is None or at is None or code is None:
        reader.skipped["sign-in without id, time or result"] += 1
        return None
    target, who = told.text("appDisplayName"), told.text("userId")
    kind = "sign_in_failed" if code else "sso" if target else "sign_in"
    return Event(application, event_id, at, kind, who, who, code == 0, target)


def audited(told: Resource, application: str, reader: Reader) -> Event | None:
    """A change of accounts or rights."""
    name = told.text("activityDisplayName") or ""
    event_id, at, kind = told.text("id"), told.instant("activityDateTime"), _ACTIVITIES.get(name.casefold())
    if event_id is None or at is None or kind is None:
        reader.skipped["activities of other kinds"] += 1
        return None
    by_kind = {(t.text("type") or t.text("Type") or "").casefold(): t for t in told.parts("targetResources")}
    changed = _changed(list(by_kind.values()))
    user = by_kind["user"].text("id") if "user" in by_kind else changed.get("User.ObjectID")
    return Event(
        application=application,
        event_id=event_id,
        at=at,
        kind=kind,
        account_id=user,
        actor=told.text("initiatedBy.user.id") or told.text("initiatedBy.app.displayName"),
        success=_RESULTS.get((told.text("result") or "").casefold()),
        target=_entitlement(name.casefold(), by_kind, changed) if kind in ("granted", "revoked") else None,
        changes=_changes(by_kind["user"]) if kind == "updated" and "user" in by_kind else None,
    )


def provisioned(told: Resource, application: str, reader: Reader) -> Event | None:
    """A push to an application; what was skipped there did not happen."""
    event_id, at = told.text("id"), told.instant("activityDateTime")
    action = (told.text("provisioningAction") or "").casefold()
    result = (told.text("provisioningStatusInfo.status") or "").casefold()
    if event_id is None or at is None or action not in _PUSHES or result == "skipped":
        reader.skipped[f"provisioning: {action or 'without an action'}"] += 1
        return None
    program = told.text("servicePrincipal.displayName") or told.text("targetSystem.displayName")
    success = _RESULTS.get(result)
    who = told.text("sourceIdentity.id")
    by = told.text("initiatedBy.displayName")
    changes = _changes(told) if action in ("create", "update") else None
    return Event(application, event_id, at, _PUSHES[action], who, by, success, program, changes)


def _entitlement(activity: str, targets: dict[str, Resource], changed: dict[str, str]) -> str | None:
    """The id of what was given or taken."""
    if "group" in activity:
        group_id = targets["group"].text("id") if "group" in targets else changed.get("Group.ObjectID")
        return f"group:{group_id}" if group_id else None
    if "app role" in activity:
        app = targets.get("serviceprincipal")
        app_id = app.text("id") if app else changed.get("ServicePrincipal.ObjectID")
        role_id = changed.get("AppRole.Id")
        return (app_key(app_id, role_id) if role_id else app_key(app_id)) if app_id else None
    role_id = changed.get("Role.TemplateId") or (targets["role"].text("id") if "role" in targets else None)
    return role_key(role_id, eligible="eligible" in activity) if role_id else None


def _changed(targets: list[Resource]) -> dict[str, str]:
    """Modified properties by name: the new value, else the old one; both come as JSON in a text."""
    found: dict[str, str] = {}
    for target in targets:
        for entry in target.parts("modifiedProperties"):
            name = entry.text("displayName")
            values = [(entry.text(which) or "").strip('"') for which in ("newValue", "oldValue")]
            value = next((v for v in values if v and v != "null"), None)
            if name and value:
                found[name] = value
    return found


def _changes(told: Resource) -> str | None:
    """Which attributes were changed; both values come as JSON in a text, of the directory's own as lists of one.

    `Included Updated Properties` lists the names once more, and names with a dot are ids of what was touched: general
    knowledge.
    """
    return changes_text(
        (name, _plain(entry.text("oldValue")), _plain(entry.text("newValue")))
        for entry in told.parts("modifiedProperties")
        if (name := entry.text("displayName")) and "." not in name and name != _NAMES_AGAIN
    )


def _plain(text: str | None) -> Any:
    """The value inside; a text that is no JSON is the value."""
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return text
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value or None
    return value
