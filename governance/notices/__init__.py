"""Notices: who is to be told what, when they want to be told, and what became of it. Sending is work of the jobs."""

from governance.notices.keeping import (
    RETRIES,
    again,
    drop,
    due,
    failed,
    forget,
    marks_told,
    sent,
    sent_lately,
    tell,
    told_before,
)
from governance.notices.kinds import KINDS, Kind
from governance.notices.messages import Message, compose
from governance.notices.occasions import Occasion, one_line, receivers, room
from governance.notices.preferences import Preference, prefer, preference, preferences

__all__ = [
    "KINDS",
    "RETRIES",
    "Kind",
    "Message",
    "Occasion",
    "Preference",
    "again",
    "compose",
    "drop",
    "due",
    "failed",
    "forget",
    "marks_told",
    "one_line",
    "prefer",
    "preference",
    "preferences",
    "receivers",
    "room",
    "sent",
    "sent_lately",
    "tell",
    "told_before",
]
