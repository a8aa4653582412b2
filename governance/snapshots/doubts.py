"""Absences that do not count: who is missing from what is believed of a feed, and is not taken for gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from governance.settings import SourceSettings
from governance.snapshots.keeping import Feed, NewestTold, newest_told


@dataclass(frozen=True)
class Doubt:
    """How many are missing from a feed and may be there all the same; `says` also what to do about it."""

    missing: int
    says: str


def doubts(session: Session, feeds: Iterable[Feed]) -> dict[str, Doubt]:
    """By feed, where a row that could not be believed does not say whom it is about, so that nobody's absence counts.

    A feed from which nobody is missing is left out.
    """
    feeds = tuple(feeds)
    return doubts_told(feeds, newest_told(session, [feed.name for feed in feeds]))


def doubts_told(feeds: Iterable[Feed], told: NewestTold) -> dict[str, Doubt]:
    """The same, where the newest of each feed was looked up already."""
    unsure = {name: int((change or {}).get("unsure") or 0) for name, (_, change) in told.items()}
    return {feed.name: Doubt(n, _said(feed, n)) for feed in feeds if (n := unsure.get(feed.name))}


def _said(feed: Feed, missing: int) -> str:
    one = missing == 1
    if isinstance(feed, SourceSettings):
        who, gone = ("1 person", "a leaver") if one else (f"{missing:,} people", "leavers")
    else:
        who, gone = "1 account" if one else f"{missing:,} accounts", "gone"
    return (
        f"{feed.label}: {who} missing from it {'is' if one else 'are'} not taken for {gone}: a row that could not be"
        " believed does not say whom it is about. Mend that row (the pull and the page of the feed name it), then"
        f" `leaverwatch pull {feed.name}`"
    )
