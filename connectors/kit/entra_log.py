"""What happened in an Entra directory: sign-ins, the audit log, and what it pushed to applications.

Confirmed in Microsoft's documentation: sign-ins come newest first and at most 1,000 a page; the audit log can be
filtered with ge and le; `$deltatoken=latest` begins the changes of users from now on. Not seen in it: that entries may
come up to two hours late (each reading begins that much before the end of the last one) and are kept for 30 days.
A long log is read in stretches of time, oldest first. Where the audit log is closed, the changes of users stand in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from connectors.kit.entra_calls import EntraCalls, Refused, entries, entry_id
from connectors.kit.entra_events import audited, provisioned, signed_in
from connectors.kit.resource import Reader, Resource
from governance.errors import IncompleteFeed
from governance.records import Event, Reading

LATE: Final = timedelta(hours=2)
KEPT: Final = timedelta(days=30)
SHORTEST: Final = timedelta(hours=1)
_SHRINK: Final = 8
_MANY: Final = 20  # pages of one stretch
_KEPT_BACK: Final = 1 / 3  # of the deadline
_DELTA: Final = "users/delta()"

Told = Callable[[Resource, str, Reader], Event | None]
# Path, what its instants are called, how a row is read, permission, licence. The longest log comes last.
_STREAMS: Final[tuple[tuple[str, str, Told, str, str], ...]] = (
    ("auditLogs/directoryAudits", "activityDateTime", audited, "AuditLog.Read.All", "Entra ID"),
    ("auditLogs/provisioning", "activityDateTime", provisioned, "ProvisioningLog.Read.All", "Entra ID P1"),
    ("auditLogs/signIns", "createdDateTime", signed_in, "AuditLog.Read.All", "Entra ID P1"),
)
_WHAT: Final = {
    "auditLogs/directoryAudits": "changes of accounts and rights",
    "auditLogs/provisioning": "what was pushed to applications",
    "auditLogs/signIns": "sign-ins",
}


class EntraLog:
    """Reads the logs of one directory. `mark` says for each of them until when it was read."""

    def __init__(self, calls: EntraCalls, place: str, now: datetime) -> None:
        self._calls = calls
        self._place = place
        self._now = now
        self._reader = Reader(place, now)
        self._marks: dict[str, str] = {}

    @property
    def mark(self) -> str:
        """Where to go on."""
        return json.dumps(self._marks, sort_keys=True)

    def events(self, since: datetime, mark: str | None, reading: Reading) -> Iterator[Event]:
        """What happened from the mark on, each log for itself and oldest first."""
        self._marks = _unpacked(mark)
        end = self._calls.http.deadline.now
        for path, field, told, permission, licence in _STREAMS:
            begin = max(self._from(path) or since, since, end - KEPT)
            refused = yield from self._stream(path, field, told, begin, end, reading)
            if refused is None:
                continue
            reading.notes.append(f"{_WHAT[path]} are unknown: {refused.words(permission, licence)}")
            if told is audited:
                yield from self._changes(reading)
        self._reader.note(reading)

    def _stream(
        self, path: str, field: str, told: Told, begin: datetime, end: datetime, reading: Reading
    ) -> Generator[Event, None, Refused | None]:
        """One log in stretches of time; says where it is closed."""
        at, span = begin, max(end - begin, SHORTEST)
        before: set[str] = set()  # told in the stretch before, which touches this one
        deadline = self._calls.http.deadline
        while at < end:
            until = min(at + span, end)
            params = {"$filter": f"{field} ge {_text(at)} and {field} le {_text(until)}", "$top": "999"}
            pages_before = reading.pages
            rows = self._calls.may_list(path, params, reading)
            if isinstance(rows, Refused):
                return rows
            found: list[Event] = []
            for _, row in rows:
                event = told(self._reader.of(row), self._place, self._reader)
                if event is not None and event.event_id not in before:
                    found.append(event)
                if reading.pages - pages_before > _MANY and span > SHORTEST:
                    break
            pages = reading.pages - pages_before
            if pages > _MANY and span > SHORTEST:
                span = max(span / _SHRINK, SHORTEST)  # begun anew in a shorter stretch; nothing was told yet
                continue
            yield from sorted(found, key=lambda event: event.at)
            before = {event.event_id for event in found}
            at = until
            self._marks[path] = _text(min(at, end - LATE))
            if at < end and deadline.left < _KEPT_BACK * deadline.seconds:
                reading.notes.append(f"the log of {_WHAT[path]} goes on; the rest is read next time")
                break
        return None

    def _changes(self, reading: Reading) -> Iterator[Event]:
        """What changed of users since the last time; the first time only where to go on from."""
        http = self._calls.http
        link = self._marks.get(_DELTA)
        fresh = {"$deltatoken": "latest", "$select": "id,accountEnabled"}
        answer = http.get(link, allow=(400, 404, 410)) if link else http.get(_DELTA, fresh)
        if answer.status >= 400:
            reading.notes.append("the changes of users since the last reading are gone; they are told from now on")
            link, answer = None, http.get(_DELTA, fresh)
        seen = set()
        while True:
            for row in entries(answer) if link else ():
                account_id = entry_id(row)
                if account_id:
                    kind = "deleted" if "@removed" in row else "updated"
                    number = hashlib.sha256(f"{link} {account_id}".encode()).hexdigest()[:32]
                    yield Event(self._place, number, self._now, kind, account_id, None, True)
            following = self._calls.following(answer)
            if following is None:
                break
            if following in seen:
                raise IncompleteFeed(f"{self._place}: {_DELTA}: the same page is named as the next one again")
            seen.add(following)
            answer = http.get(following)
        if (last := self._calls.following(answer, "@odata.deltaLink")) is not None:
            self._marks[_DELTA] = last

    def _from(self, path: str) -> datetime | None:
        text = self._marks.get(path)
        return None if text is None else self._reader.instant("mark", text)


def _unpacked(mark: str | None) -> dict[str, str]:
    """The mark of an earlier reading; none where it is not one of ours."""
    try:
        told = json.loads(mark or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, Mapping) else {}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
