"""A message: what one receiver is told at one time, however many notices it is made of."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from governance.notices.kinds import KINDS
from governance.notices.occasions import ROOM
from governance.tables import Notice


@dataclass(frozen=True)
class Section:
    """All notices of one kind in a message."""

    kind: str
    title: str
    lines: tuple[str, ...]
    link: str  # whole address
    abouts: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """What is sent. The same notices make the same id, so that a receiver can tell a repetition."""

    id: str
    to: str
    title: str
    sections: tuple[Section, ...]
    foot: str

    @property
    def text(self) -> str:
        """The message as plain text."""
        parts = [
            "\n".join((section.title, *(f"  {line}" for line in section.lines), f"  {section.link}"))
            for section in self.sections
        ]
        return "\n\n".join((*parts, self.foot)) + "\n"


def compose(notices: Sequence[Notice], address: str) -> Message:
    """One message of all these notices, which have the same receiver; the most urgent kind first."""
    to = notices[0].to
    in_room = to.startswith(ROOM)
    base = address.rstrip("/")
    sections = []
    for name, kind in KINDS.items():
        own = [notice for notice in notices if notice.kind == name]
        if own:
            number = len({notice.about for notice in own})
            links = {notice.link for notice in own}
            sections.append(
                Section(
                    name,
                    kind.title(number, room=in_room),
                    tuple(kind.line(body, n) for body, n in Counter(notice.body for notice in own).items()),
                    f"{base}/{links.pop() if len(links) == 1 else kind.page}",
                    tuple(notice.about for notice in own),
                )
            )
    more = sum(len(set(section.abouts)) for section in sections[1:])
    title = sections[0].title + (f", and {more} more" if more else "")
    foot = "Opening a link decides nothing: you decide on the page, after you have signed in."
    if not in_room:
        foot += f"\nWhen and how you are told: {base}/notifications"
    digest = hashlib.sha256("\x1f".join(sorted(notice.id for notice in notices)).encode()).hexdigest()
    return Message(digest[:32], to, title, tuple(sections), foot)
