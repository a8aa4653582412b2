"""One account of a directory: what Active Directory, OpenLDAP, 389 and FreeIPA write into an entry, and what it means.

Attributes of Active Directory: learn.microsoft.com/windows/win32/adschema; userAccountControl and FILETIME as there.
OpenLDAP: slapo-ppolicy(5), slapo-lastbind(5), slapd.conf(5) (pwdLastSuccess). 389 Directory Server: nsAccountLock.
"""

from __future__ import annotations

import base64
import re
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from connectors.kit.directory import Entry
from connectors.kit.resource import Reader
from governance.records import Account

Flavour = Literal["active_directory", "openldap", "389"]
DISABLED: Final = 0x2  # userAccountControl
NEVER: Final = (0, 0x7FFFFFFFFFFFFFFF)  # FILETIME
LOCKED: Final = "000001010000Z"  # pwdAccountLockedTime: locked by an administrator, not by failed attempts
BUILT_IN: Final = {500: "shared", 501: "guest", 502: "service", 503: "service", 504: "service"}  # last part of the SID
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_GENERALIZED: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})", re.ASCII)

ATTRIBUTES: Final[dict[Flavour, tuple[str, ...]]] = {
    "active_directory": (
        "objectGUID", "objectSid", "objectClass", "sAMAccountName", "userPrincipalName", "mail", "displayName",
        "employeeID", "employeeNumber", "department", "title", "whenCreated", "accountExpires", "lastLogonTimestamp",
        "lastLogon", "userAccountControl", "servicePrincipalName", "primaryGroupID",
    ),
    "openldap": (
        "entryUUID", "objectClass", "uid", "cn", "displayName", "mail", "employeeNumber", "departmentNumber",
        "title", "createTimestamp", "pwdAccountLockedTime", "pwdLastSuccess", "authTimestamp", "shadowExpire",
    ),
    "389": (
        "nsUniqueId", "ipaUniqueID", "objectClass", "uid", "cn", "displayName", "mail", "employeeNumber",
        "departmentNumber", "title", "createTimestamp", "nsAccountLock", "lastLoginTime", "krbLastSuccessfulAuth",
        "krbPrincipalExpiration",
    ),
}  # fmt: skip


def flavour_of(root: dict[str, list[str]]) -> Flavour:
    """Which directory this is, by what it says of itself."""
    if "1.2.840.113556.1.4.800" in root.get("supportedcapabilities", []):
        return "active_directory"
    return "389" if any("389" in vendor for vendor in root.get("vendorname", [])) else "openldap"


def account_id(entry: Entry, flavour: Flavour) -> str | None:
    """What stays the same when a person is renamed or moved: objectGUID, entryUUID, nsUniqueId or ipaUniqueID."""
    if flavour == "active_directory":
        raw = entry.raw("objectGUID")
        return str(uuid.UUID(bytes_le=raw)) if raw is not None and len(raw) == 16 else entry.text("objectGUID")
    return entry.text("entryUUID") or entry.text("nsUniqueId") or entry.text("ipaUniqueID")


def read(entry: Entry, application: str, flavour: Flavour, reader: Reader, now: datetime) -> Account | None:
    """The account of an entry without what it holds; None when it has no lasting id."""
    found = account_id(entry, flavour)
    if found is None:
        return None
    if flavour == "active_directory":
        return _active_directory(entry, application, found, reader, now)
    active = _unlocked(entry)
    # shadowExpire stops only who signs in to a machine that looks at it; the directory itself goes on to believe the
    # password, and with it every application that asks the directory.
    if active and (shadow := _shadow(entry)) is not None and shadow <= now:
        active = None
    expires = _generalized(entry, "krbPrincipalExpiration", reader)
    if expires is not None and expires <= now:
        active = False
    seen = max(
        (at for name in _SEEN if (at := _generalized(entry, name, reader)) is not None),
        default=None,
    )
    return Account(
        application=application,
        account_id=found,
        username=entry.text("uid") or entry.text("cn"),
        email=entry.text("mail"),
        display_name=entry.text("displayName") or entry.text("cn"),
        employee_id=entry.text("employeeNumber"),
        kind=_kind(entry),
        active=active,
        last_seen_at=_past(seen, reader, now),
        last_seen_known=seen is not None,
        created_at=_past(_generalized(entry, "createTimestamp", reader), reader, now),
        department=entry.text("departmentNumber"),
        title=entry.text("title"),
    )


