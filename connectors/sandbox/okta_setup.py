"""How an org is set up: groups assigned to applications, rules that fill groups, and identity providers before it.

An application's `more["groups"]`: id of an assigned group -> the profile it sets there, the highest priority first. A
group's `more`: `rule`, the expression that puts people into it, `rule_status`, `rule_leaves_out` (ids of users).
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox import okta_shapes as shapes
from connectors.sandbox.model import SandboxApplication, SandboxEntitlement

_LONG_AGO: Final = "2024-01-15T09:00:00.000Z"


class OktaSetup:
    """What of it the management API shows."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application

    def groups(self, request: Request) -> Response:
        """Which groups are assigned to an application, with what they set there."""
        found = self._application.entitlements[request.path_params["app"]]
        embed = request.query_params.get("expand") == "group"
        rows = [
            self._assigned(group_id, place, profile, embed=embed)
            for place, (group_id, profile) in enumerate(found.more.get("groups", {}).items())
        ]
        return shapes.page(request, rows, 20, 200)

    def rules(self, request: Request) -> Response:
        """The rules that put people into groups."""
        filled = [e for e in self._application.entitlements.values() if e.kind in shapes.GROUPS and "rule" in e.more]
        return shapes.page(request, [_rule(group) for group in filled], 50, 200)

    def providers(self, request: Request) -> Response:
        """The identity providers that sign people in to Okta, and what they do to closed accounts."""
        told = self._application.settings.get("idps", {})
        return shapes.page(request, [shapes.provider(name, actions) for name, actions in told.items()], 20, 200)

    def _assigned(self, group_id: str, priority: int, profile: dict[str, Any], *, embed: bool) -> dict[str, Any]:
        shape = {"id": group_id, "priority": priority, "lastUpdated": _LONG_AGO, "profile": profile}
        if not embed:
            return shape
        return shape | {"_embedded": {"group": shapes.group(self._application, group_id, stats=False)}}


def _rule(group: SandboxEntitlement) -> dict[str, Any]:
    left_out = {"users": list(group.more.get("rule_leaves_out", ())), "groups": []}
    return {
        "type": "group_rule",
        "id": f"0pr{group.id[3:]}",
        "status": group.more.get("rule_status", "ACTIVE"),
        "name": f"Fill {group.name}",
        "created": _LONG_AGO,
        "lastUpdated": _LONG_AGO,
        "conditions": {
            "people": {kind: {"exclude": ids} for kind, ids in left_out.items()},
            "expression": {"type": "urn:okta:expression:1.0", "value": group.more["rule"]},
        },
        "actions": {"assignUserToGroups": {"groupIds": [group.id]}},
    }
