"""Reading only what changed: when that is enough, what it rests on, and where the next reading goes on.

A mark counts for the very settings and the very columns it was made with: whoever changes what a feed reads, or this
program, has everything read once more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlmodel import select

from governance.house import House
from governance.records import COLUMNS
from governance.snapshots import believed, lost
from governance.tables import Snapshot

if TYPE_CHECKING:
    from governance.settings import ApplicationSettings, SourceSettings

_FORM: Final = 1  # raised when connectors read the same answers in another way
# Settings that say when and how fast a feed is read, or what people call it: not what is read.
_NOT_READ: Final = (
    "title", "every", "full_every", "outdated_after", "deadline", "limit_share", "owner", "criticality", "provisioning",
    "default_role", "mapping",
)  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """The believed snapshot that changes are laid over, and the connector's mark in it."""

    snapshot: Snapshot
    mark: str

    @property
    def words(self) -> str:
        """What the evidence says of it."""
        since, whole = self.snapshot.at, self.snapshot.whole_at or self.snapshot.at
        return f"changes since {since:%Y-%m-%d %H:%M}Z; everything was read at {whole:%Y-%m-%d %H:%M}Z"


def ground(house: House, name: str, at: datetime) -> Ground | None:
    """What changes may be laid over now; None where everything must be read.

    While the guard holds a snapshot of the feed everything is read: what two people are asked about is never a part.
    """
    feed = house.settings.feed(name)
    with house.store.read() as session:
        last = believed(session, name)
        held = session.exec(select(Snapshot.id).where(Snapshot.feed == name, Snapshot.status == "held")).first()
    if last is None or lost(house, last) or held is not None or last.account_mark is None or last.whole_at is None:
        return None
    made_with, _, mark = last.account_mark.partition(" ")
    if made_with != _made_with(feed) or not last.whole_at <= at < last.whole_at + feed.full_every:
        return None
    return Ground(last, mark)


def kept(house: House, name: str, mark: str | None) -> str | None:
    """A connector's mark as it is kept with the snapshot."""
    return None if mark is None else f"{_made_with(house.settings.feed(name))} {mark}"


def _made_with(feed: SourceSettings | ApplicationSettings) -> str:
    """What the settings, the columns and the form of reading come down to. Settings name secrets, they hold none."""
    settings = feed.model_dump(mode="json", exclude=set(_NOT_READ))
    told = json.dumps([_FORM, COLUMNS, settings], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
