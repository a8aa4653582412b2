"""What a finding says: the words a sentence needs, and its facts as numbered lines that name their source.

Everything here depends on the row and the settings alone: no clock, no time zone of the process, no locale. The same
row reads the same tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from governance import score
from governance.correlation import fold
from governance.declaration import CLOCKS_DIFFER_BY, Row, Rule, day
from governance.lines import CORRELATION, LINES, POLICY, STATES, Line, minute
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
            line = _LINES.get(column, _plain)(self, row, column)
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


def _ended(words: Words, row: Row, column: str) -> Line:
    ended_at = row["ended_at"]
    if ended_at is None:
        return None
    if row["ended_why"] == "absence":
        text = f"{row['source']}: last held {row['who']} on {minute(ended_at)}"
    else:
        text = f"{row['source']}: last working day {words.last_day(row)}; the engagement ended {minute(ended_at)}"
    return text, words.source_of(row["identity_id"]), ended_at


def _ended_why(words: Words, row: Row, column: str) -> Line:
    if row["ended_why"] != "absence":
        return None
    text = f"{row['source']}: absence from this feed is declared to mean that somebody left"
    return text, words.source_of(row["identity_id"]), None


def _active(words: Words, row: Row, column: str) -> Line:
    state = {True: "is active", False: "is inactive", None: "does not tell whether it is active"}[row["active"]]
    return f"{row['where']}: account {row['account']} {state}", row["application"], None


def _match_key(words: Words, row: Row, column: str) -> Line:
    key = row["match_key"]
    if key is None:
        return None
    if key == "pinned":
        return f"Pinned to {row['who']} by a person", CORRELATION, None
    value = row["employee_id"] if key == "employee_id" else row["external_id"] if key == "external_id" else row["email"]
    return f"Matched by {key.replace('_', ' ')} {value or row['username']}", CORRELATION, None


def _match(words: Words, row: Row, column: str) -> Line:
    if row["match"] == "ambiguous":
        return "Several identities fit equally well", CORRELATION, None
    return "No key of the account leads to an identity", CORRELATION, None


def _candidates(words: Words, row: Row, column: str) -> Line:
    if not row["candidates"]:
        return None
    ids = row["candidates"].replace(";", ", ")
    return (
        (f"Could be {ids}" if row["match"] == "ambiguous" else f"Its name or address looks like {ids}"),
        CORRELATION,
        None,
    )


def _last_seen(words: Words, row: Row, column: str) -> Line:
    seen = row["last_seen_at"]
    if seen is not None:
        text = f"last used {minute(seen)}"
    elif row["last_seen_known"]:
        text = "never used"
    else:
        text = "does not tell the last use"
    return f"{row['where']}: {text}", row["application"], seen


def _created(words: Words, row: Row, column: str) -> Line:
    at = row["created_at"]
    return (f"{row['where']}: created {minute(at)}", row["application"], at) if at else None


def _privileged(words: Words, row: Row, column: str) -> Line:
    return (f"{row['where']}: holds privileged access", row["application"], None) if row["privileged"] else None


def _mfa(words: Words, row: Row, column: str) -> Line:
    state = {True: "is on", False: "is off", None: "is not told"}[row["mfa"]]
    return f"{row['where']}: multi-factor authentication {state}", row["application"], None


def _kind(words: Words, row: Row, column: str) -> Line:
    return (f"{row['where']}: kind {row['kind']}", row["application"], None) if row["kind"] else None


def _address(words: Words, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['where']}: {column.replace('_', ' ')} {row[column]}", row["application"], None


def _as_told(words: Words, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['where']}: {column.removeprefix('told_')} {row[column]}", row["application"], None


def _days(words: Words, row: Row, column: str) -> Line:
    use = "never used" if column == "never_used_days" else "without use"
    return f"Policy: {row[column]} days {use} are allowed for this account", POLICY, None


def _state(words: Words, row: Row, column: str) -> Line:
    said = STATES.get(row[column])
    if said is None:
        return None
    return f"{row['source']}: {row['who']} {said}", words.source_of(row["identity_id"]), None


def _last_present(words: Words, row: Row, column: str) -> Line:
    seen = row[column]
    if seen is None:
        return None
    return f"{row['source']}: last held {row['who']} on {minute(seen)}", words.source_of(row["identity_id"]), seen


def _contract_end(words: Words, row: Row, column: str) -> Line:
    end = row[column]
    return f"{row['source']}: the contract ended {minute(end)}", words.source_of(row["identity_id"]), end


def _attribute(words: Words, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    name = column.removeprefix("owner_")
    return f"{row['source']}: {name} {row[column]}", words.source_of(row["identity_id"]), None


def _excess(words: Words, row: Row, column: str) -> Line:
    return f"{row['where']}: holds {row[column]}, which no line of the role mapping gives", row["application"], None


_CLOSINGS: Final = {
    "closed_at": "read closed",
    "returned_at": "read active again",
    "earlier_closed_at": "an earlier account of the same owner was closed or gone by",
    "made_again_at": "this account was made",
}


def _closings(words: Words, row: Row, column: str) -> Line:
    at = row[column]
    return (f"{row['where']}: {_CLOSINGS[column]} {minute(at)}", row["application"], at) if at else None


def _fallback(words: Words, row: Row, column: str) -> Line:
    return f"{row['where']}: holds the default role {row[column]}", row["application"], None


def _unmapped(words: Words, row: Row, column: str) -> Line:
    return f"Role mapping of {row['where']}: no line names {row[column]}", POLICY, None


def _silent(words: Words, row: Row, column: str) -> Line:
    return None


def _plain(words: Words, row: Row, column: str) -> Line:
    """A column of a rule that nobody gave words yet."""
    if row[column] is None:
        return None
    value = minute(row[column]) if isinstance(row[column], datetime) else row[column]
    return f"{column.replace('_', ' ')}: {value}", row["application"], None


_LINES: Final[dict[str, Callable[[Words, Row, str], Line]]] = {
    "owner_ended_at": _ended,
    "ended_at": _ended,
    "owner_ended_why": _ended_why,
    "active": _active,
    "match_key": _match_key,
    "match": _match,
    "candidates": _candidates,
    "last_seen_at": _last_seen,
    "created_at": _created,
    "privileged": _privileged,
    "mfa": _mfa,
    "kind": _kind,
    "email": _address,
    "employee_id": _address,
    "told_department": _as_told,
    "told_title": _as_told,
    "stale_days": _days,
    "never_used_days": _days,
    "owner_state": _state,
    "state": _state,
    "owner_last_present_at": _last_present,
    "owner_contract_end": _contract_end,
    "owner_kind": _attribute,
    "owner_department": _attribute,
    "owner_title": _attribute,
    **dict.fromkeys(_CLOSINGS, _closings),
    "fallback": _fallback,
    "unmapped": _unmapped,
    "values_count": _silent,
    "excess": _excess,
    "excess_count": _silent,
    **LINES,
}
