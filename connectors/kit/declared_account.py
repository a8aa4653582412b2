"""Accounts of a feed whose form the operator declares: where each of our fields stands and what their values mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.declared import checked, finder
from connectors.kit.options import feed_table, text_option
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.resource import Reader, as_flag, as_text
from governance.errors import ConfigurationError
from governance.records import ACCOUNT_KINDS, Account, Entitlement, Grant, Record
from governance.settings import ApplicationSettings, SourceSettings

TEXTS: Final = (
    *("account_id", "username", "email", "display_name", "external_id", "employee_id", "department", "title"),
    "responsible",
)
FLAGS: Final = ("active", "mfa", "password")
FIELDS: Final = (*TEXTS, "kind", *FLAGS, "last_seen_at", "created_at", "credentials", "entitlements")
MAPPED: Final = ("kind", *FLAGS, "last_seen_at")
UNITS: Final = ("seconds", "milliseconds", "filetime")
_FILETIME_BEGINS: Final = datetime(1601, 1, 1, tzinfo=UTC)  # in steps of 100 ns


class Declared:
    """Reads accounts from objects by the tables `fields`, `values` and `units`. Expressions are JMESPath."""

    def __init__(
        self, feed: SourceSettings | ApplicationSettings, options: Mapping[str, Any], *, plain: bool = False
    ) -> None:
        """`plain`: fields are names of columns, not expressions."""
        where = self._where = feed_table(feed)
        self._application = feed.name
        self._paths = _paths(options["fields"], where, plain=plain)
        self._finders = {name: _column(path) if plain else finder(path) for name, path in self._paths.items()}
        self._values = _values(options["values"], where)
        self._units = _units(options["units"], where)
        self._zone = text_option(options, "time_zone", where)
        self._privilege = Privilege(feed)
        self._known: dict[str, bool | None] = {}

    @property
    def key_path(self) -> str:
        """Where the id of an account stands."""
        return self._paths["account_id"]

    def begin(self, now: datetime) -> Reader:
        """A reader for one pull."""
        self._known = {}
        return Reader(self._where, now, time_zone=self._zone)

    def key(self, item: Any) -> str | None:
        """The id of an account; None when it is missing or no text."""
        return as_text(self._told(item, "account_id"))

    def silent(self, item: Any) -> list[str]:
        """The declared fields that this object does not tell."""
        return [name for name in self._paths if self._told(item, name) is None]

    def one(self, item: Any, account_id: str, now: datetime) -> Account:
        """Only the account, read by itself."""
        return next(r for r in self.account(self.begin(now), item, account_id) if isinstance(r, Account))

    def account(self, reader: Reader, item: Any, account_id: str) -> Iterator[Record]:
        """One account, what it holds, and entitlements that were not met before."""
        held, known = self._held(item), self._known
        for entitlement_id, name in (held or {}).items():
            if entitlement_id not in known:
                known[entitlement_id] = self._privilege.of(name, False)
                yield Entitlement(self._application, entitlement_id, name, "role", known[entitlement_id])
        facts: dict[str, Any] = {name: as_text(self._told(item, name)) for name in TEXTS if name != "account_id"}
        facts |= {name: as_flag(self._mapped(item, name)) for name in FLAGS}
        seen, seen_known = self._seen(reader, item)
        kind = as_text(self._mapped(item, "kind"))
        yield Account(
            application=self._application,
            account_id=account_id,
            **facts,
            kind=kind if kind in ACCOUNT_KINDS else None,
            last_seen_at=seen,
            last_seen_known=seen_known,
            created_at=self._instant(reader, item, "created_at"),
            credentials=_count(self._told(item, "credentials")),
            privileged=holds_privilege([known[e] for e in held or ()], told=self._whole(item, held)),
        )
        for entitlement_id in held or ():
            yield Grant(self._application, account_id, entitlement_id, "direct")

    def _told(self, item: Any, name: str) -> Any:
        found = self._finders.get(name)
        return None if found is None else found(item)

    def _mapped(self, item: Any, name: str) -> Any:
        """Their value in our words; where values are declared, one that is not among them is unknown."""
        value = self._told(item, name)
        if name not in self._values or value is None:
            return value
        return self._values[name].get(_spelling(value))

    def _seen(self, reader: Reader, item: Any) -> tuple[datetime | None, bool]:
        if self._mapped(item, "last_seen_at") == "never" or as_text(self._told(item, "last_seen_at")) == "never":
            return None, True
        seen = self._instant(reader, item, "last_seen_at")
        return seen, seen is not None

    def _instant(self, reader: Reader, item: Any, name: str) -> datetime | None:
        value = self._told(item, name)
        unit, text = self._units.get(name), as_text(value)
        if unit is None or text is None or not text.isdigit():
            return reader.instant(name, value)
        if unit == "filetime":
            moment = _FILETIME_BEGINS + timedelta(microseconds=int(text[:19]) // 10)
            return reader.instant(name, moment.isoformat())
        return reader.instant(name, int(text) if unit == "milliseconds" else int(text) * 1000)

    def _whole(self, item: Any, held: dict[str, str] | None) -> bool:
        """Whether every entry of what an account holds could be read."""
        value = self._told(item, "entitlements")
        entries = value if isinstance(value, list) else [value]
        return held is not None and all(_name(entry) for entry in entries)

    def _held(self, item: Any) -> dict[str, str] | None:
        """Id -> name of what an account holds; None when it is not told."""
        value = self._told(item, "entitlements")
        if value is None:
            return None
        held = {}
        for entry in value if isinstance(value, list) else [value]:
            told = entry if isinstance(entry, Mapping) else {"id": entry}
            entitlement_id = as_text(told.get("id")) or as_text(told.get("name"))
            if entitlement_id is not None:
                held[entitlement_id] = as_text(told.get("name")) or entitlement_id
        return held


def _name(entry: Any) -> str | None:
    return as_text(entry.get("id")) or as_text(entry.get("name")) if isinstance(entry, Mapping) else as_text(entry)


def _count(told: Any) -> int | None:
    """How many there are: a number, or a list of them; None for anything else."""
    if isinstance(told, list):
        return len(told)
    text = as_text(told)
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _column(name: str) -> Callable[[Any], Any]:
    return lambda row: row.get(name) if isinstance(row, Mapping) else None


def _paths(given: Any, where: str, *, plain: bool) -> dict[str, str]:
    paths = _table(given, f"{where}: fields")
    for name, path in paths.items():
        if name not in FIELDS:
            raise ConfigurationError(f"{where}: fields.{name}: not known; there are: {', '.join(FIELDS)}")
        try:
            if not isinstance(path, str) or not path:
                raise ValueError("expected where it stands")
            if not plain:
                checked(path)
        except ValueError as error:
            raise ConfigurationError(f"{where}: fields.{name}: {error}") from None
    if "account_id" not in paths:
        raise ConfigurationError(f"{where}: fields.account_id: is missing (where the id of an account stands)")
    return paths


def _values(given: Any, where: str) -> dict[str, dict[str, Any]]:
    meanings = {"kind": ACCOUNT_KINDS, **dict.fromkeys(FLAGS, (True, False)), "last_seen_at": ("never",)}
    known: dict[str, dict[str, Any]] = {}
    for name, spellings in _table(given, f"{where}: values").items():
        if name not in meanings:
            raise ConfigurationError(f"{where}: values.{name}: only {', '.join(MAPPED)} can be translated")
        known[name] = {}
        for theirs, ours in _table(spellings, f"{where}: values.{name}").items():
            if ours not in meanings[name]:
                words = ", ".join(str(one).lower() for one in meanings[name])
                raise ConfigurationError(f"{where}: values.{name}.{theirs}: expected one of {words}, not {ours!r}")
            known[name][theirs.strip().casefold()] = ours
    return known


def _units(given: Any, where: str) -> dict[str, str]:
    units = _table(given, f"{where}: units")
    for name, unit in units.items():
        if name not in ("last_seen_at", "created_at") or unit not in UNITS:
            raise ConfigurationError(
                f"{where}: units.{name}: expected last_seen_at or created_at, one of {', '.join(UNITS)}"
            )
    return units


def _table(given: Any, where: str) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where}: expected a table")
    return {str(key): value for key, value in given.items()}


def _spelling(value: Any) -> str:
    return str(value).strip().casefold()
