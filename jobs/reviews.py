"""Reviews: after each detect run, running campaigns are brought up to date and those that are due begin."""

from __future__ import annotations

from sqlmodel import col, select

from governance.house import House
from governance.tables import Campaign, ReviewSchedule
from jobs.home import clock


def keep_up(house: House) -> dict[str, int]:
    """Refresh what runs, begin what is due, raise micro-reviews; says how many of each. Nothing while another does."""
    from governance import campaigns  # here: after most detect runs there is nothing to do

    with house.store.lease("reviews") as alone:
        if not alone:
            return {}
        begun = campaigns.begin_due(house, clock())
        raised = campaigns.raise_micro_reviews(house, clock())
        changed = campaigns.refresh(house, clock())
    return {"begun": len(begun), "micro": len(raised), **changed}


def anything_to_do(house: House) -> bool:
    """Whether a campaign runs, one is scheduled, or events raise micro-reviews."""
    if house.settings.reviews.micro:
        return True
    running = select(Campaign.id).where(Campaign.status == "running").limit(1)
    due = select(ReviewSchedule.id).where(col(ReviewSchedule.ended_at).is_(None), ReviewSchedule.next_at <= clock())
    with house.store.read() as session:
        return session.exec(running).first() is not None or session.exec(due.limit(1)).first() is not None
