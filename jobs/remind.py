"""Telling people: looks what there is to tell, and hands what is due to the channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from governance import notices
from governance.access import Actor, Verb, demand
from governance.channels import ChannelSettings
from governance.errors import LeaverwatchError, NotDelivered
from governance.house import House
from governance.notices import Message, Occasion
from governance.tables import Notice
from jobs import occasions, work
from jobs.delivery import Line, line

MINUTE: Final = timedelta(minutes=1)
ENOUGH: Final = 3  # failures in a row, then a channel is left alone until the next time


@dataclass
class Told:
    """What came of one time: notices made, messages that arrived, and what did not arrive and why."""

    made: int = 0
    dropped: int = 0
    sent: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def why(self) -> str:
        """What did not arrive, each reason once."""
        return "; ".join(dict.fromkeys(self.failures))[:1000]

    def checked(self) -> Told:
        """What came of it; NotDelivered when something did not arrive."""
        if self.failures:
            raise NotDelivered(self.why)
        return self


def run(house: House, by: str, environ: Mapping[str, str], now: datetime) -> Told:
    """Look and tell, under a lease and recorded; at a scheduled time with nothing to tell nothing is recorded."""
    told = Told()
    with work.holding(house, "notices"):
        fresh, due = look(house, now)
        if by == work.SCHEDULER and not fresh and not due:
            return told
        with work.recorded(house, "remind", by) as running:
            try:
                tell(house, now, environ, fresh, told)
            finally:
                running.counts = {"made": told.made, "sent": told.sent, "dropped": told.dropped}
                if told.failures:
                    running.counts["not_delivered"] = len(told.failures)
                    running.status, running.error = "failed", told.why
    return told


def look(house: House, now: datetime) -> tuple[list[Occasion], list[Notice]]:
    """What was not told yet and what is due; both empty where nothing is to be done. Writes nothing."""
    settings = house.settings.notify
    if not settings.channel:
        return [], []
    found = occasions.gather(house, now)
    with house.store.read() as session:
        before = notices.told_before(session, found)
        due = notices.due(session, now)
    return [o for o in found if any(o.key(to) not in before for to in notices.receivers(o, settings))], due


def tell(house: House, now: datetime, environ: Mapping[str, str], fresh: list[Occasion], told: Told) -> None:
    """Make notices of what is new, then send what is due."""
    with house.store.write() as session:
        told.made = notices.tell(session, house.settings.notify, now, fresh)
    with house.store.read() as session:
        due = notices.due(session, now)
    gone = occasions.no_longer_true(house, due, now)
    if gone:
        with house.store.write() as session:
            told.dropped = notices.drop(session, gone)
    _send(house, now, environ, [notice for notice in due if notice.id not in gone], told)


def try_out(house: House, actor: Actor, environ: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """A message over every channel that says nothing but that it arrived; the channel's name, and why it did not."""
    demand(actor, Verb.RUN)
    words = "This is a test: what waits for you will reach you here."
    for channel in house.settings.notify.channel:
        to = actor.email if channel.reaches_persons else f"room/{channel.name}"
        try:
            line(house, channel, environ).send(Message("test", to, "Leaverwatch reaches you here", (), words))
        except LeaverwatchError as error:
            yield channel.name, str(error)
        else:
            yield channel.name, None


def _send(house: House, now: datetime, environ: Mapping[str, str], due: list[Notice], told: Told) -> None:
    channels = {channel.name: _Channel(house, channel, environ, now) for channel in house.settings.notify.channel}
    with house.store.read() as session:
        wishes = notices.preferences(session, {n.to for n in due if notices.room(n.to) is None})
    for to, own in _by_receiver(due):
        wanted = _wanted(house, to, wishes.get(to))
        if not wanted:
            with house.store.write() as session:
                told.dropped += notices.drop(session, {n.id: "no channel reaches this receiver any more" for n in own})
            continue
        errors = []
        for name in wanted:
            missing = [notice for notice in own if name not in (notice.channels or ())]
            if missing and channels[name].free:
                try:
                    channels[name].send(missing)
                except LeaverwatchError as error:
                    errors.append(str(error))
                else:
                    told.sent += 1
                    with house.store.write() as session:
                        notices.sent(session, now, [notice.id for notice in missing], name, wanted)
        if errors:
            told.failures.append("; ".join(errors))
            with house.store.write() as session:
                notices.failed(session, now, [notice.id for notice in own], "; ".join(errors))


def _by_receiver(due: Iterable[Notice]) -> Iterator[tuple[str, list[Notice]]]:
    """Who has waited longest stands first; everything for one receiver goes into one message."""
    found: dict[str, list[Notice]] = {}
    for notice in due:
        found.setdefault(notice.to, []).append(notice)
    yield from found.items()


def _wanted(house: House, to: str, wishes: notices.Preference | None) -> list[str]:
    """The channels a receiver is told over; all that reach persons where those somebody chose are gone."""
    settings = house.settings.notify
    if (name := notices.room(to)) is not None:
        return [channel.name for channel in settings.rooms if channel.name == name]
    personal = [channel.name for channel in settings.personal]
    return [name for name in personal if wishes and name in wishes.channels] or personal


class _Channel:
    """A channel during one time: opened when the first message goes over it, and left alone when it does not answer."""

    def __init__(self, house: House, channel: ChannelSettings, environ: Mapping[str, str], now: datetime) -> None:
        self._house = house
        self._channel = channel
        self._environ = environ
        self._line: Line | None = None
        self._failed = 0
        with house.store.read() as session:
            self._left = channel.most_per_minute - notices.sent_lately(session, now, channel.name, MINUTE)

    @property
    def free(self) -> bool:
        """Whether it takes more now; the rest waits until the next time."""
        return self._left > 0 and self._failed < ENOUGH

    def send(self, own: list[Notice]) -> None:
        """One message of all these."""
        self._left -= 1
        try:
            if self._line is None:
                self._line = line(self._house, self._channel, self._environ)
            self._line.send(notices.compose(own, self._house.settings.notify.address))
        except LeaverwatchError:
            self._failed += 1
            raise
        self._failed = 0
