"""What an Okta org is set up to give in one application: assigned groups in their order, and rules that fill groups.

Confirmed in Okta's specification: an assignment of a group has a `profile` whose keys are the application's own, and a
`priority`; of several groups of one person the one with the higher priority has its profile applied; a group rule has a
condition in Okta's expression language and puts people into groups. General knowledge: a lower number is the higher
priority; somebody who is assigned alone has values of their own, which no group changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from connectors.kit.asked import asked_of, assigned_alone, not_asked
from connectors.kit.known_as import is_called, unknown_there
from connectors.kit.okta_calls import OktaCalls, step
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed
from governance.records import Assigned, Configured, Offer, Reading
from governance.settings import ApplicationSettings

# Attributes of Okta's profile that role mappings know, and what they call them.
ATTRIBUTES: Final = {
    "department": "department",
    "title": "title",
    "email": "email",
    "login": "username",
    "employeenumber": "employee_number",
}
_EQUALITY: Final = re.compile(r'\(?\s*user\.(\w+)\s*==\s*"([^"\\]+)"\s*\)?')
_OR: Final = re.compile(r"\s+OR\s+|\s*\|\|\s*", re.IGNORECASE)


def assignments(calls: OktaCalls, reader: Reader, application: ApplicationSettings) -> Configured:
    """What the org gives in that application; AuthenticationFailed where the credential may not see it."""
    found: list[tuple[float, str, Assigned]] = []
    left_out: list[str] = []
    apps = _apps(calls, reader, application)
    for app_id in apps:
        found += _groups(calls, reader, app_id)
        alone = sum(1 for _ in _alone(calls, reader, app_id))
        if alone:
            left_out.append(f"{assigned_alone(alone)}, with values of their own: no line is about one person")
    if len(apps) > 1:
        left_out.append(f"{len(apps)} applications of that name are read as one")
    rules, unread = _rules(calls, reader, {group_id for _, group_id, _ in found})
    assigned: list[Assigned] = []
    for _, group_id, one in sorted(found, key=lambda row: row[0]):
        assigned.append(one)
        assigned += [
            Assigned(f"{said} (it puts people into {one.said})", attribute, values, one.offers)
            for said, attribute, values in rules.get(group_id, ())
        ]
    return Configured(tuple(assigned), first=True, left_out=(*left_out, *unread))


def equality(expression: str) -> tuple[str, tuple[str, ...]] | None:
    """The attribute and the values a rule asks for; None unless it is `user.department=="Sales"`, or several by OR."""
    return asked_of(expression, _EQUALITY, _OR, ATTRIBUTES)


def _apps(calls: OktaCalls, reader: Reader, application: ApplicationSettings) -> list[str]:
    """The ids of what the org calls by the application's name, its title or what it is known as."""
    rows = calls.may_list("apps", {"limit": "200"}, Reading())
    if rows is None:
        raise AuthenticationFailed(f"{calls.place}: applications cannot be seen: the credential lacks okta.apps.read")
    found = []
    for told in map(reader.of, rows):
        app_id = told.text("id")
        if app_id and is_called(told.text("label") or told.text("name"), application):
            found.append(app_id)
    if not found:
        raise unknown_there(calls.place, application)
    return found


def _groups(calls: OktaCalls, reader: Reader, app_id: str) -> Iterator[tuple[float, str, Assigned]]:
    """Priority, id of the group and what it gives."""
    for _, row in calls.pages(f"apps/{step(app_id)}/groups", {"limit": "200", "expand": "group"}, Reading()):
        told = reader.of(row)
        group_id = told.text("id")
        if group_id is None:
            continue
        name = told.text("_embedded.group.profile.name") or group_id
        pushed = Offer(f"a group {name} of its own", (name,), guessed=True)
        offers = (*_offers(told.get("profile")), pushed)
        priority = told.number("priority")
        order = float("inf") if priority is None else float(priority)
        yield order, group_id, Assigned(f"group {name}", "groups", (name,), offers)


def _offers(profile: object) -> Iterator[Offer]:
    """What the values of a profile may name; which of its keys are roles, only the application knows."""
    for key, value in profile.items() if isinstance(profile, Mapping) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.strip():
                yield Offer(f"{key} “{one}”", (one,), guessed=True)


def _alone(calls: OktaCalls, reader: Reader, app_id: str) -> Iterator[Resource]:
    for _, row in calls.pages(f"apps/{step(app_id)}/users", {"limit": "500"}, Reading()):
        told = reader.of(row)
        if told.text("scope") == "USER" and told.text("status") in ("ACTIVE", "PROVISIONED", "STAGED", "PENDING"):
            yield told


def _rules(
    calls: OktaCalls, reader: Reader, groups: set[str]
) -> tuple[dict[str, list[tuple[str, str, tuple[str, ...]]]], list[str]]:
    """Group -> name of the rule, attribute and values of what fills it; and the rules that no line can say."""
    rows = calls.may_list("groups/rules", {"limit": "200"}, Reading())
    found: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    if rows is None:
        return found, ["rules of groups cannot be seen: the credential lacks okta.groups.read"]
    left_out = []
    for told in map(reader.of, rows):
        filled = groups.intersection(told.several("actions.assignUserToGroups.groupIds"))
        if not filled or told.text("status") != "ACTIVE":
            continue
        expression = told.text("conditions.expression.value") or ""
        said, asked = f"rule {told.text('name')}", equality(expression)
        if any(told.several(f"conditions.people.{kind}.exclude") for kind in ("users", "groups")):
            left_out.append(f"{said}: it leaves out some people, and a line cannot")
        elif asked is None:
            left_out.append(not_asked(said, expression))
        else:
            for group_id in filled:
                found.setdefault(group_id, []).append((said, *asked))
    return found, left_out
