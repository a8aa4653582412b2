"""Accounts of a feed whose form the operator declares: where each of our fields stands and what their values mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.kit.columns import as_flags, as_texts
from connectors.kit.declared import Column, checked, finder
from connectors.kit.granted import grant_rows
from connectors.kit.options import feed_table, text_option
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.resource import Reader, as_text
from governance.errors import ConfigurationError
from governance.records import ACCOUNT_KINDS, Account, Entitlement, Rows
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
        self._columns = {name: _column(path) if plain else finder(path) for name, path in self._paths.items()}
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

    def keys(self, items: Sequence[Any]) -> list[str | None]:
        """The id of each account; None when it is missing or no text."""
        return as_texts(self._columns["account_id"](items))

    def silent(self, item: Any) -> list[str]:
        """The declared fields that this object does not tell."""
        return [name for name, find in self._columns.items() if find([item]) == [None]]

    def one(self, item: Any, account_id: str, now: datetime) -> Account:
        """Only the account, read by itself."""
        read = (record for rows in self.accounts(self.begin(now), [item], [account_id]) for record in rows.records())
        return next(record for record in read if isinstance(record, Account))

    def accounts(self, reader: Reader, items: Sequence[Any], ids: Sequence[str]) -> Iterator[Rows]:
        """The accounts of these ids, what they hold, and before them entitlements that were not met yet."""
        found = {name: find(items) for name, find in self._columns.items()}
        columns: dict[str, Sequence[Any]] = {"application": [self._application] * len(ids), "account_id": ids}
        columns |= {name: as_texts(found[name]) for name in TEXTS if name in found and name != "account_id"}
        columns |= {name: as_flags(self._mapped(name, found[name])) for name in FLAGS if name in found}
        if "kind" in found:
            kinds = as_texts(self._mapped("kind", found["kind"]))
            columns["kind"] = [kind if kind in ACCOUNT_KINDS else None for kind in kinds]
        if "last_seen_at" in found:
            columns["last_seen_at"], columns["last_seen_known"] = self._seen(reader, found["last_seen_at"])
        if "created_at" in found:
            columns["created_at"] = self._instants(reader, "created_at", found["created_at"])
        if "credentials" in found:
            columns["credentials"] = list(map(_count, found["credentials"]))
        if "entitlements" not in found:
            yield Rows(Account, columns)
            return
        held = list(map(_held, found["entitlements"]))
        yield self._new(held)
        known = self._known
        columns["privileged"] = [
            holds_privilege([known[e] for e in several or ()], told=_whole(told, several))
            for told, several in zip(found["entitlements"], held, strict=True)
        ]
        yield Rows(Account, columns)
        each = [several or {} for several in held]
        yield grant_rows(self._application, ids, each, how=["direct"] * sum(map(len, each)))

    def _new(self, held: Iterable[Mapping[str, str] | None]) -> Rows:
        """Entitlements that were not met before."""
        new: dict[str, str] = {}
        for several in held:
            for entitlement_id, name in (several or {}).items():
                if entitlement_id not in self._known:
                    self._known[entitlement_id] = self._privilege.of(name, False)
                    new[entitlement_id] = name
        return Rows(
            Entitlement,
            {
                "application": [self._application] * len(new),
                "entitlement_id": list(new),
                "name": list(new.values()),
                "kind": ["role"] * len(new),
                "privileged": [self._known[entitlement_id] for entitlement_id in new],
            },
        )

    def _mapped(self, name: str, values: list[Any]) -> list[Any]:
        """Their values in our words; where values are declared, one that is not among them is unknown."""
        spellings = self._values.get(name)
        if spellings is None:
            return values
        return [None if value is None else spellings.get(_spelling(value)) for value in values]

    def _seen(self, reader: Reader, values: list[Any]) -> tuple[list[datetime | None], list[bool]]:
        pairs = zip(self._mapped("last_seen_at", values), as_texts(values), strict=True)
        never = [meaning == "never" or text == "never" for meaning, text in pairs]
        told = [None if none else value for none, value in zip(never, values, strict=True)]
        seen = self._instants(reader, "last_seen_at", told)
        return seen, [none or at is not None for none, at in zip(never, seen, strict=True)]

    def _instants(self, reader: Reader, name: str, values: list[Any]) -> list[datetime | None]:
        unit = self._units.get(name)
        return reader.instants(name, values if unit is None else [_in_milliseconds(unit, value) for value in values])


def _in_milliseconds(unit: str, value: Any) -> Any:
    """A number of that unit as a time that can be read; anything else as it is."""
    text = as_text(value)
    if text is None or not text.isdigit():
        return value
    if unit == "filetime":
        return (_FILETIME_BEGINS + timedelta(microseconds=int(text[:19]) // 10)).isoformat()
    return int(text) if unit == "milliseconds" else int(text) * 1000


def _whole(value: Any, held: Mapping[str, str] | None) -> bool:
    """Whether every entry of what an account holds could be read."""
    entries = value if isinstance(value, list) else [value]
    return held is not None and all(_name(entry) for entry in entries)


def _held(value: Any) -> dict[str, str] | None:
    """Id -> name of what an account holds; None when it is not told."""
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


def _column(name: str) -> Column:
    return lambda rows: [row.get(name) if isinstance(row, Mapping) else None for row in rows]


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
