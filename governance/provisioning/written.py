"""Role mappings as they are written: in the settings, and as the document a version is kept in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from governance.errors import ConfigurationError
from governance.provisioning.mapping import Condition, Line, RoleMap
from governance.settings import RoleMapping, Settings, ValueTest

_OPERATORS: Final = ("prefix", "contains", "regex")


def role_map(settings: Settings, application: str) -> RoleMap:
    """The role mapping of one application as the settings write it; without a line when they write none."""
    own = next((a for a in settings.application if a.name == application), None)
    lines = tuple(line(written) for written in settings.role_mapping if written.application == application)
    if own is None:
        return RoleMap(lines)
    return RoleMap(lines, own.default_role, own.mapping.matching, own.mapping.updates)


def line(written: RoleMapping) -> Line:
    """One line of the settings."""
    return Line(tuple(condition(name, test) for name, test in written.when.items()), written.gives)


def condition(attribute: str, test: str | tuple[str, ...] | ValueTest) -> Condition:
    """One test of the settings: a text, several texts, or a table that names how it is compared."""
    if isinstance(test, str):
        return Condition(attribute, (test,), folded=False)
    if isinstance(test, tuple):
        return Condition(attribute, test, "equals" if len(test) == 1 else "in", folded=False)
    for operator in _OPERATORS:
        values = getattr(test, operator)
        if values:
            return Condition(attribute, values, operator, folded=test.ignore_case)
    return Condition(attribute, test.equals, "equals" if len(test.equals) == 1 else "in", folded=test.ignore_case)


def document(mapping: RoleMap) -> dict[str, Any]:
    """The mapping as JSON: lines as the settings write them, default, matching, updates."""
    return {
        "lines": [
            {"when": {c.attribute: test(c) for c in one.when}, "gives": list(one.gives)} for one in mapping.lines
        ],
        "default": list(mapping.default),
        "matching": mapping.matching,
        "updates": mapping.updates,
    }


def test(one: Condition) -> str | list[str] | dict[str, Any]:
    """A condition in the shortest way the settings can write it."""
    values: str | list[str] = one.values[0] if len(one.values) == 1 else list(one.values)
    if one.exact and not one.folded:
        return values
    name = "equals" if one.exact else one.operator
    return {name: values, "ignore_case": True} if one.folded and one.operator != "regex" else {name: values}


def undocumented(told: Mapping[str, Any], application: str) -> RoleMap:
    """The mapping a document holds; ConfigurationError names the line that is none and why."""
    lines = []
    for number, one in enumerate(told.get("lines") or (), start=1):
        lines.append(line(checked({"application": application, **one}, f"line {number}")))
    return RoleMap(
        tuple(lines),
        tuple(told.get("default") or ()),
        told.get("matching") or "all",
        told.get("updates") or "create_only",
    )


def checked(values: Mapping[str, Any], where: str) -> RoleMapping:
    """One line as the settings check it; ConfigurationError says where and what is wrong."""
    from pydantic import ValidationError

    try:
        return RoleMapping.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part not in ("text", "list", "table"))
        said = "this key is not known here" if first["type"] == "extra_forbidden" else first["msg"]
        raise ConfigurationError(": ".join(filter(None, (where, key, said.removeprefix("Value error, "))))) from error


def digest(mapping: RoleMap) -> str:
    """SHA-256 over the document: the same mapping has the same digest, wherever it was written."""
    text = json.dumps(document(mapping), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def phrase(one: Condition) -> tuple[str, str, str]:
    """A condition for people: attribute, how it is compared, and the values."""
    how = {
        "equals": "is",
        "in": "is one of",
        "prefix": "starts with",
        "contains": "contains",
        "regex": "matches",
    }[one.operator if len(one.values) == 1 or one.operator not in ("equals", "in") else "in"]
    if one.operator == "in" and len(one.values) == 1:
        how = "is"
    return one.attribute, how, " or ".join(one.values) if not one.exact else ", ".join(one.values)


def sentence(one: Line) -> str:
    """A line's conditions for people: `department is Finance and title starts with Head`."""
    return " and ".join(" ".join(phrase(condition)) for condition in one.when) or "everybody"
