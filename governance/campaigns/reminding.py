"""Reminding the reviewers of a campaign now, beside the reminders that come by the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from governance import audit, notices
from governance.access import Actor, Verb, demand
from governance.campaigns.waiting import reminder, tally
from governance.correlation import fold
from governance.errors import CampaignClosed, DecisionError
from governance.house import House
from governance.tables import Campaign, Notice

REST: Final = timedelta(hours=1)  # between two reminders that somebody asked for
_ASKED: Final = "asked-"  # begins the time in the key of such a notice


@dataclass(frozen=True)
class Reminded:
    """Who is reminded now, and who is not because they were within the last hour: e-mails, sorted."""

    now: tuple[str, ...]
    lately: tuple[str, ...]


def remind(house: House, actor: Actor, now: datetime, id: str, reviewer: str | None = None) -> Reminded:
    """Make a notice for everybody with open items in a running campaign, or for this reviewer alone.

    Whoever stands in for a reviewer is told too. Asked again within the hour nobody is told twice, and nothing is
    written when there is nobody left. The worker sends the notices as each person wants to be told.
    CampaignClosed when it does not run; DecisionError when nobody waits or no channel reaches persons.
    """
    demand(actor, Verb.CAMPAIGN)
    if not house.settings.notify.personal:
        raise DecisionError("no channel reaches persons: [[notify.channel]] says how they are told")
    with house.store.write() as session:
        row = session.get(Campaign, id)
        if row is None or row.status != "running":
            raise CampaignClosed(f"campaign {id} is {row.status if row else 'not there'}")
        waiting = tally(session, id, now).open
        if reviewer is not None:
            waiting = {who: number for who, number in waiting.items() if fold(who) == fold(reviewer)}
        if not waiting:
            raise DecisionError(f"{reviewer or 'nobody'} has {'no' if reviewer else 'an'} open item in “{row.title}”")
        lately = _lately(session, id, now)
        mark = f"{_ASKED}{now:%Y%m%d%H%M}"
        wanted = {who: number for who, number in waiting.items() if who not in lately}
        occasions = [reminder(row, who, number, now, mark) for who, number in sorted(wanted.items())]
        if notices.tell(session, house.settings.notify, now, occasions):
            facts = {"to": sorted(wanted), "items": sum(wanted.values())}
            audit.append(
                session,
                now=now,
                actor=actor.email,
                verb="campaign.remind",
                object=f"campaign/{id}",
                reason=row.title,
                facts=facts,
            )
    return Reminded(tuple(sorted(wanted)), tuple(sorted(set(waiting) & lately)))


def _lately(session: Session, id: str, now: datetime) -> set[str]:
    """Who was reminded like this within the last hour."""
    asked = select(Notice.to).where(
        Notice.kind == "review_reminder",
        Notice.about == id,
        Notice.made_at > now - REST,
        col(Notice.key).startswith(f"review_reminder {id} {_ASKED}", autoescape=True),
    )
    return set(session.exec(asked))
