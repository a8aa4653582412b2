"""One resource of a SCIM server (RFC 7643), read tolerantly: what is not told, or told in no known way, is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from connectors.kit.resource import as_text

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:leaverwatch:2.0:User"


class Attributes:
    """The attributes of one resource; their names are case-insensitive (RFC 7643, 2.1)."""

    __slots__ = ("_resource", "_shape")

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self._resource = resource
        self._shape = _shape(tuple(resource))

    def get(self, path: str) -> Any:
        """The value at `attribute`, `attribute.part` or `urn:…:Extension:attribute`; None when it is not told."""
        names, inner = self._shape[path]
        if not names:
            return None
        value = self._resource[names[0]]
        if len(names) > 1 and any(self._resource[name] != value for name in names[1:]):
            return None  # told twice and differently is not told
        if inner is None:
            return value
        return Attributes(value).get(inner) if isinstance(value, dict) else None

    def tells(self, name: str) -> bool:
        """Whether the attribute is there at all, be its value null."""
        return name.casefold() in self._shape.folded

    def text(self, path: str) -> str | None:
        """A text; numbers are written out, anything else is not told."""
        value = self.get(path)
        if type(value) is str:  # nearly always, and asked millions of times
            return value.strip() or None
        return None if value is None else as_text(value)

    def several(self, path: str) -> list[Any]:
        """The entries of a list; a single one may stand without its list."""
        value = self.get(path)
        if isinstance(value, list):
            return value
        return [] if value is None else [value]


Told = Attributes | Mapping[str, Any]


def attributes_of(resource: Told) -> Attributes:
    """The attributes of a resource, made once for each."""
    return resource if isinstance(resource, Attributes) else Attributes(resource)


class _Shape(dict[str, tuple[tuple[str, ...], str | None]]):
    """Where each path is found in resources of these names: under which of them, and what to ask of that value.

    The resources of one list are nearly all written alike, so that each path is looked up once for all of them.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.folded: dict[str, tuple[str, ...]] = {}  # folded name -> the names as written
        for name in names:
            key = name.casefold()
            self.folded[key] = (*self.folded.get(key, ()), name)

    def __missing__(self, path: str) -> tuple[tuple[str, ...], str | None]:
        """Look up one that was not asked for before; connectors ask for few."""
        names = self.folded.get(path.casefold())
        if names is not None:
            found: tuple[tuple[str, ...], str | None] = names, None
        else:
            outer, _, inner = path.rpartition(":") if ":" in path else path.partition(".")
            found = (self.folded.get(outer.casefold(), ()), inner) if inner else ((), None)
        self[path] = found
        return found


_shape = lru_cache(4096)(_Shape)


@dataclass(frozen=True)
class Held:
    """One entitlement an account holds."""

    entitlement_id: str
    name: str
    kind: str
    how: str = "direct"


@dataclass(frozen=True)
class Dialect:
    """What one server calls things, and what it means by leaving `active` out."""

    last_seen: str = f"{EXTENSION}:lastSignInAt"
    mfa: str = f"{EXTENSION}:mfaEnabled"
    absent_active: bool | None = None


def resource_id(resource: Any) -> str | None:
    """The id of a resource as text, also where a server writes a number; None when there is none."""
    return attributes_of(resource).text("id") if isinstance(resource, dict | Attributes) else None


def held_groups(resource: Told) -> list[Held] | None:
    """The groups an account says it is in; None when it does not say."""
    attributes = attributes_of(resource)
    if attributes.get("groups") is None:
        return None
    found = []
    for entry in attributes.several("groups"):
        told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
        if group_id := told.text("value"):
            how = "group" if told.text("type") == "indirect" else "direct"
            found.append(Held(group_id, told.text("display") or group_id, "group", how))
    return found


def held_roles(resource: Told) -> list[Held]:
    """The roles and entitlements an account carries itself. Their ids begin with which of the two."""
    attributes = attributes_of(resource)
    found = []
    for attribute, kind in (("roles", "role"), ("entitlements", "entitlement")):
        if attributes.get(attribute) is None:
            continue
        for entry in attributes.several(attribute):
            told = Attributes(entry if isinstance(entry, dict) else {"value": entry})
            value = told.text("value") or told.text("display")
            if value:
                found.append(Held(f"{kind}:{value}", told.text("display") or value, kind))
    return found
