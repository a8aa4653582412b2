"""One feed from near: how to prove it again, what its last pull read and rejected, and what it can and cannot tell."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.parts.declaration import declaration
from governance.parts.feedcard import leaving_lines
from governance.parts.links import can_open, link
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.radar import radar_panel
from governance.parts.steps import steps
from governance.parts.text import bold, plain, sentence
from governance.provisioning.telling import window_said
from governance.tables import Pull
from governance.views import connecting
from governance.views.applications import Card, Source, horizon, leaving
from governance.views.coverage import Place, coverage
from governance.views.words import UNKNOWN, count, moment, rule_title


def feed_detail(house: House, actor: Actor, now: datetime, feed: Card | Source) -> None:
    """Left what was read and can be asked for, right what its connector declares."""
    left, right = st.columns([1.5, 1], gap="small")
    with left:
        if feed.feed.failed:
            st.error(sentence(feed.feed.failed), icon=":material/error:")
        if isinstance(feed, Card):
            _leaving(feed)
            _making(house, feed)
            if feed.provisioned:
                radar_panel(feed.provisioned, now)
        steps(house, actor, feed.name)
        with st.container(border=True):
            _last_pull(feed.last, now)
        if isinstance(feed, Card):
            _unjudged(coverage(house, now).gaps_of(feed.name))
    connector = connecting.declared(house, feed.connector)
    with right, st.container(border=True):
        st.subheader(plain(connector.title if connector else feed.connector), anchor=False)
        if connector is None:
            note("What its connector declares is not known yet: it is announced when Leaverwatch starts.")
        else:
            declaration(connector)


def _leaving(card: Card) -> None:
    if card.credential:
        st.warning(f"{plain(card.credential[0].upper() + card.credential[1:])}.", icon=":material/key:")
    with st.container(border=True, gap="xxsmall"):
        leaving_lines(card)
        if card.owner and card.owner not in leaving(card)[0]:
            note(f"Its owner is {plain(card.owner)}.")
        with st.container(horizontal=True):
            for page, label in (("findings", "Its open findings"), ("accounts", "Its accounts")):
                if can_open(page):
                    link(page, label, ":material/arrow_forward:", application=card.name)


def _making(house: House, card: Card) -> None:
    """How its accounts came to be: the window that is fitted, and how far back anybody can tell."""
    titles = {application.name: application.label for application in house.settings.application}
    with st.container(border=True, gap="xxsmall"):
        said = f"{window_said(card.making)} {horizon(card, titles)}"
        st.markdown(f":small[:gray[How accounts come to be]]  \n{plain(said)}")


def _last_pull(last: Pull | None, now: datetime) -> None:
    """What the last pull read, kept and rejected, as it can be proved."""
    st.subheader("Last pull", anchor=False)
    if last is None:
        note("It was never pulled.")
        return
    if last.error:
        st.markdown(f":red[▲ {plain(last.error_kind or 'Failed')}] {plain(last.error)}")
    declared = UNKNOWN if last.declared_total is None else f"{last.declared_total:,}"
    note(
        f"{plain(last.source or 'unknown source')} · started {plain(moment(last.started_at, now))} UTC ·"
        f" {last.pages:,} pages · {declared} declared · {last.rows_read:,} read, {last.kept:,} kept,"
        f" {last.rejected:,} rejected, {last.duplicates:,} duplicate, {last.clamped:,} times in the future ·"
        f" SHA-256 {plain(last.sha256[:16] or UNKNOWN)}{f' · {plain(last.filters)}' if last.filters else ''}"
    )
    if not last.rejects:
        note("No row was rejected.")
        return
    rows = [
        {"Where": r.get("where"), "Column": r.get("column") or UNKNOWN, "Reason": r.get("reason")} for r in last.rejects
    ]
    st.dataframe(pd.DataFrame(rows[:50]), hide_index=True, alt="Rejected rows", key="rejects")
    sideways("rejects")
    if last.rejected > 50:
        note(f"The first 50 of {last.rejected:,}.")


def _unjudged(places: list[Place]) -> None:
    """Which rules could not judge some or all accounts here, and why: neither a finding nor a clean bill."""
    for state in ("not evaluable", "partly"):
        of_it = [place for place in places if place.state == state]
        if not of_it:
            continue
        with st.container(border=True, gap="xsmall"):
            title = "Not evaluable here" if state == "not evaluable" else "Only partly judged here"
            st.subheader(f"{title}: {count(len(of_it), 'rule', 'rules')}", anchor=False)
            for place in of_it:
                st.markdown(f":small[{bold(rule_title(place.rule))} {plain(place.why)}]")
