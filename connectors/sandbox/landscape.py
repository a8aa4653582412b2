"""The applications of the invented company: what each is, how its accounts come to be, and what a job entitles to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.model import SandboxEntitlement
from connectors.sandbox.people import DATA
from governance.provisioning import Condition, Line, RoleMap
from governance.provisioning.mapping import Updates

FILE_COLUMNS: Final = (
    "account_id",
    "username",
    "email",
    "display_name",
    "status",
    "created_at",
    "last_login_at",
    "employee_id",
    "department",
    "kind",
    "mfa",
    "entitlements",
)


@dataclass(frozen=True)
class Plot:
    """One application as it is planned."""

    name: str
    title: str
    vendor: str  # or csv
    ways: tuple[str, ...]
    share: float
    gap_days: float
    owner: str
    criticality: str
    mapping: RoleMap  # what a sign-in or a push truly gives, mistakes included
    right: RoleMap  # what it should give
    entitlements: tuple[SandboxEntitlement, ...]
    protocol: Literal["saml", "oidc"] = "saml"
    by_email: bool = False
    governed: bool = False  # whether the role mapping of leaverwatch.toml speaks of it
    columns: tuple[str, ...] = FILE_COLUMNS

    @property
    def pushed(self) -> bool:
        """Whether accounts exist from the first day, without anybody signing in."""
        return self.ways[0] in ("imported", "scim")

    def entitlement(self, name: str) -> str:
        """The id of the entitlement of that name."""
        return next(e.id for e in self.entitlements if e.name == name)

    @property
    def privileged(self) -> tuple[str, ...]:
        """The names of what is privileged."""
        return tuple(e.name for e in self.entitlements if e.privileged)


@cache
def landscape() -> dict[str, Plot]:
    """All applications by name."""
    tables = tomllib.loads((DATA / "landscape.toml").read_text(encoding="utf-8"))["application"]
    return {table["name"]: _plot(table) for table in tables}


def _plot(table: dict[str, Any]) -> Plot:
    vendor, assigns = table["vendor"], table.get("assigns", [])
    gives = {who: [*given, *assigns] for who, given in table["gives"].items()}
    right = _mapping(gives, table["updates"])
    kinds = (table["entitlements"] | dict.fromkeys(assigns, "application")).items()
    # The application of no known vendor calls its roles by their names.
    ids = {
        name: name if vendor == "rest" else vendor_id(vendor, number, kind.rstrip("!"), salt=table["name"])
        for number, (name, kind) in enumerate(kinds, start=1)
    }
    return Plot(
        name=table["name"],
        title=table["title"],
        vendor=vendor,
        ways=tuple(table["ways"]),
        share=table["share"],
        gap_days=table["gap"],
        owner=table["owner"],
        criticality=table["criticality"],
        mapping=_mapping({**gives, **table.get("wrong", {})}, table["updates"]),
        right=right,
        entitlements=tuple(
            SandboxEntitlement(ids[name], name, kind.rstrip("!"), kind.endswith("!"), _set_up(table, ids, name))
            for name, kind in kinds
        ),
        protocol=table.get("protocol", "saml"),
        by_email=table.get("by_email", False),
        governed=table.get("governed", False),
        columns=tuple(table.get("columns", FILE_COLUMNS)),
    )


def _set_up(table: dict[str, Any], ids: dict[str, str], name: str) -> dict[str, Any]:
    """What groups set in an application behind an identity provider, or what fills a group."""
    groups = {ids[group]: {"role": role} for group, role in table.get("sets", {}).get(name, {}).items()}
    rule = table.get("fills", {}).get(name)
    return ({"groups": groups} if groups else {}) | ({"rule": rule} if rule else {})


def _mapping(gives: dict[str, list[str]], updates: str) -> RoleMap:
    """Titles are looked at before departments; the first line that fits counts."""
    titles = [Line((Condition("title", (k[6:],)),), tuple(v)) for k, v in gives.items() if k.startswith("title:")]
    departments = [
        Line((Condition("department", (k,)),), tuple(v))
        for k, v in gives.items()
        if k != "*" and not k.startswith("title:")
    ]
    return RoleMap((*titles, *departments), tuple(gives.get("*", ())), "first", cast("Updates", updates))
