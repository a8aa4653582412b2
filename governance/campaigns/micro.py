"""Micro-reviews: one person's access, asked for because something happened to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import polars as pl
from sqlmodel import col, select

from governance.campaigns.gained import gained
from governance.campaigns.preparing import newest_run
from governance.campaigns.schedules import begin
from governance.errors import DecisionError
from governance.findings import table
from governance.house import House
from governance.tables import Campaign, Finding

LOOKS_BACK: Final = timedelta(days=7)  # a worker that was off for a while still sees what happened
MOST: Final = 50  # in one go: a reorganisation raises many, and the job that begins them has other work too


def raise_micro_reviews(house: House, now: datetime) -> list[str]:
    """Begin a small campaign for each event the settings name that has none yet; says which campaigns.

    Events: `move` (department, title or manager changed), `new_privilege` (a privileged grant since then), `outlier`
    (the rule peer_outlier opened a finding). The same event never raises two; one that was refused is tried again. Of
    more than MOST that nobody reviewed yet the others wait for the next time.
    """
    settings = house.settings.reviews
    if not settings.micro:
        return []
    begun: list[str] = []
    plan = {"levels": [["manager", "application_owner"]], "fallback": settings.fallback, "days": settings.days}
    for key, identity_id, title in _unreviewed(house, now):
        try:
            made = begin(house, now, title, {"identities": [identity_id]}, plan, template="micro", schedule=key)
        except DecisionError:
            continue  # nothing to review, or nobody may: the finding stands where there is one
        begun.append(made.id)
        if len(begun) == MOST:
            break
    return begun


def _unreviewed(house: House, now: datetime) -> list[tuple[str, str, str]]:
    """Key, identity and title of each event without a campaign; last, and at most MOST, those refused before."""
    fresh, refused = [], []
    raised = select(Campaign.schedule, Campaign.status).where(Campaign.template == "micro").order_by(col(Campaign.id))
    with house.store.read() as session:
        statuses = dict(session.exec(raised).all())  # of several the newest counts
    for kind, identity_id, name, what, day in _events(house, now):
        key = f"micro:{kind}:{identity_id}:{day}"
        if key not in statuses:
            fresh.append((key, identity_id, f"{name}: {what}"))
        elif statuses[key] == "draft":
            refused.append((key, identity_id, f"{name}: {what}"))
    return fresh + refused[:MOST]


def _events(house: House, now: datetime) -> Iterator[tuple[str, str, str, str, str]]:
    """Kind, identity, name, what happened, and the day or fingerprint that makes the event one."""
    wanted = house.settings.reviews.micro
    with house.store.read() as session:
        run = newest_run(session)
    estate = house.snapshots / run.estate
    since = now - LOOKS_BACK
    people = table(estate, "identities")
    if people is None:
        return
    if "move" in wanted:
        moved = people.filter(pl.col("moved_at") >= since, pl.col("state").is_in(["current", "leave"]))
        for id, name, at in (
            moved.select("identity_id", "display_name", "moved_at").sort("identity_id").collect().rows()
        ):
            yield "move", id, name or id, "access after a move", f"{at:%Y-%m-%d}"
    if "new_privilege" in wanted:
        for id, name, at in gained(house, run, since):
            yield "new_privilege", id, name, "was given a privilege", f"{at:%Y-%m-%d}"
    if "outlier" in wanted:
        with house.store.read() as session:
            chosen = select(Finding).where(
                Finding.rule == "peer_outlier", Finding.status == "open", col(Finding.opened_at) >= since
            )
            for found in session.exec(chosen.order_by(col(Finding.fingerprint))):
                if found.identity_id:
                    name = found.identity_name or found.identity_id
                    yield "outlier", found.identity_id, name, "holds what few peers hold", found.fingerprint
