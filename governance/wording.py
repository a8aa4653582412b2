"""What a finding says: the words a sentence needs, and its facts as numbered lines that name their source.

Everything here depends on the row and the settings alone: no clock, no time zone of the process, no locale. The same
row reads the same tomorrow.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from governance import score
from governance.correlation import fold
from governance.declaration import CLOCKS_DIFFER_BY, Line, Row, Rule, Sources, Telling, day
from governance.lines import (
    APPLICATION,
    CORRELATION,
    IDENTITY_PROVIDER,
    OWNERS_SOURCE,
    STATES,
    beside,
    counts,
    minute,
    says,
    worded,
)
from governance.settings import Settings

# What an account's frame calls it -> what a row calls it, of an account and of an identity alike.
OF_AN_ACCOUNT: Final = {
    "owner_id": "identity_id",
    "owner_name": "identity_name",
    "owner_state": "state",
    "owner_ended_at": "ended_at",
    "owner_ended_why": "ended_why",
}


class Words:
    """The names people know feeds by, and what follows from a row."""

    def __init__(self, settings: Settings) -> None:
        self._labels = {feed.name: feed.label for feed in (*settings.source, *settings.application)}
        self._zones = {source.name: _zone(source.options.get("time_zone")) for source in settings.source}
        self._last_days: dict[tuple[datetime, tzinfo], str] = {}
        # Everything that words take from the settings, for each feed: its label and its zone.
        self.feeds = {name: f"{label}\x1f{self._zones.get(name, UTC)}" for name, label in self._labels.items()}

    def label(self, feed: str | None) -> str:
        """What people call the application or source."""
        return self._labels.get(feed, feed) if feed else "the source of truth"

    def source_of(self, identity_id: str | None) -> str | None:
        """The source an identity comes from: the part of its id before the first colon."""
        return identity_id.partition(":")[0] if identity_id else None

    def last_day(self, row: Row) -> str:
        """The last working day, in the zone of the source: an engagement ends at midnight after it."""
        ended_at: datetime | None = row["ended_at"]
        if ended_at is None:
            return day(None)
        zone = self._zones.get(self.source_of(row["identity_id"]) or "", UTC)
        known = self._last_days.get((ended_at, zone))
        if known is None:
            known = self._last_days[ended_at, zone] = day((ended_at - timedelta(seconds=1)).astimezone(zone))
        return known

    def said(self, rule: Rule, row: dict[str, Any]) -> tuple[str, str, str]:
        """The sentence, the evidence as JSON and the text to search in; the row gets the words it lacks."""
        self.complete(row)
        values = {column: row[OF_AN_ACCOUNT.get(column, column)] for column in rule.evidence}
        evidence = orjson.dumps(
            {"facts": self.facts(rule, row), "values": values, "score": score.explained(row)}, option=orjson.OPT_UTC_Z
        )
        return rule.sentence(row), evidence.decode(), self.search(rule, row)

    def complete(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with the words that sentences are made of."""
        absent = row["ended_why"] == "absence"
        row["who"] = row["identity_name"] or row["identity_id"] or "nobody known"
        row["account"] = row["username"] or row["account_id"]
        row["where"] = self.label(row["application"])
        row["source"] = self.label(self.source_of(row["identity_id"]))
        row["left"] = f"left after {day(row['ended_at'])}" if absent else f"left on {self.last_day(row)}"
        row["used"] = f" and was used after that, last on {day(row['last_seen_at'])}" if used_after_leaving(row) else ""
        return row

    def facts(self, rule: Rule, row: Row) -> list[dict[str, str | datetime | None]]:
        """One readable line for each column the rule keeps as evidence, with where it comes from and its instant."""
        lines: list[dict[str, str | datetime | None]] = []
        for column in rule.evidence:
            line = (rule.lines.get(column) or LINES.get(column, _plain))(self, row, column)
            if line is not None:
                text, source, at = line
                lines.append({"text": text, "source": source, "at": at})
        return lines

    def search(self, rule: Rule, row: Row) -> str:
        """The folded text that the search box looks in."""
        names = ("identity_name", "identity_id", "username", "account_id", "email", "application", "where", "excess")
        parts = dict.fromkeys(part for name in names if (part := row.get(name)))
        return fold(" ".join((*parts, rule.title))) or ""


