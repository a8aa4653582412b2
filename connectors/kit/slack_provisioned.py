"""Members of Slack as SCIM tells them. A page written as Slack writes it is read without a dictionary for each member.

Names are case-insensitive in SCIM (RFC 7643, 2.1): a page with a name that is none of these is left to the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import msgspec

from connectors.kit.answers import parsed
from connectors.kit.columns import as_texts
from connectors.kit.forms import FLAG, FOREIGN, TEXT, is_plain
from connectors.kit.resource import Reader
from connectors.kit.scim_accounts import AccountReader, Resources, emails_of, keys_of_resources
from connectors.kit.scim_resource import ENTERPRISE, Dialect

# What is kept of each: as fields of an account, and their types.
PROVISIONED: Final = ("email", "external_id", "employee_id", "department", "title", "created_at")
Row = tuple[str | None, str | None, str | None, str | None, str | None, datetime | None]
_PASSED_OVER: Final = msgspec.Raw()


def _kind(told: Mapping[str, tuple[str, Any]], passed_over: Iterable[str]) -> Any:
    """The type of objects that tell this, by our names, and of which some more is passed over."""
    fields: list[Any] = [(ours, kind, msgspec.field(default=None, name=name)) for ours, (name, kind) in told.items()]
    fields += [
        (f"over{n}", msgspec.Raw, msgspec.field(default=_PASSED_OVER, name=name)) for n, name in enumerate(passed_over)
    ]
    return msgspec.defstruct("Told", fields, forbid_unknown_fields=True, gc=False, eq=False)


_EMAIL: Final = _kind({"value": ("value", TEXT), "type": ("type", TEXT), "primary": ("primary", FLAG)}, ("display",))
_COMPANY: Final = _kind(
    {"employee_id": ("employeeNumber", TEXT), "department": ("department", TEXT)},
    ("costCenter", "organization", "division", "manager"),
)
_META: Final = _kind({"created": ("created", TEXT)}, ("resourceType", "lastModified", "location", "version"))
_MEMBER: Final = _kind(
    {
        "id": ("id", TEXT),
        "external_id": ("externalId", TEXT),
        "title": ("title", TEXT),
        "emails": ("emails", list[_EMAIL] | None),  # type: ignore[valid-type]
        "company": (ENTERPRISE, _COMPANY | None),
        "meta": ("meta", _META | None),
    },
    (
        *("schemas", "userName", "name", "displayName", "nickName", "profileUrl", "userType", "preferredLanguage"),
        *("locale", "timezone", "active", "phoneNumbers", "photos", "addresses", "groups", "roles", "entitlements"),
        "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User",
        "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User",
    ),
)
_PAGE: Final = msgspec.json.Decoder(
    _kind(
        {"resources": ("Resources", list[_MEMBER])},  # type: ignore[valid-type]
        ("totalResults", "nextCursor", "schemas", "startIndex", "itemsPerPage"),
    )
)
_NO_COMPANY, _NO_META = _COMPANY(), _META()


def page_of(content: bytes | bytearray) -> dict[str, Any] | None:
    """A page of SCIM's list; None where it is not written as Slack writes it."""
    try:
        page = _PAGE.decode(content) if is_plain(content) else None
    except FOREIGN:
        return None
    if page is None or page.resources is None:
        return None
    raws = {"totalResults": bytes(page.over0), "nextCursor": bytes(page.over1)}
    return {"Resources": page.resources, **{name: parsed(raw) for name, raw in raws.items() if raw}}


def keys_of(items: Sequence[Any]) -> list[str | None]:
    """The id of each member of a page; None where there is none."""
    return as_texts([one.id for one in items]) if _formed(items) else keys_of_resources(items)


class ProvisionedReader:
    """Reads what is kept of each. What cannot be read is not told, and not counted: it only completes the members."""

    def __init__(self, application: str, now: datetime) -> None:
        self._accounts = AccountReader(application, Dialect(), now)
        self._reader = Reader(application, now)

    def read(self, items: Sequence[Any]) -> tuple[list[str], Iterable[Row]]:
        """The ids of those members of a page that have one, and what is told of each."""
        told = keys_of(items)
        ids = [one for one in told if one is not None]
        if len(ids) < len(told):
            items = [item for item, one in zip(items, told, strict=True) if one is not None]
        if _formed(items):
            return ids, self._rows(items)
        columns = self._accounts.accounts(Resources(items), ids, [None] * len(ids)).columns
        return ids, zip(*map(columns.__getitem__, PROVISIONED), strict=True)

    def _rows(self, items: Sequence[Any]) -> Iterable[Row]:
        company = [one.company or _NO_COMPANY for one in items]
        created = [(one.meta or _NO_META).created for one in items]
        return zip(
            _emails([one.emails for one in items]),
            as_texts(list(map(attrgetter("external_id"), items))),
            as_texts(list(map(attrgetter("employee_id"), company))),
            as_texts(list(map(attrgetter("department"), company))),
            as_texts(list(map(attrgetter("title"), items))),
            self._reader.instants("meta.created", created),
            strict=True,
        )


def _formed(items: Sequence[Any]) -> bool:
    return bool(items) and type(items[0]) is _MEMBER


def _emails(values: list[Any]) -> list[str | None]:
    """The address of each: the only one, or the best of several."""
    if all(value is not None and len(value) == 1 for value in values):
        return as_texts([value[0].value for value in values])
    return emails_of([value and [_as_object(one) for one in value] for value in values])


def _as_object(email: Any) -> dict[str, Any]:
    return {"value": email.value, "type": email.type, "primary": email.primary}