def _unlocked(entry: Entry) -> bool | None:
    """Whether nothing locks the entry for good: no attribute says so; None where one says what cannot be read."""
    locked, since = entry.raw("nsAccountLock"), entry.raw("pwdAccountLockedTime")
    said = None if locked is None else (entry.text("nsAccountLock") or "").casefold()
    at = None if since is None else entry.text("pwdAccountLockedTime") or ""
    if said == "true" or at == LOCKED:
        return False
    readable = said in (None, "false") and (at is None or _GENERALIZED.fullmatch(at) is not None)
    return True if readable else None


_SEEN: Final = ("pwdLastSuccess", "authTimestamp", "lastLoginTime", "krbLastSuccessfulAuth")


def _active_directory(entry: Entry, application: str, found: str, reader: Reader, now: datetime) -> Account:
    control = entry.number("userAccountControl")
    active = None if control is None or not 0 <= control < 2**32 else not control & DISABLED
    expires = filetime(entry.number("accountExpires"))
    if expires is not None and expires <= now:
        active = False
    # lastLogonTimestamp is up to 14 days behind; lastLogon is exact, but of this domain controller only.
    logons = [filetime(entry.number(name)) for name in ("lastLogonTimestamp", "lastLogon")]
    seen = max((at for at in logons if at is not None), default=None)
    never = entry.number("lastLogon") == 0 and seen is None
    raw = entry.raw("objectGUID")
    return Account(
        application=application,
        account_id=found,
        username=entry.text("sAMAccountName") or entry.text("userPrincipalName"),
        email=entry.text("mail") or entry.text("userPrincipalName"),
        display_name=entry.text("displayName"),
        external_id=base64.b64encode(raw).decode() if raw is not None and len(raw) == 16 else None,
        employee_id=entry.text("employeeID") or entry.text("employeeNumber"),
        kind=BUILT_IN.get(relative_id(entry) or 0) or _kind(entry),
        active=active,
        last_seen_at=_past(seen, reader, now),
        last_seen_known=seen is not None or never,
        created_at=_past(_generalized(entry, "whenCreated", reader), reader, now),
        department=entry.text("department"),
        title=entry.text("title"),
    )


def relative_id(entry: Entry) -> int | None:
    """The last part of an objectSid: what names built-in accounts and primary groups."""
    raw = entry.raw("objectSid")
    if raw is None or len(raw) < 12:
        return None
    if raw.startswith(b"S-"):
        tail = raw.decode(errors="replace").rpartition("-")[2]
        return int(tail) if tail.isdigit() else None
    return int(struct.unpack("<I", raw[-4:])[0])


def filetime(value: int | None) -> datetime | None:
    """An instant from 100 ns steps since 1601; None for never and for what is no instant."""
    if value is None or value in NEVER or not 0 < value < 2_650_467_743_990_000_000:
        return None
    return _EPOCH + timedelta(microseconds=value // 10)


def _generalized(entry: Entry, name: str, reader: Reader) -> datetime | None:
    """An instant as directories write it (RFC 4517, 3.3.13): 20261101080000Z, also with a fraction."""
    text = entry.text(name)
    if text is None:
        return None
    match = _GENERALIZED.fullmatch(text)
    if match is None:
        reader.unread[name] += 1
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    shift = timedelta() if zone == "Z" else timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    numbers = [int(part or 0) for part in (year, month, day, hour, minute, second)]
    try:
        return datetime(*numbers, tzinfo=UTC) - shift  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        reader.unread[name] += 1
        return None


def _shadow(entry: Entry) -> datetime | None:
    """shadowExpire: days since 1970; -1 and 0 mean that it never expires."""
    days = entry.number("shadowExpire")
    return datetime.fromtimestamp(days * 86_400, UTC) if days is not None and 0 < days < 100_000 else None


def _past(at: datetime | None, reader: Reader, now: datetime) -> datetime | None:
    return None if at is None else reader.instant("time", at.isoformat())


def _kind(entry: Entry) -> str | None:
    classes = {name.casefold() for name in entry.texts("objectClass")}
    if classes & {"msds-groupmanagedserviceaccount", "msds-managedserviceaccount", "applicationprocess", "account"}:
        return "service"
    if "inetorgperson" in classes or "person" in classes:
        return "service" if entry.text("servicePrincipalName") else "human"
    return None
