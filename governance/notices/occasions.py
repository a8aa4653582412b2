"""An occasion: something that is so, and whom it concerns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from governance.channels import KindName, NotifySettings
from governance.notices.kinds import KINDS

ROOM: Final = "room/"
LONGEST: Final = 120  # signs of one line: titles of reviews are typed by people


@dataclass(frozen=True)
class Occasion:
    """Something to tell. The same kind, thing and time is told to the same receiver once."""

    kind: KindName
    about: str  # id of what it is about
    body: str  # one line without a person's name
    link: str  # path and query of the page that opens exactly this
    to: tuple[str, ...] = ()  # e-mails
    time: str = "1"  # which time: the first reminder, the second …
    in_rooms: bool = True

    @property
    def mark(self) -> str:
        """What is told, whoever it is told to."""
        return f"{self.kind} {self.about} {self.time}"

    def key(self, to: str) -> str:
        """What is never told twice."""
        return f"{self.mark} {to}"


def receivers(occasion: Occasion, settings: NotifySettings) -> Iterator[str]:
    """Who is told: the persons it concerns, where a channel reaches persons, and the rooms that want to know."""
    if settings.personal:
        yield from dict.fromkeys(occasion.to)
    for channel in settings.rooms if occasion.in_rooms else ():
        if occasion.kind in (channel.kinds or [name for name, kind in KINDS.items() if kind.in_room]):
            yield f"{ROOM}{channel.name}"


def room(to: str) -> str | None:
    """The name of the channel when a room is told; None for a person."""
    return to.removeprefix(ROOM) if to.startswith(ROOM) else None


def one_line(text: str) -> str:
    """What people typed as one line without anything hidden in it: it may stand in the head of a mail."""
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    short = re.sub(" +", " ", seen).strip()
    return short if len(short) <= LONGEST else short[: LONGEST - 1] + "…"
