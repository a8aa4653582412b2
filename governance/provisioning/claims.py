"""The names identity providers give to what they tell, and ours for them.

Sources: the claims reference of Entra ID (SAML claim names as URIs, short names in tokens, groups.link, hasgroups and
_claim_names for too many groups, xms_edov), Okta's attribute statements and token claims (free names, by custom
firstName and the like; uid beside a configurable sub), the LDAP attributes as urn:oid of the X.500 profile of SAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

NO_TIME: Final = timedelta()
Told = tuple[tuple[str, tuple[str, ...]], ...]

_PREFIXES: Final = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/",
    "http://schemas.xmlsoap.org/claims/",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/",
    "http://schemas.microsoft.com/identity/claims/",
    "http://schemas.microsoft.com/claims/",
    "https://aws.amazon.com/saml/attributes/",
)
_NAME: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"  # of a token, "name" is what one is called
_NAMES: Final[dict[str, tuple[str, ...]]] = {  # ours -> theirs without prefix and capitals, the first that came counts
    "immutable_id": (
        "objectidentifier", "oid", "immutable_id", "immutableid", "user.id", "externalid",
        "urn:oasis:names:tc:saml:attribute:subject-id", "urn:oasis:names:tc:saml:attribute:pairwise-id",
    ),
    "tenant_id": ("tenantid", "tid"),
    "username": (
        "preferred_username", "upn", _NAME, "username", "user.username", "login", "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
    ),
    "email": ("email", "emailaddress", "mail", "user.email", "urn:oid:0.9.2342.19200300.100.1.3"),
    "first_name": ("firstname", "first_name", "given_name", "givenname", "user.firstname", "urn:oid:2.5.4.42"),
    "last_name": ("lastname", "last_name", "family_name", "surname", "sn", "user.lastname", "urn:oid:2.5.4.4"),
    "department": ("department", "user.department"),
    "title": ("title", "jobtitle", "user.title", "urn:oid:2.5.4.12"),
    "employee_number": (
        "employeenumber", "employee_number", "employeeid", "employee_id", "urn:oid:2.16.840.1.113730.3.1.3",
    ),
    "employee_type": ("employeetype", "employee_type", "usertype", "urn:oid:2.16.840.1.113730.3.1.4"),
    "manager": ("manager", "managerid", "urn:oid:0.9.2342.19200300.100.1.10"),
}  # fmt: skip
_LISTS: Final[dict[str, tuple[str, ...]]] = {
    "groups": ("groups", "group", "memberof"),
    "roles": ("roles", "role"),
    "amr": ("authnmethodsreferences", "amr"),
}
_OVERAGE: Final = frozenset({"groups.link", "hasgroups"})
_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def fields(told: Iterable[tuple[str, tuple[str, ...]]], protocol: Literal["saml", "oidc"]) -> dict[str, Any]:
    """The fields of `Assertion` that these attributes fill. Groups that are not told stay None.

    Of several values the first is the field and all of them stand in `several`: a mapping tests each.
    """
    by_name: dict[str, tuple[str, ...]] = {}
    for name, values in told:
        by_name.setdefault(_short(name), tuple(value for value in values if value))
    names = dict(_NAMES)
    if protocol == "oidc":  # uid is an immutable id there; in SAML it is the LDAP attribute, a login name
        names["immutable_id"] = (*names["immutable_id"], "uid")
    found: dict[str, Any] = {}
    for ours, theirs in names.items():
        values = next((by_name[name] for name in theirs if by_name.get(name)), ())
        if values:
            found[ours] = values[0]
        if len(values) > 1:
            found["several"] = (*found.get("several", ()), (ours, values))
    for ours, theirs in _LISTS.items():
        lists = [by_name[name] for name in theirs if name in by_name]
        if lists:
            found[ours] = lists[0]
    found["email_verified"] = _truth(by_name, "email_verified", "xms_edov")
    if any(by_name.get(name) not in (None, ("false",), ("0",)) for name in _OVERAGE):
        found.update(groups=None, groups_overage=True)
    return found


def warnings(told: Iterable[tuple[str, tuple[str, ...]]], filled: Mapping[str, Any]) -> list[str]:
    """What of the attributes will surprise whoever maps them: several values where one counts, ids where names are."""
    by_name = {_short(name): values for name, values in told}
    said = [
        f"{ours} has {len(values)} values and the first is taken: {', '.join(values)}"
        for ours, theirs in _NAMES.items()
        if len(values := next((by_name[name] for name in theirs if any(by_name.get(name, ()))), ())) > 1
    ]
    groups = filled.get("groups")
    if groups and all(_ID.fullmatch(group) for group in groups):
        said.append("the groups are told by id, not by name: a mapping must ask for the ids")
    return said


def _short(name: str) -> str:
    lower = name.strip().lower()
    if lower == _NAME:
        return lower
    return next((lower[len(prefix) :] for prefix in _PREFIXES if lower.startswith(prefix)), lower)


def _truth(told: Mapping[str, tuple[str, ...]], *names: str) -> bool | None:
    """A yes or no, as a word or a figure; None when it is not told."""
    value = next((told[name][0].lower() for name in names if told.get(name)), None)
    return None if value is None else {"true": True, "1": True, "false": False, "0": False}.get(value)