def used_after_leaving(row: Row) -> bool:
    """Whether the account was used after its owner had left, clocks that differ a little aside."""
    ended_at, last_seen_at = row["ended_at"], row["last_seen_at"]
    if row["state"] != "ended" or ended_at is None or last_seen_at is None:
        return False
    return bool(last_seen_at > ended_at + CLOCKS_DIFFER_BY)


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(str(name)) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _ended(sources: Sources, row: Row, column: str) -> Line:
    ended_at = row["ended_at"]
    if ended_at is None:
        return None
    if row["ended_why"] == "absence":
        text = f"{row['source']}: last held {row['who']} on {minute(ended_at)}"
    else:
        text = f"{row['source']}: last working day {sources.last_day(row)}; the engagement ended {minute(ended_at)}"
    return text, sources.source_of(row["identity_id"]), ended_at


def _ended_why(row: Row) -> str | None:
    return "absence from this feed is declared to mean that somebody left" if row["ended_why"] == "absence" else None


def _active(row: Row) -> str:
    state = {True: "is active", False: "is inactive", None: "does not tell whether it is active"}[row["active"]]
    return f"account {row['account']} {state}"


def _match_key(row: Row) -> str | None:
    key = row["match_key"]
    if key is None:
        return None
    if key == "pinned":
        return f"Pinned to {row['who']} by a person"
    value = row["employee_id"] if key == "employee_id" else row["external_id"] if key == "external_id" else row["email"]
    return f"Matched by {key.replace('_', ' ')} {value or row['username']}"


def _match(row: Row) -> str:
    if row["match"] == "ambiguous":
        return "Several identities fit equally well"
    return "No key of the account leads to an identity"


def _candidates(row: Row) -> str | None:
    if not row["candidates"]:
        return None
    ids = row["candidates"].replace(";", ", ")
    return f"Could be {ids}" if row["match"] == "ambiguous" else f"Its name or address looks like {ids}"


def _last_seen(row: Row) -> str:
    if row["last_seen_at"] is not None:
        return f"last used {minute(row['last_seen_at'])}"
    return "never used" if row["last_seen_known"] else "does not tell the last use"


def _mfa(row: Row) -> str:
    return f"multi-factor authentication {({True: 'is on', False: 'is off', None: 'is not told'})[row['mfa']]}"


def _state(row: Row) -> str | None:
    does = STATES.get(row["state"])
    return f"{row['who']} {does}" if does else None


def _plain(sources: Sources, row: Row, column: str) -> Line:
    """A column of a rule that nobody gave words."""
    if row[column] is None:
        return None
    value = minute(row[column]) if isinstance(row[column], datetime) else row[column]
    return f"{column.replace('_', ' ')}: {value}", row["application"], None


# The words of what many rules keep; what one rule alone keeps has its words there.
LINES: Final[dict[str, Telling]] = {
    "owner_ended_at": _ended,
    "ended_at": _ended,
    "owner_ended_why": worded(OWNERS_SOURCE, _ended_why),
    "active": worded(APPLICATION, _active),
    "match_key": worded(CORRELATION, _match_key),
    "match": worded(CORRELATION, _match),
    "candidates": worded(CORRELATION, _candidates),
    "last_seen_at": worded(APPLICATION, _last_seen, at="last_seen_at"),
    "created_at": says(APPLICATION, "created {value}"),
    "closed_at": says(APPLICATION, "read closed {value}"),
    "returned_at": says(APPLICATION, "read active again {value}"),
    "privileged": says(APPLICATION, "holds privileged access"),
    "mfa": worded(APPLICATION, _mfa),
    "kind": says(APPLICATION, "kind {value}"),
    "email": says(APPLICATION, "email {value}"),
    "active_accounts": counts(APPLICATION, "active account", "active accounts", "in all"),
    "unused": says(APPLICATION, "tells of no use of {value} since it was given, or for too long"),
    "unused_count": beside,
    "owner_state": worded(OWNERS_SOURCE, _state),
    "state": worded(OWNERS_SOURCE, _state),
    **{f"owner_{name}": says(OWNERS_SOURCE, f"{name} {{value}}") for name in ("kind", "department", "title")},
    "sign_on_assigned": says(
        IDENTITY_PROVIDER, "{row[who]} is assigned to {row[where]}", "{row[who]} is not assigned to {row[where]}"
    ),
    "sign_on_active": says(IDENTITY_PROVIDER, "{row[who]} can sign in", "{row[who]} cannot sign in"),
}
